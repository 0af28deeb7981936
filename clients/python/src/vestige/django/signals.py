"""What was changed, told after the commit: to whoever wants to know, and to nobody else at no cost.

    @on_change(Account, when=lambda version: abs(version.after.balance - version.before.balance) > 10_000)
    def warn(version, **_): ...

Told is what this process changes through Django's connections, whatever statement did it, with all that triggers and cascades did
besides. Whoever wants to know of every writer reads the feed (docs/python.md). It is two queries for each transaction that writes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.db import connections, transaction
from django.dispatch import Signal

from vestige._statements import writes

__all__ = ["changes_committed", "on_change"]

# sender: the alias; changes: what the trail has, by id (vestige.trail.Change)
changes_committed = Signal()


def on_change(model: Any, *, when: Callable[[Any], bool] | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The function is called with each version of a row of the model that was committed, if it is one that is meant."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def receiver(sender: str, changes: list[Any], **_: Any) -> None:
            for version in _versions(model, sender, changes):
                if when is None or when(version):
                    function(version=version, using=sender)

        changes_committed.connect(receiver, weak=False, dispatch_uid=(model, f"{function.__module__}.{function.__qualname__}"))
        return function

    return decorated


def _versions(model: Any, using: str, changes: list[Any]) -> list[Any]:
    """The versions that these changes made, each with its row before and after, oldest first."""
    from vestige.django.history import ModelHistory

    concrete = model._meta.concrete_model
    ours = {change.id: change for change in changes if change.table.rpartition(".")[2] == concrete._meta.db_table}
    history, found = ModelHistory(concrete, using), []
    done: set[tuple[Any, ...]] = set()
    for change in ours.values():
        key = tuple((change.new_key or change.key).values())
        if key and key not in done:
            versions = history.of(key[0] if len(key) == 1 else key).versions()
            found += [version for version in versions if version.id in ours]
            done |= {tuple((version.change.new_key or version.change.key).values()) for version in versions}
    return sorted({version.id: version for version in found}.values(), key=lambda version: version.id)


def observe(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """One of Django's execute_wrappers: where somebody wants to know, what a transaction changes is looked up at its end."""
    if not changes_committed.receivers or (isinstance(sql, str) and not writes(sql)):
        return execute(sql, params, many, context)
    connection = context["connection"]
    if connection.in_atomic_block:
        _note(connection)
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        _note(connection)
        return execute(sql, params, many, context)


class _Telling:
    """What is done at the end of a transaction."""

    def __init__(self, using: str, mark: int, xid: str | None) -> None:
        self._using, self._mark, self._xid = using, mark, xid

    def __call__(self) -> None:
        from vestige.django.reconcile import trail_of

        connection = connections[self._using]
        with connection.cursor() as cursor:
            if self._xid is None:
                cursor.execute("select id from vestige_change where id > %s", [self._mark])
            else:
                cursor.execute("select id from vestige.change where id > %s and xid = %s::xid8", [self._mark, self._xid])
            left = {row[0] for row in cursor.fetchall()}
        trail, changes = trail_of(connection), []
        while left:
            [first] = trail.changes(q=f"id:{min(left)}")
            found = [change for change in trail.changes(tx=first.tx) if change.id in left]
            changes += found
            left -= {change.id for change in found}
        if changes:
            changes_committed.send_robust(sender=self._using, changes=changes)


def _note(connection: Any) -> None:
    if any(isinstance(entry[1], _Telling) for entry in connection.run_on_commit):
        return
    mark = _mark(connection)
    if mark is not None:
        transaction.on_commit(_Telling(connection.alias, *mark), using=connection.alias, robust=True)


def _mark(connection: Any) -> tuple[int, str | None] | None:
    """The last change, and the transaction's number; None: there is no trail, or none that this role may read."""
    with connection.wrap_database_errors, closing(connection.connection.cursor()) as cursor:
        if connection.vendor == "sqlite":
            if not cursor.execute("select 1 from sqlite_master where name = 'vestige_change'").fetchall():
                return None
            [[last]] = cursor.execute("select coalesce(max(id), 0) from vestige_change").fetchall()
            return last, None
        cursor.execute("select has_table_privilege(to_regclass('vestige.change'), 'select')")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("select coalesce(max(id), 0), pg_current_xact_id()::text from vestige.change")
        last, xid = cursor.fetchone()
        return last, xid
