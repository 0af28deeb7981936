"""Which models are tracked, and how: register() in an app's audit.py, @track() on a class, Track in Meta.indexes.

A policy speaks of fields; what the trail is told speaks of tables and columns: those of the model, of what it inherits from, and of
its many-to-many relations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from vestige._records import with_gone

__all__ = ["Policy", "Table", "register", "registered", "track", "unregister"]

_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True)
class Policy:
    """What of a model is recorded (docs/django.md, "Which models")."""

    track_only: tuple[str, ...] = ()
    exclude_fields: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    encrypt: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    subject: str | None = None
    log_conditions: str | None = None
    require: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    classification: str | None = None
    retention: str | None = None
    on_truncate: str | None = None
    capture: str | None = None
    baseline: bool = False
    m2m: bool = True

    def __post_init__(self) -> None:
        if self.track_only and self.exclude_fields:
            raise ValueError("track_only and exclude_fields exclude each other: say one of them")
        for name in ("track_only", "exclude_fields", "redact", "require", "tags"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise ValueError(f"{name} is a list of names, not the text {given!r}")
            object.__setattr__(self, name, tuple(given or ()))
        if not isinstance(self.encrypt, Mapping):
            raise ValueError(f"encrypt says of each field which class of keys opens it, as a dict, not as {self.encrypt!r}")
        object.__setattr__(self, "encrypt", dict(self.encrypt))
        for name in (*self.redact, *self.encrypt):
            if name in self.exclude_fields or (self.track_only and name not in self.track_only):
                raise ValueError(f"{name} is to be redacted or encrypted, and is not recorded")

    def unknown(self, model: Any) -> list[str]:
        """Names of fields that the model does not have."""
        named = (*self.track_only, *self.exclude_fields, *self.redact, *self.encrypt, *((self.subject,) if self.subject else ()))
        return [name for name in named if not _has(model, name)]

    def wants(self, field: Any) -> bool:
        names = _names(field)
        if self.track_only:
            return not names.isdisjoint(self.track_only) or bool(getattr(field, "primary_key", False))
        return names.isdisjoint(self.exclude_fields)

    def arguments(self) -> dict[str, Any]:
        """As they are given to register(); what is as it is anyhow is left out."""
        plain = Policy()
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if value != getattr(plain, name)
        }

    def tables(self, model: Any) -> Iterator[Table]:
        """The tables of a model, each with what the trail is told of it."""
        for part in (model, *_parents(model)):
            if part is model or part not in _registered:
                yield self._table(part, part is model)
        for field in model._meta.local_many_to_many if self.m2m else ():
            through = field.remote_field.through
            if through._meta.auto_created and self.wants(field):
                yield Table(through, through._meta.db_table, self._common(), self.baseline)

    def _table(self, model: Any, own: bool) -> Table:
        said = self._common()
        fields = [field for field in model._meta.local_concrete_fields if field.column]
        redact = [field.column for field in fields if not _names(field).isdisjoint(self.redact)]
        encrypt = {field.column: keys for field in fields for name, keys in self.encrypt.items() if name in _names(field)}
        said |= ({"redact": redact} if redact else {}) | ({"encrypt": encrypt} if encrypt else {})
        subject = [field.column for field in fields if self.subject in _names(field)]
        if encrypt and subject:
            said["subject"] = subject[0]
        left_out = [field.column for field in fields if not self.wants(field)]
        if left_out and self.track_only:
            said["include"] = [field.column for field in fields if self.wants(field)]
        elif left_out:
            said["exclude"] = left_out
        if self.log_conditions and own:
            said["when"] = self.log_conditions
        return Table(model, model._meta.db_table, said, self.baseline)

    def _common(self) -> dict[str, Any]:
        said = {name: list(getattr(self, name)) for name in ("require", "tags") if getattr(self, name)}
        texts = ("classification", "retention", "on_truncate", "capture")
        return said | {name: getattr(self, name) for name in texts if getattr(self, name)}


def _names(field: Any) -> set[str]:
    """What a policy may call a field."""
    return {field.name, getattr(field, "attname", field.name)}


@dataclass(frozen=True)
class Table:
    """A table that is to be tracked, and the policy as the trail has it."""

    model: Any
    name: str
    said: dict[str, Any]
    baseline: bool

    def said_over(self, stands: dict[str, Any]) -> dict[str, Any]:
        """What the trail is told where another policy stands."""
        return with_gone(self.said, stands, {field.column for field in self.model._meta.local_concrete_fields})


def _has(model: Any, name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return name in {field.attname for field in model._meta.concrete_fields}
    return True


def _parents(model: Any) -> list[Any]:
    """The models that it inherits from by tables of their own."""
    found: list[Any] = []
    for parent in model._meta.parents:
        concrete = parent._meta.concrete_model
        if concrete is not model and concrete not in found:
            found += [concrete, *(more for more in _parents(concrete) if more not in found)]
    return found


_registered: dict[Any, Policy] = {}


def register(
    model: Any,
    *,
    track_only: Iterable[str] | None = None,
    exclude_fields: Iterable[str] | None = None,
    redact: Iterable[str] = (),
    encrypt: Mapping[str, str] | None = None,
    subject: str | None = None,
    log_conditions: str | None = None,
    require: Iterable[str] = (),
    tags: Iterable[str] = (),
    classification: str | None = None,
    retention: str | None = None,
    on_truncate: str | None = None,
    capture: str | None = None,
    baseline: bool = False,
    m2m: bool = True,
) -> None:
    """Tracks a model; `migrate` tells the database. In an app's audit.py, which is found as admin.py is.

    track_only       fields that are recorded; the others are not. Or
    exclude_fields   fields that are not
    redact           fields of which it is recorded that they changed, and never a value
    encrypt          fields whose values only a private key opens: of each the class of keys, {"ssn": "phi"}
    subject          the field that says whose a row is, so that all that is encrypted of one person can be made unreadable
    log_conditions   SQL over NEW and OLD; a change of which it is not true is not recorded. It runs with the rights of the trail's
                     owner: text of the program, never of a user
    require          fields that the context must have; a change without them is refused
    baseline         rows that are there already are recorded, too
    m2m              the model's many-to-many relations are tracked with it
    """
    given: dict[str, Any] = {name: value for name, value in locals().items() if name != "model" and value is not None}
    _registered[model._meta.concrete_model] = Policy(**given)
    describe(model._meta.concrete_model)


def unregister(model: Any) -> None:
    """Takes a registration back, of a model of somebody else's app, say."""
    _registered.pop(model._meta.concrete_model, None)


def track(**policy: Any) -> Callable[[_Class], _Class]:
    """register() as a decorator of the model's class."""

    def decorated(model: _Class) -> _Class:
        register(model, **policy)
        return model

    return decorated


def describe(model: Any) -> None:
    """`Model.vestige`, where the model has nothing of that name."""
    if not hasattr(model, "vestige"):
        from vestige.django.history import History

        model.add_to_class("vestige", History())


def registered() -> dict[Any, Policy]:
    return dict(_registered)


def by_migration() -> dict[Any, Policy]:
    """Models whose Meta.indexes have a Track: the migrations tell the database."""
    from vestige.django.index import Track

    return {
        model: index.policy
        for model in apps.get_models(include_auto_created=False)
        for index in model._meta.indexes
        if isinstance(index, Track)
    }
