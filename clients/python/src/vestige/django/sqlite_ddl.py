"""Migrations on SQLite: capture is triggers there, which name the columns of their table.

SQLite drops them with the table when Django makes it anew, refuses to drop a column that they name, and does not record one that
was added. So each ALTER TABLE that passes through Django's connection is followed at once, in its transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import vestige
from vestige._program import Program
from vestige.trail import Trail

__all__ = ["follow"]

_NAME = r'(?:"((?:[^"]|"")+)"|(\w+))'
_ALTER = re.compile(rf"\s*ALTER\s+TABLE\s+{_NAME}\s+(DROP\s+COLUMN\s+{_NAME})?", re.IGNORECASE)


def follow(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """One of Django's execute_wrappers."""
    found = _ALTER.match(sql)
    if found is None or not _has_trail(context["connection"]):
        return execute(sql, params, many, context)
    trail = _trail(context["connection"])
    if trail is None:
        return execute(sql, params, many, context)
    table, column = _name(found[1], found[2]), _name(found[4], found[5])
    policy = _policy(context["connection"], table) if found[3] else None
    if policy is None:
        done = execute(sql, params, many, context)
        trail.doctor(fix=True)
        return done
    trail.untrack(table)
    done = execute(sql, params, many, context)
    for name in ("include", "exclude"):
        policy[name] = [one for one in policy.get(name, []) if one.lower() != column.lower()]
    trail.track(table, **{name: value for name, value in policy.items() if value})
    return done


def _name(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted else plain or ""


def _has_trail(connection: Any) -> bool:
    return bool(connection.connection.execute("select 1 from sqlite_master where name = 'vestige_meta'").fetchone())


def _trail(connection: Any) -> Trail | None:
    """None: nothing can be loaded here, and the program would wait for this very transaction. `migrate` sees to it at its end."""
    from vestige.django.reconcile import trail_of

    try:
        trail = trail_of(connection)
    except vestige.VestigeError:
        return None
    return None if isinstance(trail._ask, Program) else trail


def _policy(connection: Any, table: str) -> dict[str, Any] | None:
    row = connection.connection.execute(
        "select policy from vestige_table where lower(name) = lower(?) and untracked_at is null", [table]
    ).fetchone()
    return None if row is None else json.loads(row[0])
