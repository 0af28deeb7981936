"""`Model.vestige`: what the trail says of a model's rows, as instances of the model.

    Product.vestige.as_of(yesterday)              # instances as they were
    Product.vestige.deleted()                     # rows that are gone
    for version in product.vestige: ...           # newest first: who, when, why; .before, .after, .changes
    product.vestige.undo(version)

Columns have today's names. What a version has and the model has not (a field that was removed) is in `.extra` of its instances;
what the version has not (a field that came later) is the field's default. They are not saved, and are not meant to be.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections, router, transaction

from vestige.django.conf import setting
from vestige.django.errors import Conflict
from vestige.django.reconcile import trail_of
from vestige.django.values import instance_of, key_of, values_of
from vestige.trail import Blame, Change, Trail, Undo, Withheld

__all__ = ["FieldChange", "History", "ModelHistory", "RelationChange", "RowHistory", "Version"]

MOST_LOOKED_AT = 5000  # changes of a table between two models, whose rows are no key of either


@dataclass(frozen=True)
class FieldChange:
    """One field of a version, before and after."""

    field: Any  # of the model; None: it has none of this name any more
    name: str
    old: Any
    new: Any

    @property
    def label(self) -> str:
        return str(self.field.verbose_name) if self.field is not None else self.name


@dataclass(frozen=True)
class RelationChange:
    """Something was added to a many-to-many relation of a row, or taken from it."""

    change: Change
    field: Any
    added: bool
    pk: Any
    using: str

    @property
    def related(self) -> Any:
        """The other row, if it is still there."""
        return self.field.related_model._base_manager.using(self.using).filter(pk=self.pk).first()


@dataclass(frozen=True)
class Version:
    """A change of a row, with the row as it was before and after, as far as that is known."""

    change: Change
    model: Any
    using: str
    before: Any = None
    after: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.change, name)  # id, at, op, tx, who, actor, context

    @property
    def reason(self) -> Any:
        return self.change.context.get("reason")

    @property
    def instance(self) -> Any:
        """The row after the change; of a DELETE, before it."""
        return self.before if self.change.op == "DELETE" else self.after

    @property
    def changes(self) -> list[FieldChange]:
        """The fields that the change changed; of an INSERT and a DELETE, all."""
        old, new = (values_of(self.model, side, self.using) for side in (self.change.old, self.change.new))
        fields = {field.attname: field for field in self.model._meta.concrete_fields}
        return [FieldChange(fields.get(name), name, old.get(name), new.get(name)) for name in {**old, **new}]


class History:
    """The attribute: of the class, the history of the model; of an instance, that of the row."""

    def contribute_to_class(self, model: Any, name: str) -> None:
        setattr(model, name, self)

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return ModelHistory(owner)
        using = instance._state.db or router.db_for_read(owner)
        return RowHistory(owner, instance.pk, using, router.db_for_write(owner, instance=instance))


class ModelHistory:
    def __init__(self, model: Any, using: str | None = None, writing: str | None = None) -> None:
        self.model = model
        self._using = using or router.db_for_read(model)
        self._writing = writing or using or router.db_for_write(model)  # what is read may be a replica

    def using(self, alias: str) -> ModelHistory:
        return ModelHistory(self.model, alias)

    @property
    def trail(self) -> Trail:
        """What is read of the trail: where READ_USING says, else where the rows are read."""
        return trail_of(connections[(setting("READ_USING") or {}).get(self._using, self._using)])

    @property
    def table(self) -> str:
        return table_of(self.model, self._using)

    def of(self, pk: Any) -> RowHistory:
        """The history of a row, also of one that is gone."""
        return RowHistory(self.model, pk, self._using, self._writing)

    def changes(self, **wanted: Any) -> Iterator[Version]:
        """Changes of the model's rows, newest first: of an actor, a transaction (tx), since, until."""
        for change in self.trail.changes(self.table, **{"newest_first": True, **wanted}):
            yield self._version(change)

    def as_of(self, at: datetime.datetime | Version | int) -> Iterator[Any]:
        """Instances as they were at a time, or after a change."""
        moment = at.change.id if isinstance(at, Version) else at
        for row in self.trail.as_of(self.table, moment):
            yield instance_of(self.model, values_of(self.model, row, self._using, read=True), self._using)

    def deleted(self) -> Iterator[Version]:
        """The last version of each row that is gone, the last that went first."""
        seen: set[str] = set()
        for change in self.trail.changes(self.table, op="DELETE", newest_first=True):
            version = self._version(change)
            if version.before is None or str(version.before.pk) in seen:
                continue
            seen.add(str(version.before.pk))
            if not self.model._base_manager.using(self._using).filter(pk=version.before.pk).exists():
                yield version

    def revert(self, tx: int, *, force: bool = False) -> int:
        """Undoes a transaction, in whatever tables, all of it or nothing; vestige.django.Conflict says what was changed since."""
        connection = connections[self._writing]
        with connection.wrap_database_errors, transaction.atomic(using=self._writing):
            return trail_of(connection).revert(tx, force=force)

    def undo(self, change: Version | int, *, force: bool = False) -> Undo:
        """Undoes one change; a row that was deleted comes back as it was, with its key. Fields that are not recorded are given the
        values that a new row would have."""
        if isinstance(change, Version) and change.op == "DELETE" and self._lacks(change):
            return self._insert(change)
        number = change.change.id if isinstance(change, Version) else change
        connection = connections[self._writing]
        with connection.wrap_database_errors, transaction.atomic(using=self._writing):
            done = trail_of(connection).undo(number, force=force)
            if done.done == "conflict":
                raise Conflict(done.conflict or "it was changed since")
        return done

    def _lacks(self, version: Version) -> bool:
        """There are columns that the database could only leave empty."""
        return any(field.column not in (version.change.old or {}) for field in self.model._meta.local_concrete_fields)

    def _insert(self, version: Version) -> Undo:
        for field in self.model._meta.local_concrete_fields:
            if isinstance(value := getattr(version.before, field.attname), Withheld):
                raise Conflict(f"{self.table}: the trail does not give what {field.column} was: {value}")
        with transaction.atomic(using=self._writing):
            if self.model._base_manager.using(self._writing).filter(pk=version.before.pk).exists():
                return Undo("nothing", None, (), ())
            version.before.save_base(force_insert=True, using=self._writing)
        return Undo("applied", None, (), ())

    def _version(self, change: Change) -> Version:
        def made(side: Mapping[str, Any] | None) -> Any:
            if side is None or change.op == "UPDATE":
                return None
            return instance_of(self.model, values_of(self.model, side, self._using), self._using)

        return Version(change, self.model, self._using, made(change.old), made(change.new))


class RowHistory:
    """One row's history; it is iterated newest first."""

    def __init__(self, model: Any, pk: Any, using: str, writing: str | None = None) -> None:
        self.model, self.pk = model._meta.concrete_model, pk
        self._using = using
        self._all = ModelHistory(self.model, using, writing)

    def __iter__(self) -> Iterator[Version]:
        return iter(self.versions())

    def versions(self) -> list[Version]:
        """Every version, newest first. They are counted back from the row as it stands."""
        changes = list(self._all.trail.history(self._all.table, *key_of(self.model, self.pk, self._using)))
        live = self.model._base_manager.using(self._using).filter(pk=self.pk).first()
        state: dict[str, Any] | None = None
        if live is not None:
            state = {field.attname: getattr(live, field.attname) for field in self.model._meta.concrete_fields}
        found = []
        for change in changes:
            old, new = (values_of(self.model, side, self._using) for side in (change.old, change.new))
            if change.op == "DELETE":
                before, after = old, None
            elif change.op == "UPDATE":
                after = new if state is None else {**state, **new}
                before = {**after, **old}
            elif change.op in ("INSERT", "BASELINE"):
                # What came later, or is not recorded, is not known of then.
                before, after = None, new
            else:
                before = after = state
            found.append(Version(change, self.model, self._using, self._made(before), self._made(after)))
            state = before
        return found

    def _made(self, state: dict[str, Any] | None) -> Any:
        return None if state is None else instance_of(self.model, state, self._using)

    def as_of(self, at: datetime.datetime | Version | int) -> Any:
        """The row as it was, or None where it was not there."""
        moment = at.change.id if isinstance(at, Version) else at
        later = [v for v in self.versions() if (v.id > moment if isinstance(moment, int) else v.at > moment)]
        if not later:
            return self.model._base_manager.using(self._using).filter(pk=self.pk).first()
        return later[-1].before

    def relations(self) -> list[RelationChange]:
        """What was added to the row's many-to-many relations, and taken from them, newest first; of the last changes of each."""
        found = []
        for field in self.model._meta.local_many_to_many:
            through = field.remote_field.through
            if not through._meta.auto_created:
                continue
            source, target = (
                through._meta.get_field(field.m2m_field_name()),
                through._meta.get_field(field.m2m_reverse_field_name()),
            )
            changes = self._all.trail.changes(table_of(through, self._using), newest_first=True)
            for change in itertools.islice(changes, MOST_LOOKED_AT):
                values = values_of(through, change.new or change.old, self._using)
                if change.op in ("INSERT", "DELETE") and values.get(source.attname) == self.pk:
                    found.append(RelationChange(change, field, change.op == "INSERT", values.get(target.attname), self._using))
        return sorted(found, key=lambda one: -one.change.id)

    def blame(self) -> list[Blame]:
        """Of each column, which change gave it its value."""
        return self._all.trail.blame(self._all.table, *key_of(self.model, self.pk, self._using))

    def undo(self, change: Version | int, *, force: bool = False) -> Undo:
        """See ModelHistory.undo."""
        return self._all.undo(change, force=force)

    def revert(self, tx: int, *, force: bool = False) -> int:
        """See ModelHistory.revert."""
        return self._all.revert(tx, force=force)


def table_of(model: Any, using: str) -> str:
    """The table's name as the trail takes it."""
    name: str = model._meta.db_table
    return connections[using].ops.quote_name(name) if connections[using].vendor == "postgresql" else name
