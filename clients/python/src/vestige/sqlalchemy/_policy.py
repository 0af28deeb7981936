"""Which tables a program wants recorded, and how: declared beside its models, and brought about in the database."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, orm

from vestige._records import with_gone
from vestige.errors import VestigeError
from vestige.sqlalchemy._trail import Trail, by_engine, connection_of

PLACE: Final = "vestige"  # in Table.info and MetaData.info
_USUAL: Final = {"capture": "changes", "on_truncate": "rows"}


@dataclasses.dataclass(frozen=True)
class Track:
    """A policy, as vestige.track has it (docs/sql.md). Columns are names, columns or attributes of the model.

    baseline   rows that are there when tracking begins are recorded, too; it is no part of the policy
    """

    include: Sequence[Any] = ()
    exclude: Sequence[Any] = ()
    redact: Sequence[Any] = ()
    encrypt: Mapping[Any, str] = dataclasses.field(default_factory=dict, hash=False)
    subject: Any = None
    when: str | None = None
    require: Sequence[str] = ()
    key: Sequence[Any] = ()
    capture: str | None = None
    on_truncate: str | None = None
    retention: str | None = None
    classification: str | None = None
    tags: Sequence[str] = ()
    baseline: bool = False

    def __post_init__(self) -> None:
        for name in ("include", "exclude", "redact", "require", "key", "tags"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise TypeError(f"{name} is a list of names, not the text {given!r}")
            object.__setattr__(self, name, tuple(_column(one) for one in given))
        if not isinstance(self.encrypt, Mapping):
            raise TypeError(f"encrypt says of each column which class of keys opens it, as a dict, not as {self.encrypt!r}")
        object.__setattr__(self, "encrypt", {_column(one): keys for one, keys in self.encrypt.items()})
        if self.subject is not None:
            object.__setattr__(self, "subject", _column(self.subject))

    def said(self) -> dict[str, Any]:
        """What differs from the usual policy, as the trail keeps it."""
        return usual({field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "baseline"})


def usual(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy without what is as it is when nothing is said."""
    said = {name: list(value) if isinstance(value, (list, tuple)) else value for name, value in policy.items()}
    names = [field.name for field in dataclasses.fields(Track)]
    names += [name for name in said if name not in names]  # of a newer trail
    return {name: said[name] for name in names if name in said and said[name] and said[name] != _USUAL.get(name)}


def _column(one: Any) -> str:
    if isinstance(one, str):
        return one
    prop = getattr(one, "property", None)
    columns = getattr(prop, "columns", None)
    return str(columns[0].name if columns else one.name)


def track(target: Any = None, **policy: Any) -> Any:
    """Declares that a table is recorded: of a model, a Table, or all tables of a Base or a MetaData.

    What is said of one table stands over what is said of all. Without a target it is a decorator of models. create_all() brings
    it about, or reconcile(engine); Alembic's migrations do (vestige.sqlalchemy.alembic).
    """
    if target is None:
        return lambda model: track(model, **policy)
    said = Track(**policy)
    if isinstance(target, sa.MetaData):
        target.info[PLACE] = said
        _follow(target)
    elif isinstance(target, sa.Table):
        target.info[PLACE] = said
        _follow(target.metadata)
    elif "__table__" in dir(target):
        track(table_of(target), **policy)
    else:
        track(target.metadata, **policy)
    return target


def untracked(target: Any) -> Any:
    """Leaves out a model or a table, where all of its metadata are recorded. Also a decorator."""
    table_of(target).info[PLACE] = None
    return target


def table_of(target: Any) -> sa.Table:
    """The table of a model, an instance of one, or a table itself."""
    if isinstance(target, sa.Table):
        return target
    mapper: Any = sa.inspect(target if isinstance(target, type) else type(target))
    table = mapper.local_table
    if not isinstance(table, sa.Table):
        raise TypeError(f"{target!r} is not mapped to a table")
    return table


@event.listens_for(orm.Mapper, "instrument_class")
def _declared_inside(mapper: Any, model: Any) -> None:
    """A model says its policy as `__vestige__ = Track(…)`, None where it is to be left out."""
    if "__vestige__" in model.__dict__ and isinstance(mapper.local_table, sa.Table):
        mapper.local_table.info[PLACE] = model.__dict__["__vestige__"]
        _follow(mapper.local_table.metadata)


def declared(metadata: sa.MetaData) -> dict[sa.Table, Track]:
    """The tables that are to be recorded."""
    found = {table: table.info.get(PLACE, metadata.info.get(PLACE)) for table in metadata.sorted_tables}
    return {table: policy for table, policy in found.items() if policy is not None}


def name_of(connection: sa.engine.Connection, table: sa.Table) -> str:
    """A table's name as the trail takes it."""
    if connection.dialect.name == "sqlite":
        return table.name
    return str(connection.dialect.identifier_preparer.format_table(table))


def has_trail(connection: sa.engine.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql("select 1 from sqlite_master where name = 'vestige_meta'").first() is not None
    return bool(connection.exec_driver_sql("select to_regclass('vestige.meta') is not null").scalar())


def recorded(connection: sa.engine.Connection) -> dict[tuple[str | None, str], dict[str, Any]]:
    """The policies that stand, by schema and table; the schema is None where it need not be said, and on SQLite."""
    if not has_trail(connection):
        return {}
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(
            """select null, t.name, t.policy from vestige_table t where t.untracked_at is null and exists
                 (select 1 from sqlite_master m where m.type = 'trigger' and m.tbl_name = t.name and m.name like 'vestige_%')"""
        )
    else:
        rows = connection.exec_driver_sql(
            """select nullif(t.schema_name, current_schema()), t.table_name, t.policy::text from vestige.tracked t
               where t.untracked_at is null and exists (select from pg_catalog.pg_class c where c.oid = t.relation)"""
        )
    return {(schema, name): usual(json.loads(policy)) for schema, name, policy in rows}


def place_of(connection: sa.engine.Connection, table: sa.Table) -> tuple[str | None, str]:
    """Where recorded() has a table."""
    if connection.dialect.name == "sqlite":
        return None, table.name
    schema = table.schema
    here = connection.exec_driver_sql("select current_schema()").scalar() if schema else None
    return None if schema == here else schema, table.name


@by_engine
def init(bind: Any) -> bool:
    """Makes the trail in the database, or brings an older one up to date: whether there was something to do."""
    return Trail(connection_of(bind)).init()


@by_engine
def reconcile(bind: Any, *metadata: Any) -> list[str]:
    """Has the database record what is declared in these metadata (or Bases), as it is declared: the tables that it was done to.

    A table that is no more declared goes on being recorded: that is ended by untrack(), or by a migration.
    """
    connection = connection_of(bind)
    done: list[str] = []
    for one in metadata:
        done += _reconciled(connection, declared(getattr(one, "metadata", one)).items())
    return done


@by_engine
def untrack(bind: Any, target: Any) -> None:
    """Ends the recording of a table; its history stays."""
    connection = connection_of(bind)
    Trail(connection).untrack(name_of(connection, table_of(target)))


def _reconciled(connection: sa.engine.Connection, wanted: Iterable[tuple[sa.Table, Track]]) -> list[str]:
    there = recorded(connection)
    trail = Trail(connection)
    done = []
    for table, policy in wanted:
        stands = there.get(place_of(connection, table))
        said = usual(with_gone(policy.said(), stands or {}, table.columns.keys()))
        if stands != said and sa.inspect(connection).has_table(table.name, schema=table.schema):
            trail.track(name_of(connection, table), baseline=policy.baseline and stands is None, **said)
            done.append(table.fullname)
    return done


def _follow(metadata: sa.MetaData) -> None:
    if not event.contains(metadata, "after_create", _created):
        event.listen(metadata, "after_create", _created)


def _created(metadata: sa.MetaData, connection: sa.engine.Connection, **named: Any) -> None:
    wanted = declared(metadata)
    made = [table for table in named.get("tables") or () if table in wanted]
    if not made:
        return
    if not has_trail(connection):
        raise VestigeError(f"{made[0].fullname} is to be recorded, and there is no trail: vestige.sqlalchemy.init(engine)")
    _reconciled(connection, [(table, wanted[table]) for table in made])
