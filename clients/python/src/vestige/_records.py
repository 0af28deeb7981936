"""What a trail gives, whichever database keeps it: changes, blame, what became of an undoing, what is out of order; and what may be
asked of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypedDict, TypeVar, cast

Row: TypeAlias = Sequence[Any]
T = TypeVar("T")
Question: TypeAlias = Generator[tuple[str, "list[Any] | None"], list[Row], T]

PAGE: Final = 500  # changes that are read at once


@dataclass(frozen=True, slots=True)
class Change:
    """One row's INSERT, UPDATE or DELETE, or a TRUNCATE, BASELINE, ERASE or EXPIRE (docs/json.md)."""

    id: int
    at: datetime.datetime
    op: str
    table: str
    key: dict[str, Any]
    new_key: dict[str, Any] | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    changed: tuple[str, ...] | None
    tx: int
    context: dict[str, Any]
    db_user: str | None
    erased: dict[str, int] | None
    old_json: str | None
    new_json: str | None
    index: int | None = None

    @property
    def actor(self) -> Any:
        """Who did it, as the application said."""
        return self.context.get("actor")

    @property
    def who(self) -> Any:
        """The actor, or where none was said, the user of the database."""
        return self.context.get("actor", self.db_user)


@dataclass(frozen=True, slots=True)
class Blame:
    """Which change gave a column its value; None: it is as it was when tracking began."""

    column: str
    value: Any
    change: int | None
    at: datetime.datetime | None
    op: str | None
    who: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Undo:
    """What became of the undoing of one change: `applied`, `nothing` (it was so already) or `conflict`, and of which columns."""

    done: str
    conflict: str | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is out of order, or was until it was repaired just now (docs/json.md, "doctor")."""

    severity: str
    code: str
    table: str | None
    message: str
    remedy: str | None
    fixable: bool
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes: of a table, an actor, a transaction, a time, of these operations; and what a filter says besides."""

    table: str | None = None
    actor: str | None = None
    tx: int | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    op: tuple[str, ...] = ()
    q: str | None = None  # the words of docs/filter.md


class Policy(TypedDict, total=False):
    """What of a table is recorded, and how (docs/sql.md, docs/sqlite-extension.md); what is not said is off."""

    include: Sequence[str]
    exclude: Sequence[str]
    redact: Sequence[str]
    encrypt: Mapping[str, str]
    subject: str
    when: str
    require: Sequence[str]
    key: Sequence[str]
    capture: str
    on_truncate: str
    retention: str
    classification: str
    tags: Sequence[str]


def said_of(policy: Policy) -> dict[str, Any]:
    """A policy as the trail has it: lists of texts, texts, and of `encrypt` an object."""
    return {
        name: value if isinstance(value, str) else dict(value) if isinstance(value, Mapping) else list(cast("Sequence[str]", value))
        for name, value in policy.items()
    }


def with_gone(said: Mapping[str, Any], stands: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """A policy with what stands of columns that are gone: the trail keeps them redacted or encrypted, since they may come back."""
    redact, encrypt = list(said.get("redact", ())), dict(said.get("encrypt", {}))
    redact += [name for name in stands.get("redact", ()) if name not in columns and name not in redact]
    encrypt = {name: keys for name, keys in stands.get("encrypt", {}).items() if name not in columns} | encrypt
    return {**said, **({"redact": redact} if redact else {}), **({"encrypt": encrypt} if encrypt else {})}


def ops_of(op: str | Sequence[str] | None) -> tuple[str, ...]:
    """Operations, as the trail spells them."""
    return () if op is None else tuple(one.upper() for one in ((op,) if isinstance(op, str) else op))


def moment(at: datetime.datetime | int) -> str:
    """A time, or a change, as the trail takes it."""
    if not isinstance(at, (int, datetime.datetime)):
        raise TypeError(f"a moment is a datetime or the id of a change, not {at!r}")
    return str(at) if isinstance(at, int) else instant(at)


def instant(at: datetime.datetime) -> str:
    """One without a zone is in that of the process, as Python has it."""
    if not isinstance(at, datetime.datetime):
        raise TypeError(f"a moment is a datetime, not {at!r}")
    return (at if at.tzinfo is not None else at.astimezone()).isoformat()
