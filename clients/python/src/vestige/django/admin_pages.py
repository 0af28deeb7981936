"""What the admin's pages show: entries of a timeline, differences of texts word by word, and what an undoing would do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.utils import display_for_field, display_for_value
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, models, transaction
from django.http import Http404

from vestige.django.errors import Conflict
from vestige.django.history import ModelHistory, RelationChange, Version
from vestige.trail import Blame, Change, Withheld

NOTHING = "-"
HIDDEN = ("password",)  # unless a ModelAdmin says which
_HIDDEN = "(hidden)"
SINCE = "It was changed since."
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LONG = 40  # texts from here on are compared word by word
_LONGEST = 4000  # and up to here


@dataclass
class Piece:
    """A piece of a text: `same`, `old` (gone), `new`."""

    kind: str
    text: str


@dataclass
class Row:
    """A field, before and after; of a long text its pieces."""

    label: str
    name: str
    old: Any = None
    new: Any = None
    pieces: list[Piece] = field(default_factory=list)
    now: Any = None
    since: bool = False  # it was changed since


@dataclass
class Entry:
    """A line of a timeline."""

    page: Page
    version: Version | None = None
    relation: RelationChange | None = None
    may_undo: bool = False

    @property
    def change(self) -> Change:
        return self.relation.change if self.relation is not None else self.version.change  # type: ignore[union-attr]

    @property
    def op(self) -> str:
        return self.change.op

    @property
    def verb(self) -> str:
        if self.relation is not None:
            return "added to" if self.relation.added else "took from"
        return {"INSERT": "created", "DELETE": "deleted", "UPDATE": "changed", "BASELINE": "was found", "ERASE": "erased"}.get(
            self.op, self.op.lower()
        )

    @property
    def reason(self) -> Any:
        return self.change.context.get("reason")

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """What else the context says."""
        return [(name.replace("_", " "), value) for name, value in self.change.context.items() if name not in ("actor", "reason")]

    @property
    def related(self) -> str:
        relation = self.relation
        assert relation is not None
        other = relation.related
        return name_of(other) if other is not None else f"{relation.field.related_model._meta.verbose_name} {relation.pk}"

    @property
    def rows(self) -> list[Row]:
        if self.version is None:
            return []
        return [self.page.row(one.field, one.name, one.label, one.old, one.new) for one in self.version.changes]


class Page:
    """One row and its history, as the admin's user may see it."""

    def __init__(self, admin: Any, history: ModelHistory, pk: Any, obj: Any) -> None:
        self.admin, self.history, self.pk, self.obj = admin, history, pk, obj
        self.row_history = history.of(pk)
        self.versions = self.row_history.versions()
        self.hidden = admin.history_hidden
        self._names: dict[tuple[Any, Any], str] = {}

    @property
    def row_asked_of(self) -> Any:
        """The row of which permissions are asked: as it stands, or as it was when it went."""
        return self.obj or next((version.instance for version in self.versions if version.instance is not None), None)

    @property
    def name(self) -> str:
        shown = self.row_asked_of
        return name_of(shown) if shown is not None else f"{self.history.model._meta.verbose_name} {self.pk}"

    def version(self, change: int) -> Version:
        for version in self.versions:
            if version.id == change:
                return version
        raise Http404(f"no change {change}")

    def entries(self, field_name: str, before: int | None, most: int) -> tuple[list[Entry], int | None]:
        """A page of the timeline, and where the next one begins."""
        found = [Entry(self, version) for version in self.versions if not field_name or _touches(version, field_name)]
        known = {one.name for one in self.history.model._meta.local_many_to_many}
        if not field_name or field_name in known:
            found += [Entry(self, relation=one) for one in self.row_history.relations() if field_name in ("", one.field.name)]
        found.sort(key=lambda entry: -entry.change.id)
        rest = [entry for entry in found if before is None or entry.change.id < before]
        return rest[:most], rest[most - 1].change.id if len(rest) > most else None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Those by which a timeline can be narrowed."""
        meta = self.history.model._meta
        return [(one.name, str(one.verbose_name)) for one in (*meta.concrete_fields, *meta.local_many_to_many)]

    def blame(self) -> list[tuple[str, Any, Blame]]:
        """Of each field of the row as it stands: its value, and who gave it."""
        if self.obj is None:
            return []
        columns = {one.column: one for one in self.history.model._meta.concrete_fields}
        found = []
        for one in self.row_history.blame():
            known = columns.get(one.column)
            value = one.value if known is None else getattr(self.obj, known.attname)
            found.append((str(known.verbose_name) if known else one.column, self.shown(known, one.column, value), one))
        return found

    def told(self, error: Exception, versions: list[Version]) -> str:
        """Why something cannot be undone, in a line; the database names values in it, so not where some are hidden."""
        if any(self._hides(one.field, one.name) for version in versions for one in version.changes):
            return SINCE
        return str(error).partition("\n")[0]

    def whole(self, version: Version) -> list[Row]:
        """Every field of a version; those that the change changed have what was before, too."""
        shown = version.instance
        if shown is None:
            return []
        changed = {one.name for one in version.changes} if version.op == "UPDATE" else set()
        recorded = {one.column for one in self.row_history.blame()} if self.obj is not None else set(version.change.old or ())
        rows = []
        for one in self.history.model._meta.concrete_fields:
            new = getattr(shown, one.attname)
            old = getattr(version.before, one.attname) if one.attname in changed and version.before is not None else None
            rows.append(self.row(one, one.attname, str(one.verbose_name), old, new))
            rows[-1].since = one.attname in changed
            if recorded and one.column not in recorded:
                rows[-1].new = "(not recorded)"
        return rows + [self.row(None, name, name, None, value) for name, value in getattr(shown, "extra", {}).items()]

    def row(self, known: Any, name: str, label: str, old: Any, new: Any) -> Row:
        made = Row(label, name, self.shown(known, name, old), self.shown(known, name, new))
        hidden = self._hides(known, name)
        if not hidden and isinstance(old, str) and isinstance(new, str) and _LONG < max(len(old), len(new)) <= _LONGEST:
            made.pieces = list(_pieces(old, new))
        return made

    def _hides(self, known: Any, name: str) -> bool:
        return name in self.hidden or (known is not None and known.name in self.hidden)

    def shown(self, known: Any, name: str, value: Any) -> Any:
        """A value as the admin shows it."""
        if value is None:
            return NOTHING
        if self._hides(known, name):
            return _HIDDEN
        if isinstance(value, Withheld):
            return str(value)
        try:
            if known is not None and known.remote_field is not None:
                return self._named(known, value)
            if known is not None and not _as_it_is(known, value):
                return display_for_field(value, known, NOTHING)
            return display_for_value(value, NOTHING)
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError):  # it was of another type then
            return str(value)

    def _named(self, known: Any, value: Any) -> str:
        place = (known, value)
        if place not in self._names:
            other = known.related_model._base_manager.using(self.history._using).filter(pk=value).first()
            self._names[place] = f"{name_of(other)} ({value})" if other is not None else f"{value}"
        return self._names[place]


def name_of(row: Any) -> str:
    """What a row calls itself; that may ask for rows that are gone, or for values that it did not have yet."""
    try:
        return str(row)
    except (ObjectDoesNotExist, AttributeError, TypeError, ValueError, LookupError):
        return f"{row._meta.verbose_name} {row.pk}"


def _as_it_is(known: Any, value: Any) -> bool:
    """What Django would show otherwise: it makes links of what no form has checked, and nothing of what is none of the choices."""
    if isinstance(known, (models.URLField, models.FileField)):
        return True
    choices: Any = getattr(known, "flatchoices", None)
    return bool(choices) and value not in [choice for choice, _ in choices]


def _touches(version: Version, name: str) -> bool:
    return any(name in (one.name, getattr(one.field, "name", None)) for one in version.changes)


def _pieces(old: str, new: str) -> Iterator[Piece]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(before[a:b]))
        else:
            yield from (Piece(side, text) for side, text in (("old", "".join(before[a:b])), ("new", "".join(after[c:d]))) if text)


class _Back(Exception):
    pass


def preview(page: Page, version: Version) -> tuple[list[Row], str | None]:
    """What undoing a change would do to each field, and what stands in its way: it is tried, and taken back."""
    rows = []
    for one in version.changes:
        row = page.row(one.field, one.name, one.label, one.new, one.old)
        if version.op == "UPDATE" and page.obj is not None and one.field is not None:
            now = getattr(page.obj, one.field.attname)
            row.now, row.since = page.shown(one.field, one.name, now), not isinstance(one.new, Withheld) and now != one.new
        rows.append(row)
    if version.op == "DELETE":  # it would be saved by Django, whose signals are not to be sent for a look
        return rows, "the row is there again" if page.obj is not None else None
    why = tried(page.history._writing, lambda: page.history.undo(version))
    return rows, None if why is None else page.told(why, [version])


def tried(using: str, does: Any) -> Exception | None:
    """Why something cannot be done; None: it can."""
    try:
        with transaction.atomic(using=using):
            does()
            raise _Back
    except _Back:
        return None
    except (Conflict, DatabaseError) as error:
        return error
