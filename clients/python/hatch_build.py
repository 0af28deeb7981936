"""Puts the script that installs a trail into what is built; a source distribution has it already."""

from __future__ import annotations

import pathlib
import runpy
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        script = pathlib.Path(self.root).parents[1] / "sql/postgres/install.sql"
        if not script.exists():
            return
        expanded = runpy.run_path(str(pathlib.Path(self.root) / "src/vestige/_install.py"))["expanded"]
        self._directory = tempfile.TemporaryDirectory()
        made = pathlib.Path(self._directory.name) / "install.sql"
        made.write_text(expanded(script), encoding="utf-8")
        place = "vestige/sql/install.sql" if self.target_name == "wheel" else "src/vestige/sql/install.sql"
        build_data["force_include"][str(made)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_directory"):
            self._directory.cleanup()
