"""The script that installs a trail on PostgreSQL, as the program has it: `vestige init` takes the one for the other's.

It is part of the package; in a checkout it is put together of sql/postgres.
"""

from __future__ import annotations

import functools
import hashlib
import pathlib
import re

__all__ = ["expanded", "fingerprint", "script"]

_PACKED = pathlib.Path(__file__).parent / "sql/install.sql"
_PART = re.compile(r"(?<=\n)\\ir ([a-z_/]+[.]sql)\n")


def expanded(path: pathlib.Path) -> str:
    """A script with the parts that it includes, as cmake/sql.cmake puts it together."""
    text = path.read_text(encoding="utf-8")
    while found := _PART.search(text):
        part = "\n" + (path.parent / found[1]).read_text(encoding="utf-8")
        text = text[: found.start()] + part + text[found.end() :]
    return text


@functools.cache
def script() -> str:
    """What makes a trail, or brings one up to date, in one transaction."""
    if _PACKED.exists():
        return _PACKED.read_text(encoding="utf-8")
    return expanded(pathlib.Path(__file__).parents[4] / "sql/postgres/install.sql")


def fingerprint() -> str:
    """What the trail keeps of the script that made it."""
    return hashlib.sha256(script().encode()).hexdigest()
