"""SQLAlchemy over each driver, as the contract's runner uses it: an engine of one connection, AUTOCOMMIT and transactions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import sqlalchemy
from drivers import Driver
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

import vestige
import vestige.sqlalchemy


class Line:
    """What the runner calls a connection: an engine's only one, and the transaction that is open on it."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.within: Any = None


def named(sql: str) -> Any:
    return sqlalchemy.text(re.sub(r"\$(\d)", r":p\1", sql))


def parameters(row: list[Any]) -> dict[str, Any]:
    return {f"p{place}": value for place, value in enumerate(row, 1)}


class Sqlalchemy(Driver):
    copies = False  # SQLAlchemy has no COPY
    url = "postgresql+psycopg2"
    arguments: ClassVar[dict[str, Any]] = {"sslmode": "disable"}

    def __init_subclass__(cls) -> None:
        cls.ahead = "psycopg2" not in cls.url

    def made(self, host: str, port: int) -> Any:
        url = f"{self.url}://app@{host}:{port}/clients" if "postgresql" in self.url else f"{self.url}:///{host}"
        named: dict[str, Any] = {"connect_args": self.arguments, "future": True, "pool_size": 1, "max_overflow": 0}
        engine = self.create(url, named)
        return engine if self.plain else vestige.sqlalchemy.install(engine)

    def create(self, url: str, named: dict[str, Any]) -> Any:
        return sqlalchemy.create_engine(url, poolclass=QueuePool, **named)

    def sqlstate(self, error: BaseException) -> str | None:
        if isinstance(error, vestige.MissingContext):
            assert isinstance(error, sqlalchemy.exc.DBAPIError)
            return "VS001"
        return "23505" if isinstance(error, sqlalchemy.exc.IntegrityError) else None

    async def connect(self, host: str, port: int) -> Any:
        line = Line(self.made(host, port))
        with line.engine.connect():
            return line

    async def close(self, connection: Any) -> None:
        connection.engine.dispose()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        with connection.engine.connect() as within:
            begun = within.begin()
            connection.within = within
            try:
                yield
                begun.rollback() if back else begun.commit()
            finally:
                connection.within = None

    @asynccontextmanager
    async def savepoint(self, connection: Any, back: bool) -> AsyncIterator[None]:
        with connection.within.begin_nested() as begun:
            yield
            if back:
                begun.rollback()

    async def execute(self, connection: Any, sql: str, row: list[Any]) -> list[list[Any]] | None:
        if connection.within is not None:
            return self.rows(connection.within.execute(named(sql), parameters(row)))
        with connection.alone.connect() as alone:
            return self.rows(alone.execute(named(sql), parameters(row)))

    def rows(self, result: Any) -> list[list[Any]] | None:
        return [list(row) for row in result.fetchall()] if result.returns_rows else None

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        given = [parameters(row) for row in rows]
        if connection.within is not None:
            connection.within.execute(named(sql), given)
            return
        with connection.alone.connect() as alone:
            alone.execute(named(sql), given)


class SqlalchemyPsycopg2(Sqlalchemy):
    pass


class SqlalchemyPsycopg(Sqlalchemy):
    url = "postgresql+psycopg"
    arguments: ClassVar[dict[str, Any]] = {"sslmode": "disable", "prepare_threshold": None}


class SqlalchemyAsync(Sqlalchemy):
    def create(self, url: str, named: dict[str, Any]) -> Any:
        return create_async_engine(url, poolclass=AsyncAdaptedQueuePool, **named)

    async def connect(self, host: str, port: int) -> Any:
        line = Line(self.made(host, port))
        async with line.engine.connect():
            return line

    async def close(self, connection: Any) -> None:
        await connection.engine.dispose()

    @asynccontextmanager
    async def transaction(self, connection: Any, back: bool) -> AsyncIterator[None]:
        async with connection.engine.connect() as within:
            begun = await within.begin()
            connection.within = within
            try:
                yield
                await (begun.rollback() if back else begun.commit())
            finally:
                connection.within = None

    @asynccontextmanager
    async def savepoint(self, connection: Any, back: bool) -> AsyncIterator[None]:
        async with connection.within.begin_nested() as begun:
            yield
            if back:
                await begun.rollback()

    async def execute(self, connection: Any, sql: str, row: list[Any]) -> list[list[Any]] | None:
        if connection.within is not None:
            return self.rows(await connection.within.execute(named(sql), parameters(row)))
        async with connection.alone.connect() as alone:
            return self.rows(await alone.execute(named(sql), parameters(row)))

    async def many(self, connection: Any, sql: str, rows: list[list[Any]]) -> None:
        given = [parameters(row) for row in rows]
        if connection.within is not None:
            await connection.within.execute(named(sql), given)
            return
        async with connection.alone.connect() as alone:
            await alone.execute(named(sql), given)


class SqlalchemyPsycopgAsync(SqlalchemyAsync):
    url = "postgresql+psycopg_async"
    arguments: ClassVar[dict[str, Any]] = SqlalchemyPsycopg.arguments


class SqlalchemyAsyncpg(SqlalchemyAsync):
    url = "postgresql+asyncpg"
    arguments: ClassVar[dict[str, Any]] = {"ssl": False}


class SqlalchemySqlite(Sqlalchemy):
    url = "sqlite+pysqlite"
    arguments: ClassVar[dict[str, Any]] = {}


class SqlalchemyAiosqlite(SqlalchemyAsync):
    url = "sqlite+aiosqlite"
    arguments: ClassVar[dict[str, Any]] = {}


NEW = sqlalchemy.__version__ >= "2"
POSTGRES = [SqlalchemyPsycopg2, SqlalchemyAsyncpg, *((SqlalchemyPsycopg, SqlalchemyPsycopgAsync) if NEW else ())]
SQLITE = [SqlalchemySqlite, SqlalchemyAiosqlite]
