"""What a program does about changes of a session, once they are committed."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, orm

from vestige._statements import writes
from vestige.sqlalchemy._policy import name_of, table_of
from vestige.sqlalchemy._trail import EXTENSION, Trail
from vestige.sqlalchemy._typed import Columns
from vestige.trail import Change

F = TypeVar("F", bound=Callable[[Change], Any])
_WROTE: Final = "vestige_wrote"  # in Connection.info: how far the trail was before, in a transaction of a session
_DONE: Final = "vestige_done"  # in Session.info: what was committed, and is not yet handed on
_BEGUN: Final = "vestige_begun"  # in Session.info: its connections
_TX: Final = sa.text(
    """select w.name, x.tx from json_array_elements_text(cast(:names as json)) w(name)
         join vestige.tracked t on t.relation = to_regclass(w.name) and t.untracked_at is null,
         lateral (select min(c.tx) as tx from vestige.context c where c.xid = pg_catalog.pg_current_xact_id_if_assigned()) x
       where x.tx is not null"""
)
_log = logging.getLogger("vestige")


@dataclass(frozen=True)
class _Receiver:
    target: Any
    table: sa.Table
    op: frozenset[str]
    when: Callable[[Change], Any]
    does: Callable[[Change], Any]


_receivers: list[_Receiver] = []


def on_change(
    target: Any, *, when: Callable[[Change], Any] | None = None, op: str | tuple[str, ...] = ("insert", "update", "delete")
) -> Callable[[F], F]:
    """A function that is called for each change of a model that a session has committed, also those that triggers and cascades
    made, in order: in the session's thread, when its transaction has ended, under the context of the commit. An error of it is
    logged, since nothing can be undone any more.

    when   whether it is meant, asked of the change; a change that was rolled back is nobody's
    op     the kinds of changes that are meant
    """

    def registered(function: F) -> F:
        kinds = (op,) if isinstance(op, str) else op
        wanted = frozenset(kind.upper() for kind in kinds)
        _receivers.append(_Receiver(target, table_of(target), wanted, when or (lambda change: True), function))
        return function

    return registered


def forget(function: Callable[[Change], Any]) -> None:
    """Ends what on_change() began."""
    _receivers[:] = [one for one in _receivers if one.does is not function]


def watch(engine: Any) -> None:
    """Part of install(): without a receiver nothing is done."""
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "commit", _commit)
    event.listen(engine, "rollback", _rollback)
    event.listen(engine, "prepare_twophase", lambda connection, xid: _noted(connection))
    event.listen(engine, "rollback_twophase", lambda connection, xid, is_prepared: _rollback(connection))
    _listen()


@functools.cache
def _listen() -> None:
    event.listen(orm.Session, "after_begin", _begun)
    event.listen(orm.Session, "after_commit", _committed)
    event.listen(orm.Session, "after_transaction_end", _ended)


def _begun(session: orm.Session, transaction: Any, connection: sa.engine.Connection) -> None:
    if hasattr(connection.dialect, EXTENSION):  # its engine is installed
        connection.info.setdefault(_WROTE, None)  # a savepoint begins, too
        session.info.setdefault(_BEGUN, []).append(connection)


def _before(
    connection: sa.engine.Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """Before the first statement that may write: how far the trail is, where that tells a transaction's changes."""
    if not _receivers or connection.info.get(_WROTE, ()) is not None or not writes(statement):
        return
    connection.info[_WROTE] = -1
    if connection.dialect.name == "sqlite":
        # SQLite does not name transactions; but who may write is alone, and this makes sure of it.
        connection.exec_driver_sql("delete from vestige_session where 0")
        connection.info[_WROTE] = connection.exec_driver_sql("select coalesce(max(id), 0) from vestige_change").scalar()


def _commit(connection: sa.engine.Connection) -> None:
    """Before the COMMIT, and after the last flush."""
    try:
        _noted(connection)
    except BaseException:
        # SQLAlchemy takes the transaction for ended now.
        connection.dialect.do_rollback(connection.connection)
        raise


def _noted(connection: sa.engine.Connection) -> None:
    """What the transaction changed, to be handed on when it is committed; one in two phases can be asked before the first."""
    upto = connection.info.pop(_WROTE, None)
    if upto is not None:
        connection.info[_DONE] = sorted(_meant(connection, upto), key=lambda one: one[1].id)


def _meant(connection: sa.engine.Connection, upto: int) -> Iterator[tuple[_Receiver, Change]]:
    for table, changes in _changed(connection, upto, {receiver.table for receiver in _receivers}):
        for receiver in (one for one in _receivers if one.table is table):
            columns = Columns(receiver.target, table, connection.dialect)
            yield from ((receiver, columns.change(one)) for one in changes if one.op in receiver.op)


def _changed(connection: sa.engine.Connection, upto: int, tables: set[sa.Table]) -> Iterator[tuple[sa.Table, list[Change]]]:
    """What the transaction changed in each of these tables, of those that are recorded in this database."""
    trail = Trail(connection)
    if connection.dialect.name == "sqlite":
        within = trail.after(upto)
        yield from ((table, [one for one in within if one.table == table.name]) for table in tables)
        return
    named = {name_of(connection, table): table for table in tables if _there(connection, table)}
    if not named:
        return
    for name, tx in connection.execute(_TX, {"names": json.dumps(list(named))}).all():
        yield named[name], list(trail.changes(name, tx=tx))


def _there(connection: sa.engine.Connection, table: sa.Table) -> bool:
    """Whether this database has the table at all: a receiver is of no concern to others, whose trail one may not read."""
    known: set[sa.Table] = connection.dialect.__dict__.setdefault("vestige_there", set())
    if table not in known and sa.inspect(connection).has_table(table.name, schema=table.schema):
        known.add(table)
    return table in known


def _rollback(connection: sa.engine.Connection) -> None:
    connection.info.pop(_WROTE, None)
    connection.info.pop(_DONE, None)


def _committed(session: orm.Session) -> None:
    done = session.info.setdefault(_DONE, [])
    for connection in session.info.get(_BEGUN, ()):
        done += connection.info.pop(_DONE, ())


def _ended(session: orm.Session, transaction: Any) -> None:
    """The transaction is over, and its connection free: what is called may use the session."""
    if transaction.parent is not None:
        return
    session.info.pop(_BEGUN, None)
    for receiver, change in session.info.pop(_DONE, ()):
        try:
            if receiver in _receivers and receiver.when(change):
                receiver.does(change)
        except Exception:
            _log.exception("what on_change(%s) calls failed; the change is committed", receiver.table.fullname)
