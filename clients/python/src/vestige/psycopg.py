"""psycopg 3: connections that say the context with BEGIN, in the same round trip.

    import vestige.psycopg
    connection = vestige.psycopg.Connection.connect("dbname=shop")
    pool = psycopg_pool.ConnectionPool("dbname=shop", connection_class=vestige.psycopg.Connection)

Everything else is as in psycopg: cursors of any factory, transaction(), pipelines, COPY, server-side binding. A statement in
no transaction that may write is sent in one pipeline with its context, which is one round trip as before. PgBouncer wants
`prepare_threshold=None`, with this or without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import psycopg
from psycopg import generators, pq, sql
from psycopg.errors import error_from_result

from vestige import errors
from vestige._context import said
from vestige._render import literal, set_local
from vestige._saying import wanted
from vestige._signing import signed
from vestige._statements import controls, single, writes

if TYPE_CHECKING:
    from psycopg._connection_base import BaseConnection

    from vestige._saying import Autocommit, Empty

    _Base = BaseConnection[Any]
else:
    # What psycopg's own two have in common, too, so that a connection that stands can become one of ours (adopt).
    _Base = psycopg.Connection.__base__

__all__ = ["AsyncConnection", "Conflict", "Connection", "MissingContext", "adopt"]

_Row = TypeVar("_Row", covariant=True)
# psycopg 3.1 leaves a pipeline in which something failed without the Sync that ends its transaction, and PgBouncer waits for it.
_PIPELINES = pq.version() >= 140000 and tuple(map(int, psycopg.__version__.split(".")[:2])) >= (3, 2)
_IDLE = pq.TransactionStatus.IDLE
_FAILED = (pq.TransactionStatus.INERROR, pq.TransactionStatus.UNKNOWN)


class MissingContext(errors.MissingContext, psycopg.DatabaseError):
    sqlstate = errors.MISSING_CONTEXT


class Conflict(errors.Conflict, psycopg.DatabaseError):
    sqlstate = errors.CONFLICT


def _ours(error: psycopg.Error) -> psycopg.Error | None:
    """What Vestige refuses, by its own name; None: it is something else."""
    kinds = {errors.MISSING_CONTEXT: MissingContext, errors.CONFLICT: Conflict}
    kind = kinds.get(error.sqlstate or "")
    return None if kind is None else kind(*error.args, info=error._info, encoding=error._encoding)


class _Saying(_Base):
    """What the sync and the async connection have in common: the two places through which psycopg sends whatever it sends."""

    __slots__ = ()

    vestige_autocommit: Autocommit = "transaction"
    vestige_empty: Empty = "say"
    _vestige_said: str | None = None  # in this transaction
    _vestige_factory: Any = None
    _vestige_controlled = False  # a statement of the user's begins or ends a transaction just now

    @property
    def cursor_factory(self) -> Any:
        return self._vestige_factory

    @cursor_factory.setter
    def cursor_factory(self, factory: Any) -> None:
        self._vestige_factory = _saying(factory)

    def _exec_command(self, command: Any, *args: Any, **named: Any) -> Generator[Any, Any, Any]:
        """BEGIN, COMMIT, ROLLBACK and what else psycopg says of itself."""
        if isinstance(command, bytes) and command.startswith(b"BEGIN"):
            return (yield from self._vestige_begin(command))
        if isinstance(command, bytes) and command.startswith((b"ROLLBACK", b"COMMIT")):
            self._vestige_said = None
        return (yield from super()._exec_command(command, *args, **named))

    def _vestige_begin(self, command: bytes) -> Generator[Any, Any, Any]:
        text = wanted(None, self.vestige_empty)
        if text is None or self._pipeline:
            result = yield from super()._exec_command(command)
            if text is not None:
                yield from super()._exec_command(set_local(text).encode())
        else:
            self._check_connection_ok()
            self.pgconn.send_query(command + b"; " + set_local(text).encode())
            results = yield from generators.execute(self.pgconn)
            for result in results:
                if result.status != pq.ExecStatus.COMMAND_OK:
                    raise error_from_result(result, encoding=self.pgconn._encoding)
            result = results[0]
        self._vestige_said = text
        return result

    def _start_query(self) -> Generator[Any, Any, None]:
        """Before each statement of each cursor."""
        idle = self.pgconn.transaction_status == _IDLE
        if idle:
            self._vestige_said = None
        yield from super()._start_query()
        if self._vestige_controlled or self.pgconn.transaction_status in _FAILED:
            return
        if self._autocommit and not self._num_transactions and self._pipeline:
            # What is sent up to the next Sync is one transaction; where that is, is psycopg's to know.
            text = wanted(None, self.vestige_empty)
            if text is not None and self.vestige_autocommit != "off":
                said = f"select pg_catalog.set_config('vestige.context', {literal(signed(text))}, true)"
                yield from super()._exec_command(said.encode())
        elif self.pgconn.transaction_status != _IDLE:
            text = wanted(self._vestige_said, self.vestige_empty)
            if text is not None:
                yield from super()._exec_command(set_local(text).encode())
                self._vestige_said = text

    def _vestige_alone(self, text: str) -> bool:
        """A statement that may write, and is in no transaction."""
        return (
            self.vestige_autocommit != "off"
            and self._autocommit
            and not self._pipeline
            and self.pgconn.transaction_status == _IDLE
            and writes(text)
        )

    def _vestige_ask(self, text: str) -> None:
        """What is asked of a context when it is first needed is asked now: who looks it up may use this connection, which is
        locked while it says something."""
        if not self._autocommit or self.pgconn.transaction_status != _IDLE or self._vestige_alone(text):
            said()

    def _vestige_text(self, query: Any) -> str:
        if isinstance(query, bytes):
            return query.decode("utf-8", "replace")
        if isinstance(query, sql.Composable):
            return query.as_string(self)
        if isinstance(query, str):
            return query
        return sql.as_string(query, self)  # a template string, of Python 3.14

    @contextmanager
    def _vestige_control(self) -> Iterator[None]:
        self._vestige_controlled = True
        try:
            yield
        finally:
            self._vestige_controlled = False
            self._vestige_said = None


class Connection(_Saying, psycopg.Connection[_Row]):  # pyright: ignore[reportIncompatibleVariableOverride]
    """psycopg.Connection, under the context in force."""

    def wait(self, *args: Any, **named: Any) -> Any:
        try:
            return super().wait(*args, **named)
        except psycopg.Error as error:
            ours = _ours(error)
            if ours is None:
                raise
            raise ours from error

    @contextmanager
    def transaction(self, *args: Any, **named: Any) -> Iterator[Any]:
        idle = self.pgconn.transaction_status == _IDLE
        said()  # before it is locked
        if idle and self.pgconn.transaction_status != _IDLE:
            self.commit()  # what looked something up; this one is to be a transaction of its own
        with super().transaction(*args, **named) as transaction:
            yield transaction

    @contextmanager
    def _vestige_within(self, text: str) -> Iterator[None]:
        """What it takes to send this statement under a context, where it is in no transaction."""
        self._vestige_ask(text)
        if not self._vestige_alone(text):
            yield
        elif single(text) and _PIPELINES:
            with self.pipeline():
                yield
        else:
            with self.transaction():
                yield


class AsyncConnection(_Saying, psycopg.AsyncConnection[_Row]):  # pyright: ignore[reportIncompatibleVariableOverride]
    """psycopg.AsyncConnection, under the context in force."""

    async def wait(self, *args: Any, **named: Any) -> Any:
        try:
            return await super().wait(*args, **named)
        except psycopg.Error as error:
            ours = _ours(error)
            if ours is None:
                raise
            raise ours from error

    @asynccontextmanager
    async def _vestige_within(self, text: str) -> AsyncIterator[None]:
        if not self._vestige_alone(text):
            yield
        elif single(text) and _PIPELINES:
            async with self.pipeline():
                yield
        else:
            async with self.transaction():
                yield


class _SayingCursor:
    __slots__ = ()

    def execute(self, query: Any, *args: Any, **named: Any) -> Any:
        connection = cast(Any, self)._conn
        text = connection._vestige_text(query)
        if controls(text):
            with connection._vestige_control():
                return super().execute(query, *args, **named)  # type: ignore[misc]
        with connection._vestige_within(text):
            return super().execute(query, *args, **named)  # type: ignore[misc]

    def executemany(self, query: Any, *args: Any, **named: Any) -> None:
        connection = cast(Any, self)._conn
        with connection._vestige_within(connection._vestige_text(query)):
            super().executemany(query, *args, **named)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, *args: Any, **named: Any) -> Iterator[Any]:
        connection = cast(Any, self)._conn
        text = connection._vestige_text(statement)
        connection._vestige_ask(text)
        with _transaction_if(connection, connection._vestige_alone(text)), super().copy(statement, *args, **named) as copy:  # type: ignore[misc]
            yield copy

    def stream(self, query: Any, *args: Any, **named: Any) -> Iterator[Any]:
        connection = cast(Any, self)._conn
        text = connection._vestige_text(query)
        connection._vestige_ask(text)
        with _transaction_if(connection, connection._vestige_alone(text)):
            yield from super().stream(query, *args, **named)  # type: ignore[misc]


class _AsyncSayingCursor:
    __slots__ = ()

    async def execute(self, query: Any, *args: Any, **named: Any) -> Any:
        connection = cast(Any, self)._conn
        text = connection._vestige_text(query)
        if controls(text):
            with connection._vestige_control():
                return await super().execute(query, *args, **named)  # type: ignore[misc]
        async with connection._vestige_within(text):
            return await super().execute(query, *args, **named)  # type: ignore[misc]

    async def executemany(self, query: Any, *args: Any, **named: Any) -> None:
        connection = cast(Any, self)._conn
        async with connection._vestige_within(connection._vestige_text(query)):
            await super().executemany(query, *args, **named)  # type: ignore[misc]

    @asynccontextmanager
    async def copy(self, statement: Any, *args: Any, **named: Any) -> AsyncIterator[Any]:
        connection = cast(Any, self)._conn
        copying = super().copy(statement, *args, **named)  # type: ignore[misc]
        alone = connection._vestige_alone(connection._vestige_text(statement))
        async with _async_transaction_if(connection, alone), copying as copy:
            yield copy

    async def stream(self, query: Any, *args: Any, **named: Any) -> AsyncIterator[Any]:
        connection = cast(Any, self)._conn
        async with _async_transaction_if(connection, connection._vestige_alone(connection._vestige_text(query))):
            async for row in super().stream(query, *args, **named):  # type: ignore[misc]
                yield row


@contextmanager
def _transaction_if(connection: Any, needed: bool) -> Iterator[None]:
    if needed:
        with connection.transaction():
            yield
    else:
        yield


@asynccontextmanager
async def _async_transaction_if(connection: Any, needed: bool) -> AsyncIterator[None]:
    if needed:
        async with connection.transaction():
            yield
    else:
        yield


_made: dict[type, type] = {}


def _saying(factory: type) -> type:
    """The class of cursors that a connection makes, with the context before what it sends."""
    if issubclass(factory, (_SayingCursor, _AsyncSayingCursor)):
        return factory
    if factory not in _made:
        mixin = _AsyncSayingCursor if issubclass(factory, psycopg.AsyncCursor) else _SayingCursor
        _made[factory] = type(factory.__name__, (mixin, factory), {"__slots__": (), "__module__": factory.__module__})
    return _made[factory]


def adopt(connection: psycopg.Connection[Any]) -> None:
    """Makes a connection that somebody else opened (a framework, a pool) one that says the context. Again does no harm."""
    if isinstance(connection, _Saying):
        return
    factory, kind = connection.cursor_factory, type(connection)
    if kind not in _adopted:
        _adopted[kind] = type(kind.__name__, (Connection, kind), {"__module__": kind.__module__})
    connection.__class__ = _adopted[kind]
    connection.cursor_factory = factory


_adopted: dict[type, type] = {psycopg.Connection: Connection}
