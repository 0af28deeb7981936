"""Alembic: migrations that say which tables are recorded, proposed by autogenerate.

    import vestige.sqlalchemy.alembic                                          # in env.py, and nothing else
    op.vestige_install(); op.vestige_track("accounts", exclude=["seen"]); op.vestige_untrack("accounts")

The policies declared by track() are compared with those that stand. The trail's own tables are never proposed to be dropped, and a
table of SQLite that is copied by batch_alter_table goes on being recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from alembic import util
from alembic.autogenerate import comparators, renderers
from alembic.operations import MigrateOperation, Operations, ops
from sqlalchemy import event

from vestige import _install
from vestige._records import with_gone
from vestige.sqlalchemy._policy import PLACE, Track, declared, has_trail, name_of, place_of, recorded, usual
from vestige.sqlalchemy._trail import Trail

__all__ = ["InstallOp", "TrackOp", "UntrackOp", "include_name"]

SCHEMA: Final = "vestige"
_OWN: Final = ("vestige_", "sqlite_")  # of tables on SQLite, which names the counter of the trail's ids itself
_IMPORT: Final = "import vestige.sqlalchemy.alembic"
_NAME: Final = r'(?:"((?:[^"]|"")+)"|(\w+))'
_COPIED: Final = re.compile(rf'\s*ALTER TABLE "?_alembic_tmp_\w.* RENAME TO {_NAME}\s*;?\s*\Z', re.IGNORECASE | re.DOTALL)
_WIDENED: Final = re.compile(rf"\s*ALTER TABLE {_NAME} ADD ", re.IGNORECASE)


@Operations.register_operation("vestige_install")
class InstallOp(MigrateOperation):
    """Makes the trail, or brings an older one up to date. It is not undone: its history stays."""

    @classmethod
    def vestige_install(cls, operations: Operations) -> None:
        operations.invoke(cls())

    def reverse(self) -> MigrateOperation:
        return _KeepOp()

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("vestige_install",)


class _KeepOp(MigrateOperation):
    """The other direction of an InstallOp."""

    def reverse(self) -> MigrateOperation:
        return InstallOp()


@Operations.register_operation("vestige_track")
class TrackOp(MigrateOperation):
    """Records a table by this policy (vestige.sqlalchemy.Track); `was` is the policy before, None where it was not recorded."""

    def __init__(self, table: str, policy: Mapping[str, Any], schema: str | None, was: Mapping[str, Any] | None) -> None:
        self.table, self.schema, self.was = table, schema, was
        self.said = Track(**policy)
        self.policy = dict(policy)

    @classmethod
    def vestige_track(
        cls, operations: Operations, table: str, *, schema: str | None = None, was: Mapping[str, Any] | None = None, **policy: Any
    ) -> None:
        operations.invoke(cls(table, policy, schema, was))

    def reverse(self) -> MigrateOperation:
        if self.was is None:
            return UntrackOp(self.table, self.policy, self.schema)
        return TrackOp(self.table, self.was, self.schema, self.policy)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("vestige_track", self.schema, self.table, self.policy)


@Operations.register_operation("vestige_untrack")
class UntrackOp(MigrateOperation):
    """Ends the recording of a table, whose history stays; the policy is for the way back."""

    def __init__(self, table: str, policy: Mapping[str, Any], schema: str | None) -> None:
        self.table, self.policy, self.schema = table, dict(policy), schema

    @classmethod
    def vestige_untrack(cls, operations: Operations, table: str, *, schema: str | None = None, **policy: Any) -> None:
        operations.invoke(cls(table, policy, schema))

    def reverse(self) -> MigrateOperation:
        return TrackOp(self.table, self.policy, self.schema, None)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("vestige_untrack", self.schema, self.table)


def _named(operations: Operations, op: Any) -> str:
    bind: Any = operations.get_context()
    return name_of(bind, sa.Table(op.table, sa.MetaData(), schema=op.schema))


@Operations.implementation_for(InstallOp)
def _install_now(operations: Operations, op: InstallOp) -> None:
    context = operations.get_context()
    if not context.as_sql:
        Trail(operations.get_bind()).init()
    elif context.dialect.name == "sqlite":
        operations.execute("select vestige_init()")
    else:
        operations.execute(sa.text(_install.script().replace(":", r"\:")))


@Operations.implementation_for(TrackOp)
def _track_now(operations: Operations, op: TrackOp) -> None:
    name, said, baseline = _named(operations, op), op.said.said(), op.said.baseline and op.was is None
    if not operations.get_context().as_sql:
        Trail(operations.get_bind()).track(name, baseline=baseline, **said)
    elif operations.get_context().dialect.name == "sqlite":
        _said(operations, "select vestige_track({}, {})", name, json.dumps({**said, "baseline": baseline}))
    else:
        values = [_text_of(one) for one in said.values()]
        given = "".join(f', "{option}" => {{}}' for option in said)
        _said(operations, f"select vestige.track({{}}{given}, baseline => {str(baseline).lower()})", name, *values)


@Operations.implementation_for(UntrackOp)
def _untrack_now(operations: Operations, op: UntrackOp) -> None:
    if not operations.get_context().as_sql:
        Trail(operations.get_bind()).untrack(_named(operations, op))
    else:
        function = "vestige_untrack" if operations.get_context().dialect.name == "sqlite" else "vestige.untrack"
        _said(operations, f"select {function}({{}})", _named(operations, op))


def _text_of(said: Any) -> str:
    """What a policy says, as PostgreSQL reads it: a text, an array of them, or an object."""
    if isinstance(said, Mapping):
        return json.dumps(said)
    return said if isinstance(said, str) else "{" + ",".join(json.dumps(each) for each in said) + "}"


def _said(operations: Operations, sql: str, *texts: str) -> None:
    """A statement of a script, with these texts in it."""
    literals = ["'" + text.replace("'", "''") + "'" for text in texts]
    operations.execute(sa.text(sql.format(*literals).replace(":", r"\:")))


@renderers.dispatch_for(InstallOp)
def _render_install(context: Any, op: InstallOp) -> str:
    context.imports.add(_IMPORT)
    return "op.vestige_install()"


@renderers.dispatch_for(_KeepOp)
def _render_keep(context: Any, op: _KeepOp) -> str:
    return "pass  # the trail stays, with its history"


@renderers.dispatch_for(TrackOp)
def _render_track(context: Any, op: TrackOp) -> str:
    context.imports.add(_IMPORT)
    was = "" if op.was is None else f", was={dict(op.was)!r}"
    return f"op.vestige_track({op.table!r}{_arguments(op)}{was})"


@renderers.dispatch_for(UntrackOp)
def _render_untrack(context: Any, op: UntrackOp) -> str:
    context.imports.add(_IMPORT)
    return f"op.vestige_untrack({op.table!r}{_arguments(op)})"


def _arguments(op: Any) -> str:
    schema = {} if op.schema is None else {"schema": op.schema}
    return "".join(f", {name}={value!r}" for name, value in (schema | op.policy).items())


def include_name(name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
    """For context.configure(include_name=…): leaves out what is the trail's own, so that it is not even read."""
    if kind == "schema":
        return name != SCHEMA
    if kind == "table":
        return parents.get("schema_name") != SCHEMA and not (name or "").startswith(_OWN)
    return True


# Alembic goes by priority since 1.18, and before that by the order of registration.
_FIRST: Final[dict[str, Any]] = {"priority": util.DispatchPriority.FIRST} if hasattr(util, "DispatchPriority") else {}
_LAST: Final[dict[str, Any]] = {"priority": util.DispatchPriority.LAST} if _FIRST else {}


@comparators.dispatch_for("schema", **_FIRST)
def _filter(context: Any, upgrade_ops: ops.UpgradeOps, schemas: Any) -> None:
    """What is the trail's own need not be read."""
    schemas.discard(SCHEMA)
    if _FIRST and include_name not in context._name_filters:
        context._name_filters = [*context._name_filters, include_name]


@comparators.dispatch_for("schema", **_LAST)
def _compare(context: Any, upgrade_ops: ops.UpgradeOps, schemas: Any) -> None:
    connection = context.connection
    upgrade_ops.ops[:] = [op for op in upgrade_ops.ops if not _of_the_trail(connection, op)]
    for op in upgrade_ops.ops:
        if isinstance(op, ops.CreateTableOp):  # it would be written down as it prints
            op.info.pop(PLACE, None)
    metadata = context.metadata if isinstance(context.metadata, (list, tuple)) else [context.metadata]
    found = [op for one in metadata if one is not None for op in _differences(context, one)]
    if any(isinstance(op, TrackOp) for op in found) and not has_trail(connection):
        upgrade_ops.ops.append(InstallOp())
    upgrade_ops.ops += found


def _of_the_trail(connection: Any, op: Any) -> bool:
    """It would drop a table of the trail, or an index of one."""
    if connection.dialect.name == "sqlite":
        return str(getattr(op, "table_name", "")).startswith(_OWN)
    return getattr(op, "schema", None) == SCHEMA


def _differences(context: Any, metadata: sa.MetaData) -> Iterator[MigrateOperation]:
    """What has to be done for the policies that are declared to stand."""
    wanted, there = declared(metadata), recorded(context.connection)
    for table in metadata.sorted_tables:
        if not context.run_name_filters(table.name, "table", {"schema_name": table.schema}) or not context.run_object_filters(
            table, table.name, "table", False, None
        ):
            continue
        policy, stands = wanted.get(table), there.get(place_of(context.connection, table))
        wants = None if policy is None else usual(with_gone(policy.said(), stands or {}, table.columns.keys()))
        if policy is not None and wants is not None and wants != stands:
            said = wants | ({"baseline": True} if policy.baseline and stands is None else {})
            yield TrackOp(table.name, said, table.schema, stands)
        elif policy is None and stands is not None:
            yield UntrackOp(table.name, stands, table.schema)


@event.listens_for(sa.engine.Engine, "after_cursor_execute")
def _changed(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    """On SQLite, where triggers name columns: a column is new; or batch_alter_table has copied a table, dropped it, with its
    triggers, and given its name to the copy."""
    found = _WIDENED.match(statement) or _COPIED.match(statement) if connection.dialect.name == "sqlite" else None
    if found is None or not has_trail(connection):
        return
    name = found[1].replace('""', '"') if found[1] else found[2]
    row = connection.exec_driver_sql("select policy from vestige_table where name = ? and untracked_at is null", (name,)).first()
    if row is not None:
        columns = {one[0] for one in connection.exec_driver_sql("select name from pragma_table_info(?)", (name,))}
        policy = json.loads(row[0])
        for lists in ("include", "exclude", "key"):  # a column may be gone
            policy[lists] = [column for column in policy.get(lists, ()) if column in columns]
        Trail(connection).track(name, **{option: value for option, value in policy.items() if value})
