"""vestige.trail.Trail, name by name, for drivers whose calls are awaited."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from vestige import _sqlite_connections as sqlite
from vestige._access import Reported, key_of, report
from vestige._asking import FIRST, LAST, formatted, index_of, must_say, told
from vestige._postgres_trail import Postgres
from vestige._records import PAGE, Blame, Change, Filter, Finding, Policy, Undo, ops_of, said_of
from vestige._sqlite_trail import Sqlite

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class AsyncTrail:
    """The trail, by a connection of psycopg's AsyncConnection, of asyncpg or of aiosqlite.

    extension  on SQLite, the path of the loadable extension; without it that of the package vestige-sqlite
    """

    def __init__(self, connection: Any, *, extension: str | None = None) -> None:
        self.connection = connection
        self._extension = extension
        self._ask: Postgres | Sqlite | None = None if sqlite.is_sqlite(connection) else Postgres()

    async def _asking(self) -> Postgres | Sqlite:
        if self._ask is None:
            self._ask = await sqlite.opened_async(self.connection, self._extension)
        return self._ask

    async def _rows(self, sql: str, parameters: list[Any] | None) -> tuple[list[str], list[Any]]:
        if isinstance(self._ask, Sqlite):
            return [], [sqlite.plain(row) async for row in self._stream(sql, parameters or [])]
        if hasattr(self.connection, "fetchval"):  # asyncpg, whose pools give something that only looks like a connection
            if parameters is None:
                await self.connection.execute(sql)
                return [], []
            records = await self.connection.fetch(sql, *parameters)
            return (list(records[0].keys()) if records else []), [tuple(record) for record in records]
        from psycopg.rows import tuple_row

        async with self.connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(sql if parameters is None else formatted(sql), parameters)
            if cursor.description is None:
                return [], []
            return [column[0] for column in cursor.description], await cursor.fetchall()

    async def _stream(self, sql: str, parameters: list[Any]) -> AsyncIterator[Any]:
        cursor = await self.connection.cursor()
        cursor.row_factory = None
        try:
            await cursor.execute(sql, parameters)
            async for row in cursor:
                yield row
        except Exception as error:
            renamed = sqlite.renamed(error)
            if renamed is None:
                raise
            raise renamed from error
        finally:
            await cursor.close()

    async def _run(self, question: Generator[Any, Any, T]) -> T:
        try:
            asked = next(question)
            while True:
                try:
                    with told():
                        rows = (await self._rows(*asked))[1]
                except Exception as error:
                    asked = question.throw(error)  # which may have something to take back
                else:
                    asked = question.send(rows)
        except StopIteration as end:
            return cast(T, end.value)

    async def history(self, table: str, *key: Any) -> AsyncIterator[Change]:
        """See Trail.history."""
        for change in await self._run((await self._asking()).history(table, key)):
            yield change

    async def changes(
        self,
        table: str | None = None,
        *,
        actor: str | None = None,
        tx: int | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        op: str | Sequence[str] | None = None,
        q: str | None = None,
        newest_first: bool = False,
    ) -> AsyncIterator[Change]:
        """See Trail.changes."""
        wanted = Filter(table, actor, tx, since, until, ops_of(op), q)
        ask = await self._asking()
        if isinstance(ask, Sqlite):
            async for row in self._stream(*ask.selected(wanted, newest_first)):
                yield ask.change(sqlite.plain(row))
            return
        meant = await self._run(ask.selected(wanted))
        last: int | None = LAST if newest_first else FIRST
        while last is not None:
            page, last = await self._run(ask.changes(meant, last, newest_first, PAGE))
            for change in page:
                yield change

    async def feed(self, after: int = -1, *, consumer: str | None = None) -> AsyncIterator[Change]:
        """See Trail.feed."""
        ask = await self._asking()
        last: int | None = after if consumer is None else await self._run(ask.seen_by(consumer))
        while last is not None:
            page, last = await self._run(ask.feed(last, PAGE))
            for change in page:
                yield change

    async def seen(self, consumer: str, change: Change) -> None:
        """See Trail.seen."""
        await self._run((await self._asking()).seen(consumer, index_of(change)))

    async def blame(self, table: str, *key: Any) -> list[Blame]:
        """See Trail.blame."""
        return await self._run((await self._asking()).blame(table, key))

    async def as_of(self, table: str, at: datetime.datetime | int) -> AsyncIterator[dict[str, Any]]:
        """See Trail.as_of."""
        ask = await self._asking()
        asked = await self._run(ask.as_of(table, at))
        with told():
            names, rows = await self._rows(*asked)
        for row in rows:
            yield ask.row(names, row)

    async def revert(self, tx: int, *, force: bool = False) -> int:
        """See Trail.revert."""
        must_say(self.connection)
        return await self._run((await self._asking()).revert(tx, force))

    async def undo(self, change: int, *, force: bool = False) -> Undo:
        """See Trail.undo."""
        must_say(self.connection)
        return await self._run((await self._asking()).undo(change, force))

    async def erase(self, table: str, *key: Any, keys: bool = False, contexts: bool = False) -> int | None:
        """See Trail.erase."""
        must_say(self.connection)
        return await self._run((await self._asking()).erase(table, key, keys, contexts))

    async def access(
        self,
        table: str,
        *key: Any,
        kind: str = "read",
        purpose: str | None = None,
        recipient: str | None = None,
        recipient_address: str | None = None,
        description: str | None = None,
        request_ref: str | None = None,
        suspended_until: datetime.datetime | None = None,
        entries: int | None = None,
    ) -> int:
        """See Trail.access."""
        must_say(self.connection)
        what = Reported(
            table, key_of(key), kind, purpose, recipient, recipient_address, description, request_ref, suspended_until, entries
        )
        await self._asking()
        return await self._run(report(self.connection, what))

    async def init(self) -> bool:
        """See Trail.init."""
        return await self._run((await self._asking()).init())

    async def track(self, table: str, *, baseline: bool = False, **policy: Unpack[Policy]) -> None:
        """See Trail.track."""
        await self._run((await self._asking()).track(table, said_of(policy), baseline))

    async def untrack(self, table: str) -> None:
        """See Trail.untrack."""
        await self._run((await self._asking()).untrack(table))

    async def doctor(self, *, fix: bool = False) -> list[Finding]:
        """See Trail.doctor."""
        return await self._run((await self._asking()).doctor(fix))
