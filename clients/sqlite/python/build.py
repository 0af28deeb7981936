"""Puts the extension that $VESTIGE_EXTENSION names into the wheel, which is then one for its platform and any Python."""
import os
import pathlib
import platform
import re

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        given = os.environ.get("VESTIGE_EXTENSION")
        if not given:
            raise SystemExit("vestige-sqlite: say in VESTIGE_EXTENSION where vestige0.so is (`make sqlite-extension` builds it)")
        path = pathlib.Path(given).resolve()
        build_data["force_include"][str(path)] = f"vestige_sqlite/{path.name}"
        build_data["pure_python"] = False
        # The oldest glibc that has all it asks for; whoever makes the wheel may run on another, and its Python ask for less.
        asked = [tuple(map(int, found)) for found in re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)", path.read_bytes())]
        system = "manylinux_{}_{}".format(*max(asked)) if asked else platform.system().lower()
        build_data["tag"] = f"py3-none-{system}_{platform.machine()}"
