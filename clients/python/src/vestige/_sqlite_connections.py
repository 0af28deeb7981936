"""Connections of SQLite as a trail uses them: sqlite3, pysqlite3 and apsw; aiosqlite. How the extension comes into one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

from vestige import errors
from vestige._program import Program
from vestige._sqlite_trail import Sqlite

_MODULES: Final = frozenset(("sqlite3", "_sqlite3", "pysqlite3", "apsw", "aiosqlite"))
_LOADED: Final = "select vestige_version()"
_CURES: Final = (
    "this Python was built without loadable extensions for sqlite3; any of these has them: pip install pysqlite3-binary "
    "(and import pysqlite3 as sqlite3), pip install apsw, or a Python of your distribution, of uv, or built with "
    "--enable-loadable-sqlite-extensions"
)
_NO_FILE: Final = "the loadable extension is not there: pip install vestige-sqlite, or say extension= with the path of vestige0"


def roots(connection: Any) -> set[str]:
    """The packages that a connection comes from."""
    return {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}


def is_sqlite(connection: Any) -> bool:
    return not _MODULES.isdisjoint(roots(connection))


def cursor_of(connection: Any) -> Any:
    """A cursor that says no context, and gives rows as they are, whatever factories the program has."""
    if "apsw" in roots(connection):
        cursor = connection.cursor()
        cursor.row_trace = cursor.exec_trace = None
        return cursor
    modules = [sys.modules[kind.__module__] for kind in type(connection).__mro__ if kind.__module__ in sys.modules]
    kind = next(module.Cursor for module in modules if module.__name__ in ("sqlite3", "_sqlite3", "pysqlite3.dbapi2"))
    cursor = kind(connection)
    cursor.row_factory = None
    return cursor


def plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row whose texts are texts, whatever text_factory the program has."""
    return tuple(one.decode() if isinstance(one, bytes) else one for one in row)


def renamed(error: Exception) -> Exception | None:
    """What Vestige refuses, by its own name."""
    return errors.named(str(error))


def found_path(extension: str | None) -> str | None:
    if extension is not None:
        return extension
    try:
        import vestige_sqlite  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    try:
        path: str = vestige_sqlite.loadable_path()
    except vestige_sqlite.ExtensionUnavailable:
        return None
    return path


def load(connection: Any, path: str) -> None:
    """Loads the extension, and leaves loading switched off. AttributeError: this Python cannot."""
    enable, load = (
        (connection.enableloadextension, connection.loadextension)
        if "apsw" in roots(connection)
        else (connection.enable_load_extension, connection.load_extension)
    )
    enable(True)
    try:
        load(path)
    finally:
        enable(False)


def opened(connection: Any, extension: str | None, program: str | None) -> Sqlite | Program:
    """By the extension, where it is loaded or can be; else by the program, where it is found and the database is a file."""
    try:
        cursor_of(connection).execute(_LOADED).fetchall()
        return Sqlite()
    except Exception as error:
        if "no such function" not in str(error):
            raise
    path = found_path(extension)
    why = _NO_FILE
    if path is not None:
        try:
            load(connection, path)
            return Sqlite()
        except AttributeError:
            why = _CURES
    program = program or shutil.which("vestige")
    [file] = [row[2] for row in cursor_of(connection).execute("pragma database_list") if row[1] == "main"]
    if program and file:
        return Program(program, connection, plain([file])[0])
    raise errors.ExtensionUnavailable(f"{why}; or the program `vestige` on the PATH, for a database in a file")


async def opened_async(connection: Any, extension: str | None) -> Sqlite:
    """The same by aiosqlite, and by the extension alone: the program would keep everybody waiting."""
    try:
        async with connection.execute(_LOADED):
            return Sqlite()
    except Exception as error:
        if "no such function" not in str(error):
            raise
    path = found_path(extension)
    if path is None:
        raise errors.ExtensionUnavailable(_NO_FILE)
    try:
        await connection.enable_load_extension(True)
    except AttributeError as error:
        raise errors.ExtensionUnavailable(_CURES) from error
    try:
        await connection.load_extension(path)
    finally:
        await connection.enable_load_extension(False)
    return Sqlite()
