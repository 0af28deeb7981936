"""Each driver as the contract's runner uses it: with the client, or plain for comparison."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras

import vestige.asyncpg
import vestige.psycopg
import vestige.psycopg2
import vestige.sqlite


class Undone(Exception):
    """Ends a transaction or a savepoint by going back."""


class Driver:
    """How a case's steps are done; everything is a coroutine, whatever the driver is."""

    # It sends many rows before it has the answers to the first: how many turns that takes is for the two to find.
    ahead = False
    copies = True
    # How often it waits is its statements' own, and not the collector's of those that nobody holds any more.
    counts = True

    def __init__(self, plain: bool) -> None:
        self.plain = plain

    async def savepoint(self, connection: Any, back: bool) -> Any:
        raise NotImplementedError

    def sqlstate(self, error: BaseException) -> str | None:
        return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)

    async def poison(self, connection: Any, context: str) -> None:
        await self.execute(connection, f"set vestige.context = '{context}'", [])

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        raise NotImplementedError


def formatted(sql: str) -> str:
    return re.sub(r"\$\d", "%s", sql)


class Psycopg(Driver):
    """Autocommit, and transactions by transaction()."""

    ahead = True
    kind: Any = vestige.psycopg.Connection
    cursor: Any = None

    async def connect(self, host: str, port: int) -> Any:
        kind = psycopg.Connection if self.plain else self.kind
        named = {} if self.cursor is None else {"cursor_factory": self.cursor}
        return kind.connect(
            host=host,
            port=port,
            user="app",
            dbname="clients",
            autocommit=True,
            prepare_threshold=None,
            sslmode="disable",
            **named,
        )

    async def close(self, connection: Any) -> None:
        connection.close()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        with connection.transaction():
            yield
            if back:
                raise psycopg.Rollback()

    savepoint = transaction

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        cursor = connection.execute(formatted(sql), parameters) if parameters else connection.execute(sql)
        return [list(row) for row in cursor.fetchall()] if cursor.description else None

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(formatted(sql), rows)

    async def copy(self, connection: Any, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        with connection.cursor() as cursor, cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)


class PsycopgClientCursor(Psycopg):
    cursor = psycopg.ClientCursor


class PsycopgImplicit(Psycopg):
    """Transactions that psycopg begins itself; savepoints in SQL."""

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        connection.autocommit = False
        try:
            yield
            connection.rollback() if back else connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.autocommit = True

    @asynccontextmanager
    async def savepoint(self, connection: Any, back: bool) -> AsyncIterator[None]:
        await self.execute(connection, "savepoint place", [])
        try:
            yield
            await self.execute(connection, "rollback to savepoint place" if back else "release savepoint place", [])
        except BaseException:
            await self.execute(connection, "rollback to savepoint place", [])
            raise


class PsycopgAsync(Driver):
    ahead = True

    async def connect(self, host: str, port: int) -> Any:
        kind: Any = psycopg.AsyncConnection if self.plain else vestige.psycopg.AsyncConnection
        return await kind.connect(
            host=host, port=port, user="app", dbname="clients", autocommit=True, prepare_threshold=None, sslmode="disable"
        )

    async def close(self, connection: Any) -> None:
        await connection.close()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        async with connection.transaction():
            yield
            if back:
                raise psycopg.Rollback()

    savepoint = transaction

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        cursor = await (connection.execute(formatted(sql), parameters) if parameters else connection.execute(sql))
        return [list(row) for row in await cursor.fetchall()] if cursor.description else None

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        async with connection.cursor() as cursor:
            await cursor.executemany(formatted(sql), rows)

    async def copy(self, connection: Any, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        statement = f"copy {table} ({', '.join(columns)}) from stdin"
        async with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)


class Psycopg2(PsycopgImplicit):
    ahead = False

    async def connect(self, host: str, port: int) -> Any:
        named: dict[str, Any] = {} if self.plain else {"connection_factory": vestige.psycopg2.Connection}
        connection = psycopg2.connect(host=host, port=port, user="app", dbname="clients", sslmode="disable", **named)
        connection.autocommit = True
        return connection

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        with connection.cursor() as cursor:
            cursor.execute(formatted(sql) if parameters else sql, parameters or None)
            return [list(row) for row in cursor.fetchall()] if cursor.description else None

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(formatted(sql), rows)

    async def copy(self, connection: Any, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        import io

        text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"copy {table} ({', '.join(columns)}) from stdin", io.StringIO(text))


class Psycopg2Values(Psycopg2):
    """Rows by execute_values, cursors of a factory of psycopg2's."""

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        with connection.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor:
            psycopg2.extras.execute_values(cursor, sql.replace("values ($1, $2)", "values %s"), rows)


class Asyncpg(Driver):
    ahead = True

    async def connect(self, host: str, port: int) -> Any:
        connect: Any = asyncpg.connect if self.plain else vestige.asyncpg.connect
        return await connect(host=host, port=port, user="app", database="clients", ssl=False, statement_cache_size=0)

    async def close(self, connection: Any) -> None:
        await connection.close()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        try:
            async with connection.transaction():
                yield
                if back:
                    raise Undone
        except Undone:
            pass

    savepoint = transaction

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        if not parameters and " from " not in sql:
            await connection.execute(sql)
            return None
        return [list(row) for row in await connection.fetch(sql, *parameters)]

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        await connection.executemany(sql, rows)

    async def copy(self, connection: Any, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        await connection.copy_records_to_table(table, columns=columns, records=[tuple(row) for row in rows])


class AsyncpgPrepared(Asyncpg):
    """Statements are prepared and then fetched, as SQLAlchemy does."""

    counts = tuple(map(int, asyncpg.__version__.split(".")[:2])) >= (0, 30)

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        if not parameters and " from " not in sql:
            await connection.execute(sql)
            return None
        statement = await connection.prepare(sql)
        return [list(row) for row in await statement.fetch(*parameters)]


class Sqlite(Driver):
    """Transactions in SQL, and none else."""

    async def connect(self, host: str, port: int) -> Any:
        kind = sqlite3.Connection if self.plain else vestige.sqlite.Connection
        return sqlite3.connect(host, isolation_level=None, factory=kind)

    async def close(self, connection: Any) -> None:
        connection.close()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        connection.execute("begin")
        try:
            yield
            connection.execute("rollback" if back else "commit")
        except BaseException:
            connection.execute("rollback")
            raise

    @asynccontextmanager
    async def savepoint(self, connection: Any, back: bool) -> AsyncIterator[None]:
        connection.execute("savepoint place")
        try:
            yield
            if back:
                connection.execute("rollback to savepoint place")
        except BaseException:
            connection.execute("rollback to savepoint place")
            raise
        finally:
            connection.execute("release savepoint place")

    def sqlstate(self, error: BaseException) -> str | None:
        if isinstance(error, vestige.MissingContext):
            return "VS001"
        return "23505" if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error) else None

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        cursor = connection.execute(re.sub(r"\$\d", "?", sql), parameters)
        return [list(row) for row in cursor.fetchall()] if cursor.description else None

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        connection.executemany(re.sub(r"\$\d", "?", sql), rows)


class SqliteImplicit(Sqlite):
    """Transactions that sqlite3 begins itself, and commit()."""

    async def connect(self, host: str, port: int) -> Any:
        kind = sqlite3.Connection if self.plain else vestige.sqlite.Connection
        return sqlite3.connect(host, factory=kind)

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        self._within = True
        try:
            with connection:
                yield
                if back:
                    raise Undone
        except Undone:
            pass
        finally:
            self._within = False

    async def execute(self, connection: Any, sql: str, parameters: list[Any]) -> list[list[Any]] | None:
        try:
            rows = await super().execute(connection, sql, parameters)
        except sqlite3.Error:
            if not self._within:
                connection.rollback()
            raise
        self._commit(connection)
        return rows

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        await super().many(connection, sql, rows)
        self._commit(connection)

    def _commit(self, connection: Any) -> None:
        if not self._within:
            connection.commit()

    _within = False


POSTGRES = [
    Psycopg,
    PsycopgClientCursor,
    PsycopgImplicit,
    PsycopgAsync,
    Psycopg2,
    Psycopg2Values,
    Asyncpg,
    AsyncpgPrepared,
]
SQLITE = [Sqlite, SqliteImplicit]
