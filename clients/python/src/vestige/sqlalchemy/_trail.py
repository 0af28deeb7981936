"""The trail through a connection of SQLAlchemy: the questions are vestige.trail's, asked in the session's own transaction."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.util import await_only

from vestige import _sqlite_connections as sqlite
from vestige import errors, trail
from vestige._asking import placed
from vestige._postgres_trail import Postgres
from vestige._program import Program
from vestige._sqlite_trail import COLUMNS, Sqlite

F = TypeVar("F", bound=Callable[..., Any])
EXTENSION: Final = "vestige_extension"  # of a dialect: the path that install() was given
_PAGE: Final = 500


class Trail(trail.Trail):
    """vestige.trail.Trail, by a connection of SQLAlchemy, sync or inside run_sync()."""

    def __init__(self, through: sa.engine.Connection) -> None:
        self._through = through
        self.connection: Any = cast(Any, through.connection).driver_connection
        self._ask = _sqlite(through) if through.dialect.name == "sqlite" else Postgres()

    def _rows(self, sql: str, parameters: list[Any] | None) -> tuple[list[str], list[Any]]:
        if isinstance(self._ask, Sqlite):
            return [], list(self._stream(sql, parameters or []))
        if parameters is None:
            return self._script(sql)
        text = placed(sql, lambda place: f"(:p{place})", lambda quoted: quoted.replace(":", "\\:"))
        result = self._through.execute(sa.text(text), {f"p{place}": value for place, value in enumerate(parameters, 1)})
        return (list(result.keys()), [tuple(row) for row in result]) if result.returns_rows else ([], [])

    def _script(self, sql: str) -> tuple[list[str], list[Any]]:
        if hasattr(self.connection, "fetchval"):  # asyncpg, of which SQLAlchemy wants every statement prepared
            await_only(self.connection.execute(sql))
        else:
            self._through.execution_options(no_parameters=True).exec_driver_sql(sql)
        return [], []

    def _stream(self, sql: str, parameters: list[Any]) -> Iterator[Any]:
        result = self._through.exec_driver_sql(sql, tuple(parameters))
        if result.returns_rows:
            yield from (sqlite.plain(row) for row in result)

    @property
    def loaded(self) -> bool:
        """It is not the program that answers, outside of the connection."""
        return not isinstance(self._ask, Program)

    def after(self, upto: int) -> list[trail.Change]:
        """On SQLite, the changes behind this one, by id."""
        if not isinstance(self._ask, Sqlite):
            raise errors.ExtensionUnavailable("this needs the loadable extension: the program cannot see into a transaction")
        ids = [str(row[0]) for row in self._stream("select id from vestige_change where id > ? order by id", [upto])]
        found: list[trail.Change] = []
        for first in range(0, len(ids), _PAGE):
            sql = f"select {COLUMNS} from vestige_changes(?) c order by c.id"
            found += map(self._ask.change, self._stream(sql, ["id:" + ",".join(ids[first : first + _PAGE])]))
        return found


def _sqlite(through: sa.engine.Connection) -> Sqlite | Program:
    """What answers on SQLite, loaded where it has to be, on the thread of the connection."""
    adapted: Any = through.connection
    driver, path = adapted.driver_connection, getattr(through.dialect, EXTENSION, None)
    if hasattr(driver, "_conn"):  # aiosqlite
        opened: Sqlite | Program = await_only(driver._execute(sqlite.opened, driver._conn, path, None))
    else:
        opened = sqlite.opened(driver, path, None)
    return opened


def connection_of(bind: Any) -> sa.engine.Connection:
    """The connection of a session, with what the session has to write written; or the connection itself."""
    if isinstance(bind, orm.Session):
        if bind.autoflush:
            bind.flush()
        return bind.connection()
    if isinstance(bind, sa.engine.Connection):
        return bind
    raise TypeError(f"a Session or a Connection is wanted, not a {type(bind).__name__}")


def in_greenlet() -> bool:
    """Whether this is inside run_sync(), where what is awaited elsewhere is simply called."""
    greenlet = sys.modules.get("greenlet")
    return greenlet is not None and hasattr(greenlet.getcurrent(), "__sqlalchemy_greenlet_provider__")


def of_asyncio(bind: Any, *names: str) -> bool:
    """It is of one of SQLAlchemy's async classes. Whoever has such a thing has imported them; 2.1 cannot where greenlet is not."""
    classes = sys.modules.get("sqlalchemy.ext.asyncio")
    return classes is not None and isinstance(bind, tuple(getattr(classes, name) for name in names))


def either(function: F) -> F:
    """For a function of a session or a connection: of an async one it gives something to await."""

    @functools.wraps(function)
    def call(bind: Any, *args: Any, **named: Any) -> Any:
        if isinstance(bind, orm.scoped_session) or of_asyncio(bind, "async_scoped_session"):
            bind = bind()
        if of_asyncio(bind, "AsyncSession", "AsyncConnection"):
            return bind.run_sync(lambda sync: function(sync, *args, **named))
        return function(bind, *args, **named)

    return cast(F, call)


def by_engine(function: F) -> F:
    """The same, for functions that also take an engine, and then do their work in a transaction of their own."""

    async def awaited(engine: Any, *args: Any, **named: Any) -> Any:
        async with engine.begin() as connection:
            return await connection.run_sync(lambda sync: function(sync, *args, **named))

    @functools.wraps(function)
    def call(bind: Any, *args: Any, **named: Any) -> Any:
        if of_asyncio(bind, "AsyncEngine"):
            return awaited(bind, *args, **named)
        if isinstance(bind, sa.engine.Engine):
            with bind.begin() as connection:
                return function(connection, *args, **named)
        return either(function)(bind, *args, **named)

    return cast(F, call)
