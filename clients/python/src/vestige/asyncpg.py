"""asyncpg: connections that say the context with BEGIN, in the same round trip.

    import vestige.asyncpg
    connection = await vestige.asyncpg.connect("postgresql:///shop")
    pool = await vestige.asyncpg.create_pool("postgresql:///shop")          # or connection_class= of asyncpg's own

Everything else is as in asyncpg. A statement in no transaction that may write is sent in one of its own: BEGIN and COMMIT are
two round trips, but for `execute` without arguments, which needs none. PgBouncer wants `statement_cache_size=0`, with this or
without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg import prepared_stmt

from vestige import errors
from vestige._render import set_local
from vestige._saying import wanted
from vestige._statements import controls, starts, words, writes

if TYPE_CHECKING:
    from vestige._saying import Autocommit, Empty

__all__ = ["Conflict", "Connection", "MissingContext", "connect", "create_pool"]


# asyncpg makes an error of the class that says it has the SQLSTATE: there is nothing to translate.
class MissingContext(errors.MissingContext, asyncpg.PostgresError):
    sqlstate = errors.MISSING_CONTEXT


class Conflict(errors.Conflict, asyncpg.PostgresError):
    sqlstate = errors.CONFLICT


class Connection(asyncpg.Connection):
    """asyncpg.Connection, under the context in force."""

    vestige_autocommit: Autocommit = "transaction"
    vestige_empty: Empty = "say"
    _vestige_said: str | None = None  # in this transaction

    async def _vestige_say(self) -> None:
        """In a transaction: the context, where it is another than what was said."""
        text = wanted(self._vestige_said, self.vestige_empty)
        if text is not None:
            await super().execute(set_local(text))
            self._vestige_said = text

    def _vestige_alone(self, query: str) -> bool:
        return self.vestige_autocommit != "off" and writes(query)

    async def _vestige_do(self, query: str, send: Callable[[], Awaitable[Any]]) -> Any:
        """Sends a statement under the context in force."""
        if controls(query):  # prepared, or fetched
            try:
                return await send()
            finally:
                self._vestige_said = None
        if self.is_in_transaction():
            await self._vestige_say()
            return await send()
        self._vestige_said = None
        if not self._vestige_alone(query):
            return await send()
        async with self.transaction():
            return await send()

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        send = super().execute
        if controls(query):
            return await self._vestige_control(query, args, timeout)
        if args or self.is_in_transaction() or not self._vestige_alone(query):
            done: str = await self._vestige_do(query, lambda: send(query, *args, timeout=timeout))
            return done
        # What is sent together as text is one transaction.
        text = wanted(None, self.vestige_empty)
        return await send(query if text is None else f"{set_local(text)};\n{query}", timeout=timeout)

    async def _vestige_control(self, query: str, args: tuple[Any, ...], timeout: float | None) -> str:
        """BEGIN, COMMIT, ROLLBACK TO: asyncpg's own, too, are said by execute."""
        text = wanted(None, self.vestige_empty)
        if args or text is None or self.is_in_transaction() or not starts(query):
            try:
                return await super().execute(query, *args, timeout=timeout)
            finally:
                self._vestige_said = None
        self._vestige_said = None
        await super().execute(f"{query.rstrip().rstrip(';')}\n; {set_local(text)}", timeout=timeout)
        self._vestige_said = text
        return "BEGIN" if words(query)[0][0] == "begin" else "START TRANSACTION"

    async def executemany(self, command: str, args: Any, **named: Any) -> None:
        send = super().executemany
        await self._vestige_do(command, lambda: send(command, args, **named))

    async def fetch(self, query: str, *args: Any, **named: Any) -> list[Any]:
        send = super().fetch
        rows: list[Any] = await self._vestige_do(query, lambda: send(query, *args, **named))
        return rows

    async def fetchval(self, query: str, *args: Any, **named: Any) -> Any:
        send = super().fetchval
        return await self._vestige_do(query, lambda: send(query, *args, **named))

    async def fetchrow(self, query: str, *args: Any, **named: Any) -> Any:
        send = super().fetchrow
        return await self._vestige_do(query, lambda: send(query, *args, **named))

    async def fetchmany(self, query: str, args: Any, **named: Any) -> list[Any]:
        send = super().fetchmany
        rows: list[Any] = await self._vestige_do(query, lambda: send(query, args, **named))
        return rows

    async def copy_to_table(self, table_name: str, **named: Any) -> str:
        send = super().copy_to_table
        done: str = await self._vestige_do("copy from", lambda: send(table_name, **named))
        return done

    async def copy_records_to_table(self, table_name: str, **named: Any) -> str:
        send = super().copy_records_to_table
        done: str = await self._vestige_do("copy from", lambda: send(table_name, **named))
        return done

    async def prepare(self, query: str, **named: Any) -> PreparedStatement:
        made = await super().prepare(query, **named)
        return PreparedStatement(self, query, made._state)

    def cursor(self, query: str, *args: Any, **named: Any) -> Any:
        return _Cursor(self, super().cursor(query, *args, **named))


class PreparedStatement(prepared_stmt.PreparedStatement):
    """asyncpg's, each run under the context in force then."""

    __slots__ = ()

    async def fetch(self, *args: Any, **named: Any) -> list[Any]:
        send = super().fetch
        rows: list[Any] = await self._connection._vestige_do(self._query, lambda: send(*args, **named))
        return rows

    async def fetchval(self, *args: Any, **named: Any) -> Any:
        send = super().fetchval
        return await self._connection._vestige_do(self._query, lambda: send(*args, **named))

    async def fetchrow(self, *args: Any, **named: Any) -> Any:
        send = super().fetchrow
        return await self._connection._vestige_do(self._query, lambda: send(*args, **named))

    async def fetchmany(self, args: Any, **named: Any) -> list[Any]:
        send = super().fetchmany
        rows: list[Any] = await self._connection._vestige_do(self._query, lambda: send(args, **named))
        return rows

    async def executemany(self, args: Any, **named: Any) -> None:
        send = super().executemany
        await self._connection._vestige_do(self._query, lambda: send(args, **named))

    def cursor(self, *args: Any, **named: Any) -> Any:
        return _Cursor(self._connection, super().cursor(*args, **named))


class _Cursor:
    """What cursor() gives: to be awaited or iterated over, in a transaction."""

    def __init__(self, connection: Connection, made: Any) -> None:
        self._connection = connection
        self._made = made

    async def __aiter__(self) -> AsyncIterator[Any]:
        if self._connection.is_in_transaction():
            await self._connection._vestige_say()
        async for row in self._made:
            yield row

    def __await__(self) -> Generator[Any, None, Any]:
        return self._opened().__await__()

    async def _opened(self) -> Any:
        if self._connection.is_in_transaction():
            await self._connection._vestige_say()
        return await self._made


async def connect(*args: Any, **named: Any) -> Connection:
    """asyncpg.connect() of a connection of this module."""
    made: Connection = await asyncpg.connect(*args, **{"connection_class": Connection, **named})
    return made


def create_pool(*args: Any, **named: Any) -> Any:
    """asyncpg.create_pool() of connections of this module."""
    return asyncpg.create_pool(*args, **{"connection_class": Connection, **named})
