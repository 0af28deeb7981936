"""Makes the database track what the models say: after `migrate`, and by `manage.py vestige reconcile`. Again does no harm.

What register() was told is done here; what stands in Meta.indexes, the migrations have done. A table that register() tracked and
nothing registers any more is untracked; tables that others track (`vestige track`) are left alone.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction

import vestige
from vestige.django import hooks
from vestige.django.conf import setting
from vestige.django.policy import Table, by_migration, registered
from vestige.trail import Trail

__all__ = ["Step", "ensure", "reconcile", "steps", "trail_of"]

_KEPT = "django_tables"  # in the trail's own table of settings: what register() tracks


@dataclass(frozen=True)
class Step:
    """Something that is to be done: `track`, `change` (the policy) or `untrack`."""

    verb: str
    table: str
    said: dict[str, Any]
    baseline: bool = False
    gone: Any = None  # the table is not there any more: what the trail knows it by

    def __str__(self) -> str:
        told = f" {json.dumps(self.said)}" if self.said else ""
        return f"{self.verb} {self.table}{told}"


def trail_of(connection: Any) -> Trail:
    """The trail of one of Django's databases, by its connection, in its transaction."""
    # A backend may bring its connection into a state of its own before it gives a cursor: of django-tenants, to whose schema it is.
    connection.cursor().close()
    if connection.vendor != "sqlite":
        return Trail(connection.connection)
    try:
        return Trail(connection.connection, extension=setting("EXTENSION"))
    except vestige.ExtensionUnavailable as error:
        raise _unavailable(connection, str(error)) from None


def _unavailable(connection: Any, why: str) -> vestige.ExtensionUnavailable:
    return vestige.ExtensionUnavailable(
        f"the trail of the database {connection.alias} wants the loadable extension: {why}. In the settings VESTIGE has it: "
        '"EXTENSION" is its path, and "DATABASES" the aliases that have a trail'
    )


def stands(connection: Any) -> bool:
    """There is a trail."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("select count(*) from sqlite_master where name = 'vestige_meta'")
        else:
            cursor.execute("select count(*) from pg_catalog.pg_class where oid = to_regclass('vestige.meta')")
        return bool(cursor.fetchone()[0])


def ensure(connection: Any) -> None:
    """There is a trail then, and it is up to date; on SQLite the extension is loaded, too."""
    with transaction.atomic(using=connection.alias):
        trail = trail_of(connection)
        try:
            trail.init()
        except vestige.ExtensionUnavailable as error:  # the program answers, and would wait for this transaction
            raise _unavailable(connection, str(error)) from None


def wanted(alias: str) -> list[Table]:
    """What register() wants to be tracked in a database."""
    return [
        table
        for model, policy in registered().items()
        if model._meta.managed and router.allow_migrate_model(alias, model)
        for table in policy.tables(model)
        if router.allow_migrate_model(alias, table.model)
    ]


def _by_migration(alias: str) -> list[Table]:
    """What the migrations tell a database."""
    return [
        table
        for model, policy in by_migration().items()
        if router.allow_migrate_model(alias, model)
        for table in policy.tables(model)
    ]


def wants_trail(alias: str) -> bool:
    return bool(wanted(alias) or _by_migration(alias))


def policies(connection: Any) -> dict[str, dict[str, Any]]:
    """Of each table that is tracked, its policy, by the name that Django has for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("select name, policy from vestige_table where untracked_at is null")
        else:
            # As the search path finds it: a tenant's tables are those of its schema.
            cursor.execute(
                """select c.relname, t.policy::text from vestige.tracked t join pg_catalog.pg_class c on c.oid = t.relation
                   where t.untracked_at is null and pg_catalog.pg_table_is_visible(c.oid)
                   union all
                   select format('%s"."%s', n.nspname, c.relname), t.policy::text
                   from vestige.tracked t join pg_catalog.pg_class c on c.oid = t.relation
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace where t.untracked_at is null"""
            )
        return {name: json.loads(policy) for name, policy in cursor.fetchall()}


def _kept(connection: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"select value from {_meta(connection)} where name = '{_KEPT}'")
        row = cursor.fetchone()
    return [] if row is None else json.loads(row[0])


def _keep(connection: Any, names: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""insert into {_meta(connection)} (name, value) values (%s, %s)
                on conflict (name) do update set value = excluded.value""",
            [_KEPT, json.dumps(sorted(names))],
        )


def _meta(connection: Any) -> str:
    return "vestige_meta" if connection.vendor == "sqlite" else "vestige.meta"


def steps(alias: str) -> list[Step]:
    """What is to be done in a database, so that it tracks what register() was told."""
    connection = connections[alias]
    if not stands(connection):
        return [Step("track", table.name, table.said, table.baseline) for table in wanted(alias)]
    found = policies(connection)
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    todo = []
    tables = wanted(alias)
    for table in tables:
        if table.name not in found:
            if table.name in there or '"' in table.name:
                todo.append(Step("track", table.name, table.said, table.baseline))
        elif found[table.name] != (said := table.said_over(found[table.name])):
            todo.append(Step("change", table.name, said))
    names = {table.name for table in (*tables, *_by_migration(alias))}
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    kept = _kept(connection)
    todo += [Step("untrack", name, {}) for name in kept if name in found and name in there and name in ours and name not in names]
    todo += [Step("untrack", name, {}, gone=known) for known, name in _gone(connection, sorted(names.union(kept)), there)]
    return todo


def _gone(connection: Any, names: list[str], there: set[str]) -> list[tuple[Any, str]]:
    """Tables that were tracked and were dropped: by DeleteModel, by `migrate app zero`, with a tenant's schema."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("select name from vestige_table where untracked_at is null")
            return [(name, name) for (name,) in cursor.fetchall() if name in names and name not in there]
        cursor.execute(
            """select t.id, format('%%s.%%s', t.schema_name, t.table_name) from vestige.tracked t
               where t.untracked_at is null and t.table_name = any (%s::text[])
                 and to_regclass(format('%%I.%%I', t.schema_name, t.table_name)) is null
                 and not exists (select from pg_catalog.pg_class c where c.oid = t.relation)""",
            [names],
        )
        return list(cursor.fetchall())


def reconcile(alias: str) -> list[Step]:
    """Does it, in one transaction; what was done."""
    connection = connections[alias]
    if connection.vendor not in hooks.VENDORS or alias not in hooks.aliases():
        return []
    if not wants_trail(alias) and not stands(connection):
        return []
    with vestige.context(business_process="migrate"), transaction.atomic(using=alias):
        ensure(connection)
        trail = trail_of(connection)
        done = steps(alias)
        for step in done:
            name = connection.ops.quote_name(step.table) if connection.vendor == "postgresql" else step.table
            if step.gone is not None and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("select vestige.untrack_id(%s)", [step.gone])
            elif step.verb == "untrack":
                trail.untrack(name)
            else:
                trail.track(name, baseline=step.baseline, **step.said)
        if connection.vendor == "sqlite":
            trail.doctor(fix=True)  # a table that was made anew has lost its triggers
        names = sorted({table.name for table in (*wanted(alias), *_by_migration(alias))})
        if names != _kept(connection):
            _keep(connection, names)
    return done


def after_migrate(using: str, verbosity: int = 1, **_: Any) -> None:
    """At Django's post_migrate. In a test's database the trail is there, and nothing is tracked but what a test wants."""
    if _in_test() and setting("TESTS") == "off":
        if using in hooks.aliases() and wants_trail(using):
            ensure(connections[using])
        return
    for step in reconcile(using):
        if verbosity > 0:
            print(f"  Audit trail: {step}")


def _in_test() -> bool:
    utils = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")
