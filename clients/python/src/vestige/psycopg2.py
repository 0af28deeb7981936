"""psycopg2: cursors that say the context with the first statement of a transaction, in the same round trip.

    import vestige.psycopg2
    connection = vestige.psycopg2.connect("dbname=shop")
    connection = psycopg2.connect("dbname=shop", connection_factory=vestige.psycopg2.Connection)

psycopg2 sends statements as text, so the context stands before the statement, in a transaction and in none. What psycopg2
sends from C (COPY, callproc) gets a statement of its own, where it is needed. Cursors with a name only read, and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from vestige import errors
from vestige._render import set_local
from vestige._saying import wanted
from vestige._statements import controls, writes

if TYPE_CHECKING:
    from vestige._saying import Autocommit, Empty

__all__ = ["Conflict", "Connection", "MissingContext", "connect"]

_IDLE = psycopg2.extensions.TRANSACTION_STATUS_IDLE
_INTRANS = psycopg2.extensions.TRANSACTION_STATUS_INTRANS
_LONGEST_REPEATED = 1024  # a context that executemany sends with each row; a longer one is a statement of its own


class MissingContext(errors.MissingContext, psycopg2.DatabaseError):
    pass


class Conflict(errors.Conflict, psycopg2.DatabaseError):
    pass


@contextmanager
def _by_name() -> Iterator[None]:
    """What Vestige refuses is raised by its own name."""
    try:
        yield
    except psycopg2.Error as error:
        made: psycopg2.Error
        if error.pgcode == errors.MISSING_CONTEXT:
            made = MissingContext(*error.args)
        elif error.pgcode == errors.CONFLICT:
            made = Conflict(*error.args)
        else:
            raise
        cast(Any, made).__setstate__({"pgcode": error.pgcode, "pgerror": error.pgerror})
        raise made from error


class Connection(psycopg2.extensions.connection):
    """psycopg2's connection; cursors of any factory say the context in force."""

    vestige_autocommit: Autocommit = "transaction"
    vestige_empty: Empty = "say"
    _vestige_said: str | None = None  # in this transaction

    def cursor(self, *args: Any, **named: Any) -> Any:
        if len(args) > 1:  # the factory's place
            return super().cursor(args[0], _saying(args[1]), *args[2:], **named)
        factory: Any = named.pop("cursor_factory", None) or cast(Any, self).cursor_factory or psycopg2.extensions.cursor
        return super().cursor(*args, cursor_factory=_saying(factory), **named)

    def tpc_begin(self, xid: Any) -> None:
        self._vestige_begins()
        super().tpc_begin(xid)

    def lobject(self, *args: Any, **named: Any) -> Any:
        self._vestige_begins()
        return super().lobject(*args, **named)

    def _vestige_begins(self) -> None:
        """Before psycopg2 itself may begin a transaction: nothing is said in that yet, whatever was said in the last one."""
        if self.info.transaction_status == _IDLE:
            self._vestige_said = None

    def _vestige_prefix(self, text: str) -> str:
        """What stands before a statement: the context, where it has to be said now."""
        status = self.info.transaction_status
        if status == _IDLE:
            self._vestige_said = None
            if self.autocommit and not (self.vestige_autocommit != "off" and writes(text)):
                return ""
        elif status != _INTRANS:
            return ""
        said = wanted(self._vestige_said, self.vestige_empty)
        if said is None:
            return ""
        # Noted also where the statement fails: then the transaction can only end, or go back to a savepoint.
        self._vestige_said = said
        return set_local(said) + "; "


class _SayingCursor:
    def execute(self, query: Any, vars: Any = None) -> None:
        cursor, connection = cast(Any, self), cast(Any, self).connection
        if cursor.name is not None:
            connection._vestige_begins()
            return super().execute(query, vars)  # type: ignore[misc,no-any-return]
        query, text = _text(query, cursor)
        if controls(text):
            try:
                return super().execute(query, vars)  # type: ignore[misc,no-any-return]
            finally:
                connection._vestige_said = None
        prefix = connection._vestige_prefix(text) if text.strip() else ""
        with _by_name():
            super().execute(prefix.encode() + query if isinstance(query, bytes) else prefix + query, vars)  # type: ignore[misc]

    def executemany(self, query: Any, vars_list: Any) -> None:
        cursor, connection = cast(Any, self), cast(Any, self).connection
        query, text = _text(query, cursor)
        with _by_name():
            if connection.autocommit and connection.info.transaction_status == _IDLE:
                # Each row is a transaction of its own, and says its own context.
                prefix = connection._vestige_prefix(text)
                connection._vestige_said = None
            else:
                prefix = connection._vestige_prefix(text)
                if len(prefix) > _LONGEST_REPEATED:
                    super().execute(prefix)  # type: ignore[misc]
                    prefix = ""
            query = prefix.encode() + query if isinstance(query, bytes) else prefix + query
            super().executemany(query, vars_list)  # type: ignore[misc]

    def copy_expert(self, sql: Any, *args: Any, **named: Any) -> Any:
        sql, text = _text(sql, cast(Any, self))
        with self._said(text):
            return super().copy_expert(sql, *args, **named)  # type: ignore[misc]

    def copy_from(self, *args: Any, **named: Any) -> Any:
        with self._said("copy from"):
            return super().copy_from(*args, **named)  # type: ignore[misc]

    def callproc(self, *args: Any, **named: Any) -> Any:
        with self._said("select ()"):
            return super().callproc(*args, **named)  # type: ignore[misc]

    @contextmanager
    def _said(self, text: str) -> Iterator[None]:
        """Says the context in a statement of its own, before what psycopg2 sends from C."""
        connection = cast(Any, self).connection
        alone = connection.autocommit and connection.info.transaction_status == _IDLE
        prefix = connection._vestige_prefix(text)
        with _by_name():
            if prefix:
                super().execute(("begin; " if alone else "") + prefix)  # type: ignore[misc]
            try:
                yield
            except BaseException:
                if prefix and alone and not connection.closed:
                    super().execute("rollback")  # type: ignore[misc]
                raise
            if prefix and alone:
                # What was fetched for the caller must outlive this statement.
                with psycopg2.extensions.connection.cursor(connection) as other:
                    other.execute("commit")


def _text(query: Any, cursor: Any) -> tuple[Any, str]:
    """The statement as it is sent, but for its parameters, and as text to look at."""
    if isinstance(query, sql.Composable):
        query = query.as_string(cursor)
    if isinstance(query, bytes):
        return query, query.decode("utf-8", "replace")
    return query, str(query)


_made: dict[type, type] = {}


def _saying(factory: type) -> type:
    """The class of cursors that a connection makes, with the context before what it sends."""
    if issubclass(factory, _SayingCursor):
        return factory
    if factory not in _made:
        _made[factory] = type(factory.__name__, (_SayingCursor, factory), {"__module__": factory.__module__})
    return _made[factory]


def connect(*args: Any, **named: Any) -> Connection:
    """psycopg2.connect() of a connection of this module."""
    return cast(Connection, psycopg2.connect(*args, **{"connection_factory": Connection, **named}))
