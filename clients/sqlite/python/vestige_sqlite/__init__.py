"""Vestige's loadable extension for SQLite: where it is, and how it comes into a connection."""

from __future__ import annotations

import pathlib
from typing import Any

__all__ = ["ExtensionUnavailable", "load", "loadable_path"]

_CURES = (
    "this Python was built without loadable extensions for sqlite3; any of these has them: "
    "pip install apsw (and give it apsw.Connection), pip install pysqlite3-binary (and import pysqlite3 as sqlite3), "
    "or a Python of your distribution, of uv, or built with --enable-loadable-sqlite-extensions"
)


class ExtensionUnavailable(RuntimeError):
    """The extension cannot be loaded here; the message says why, and what can be done about it."""


def loadable_path() -> str:
    """The extension's file, as sqlite3.Connection.load_extension, apsw's loadextension or SQLite's .load take it."""
    found = sorted(pathlib.Path(__file__).parent.glob("vestige0.*"))
    if not found:
        raise ExtensionUnavailable(
            "this vestige-sqlite has no extension for the platform; the program `vestige` does the same, outside the connection"
        )
    return str(found[0])


def load(connection: Any) -> None:
    """Loads the extension into a connection of sqlite3, pysqlite3 or apsw, and leaves loading switched off.

    An asynchronous driver's connection is loaded on its own thread: aiosqlite, `await db._execute(vestige_sqlite.load, db._conn)`.
    """
    path = loadable_path()
    if hasattr(connection, "enableloadextension"):  # apsw
        connection.enableloadextension(True)
        try:
            connection.loadextension(path)
        finally:
            connection.enableloadextension(False)
        return
    if not hasattr(connection, "enable_load_extension"):
        raise ExtensionUnavailable(_CURES)
    connection.enable_load_extension(True)
    try:
        connection.load_extension(path)
    finally:
        connection.enable_load_extension(False)
