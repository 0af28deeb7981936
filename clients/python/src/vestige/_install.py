"""The script that installs a trail on PostgreSQL, as the program has it: `vestige init` takes the one for the other's.

It is part of the package; in a checkout it is put together of sql/postgres.
"""

from __future__ import annotations

import functools
import hashlib
import pathlib
import re

__all__ = ["expanded", "fingerprint", "installation", "script"]

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


# The script sets these for the transaction; what is done in it afterwards finds them as they were.
_SET_BY_SCRIPT = ("search_path", "standard_conforming_strings", "quote_all_identifiers")


def installation() -> str:
    """The script as one text, which is one transaction, or a part of the one that is open; the program finds it up to date."""
    keep = "".join(
        f"select pg_catalog.set_config('vestige_kept.{name}', pg_catalog.current_setting('{name}'), true);\n"
        for name in _SET_BY_SCRIPT
    )
    back = "".join(
        f"select pg_catalog.set_config('{name}', pg_catalog.current_setting('vestige_kept.{name}'), true);\n"
        for name in _SET_BY_SCRIPT
    )
    mark = f"""insert into vestige.meta values ('script', '{fingerprint()}')
  on conflict (name) do update set value = excluded.value;"""
    return f"{keep}{script()}\n{mark}\n{back}"
