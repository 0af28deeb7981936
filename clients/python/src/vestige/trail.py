"""The trail of a PostgreSQL database, read with nothing lost, and undone.

    trail = vestige.trail.Trail(connection)          # of psycopg or psycopg2; AsyncTrail: of psycopg's AsyncConnection or asyncpg
    for change in trail.history("products", 1):
        print(change.at, change.who, change.old, "->", change.new)

It reads through the connection that it is given, in its transaction, with its rights. What changes something (revert, undo, erase)
needs a connection of vestige's adapters, so that it is done under the context in force.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from vestige import _questions as ask
from vestige._questions import Blame, Change, Filter, Undo
from vestige.values import UNRECORDED, Interval, Moment

__all__ = ["UNRECORDED", "AsyncTrail", "Blame", "Change", "Interval", "Moment", "Trail", "Undo"]

T = TypeVar("T")
_PAGE = 500
_FIRST, _LAST = -1, 2**63 - 1
_PARAMETER = re.compile(r"\$\d+")


def _formatted(sql: str) -> str:
    """Parameters as psycopg writes them: each stands once, in order."""
    return _PARAMETER.sub("%s", sql)


def _says(connection: Any) -> None:
    if not hasattr(connection, "vestige_autocommit"):
        kind = type(connection)
        raise TypeError(
            f"a {kind.__module__}.{kind.__qualname__} does not say who acts: use the connections of vestige.psycopg, "
            "vestige.psycopg2 or vestige.asyncpg"
        )


class Trail:
    """The trail, by a connection of psycopg or psycopg2."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._types = ask.Types()

    def _rows(self, sql: str, parameters: list[Any]) -> tuple[list[str], list[Any]]:
        # A factory of rows or of cursors that the program has is for its own rows.
        module = type(self.connection).__mro__
        if any(kind.__module__.startswith("psycopg2") for kind in module):
            import psycopg2.extensions

            cursor = self.connection.cursor(cursor_factory=psycopg2.extensions.cursor)
        else:
            from psycopg.rows import tuple_row

            cursor = self.connection.cursor(row_factory=tuple_row)
        with cursor:
            cursor.execute(_formatted(sql), parameters)
            return [column[0] for column in cursor.description], cursor.fetchall()

    def _run(self, question: ask.Question[T]) -> T:
        try:
            asked = next(question)
            while True:
                asked = question.send(self._rows(*asked)[1])
        except StopIteration as end:
            answer: T = end.value
            return answer

    def history(self, table: str, *key: Any) -> Iterator[Change]:
        """A row's changes, newest first, under every key that it had. `key` is one value for each column of it."""
        yield from self._run(ask.history(self._types, table, key))

    def changes(
        self,
        table: str | None = None,
        *,
        actor: str | None = None,
        tx: int | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        newest_first: bool = False,
    ) -> Iterator[Change]:
        """Changes by id, of those that are meant; pages of them are read as they are asked for."""
        wanted = Filter(table, actor, tx, since, until)
        after = _LAST if newest_first else _FIRST
        while page := self._run(ask.changes(self._types, wanted, after, newest_first, _PAGE)):
            yield from page
            after = page[-1].id

    def feed(self, after: int = -1) -> Iterator[Change]:
        """Each change that has its place in the feed, once, in an order that never changes; `after` is the last index seen."""
        last: int | None = after
        while last is not None:
            page, last = self._run(ask.feed(self._types, last, _PAGE))
            yield from page

    def blame(self, table: str, *key: Any) -> list[Blame]:
        """Of each column of a row, which change gave it its value."""
        return self._run(ask.blame(self._types, table, key))

    def as_of(self, table: str, at: datetime.datetime | int) -> Iterator[dict[str, Any]]:
        """The rows of a table as they were at a time, or after the change of this id, as the driver reads them."""
        sql = self._run(ask.as_of(table, at))
        names, rows = self._rows(sql, [_moment(at)])
        for row in rows:
            yield dict(zip(names, row, strict=True))

    def revert(self, tx: int, *, force: bool = False) -> int:
        """Undoes a transaction, all of it or nothing: how many changes. vestige.Conflict names what was changed since."""
        _says(self.connection)
        return self._run(ask.revert(tx, force))

    def undo(self, change: int, *, force: bool = False) -> Undo:
        """Undoes one change."""
        _says(self.connection)
        return self._run(ask.undo(change, force))

    def erase(self, table: str, *key: Any) -> int:
        """Takes the values of every change of a row out of the trail, under a context with a reason: the id of the ERASE."""
        _says(self.connection)
        return self._run(ask.erase(table, key))


class AsyncTrail:
    """The same, by a connection of psycopg's AsyncConnection or of asyncpg."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._types = ask.Types()

    async def _rows(self, sql: str, parameters: list[Any]) -> tuple[list[str], list[Any]]:
        if hasattr(self.connection, "fetchval"):  # asyncpg, whose pools give something that only looks like a connection
            records = await self.connection.fetch(sql, *parameters)
            return (list(records[0].keys()) if records else []), [tuple(record) for record in records]
        from psycopg.rows import tuple_row

        async with self.connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(_formatted(sql), parameters)
            return [column[0] for column in cursor.description], await cursor.fetchall()

    async def _run(self, question: ask.Question[T]) -> T:
        try:
            asked = next(question)
            while True:
                asked = question.send((await self._rows(*asked))[1])
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def history(self, table: str, *key: Any) -> AsyncIterator[Change]:
        """See Trail.history."""
        for change in await self._run(ask.history(self._types, table, key)):
            yield change

    async def changes(
        self,
        table: str | None = None,
        *,
        actor: str | None = None,
        tx: int | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        newest_first: bool = False,
    ) -> AsyncIterator[Change]:
        """See Trail.changes."""
        wanted = Filter(table, actor, tx, since, until)
        after = _LAST if newest_first else _FIRST
        while page := await self._run(ask.changes(self._types, wanted, after, newest_first, _PAGE)):
            for change in page:
                yield change
            after = page[-1].id

    async def feed(self, after: int = -1) -> AsyncIterator[Change]:
        """See Trail.feed."""
        last: int | None = after
        while last is not None:
            page, last = await self._run(ask.feed(self._types, last, _PAGE))
            for change in page:
                yield change

    async def blame(self, table: str, *key: Any) -> list[Blame]:
        """See Trail.blame."""
        return await self._run(ask.blame(self._types, table, key))

    async def as_of(self, table: str, at: datetime.datetime | int) -> AsyncIterator[dict[str, Any]]:
        """See Trail.as_of."""
        sql = await self._run(ask.as_of(table, at))
        names, rows = await self._rows(sql, [_moment(at)])
        for row in rows:
            yield dict(zip(names, row, strict=True))

    async def revert(self, tx: int, *, force: bool = False) -> int:
        """See Trail.revert."""
        _says(self.connection)
        return await self._run(ask.revert(tx, force))

    async def undo(self, change: int, *, force: bool = False) -> Undo:
        """See Trail.undo."""
        _says(self.connection)
        return await self._run(ask.undo(change, force))

    async def erase(self, table: str, *key: Any) -> int:
        """See Trail.erase."""
        _says(self.connection)
        return await self._run(ask.erase(table, key))


def _moment(at: datetime.datetime | int) -> str:
    return str(at) if isinstance(at, int) else at.isoformat()
