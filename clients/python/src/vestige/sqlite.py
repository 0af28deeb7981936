"""sqlite3: connections that set the context in the transaction that writes, and clear it before the commit.

    import vestige.sqlite
    connection = vestige.sqlite.connect("shop.db")
    connection = sqlite3.connect("shop.db", factory=vestige.sqlite.Connection)

SQLite has no setting of a session: the context in force is a row of the database (docs/sqlite.md, "Context"). It is written
before the first statement of a transaction that may write, and taken away by commit() and by COMMIT. A single statement in no
transaction gets one of its own. A database without a trail is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from vestige import errors
from vestige._context import said
from vestige._fields import FIELDS
from vestige._session import row_of
from vestige._statements import controls, words, writes

if TYPE_CHECKING:
    from types import TracebackType

    from vestige._saying import Autocommit

__all__ = ["Connection", "Cursor", "MissingContext", "connect"]

_SECONDS = 3600  # that a context lasts, should somebody end its transaction behind our back
_INSERT = (
    f"insert into vestige_session ({', '.join(FIELDS)}, extra, seconds) values ({', '.join('?' * len(FIELDS))}, ?, {_SECONDS})"
)
_DELETE = "delete from vestige_session"
_NO_TRAIL = "no such table: vestige_session"


class MissingContext(errors.MissingContext, sqlite3.IntegrityError):
    pass


@contextmanager
def _by_name() -> Iterator[None]:
    """What Vestige refuses is raised by its own name."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, MissingContext) or not errors.requires(str(error)):
            raise
        raise MissingContext(*error.args) from error


class Connection(sqlite3.Connection):
    """sqlite3.Connection, under the context in force."""

    vestige_autocommit: Autocommit = "transaction"
    _vestige_said: str | None = None  # in this transaction
    _vestige_stands = False  # a row of ours stands, or may stand, in vestige_session
    _vestige_outermost = False  # the transaction was begun by a SAVEPOINT, so that a RELEASE may commit it

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(Cursor if factory is None else _saying(factory))

    def execute(self, sql: str, *args: Any) -> Any:
        return self.cursor().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        return self.cursor().executemany(sql, *args)

    def executescript(self, sql_script: str) -> Any:
        return self.cursor().executescript(sql_script)

    def commit(self) -> None:
        self._vestige_clear()
        super().commit()

    def rollback(self) -> None:
        super().rollback()
        self._vestige_forget()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> Any:
        if getattr(self, "autocommit", None) is True:  # as sqlite3: there is nothing to end
            return False
        if kind is None:
            try:
                self.commit()
            except BaseException:
                self.rollback()
                raise
        else:
            self.rollback()
        return False

    def _vestige_forget(self) -> None:
        self._vestige_said, self._vestige_stands = None, False

    def _vestige_plain(self) -> sqlite3.Cursor:
        return super().cursor(sqlite3.Cursor)

    def _vestige_say(self) -> None:
        """Before a statement that may write: the context, where it is another than what stands."""
        if not self.in_transaction:
            self._vestige_forget()
        text = said()
        if text == self._vestige_said:
            return
        plain = self._vestige_plain()
        try:
            # It goes first, so that what somebody else left standing ends here.
            plain.execute(_DELETE)
            if text:
                plain.execute(_INSERT, row_of(text))
        except sqlite3.OperationalError as error:
            if _NO_TRAIL not in str(error):
                raise
        else:
            self._vestige_stands = bool(text)
        self._vestige_said = text

    def _vestige_clear(self) -> None:
        """Before a commit."""
        if self._vestige_stands and self.in_transaction:
            self._vestige_plain().execute(_DELETE)
        self._vestige_forget()

    def _vestige_begins(self) -> bool:
        """sqlite3 begins a transaction itself before a statement that writes."""
        return self.isolation_level is not None or getattr(self, "autocommit", None) is False


class Cursor(sqlite3.Cursor):
    """sqlite3.Cursor, under the context in force."""

    _vestige_rows: list[Any] | None = None  # of a statement whose transaction has ended

    def execute(self, sql: str, *args: Any) -> Any:
        connection = cast(Connection, self.connection)
        self._vestige_rows = None
        if controls(sql) or _releases(sql):
            return self._control(sql, args)
        if not writes(sql):
            begun = not connection.in_transaction
            done = super().execute(sql, *args)
            if begun:
                connection._vestige_outermost = connection.in_transaction
            return done
        with _by_name(), self._within(connection):
            done = super().execute(sql, *args)
            if not self._open_after and self.description is not None:
                self._vestige_rows = super().fetchall()
            return done

    def executemany(self, sql: str, *args: Any) -> Any:
        connection = cast(Connection, self.connection)
        self._vestige_rows = None
        with _by_name(), self._within(connection):
            return super().executemany(sql, *args)

    def executescript(self, sql_script: str) -> Any:
        """The context stands while the script runs, if it neither begins nor ends transactions."""
        connection = cast(Connection, self.connection)
        self._vestige_rows = None
        if connection.in_transaction and getattr(connection, "autocommit", None) is not False:
            connection.commit()  # as sqlite3 does itself
        if controls(sql_script) or not writes(sql_script) or connection.vestige_autocommit == "off":
            return super().executescript(sql_script)
        with _by_name():
            if connection.in_transaction:
                connection._vestige_say()
                return super().executescript(sql_script)
            # sqlite3 commits before a script, so that what is to stand in its transaction is part of it.
            text = said()
            try:
                super().executescript(
                    f"begin immediate;\n{_script(text, connection)}\n{sql_script}\n;{_end(text, connection)}commit;"
                )
            except BaseException:
                if connection.in_transaction:
                    connection.rollback()
                raise
        return self

    _open_after = True  # the transaction of the statement goes on after it

    @contextmanager
    def _within(self, connection: Connection) -> Iterator[None]:
        self._open_after = True
        if connection.in_transaction or connection._vestige_begins():
            connection._vestige_say()
            yield
            return
        if connection.vestige_autocommit == "off":
            yield
            return
        self._open_after = False
        plain = connection._vestige_plain()
        plain.execute("begin immediate")
        try:
            connection._vestige_say()
            yield
            connection._vestige_clear()
            plain.execute("commit")
        except BaseException:
            if connection.in_transaction:
                plain.execute("rollback")
            connection._vestige_forget()
            raise

    def _control(self, sql: str, args: tuple[Any, ...]) -> Any:
        connection = cast(Connection, self.connection)
        first = words(sql)[0]
        if first[0] in ("commit", "end") or (first[0] == "release" and connection._vestige_outermost):
            connection._vestige_clear()
        stood = connection._vestige_stands
        try:
            return super().execute(sql, *args)
        finally:
            connection._vestige_forget()
            # Back to a savepoint: what was said before it stands again.
            connection._vestige_stands = stood and connection.in_transaction

    def fetchone(self) -> Any:
        if self._vestige_rows is None:
            return super().fetchone()
        return self._vestige_rows.pop(0) if self._vestige_rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        if self._vestige_rows is None:
            return super().fetchmany(size)
        rows, self._vestige_rows = self._vestige_rows[:size], self._vestige_rows[size:]
        return rows

    def fetchall(self) -> list[Any]:
        if self._vestige_rows is None:
            return super().fetchall()
        rows, self._vestige_rows = self._vestige_rows, []
        return rows

    def __next__(self) -> Any:
        if self._vestige_rows is None:
            return super().__next__()
        if not self._vestige_rows:
            raise StopIteration
        return self._vestige_rows.pop(0)


def _releases(sql: str) -> bool:
    return "release" in sql.lower() and any(statement[0] == "release" for statement in words(sql))


def _script(text: str, connection: Connection) -> str:
    if not _has_trail(connection):
        return ""
    if not text:
        return f"{_DELETE};"
    values = ", ".join("null" if value is None else "'" + value.replace("'", "''") + "'" for value in row_of(text))
    return f"{_DELETE}; insert into vestige_session ({', '.join(FIELDS)}, extra, seconds) values ({values}, {_SECONDS});"


def _end(text: str, connection: Connection) -> str:
    return f"{_DELETE}; " if text and _has_trail(connection) else ""


def _has_trail(connection: Connection) -> bool:
    found = connection._vestige_plain().execute("select 1 from sqlite_master where name = 'vestige_session'")
    return found.fetchone() is not None


_made: dict[type, type] = {sqlite3.Cursor: Cursor}


def _saying(factory: type) -> type:
    if issubclass(factory, Cursor):
        return factory
    if factory not in _made:
        _made[factory] = type(factory.__name__, (factory, Cursor), {"__module__": factory.__module__})
    return _made[factory]


def connect(database: Any, *args: Any, **named: Any) -> Connection:
    """sqlite3.connect() of a connection of this module."""
    return cast(Connection, sqlite3.connect(database, *args, **{"factory": Connection, **named}))
