"""What one asks of the trail in a session, and what one does: of models and instances, with values as the models have them."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm

from vestige._context import context
from vestige.sqlalchemy._policy import name_of, table_of
from vestige.sqlalchemy._trail import Trail, connection_of, either, in_greenlet, of_asyncio
from vestige.sqlalchemy._typed import Columns
from vestige.trail import Blame, Change, Undo

_BINDS: Final = (orm.Session, orm.scoped_session, sa.engine.Connection)
_ASYNC_BINDS: Final = ("AsyncSession", "async_scoped_session", "AsyncConnection")


class _Asked:
    """A table, as it was asked about through a session or a connection."""

    def __init__(self, bind: Any, target: Any) -> None:
        self.connection = connection_of(bind)
        self.trail = Trail(self.connection)
        table = table_of(target)
        self.name = name_of(self.connection, table)
        self.columns = Columns(target, table, self.connection.dialect)


@either
def _history(bind: Any, target: Any, *key: Any) -> list[Change]:
    asked = _Asked(bind, target)
    return [asked.columns.change(change) for change in asked.trail.history(asked.name, *_stored(asked, target, key))]


@either
def _blame(bind: Any, target: Any, *key: Any) -> list[Blame]:
    asked = _Asked(bind, target)
    return [asked.columns.blame(blame) for blame in asked.trail.blame(asked.name, *_stored(asked, target, key))]


def history(*asked: Any) -> Any:
    """A row's changes, newest first: history(instance), or history(session, Model or Table, *key)."""
    return _of(_history, asked)


def blame(*asked: Any) -> Any:
    """Of each column of a row, which change gave it its value: blame(instance), or blame(session, Model or Table, *key)."""
    return _of(_blame, asked)


def _of(function: Any, asked: tuple[Any, ...]) -> Any:
    if isinstance(asked[0], _BINDS) or of_asyncio(asked[0], *_ASYNC_BINDS):
        return function(*asked)
    [instance] = asked
    state: Any = sa.inspect(instance)
    session: Any = orm.object_session(instance)
    there = sys.modules.get("sqlalchemy.ext.asyncio")
    if there is not None and not in_greenlet():
        session = there.async_object_session(instance) or session
    if session is None or state.key is None:
        raise orm.exc.DetachedInstanceError(f"{instance!r} belongs to no session: give the session, the model and the key")
    return function(session, type(instance), *state.key[1])


def _stored(asked: _Asked, target: Any, key: Sequence[Any]) -> list[Any]:
    """The values of a key as the database has them."""
    dialect = asked.connection.dialect
    made = []
    for column, value in zip(table_of(target).primary_key.columns, key, strict=True):
        processor = column.type.dialect_impl(dialect).bind_processor(dialect)
        keeps = dialect.name != "sqlite" and not isinstance(column.type, (sa.types.TypeDecorator, sa.types.Enum))
        made.append(value if processor is None or keeps else processor(value))
    return made


@either
def changes(
    bind: Any,
    target: Any = None,
    *,
    actor: str | None = None,
    tx: int | None = None,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
    op: str | Sequence[str] | None = None,
    q: str | None = None,
    newest_first: bool = False,
) -> list[Change]:
    """Changes by id, of those that are meant; of a model or a table, with its values."""
    wanted: dict[str, Any] = {"actor": actor, "tx": tx, "since": since, "until": until, "op": op, "q": q}
    wanted["newest_first"] = newest_first
    if target is None:
        return list(Trail(connection_of(bind)).changes(**wanted))
    asked = _Asked(bind, target)
    return [asked.columns.change(change) for change in asked.trail.changes(asked.name, **wanted)]


@either
def revert(bind: Any, tx: int, *, force: bool = False) -> int:
    """Undoes a transaction, all of it or nothing, under the context in force: how many changes. Conflict names what was changed
    since. What the session has loaded is loaded anew."""
    done = Trail(connection_of(bind)).revert(tx, force=force)
    _forget(bind)
    return done


@either
def undo(bind: Any, change: Change | int, *, force: bool = False) -> Undo:
    """Undoes one change."""
    done = Trail(connection_of(bind)).undo(change if isinstance(change, int) else change.id, force=force)
    _forget(bind)
    return done


@either
def erase(bind: Any, target: Any, *key: Any, reason: str | None = None) -> int | None:
    """Takes the values of every change of a row out of the trail, for a reason, said here or in the context: the ERASE's id; None:
    there was nothing to take."""
    asked = _Asked(bind, target)
    with nullcontext() if reason is None else context(reason=reason):
        return asked.trail.erase(asked.name, *_stored(asked, target, key))


def _forget(bind: Any) -> None:
    if isinstance(bind, orm.Session):
        bind.expire_all()


@dataclass(frozen=True, slots=True)
class Count:
    """How often somebody (or for a reason, in a process) changed rows of a table."""

    by: Any
    table: str
    op: str
    changes: int
    transactions: int


@either
def report(bind: Any, since: datetime.datetime, until: datetime.datetime, *, by: str = "actor", target: Any = None) -> list[Count]:
    """What was done in a time, counted by a field of the context (the actor, or where none was said, the user of the database),
    the most first."""
    counts: dict[tuple[str | None, str, str], list[set[int]]] = {}
    for change in _between(bind, since, until, target):
        said = change.who if by == "actor" else change.context.get(by)
        text = said if isinstance(said, str) or said is None else json.dumps(said, default=str)
        ids, transactions = counts.setdefault((text, change.table, change.op), [set(), set()])
        ids.add(change.id)
        transactions.add(change.tx)
    made = [Count(*place, len(ids), len(transactions)) for place, (ids, transactions) in counts.items()]
    return sorted(made, key=lambda one: (-one.changes, str(one.by), one.table, one.op))


def _between(bind: Any, since: datetime.datetime, until: datetime.datetime, target: Any) -> Iterator[Change]:
    connection = connection_of(bind)
    name = None if target is None else name_of(connection, table_of(target))
    return Trail(connection).changes(name, since=since, until=until)
