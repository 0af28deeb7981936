"""aiosqlite: connections of vestige.sqlite, whose thread works under the context of the task that asks.

    import vestige.aiosqlite
    async with vestige.aiosqlite.connect("shop.db") as connection: ...

Everything else is as in aiosqlite; what is said, and when, as in vestige.sqlite.
"""

from __future__ import annotations

import contextvars
import os
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aiosqlite

import vestige.sqlite

if TYPE_CHECKING:
    from vestige._saying import Autocommit

__all__ = ["Connection", "MissingContext", "connect"]

MissingContext = vestige.sqlite.MissingContext


class Connection(aiosqlite.Connection):
    """aiosqlite.Connection, under the context in force."""

    @property
    def vestige_autocommit(self) -> Autocommit:
        kept: Autocommit = getattr(self._conn, "vestige_autocommit", "off")
        return kept

    async def _execute(self, fn: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """All that aiosqlite does on its thread, which knows nothing of whoever asks for it."""
        return await super()._execute(contextvars.copy_context().run, fn, *args, **named)  # type: ignore[no-untyped-call]


def connect(database: Any, *, iter_chunk_size: int = 64, **named: Any) -> Connection:
    """aiosqlite.connect() of a connection of this module."""
    location = os.fspath(database) if isinstance(database, os.PathLike) else database
    named.setdefault("factory", vestige.sqlite.Connection)
    return Connection(lambda: sqlite3.connect(location, **named), iter_chunk_size)
