"""The trail of a database, read with nothing lost, and undone; on PostgreSQL and on SQLite alike.

    trail = vestige.trail.Trail(connection)  # of psycopg, psycopg2, sqlite3; AsyncTrail: of AsyncConnection, asyncpg, aiosqlite
    for change in trail.history("products", 1):
        print(change.at, change.who, change.old, "->", change.new)

It reads through the connection that it is given, in its transaction, with its rights. What changes something (revert, undo, erase)
is done under the context in force: on PostgreSQL it needs a connection of vestige's adapters for that. On SQLite it is the loadable
extension that answers (docs/sqlite-extension.md), of the package vestige-sqlite or of a path; where this Python cannot load it, the
program, outside of transactions.
"""

from __future__ import annotations

import datetime
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from vestige import _sqlite_connections as sqlite
from vestige._access import Reported, key_of, report
from vestige._asking import FIRST, LAST, formatted, index_of, must_say, told, with_feed
from vestige._async_trail import AsyncTrail
from vestige._postgres_trail import Postgres
from vestige._program import Program
from vestige._records import PAGE, Blame, Change, Filter, Finding, Policy, Undo, ops_of, said_of
from vestige._sqlite_trail import Sqlite
from vestige.values import REDACTED, UNRECORDED, Encrypted, Interval, InvalidText, Moment, Withheld

__all__ = [
    "REDACTED",
    "UNRECORDED",
    "AsyncTrail",
    "Blame",
    "Change",
    "Encrypted",
    "Finding",
    "Interval",
    "InvalidText",
    "Moment",
    "Trail",
    "Undo",
    "Withheld",
]

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class Trail:
    """The trail, by a connection of psycopg or psycopg2, or of sqlite3, pysqlite3 or apsw.

    extension  on SQLite, the path of the loadable extension; without it that of the package vestige-sqlite
    program    on SQLite, the program `vestige` that stands in where nothing can be loaded; without it the one on the PATH
    """

    def __init__(self, connection: Any, *, extension: str | None = None, program: str | None = None) -> None:
        self.connection = connection
        self._ask: Postgres | Sqlite | Program
        self._ask = sqlite.opened(connection, extension, program) if sqlite.is_sqlite(connection) else Postgres()

    def _rows(self, sql: str, parameters: list[Any] | None) -> tuple[list[str], list[Any]]:
        if isinstance(self._ask, (Sqlite, Program)):
            return [], [sqlite.plain(row) for row in self._stream(sql, parameters or [])]
        # A factory of rows or of cursors that the program has is for its own rows.
        if "psycopg2" in sqlite.roots(self.connection):
            import psycopg2.extensions

            cursor = self.connection.cursor(cursor_factory=psycopg2.extensions.cursor)
        else:
            from psycopg.rows import tuple_row

            cursor = self.connection.cursor(row_factory=tuple_row)
        with cursor:
            cursor.execute(sql if parameters is None else formatted(sql), parameters)
            if cursor.description is None:
                return [], []
            return [column[0] for column in cursor.description], cursor.fetchall()

    def _stream(self, sql: str, parameters: list[Any]) -> Iterator[Any]:
        cursor = sqlite.cursor_of(self.connection)
        try:
            cursor.execute(sql, parameters)
            yield from cursor
        except Exception as error:
            renamed = sqlite.renamed(error)
            if renamed is None:
                raise
            raise renamed from error
        finally:
            cursor.close()

    def _run(self, question: Generator[Any, Any, T]) -> T:
        try:
            asked = next(question)
            while True:
                try:
                    with told():
                        rows = self._rows(*asked)[1]
                except Exception as error:
                    asked = question.throw(error)  # which may have something to take back
                else:
                    asked = question.send(rows)
        except StopIteration as end:
            return cast(T, end.value)

    def _answer(self, asked: Generator[Any, Any, T] | T) -> T:
        """The answer to a question, or what the program has answered."""
        return self._run(asked) if isinstance(asked, Generator) else asked

    def history(self, table: str, *key: Any) -> Iterator[Change]:
        """A row's changes, newest first, under every key that it had. `key` is one value for each column of it."""
        yield from self._answer(self._ask.history(table, key))

    def changes(
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
    ) -> Iterator[Change]:
        """Changes by id, of those that are meant; they are read as they are asked for.

        q   a filter in the words of docs/filter.md; its times are in UTC where it says no zone
        """
        wanted = Filter(table, actor, tx, since, until, ops_of(op), q)
        if isinstance(self._ask, Program):
            yield from self._ask.selected(wanted, newest_first)
        elif isinstance(self._ask, Sqlite):
            for row in self._stream(*self._ask.selected(wanted, newest_first)):
                yield self._ask.change(sqlite.plain(row))
        else:
            meant = self._run(self._ask.selected(wanted))
            last: int | None = LAST if newest_first else FIRST
            while last is not None:
                page, last = self._run(self._ask.changes(meant, last, newest_first, PAGE))
                yield from page

    def feed(self, after: int = -1, *, consumer: str | None = None) -> Iterator[Change]:
        """Each change that has its place in the feed, once, in an order that never changes; `after` is the last index seen, with
        `consumer` the last that was said to be seen()."""
        ask = with_feed(self._ask)
        last: int | None = after if consumer is None else self._run(ask.seen_by(consumer))
        while last is not None:
            page, last = self._run(ask.feed(last, PAGE))
            yield from page

    def seen(self, consumer: str, change: Change) -> None:
        """This consumer of the feed is done with everything up to this change: in the transaction that does the work, so that it is
        done once."""
        self._run(with_feed(self._ask).seen(consumer, index_of(change)))

    def blame(self, table: str, *key: Any) -> list[Blame]:
        """Of each column of a row, which change gave it its value."""
        return self._answer(self._ask.blame(table, key))

    def as_of(self, table: str, at: datetime.datetime | int) -> Iterator[dict[str, Any]]:
        """The rows of a table as they were at a time, or after the change of this id; on PostgreSQL as the driver reads them."""
        if isinstance(self._ask, Program):
            yield from self._ask.as_of(table, at)
            return
        asked = self._run(self._ask.as_of(table, at))
        with told():
            names, rows = self._rows(*asked)
        for row in rows:
            yield self._ask.row(names, row)

    def revert(self, tx: int, *, force: bool = False) -> int:
        """Undoes a transaction, all of it or nothing: how many changes. vestige.Conflict names what was changed since."""
        must_say(self.connection)
        return self._answer(self._ask.revert(tx, force))

    def undo(self, change: int, *, force: bool = False) -> Undo:
        """Undoes one change."""
        must_say(self.connection)
        return self._answer(self._ask.undo(change, force))

    def erase(self, table: str, *key: Any, keys: bool = False, contexts: bool = False) -> int | None:
        """Takes the values of every change of a row out of the trail, under a context with a reason: the id of the ERASE; None:
        there was nothing to take.

        keys      its keys, too
        contexts  what was said of the transactions of its changes, too
        """
        must_say(self.connection)
        return self._answer(self._ask.erase(table, key, keys, contexts))

    def access(
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
        """Reports that a row, or without a key something of a table, was read, or disclosed to somebody outside, under the context
        in force (docs/compliance.md): the id of the row of vestige.access; on SQLite `vestige access --prepare` makes that table.

        kind             `read`; `disclosure`, which has a recipient
        suspended_until  a disclosure is not to be told of before
        entries          how many rows were shown
        """
        must_say(self.connection)
        what = Reported(
            table, key_of(key), kind, purpose, recipient, recipient_address, description, request_ref, suspended_until, entries
        )
        return self._run(report(self.connection, what))

    def init(self) -> bool:
        """Makes the trail, or brings an older one up to date: whether there was something to do."""
        return self._answer(self._ask.init())

    def track(self, table: str, *, baseline: bool = False, **policy: Unpack[Policy]) -> None:
        """Records every change of a table from now on, by this policy; with `baseline` the rows that are there, too."""
        self._answer(self._ask.track(table, said_of(policy), baseline))

    def untrack(self, table: str) -> None:
        """Ends it; the history stays."""
        self._answer(self._ask.untrack(table))

    def doctor(self, *, fix: bool = False) -> list[Finding]:
        """What is out of order, gravest first; with `fix`, what is safe to repair is repaired."""
        return self._answer(self._ask.doctor(fix))
