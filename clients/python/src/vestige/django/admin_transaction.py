"""A whole transaction in the admin: each change as far as the user may see it, and whether all of it may be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth import get_permission_codename
from django.db import connections

from vestige.django.admin_pages import HIDDEN, SINCE, Entry, Page, tried
from vestige.django.history import ModelHistory, Version, table_of
from vestige.django.values import values_of
from vestige.trail import Change


@dataclass
class Transaction:
    """Everything that a transaction changed."""

    page: Page
    tx: int
    entries: list[tuple[Any, str, Entry | None, Change]]
    may_undo: bool

    def conflict(self) -> str | None:
        why = tried(self.page.history._writing, lambda: self.page.history.revert(self.tx))
        return None if why is None else self.told(why)

    def told(self, error: Exception) -> str:
        """Why it cannot be undone."""
        plain = self.page.told(error, [])
        for _, _, entry, _ in self.entries:
            if entry is None or entry.version is None or entry.page.told(error, [entry.version]) != plain:
                return SINCE
        return plain


def transaction_of(page: Page, tx: int, request: Any) -> Transaction:
    """A transaction as this user may see it: of models whose history is not for them, no more than that there is a change."""
    by_table = _models(page.history._using)
    may_undo, entries = bool(request.user.has_perm("vestige.undo")), []
    with connections[page.history._using].wrap_database_errors:
        changes = list(page.history.trail.changes(tx=tx))
    for change in changes:
        model = by_table.get(change.table)
        owner = _owner(model)
        admin = page.admin if owner is page.history.model else page.admin.admin_site._registry.get(owner)
        row = _row_of(model, change, page.history._using)
        listed = _listed(request, admin, row)
        sees = listed and (_may(request, admin, owner, "view", row) or _may(request, admin, owner, "change", row))
        may_undo = may_undo and sees and _may_undo(request, admin, owner, model, change, row, page.history._using)
        name = str(model._meta.verbose_name) if model is not None else change.table
        entry = None
        if sees and model is not None:
            shown = _page_of(page, admin, model)
            entry = Entry(shown, shown.history._version(change))
        entries.append((model, name, entry, change))
    return Transaction(page, tx, entries, may_undo)


_UNDOING = {"INSERT": "delete", "BASELINE": "delete", "DELETE": "add", "UPDATE": "change"}


def _page_of(page: Page, admin: Any, model: Any) -> Page:
    """A page that shows values of another model."""
    made = Page.__new__(Page)
    made.admin, made.hidden = page.admin, {*HIDDEN, *page.hidden}
    if hasattr(admin, "history_hidden"):
        made.admin, made.hidden = admin, admin.history_hidden
    made.history, made.pk, made.obj, made.versions, made._names = ModelHistory(model, page.history._using), None, None, [], {}
    return made


def _models(using: str) -> dict[str, Any]:
    """The models by the names that changes of their tables have; a table of another schema is no model's for being called alike."""
    known = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    if connections[using].vendor != "postgresql":
        return {model._meta.db_table: model for model in known}
    by_name = {table_of(model, using): model for model in known}
    with connections[using].cursor() as cursor:
        cursor.execute(
            """select w.name, vestige.shown_name(n.nspname, c.relname)
               from unnest(%s::text[]) w(name) join pg_catalog.pg_class c on c.oid = to_regclass(w.name)
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace""",
            [list(by_name)],
        )
        return {shown: by_name[name] for name, shown in cursor.fetchall()}


def _owner(model: Any) -> Any:
    """Whose many-to-many relation a table is; else the model itself."""
    return model._meta.auto_created if model is not None and model._meta.auto_created else model


def _relation(model: Any) -> Any:
    """The field whose rows stand in a table between two models; None: it is no such table."""
    owner = _owner(model)
    fields = owner._meta.local_many_to_many if owner is not model else ()
    return next((field for field in fields if field.remote_field.through is model), None)


def _row_of(model: Any, change: Change, using: str) -> Any:
    """The row as it stands, or as it was when it went; of a relation, the row that it is of."""
    if model is None:
        return None
    relation = _relation(model)
    if relation is not None:
        source = model._meta.get_field(relation.m2m_field_name())
        owner = values_of(model, change.new or change.old, using).get(source.attname)
        return relation.model._base_manager.using(using).filter(pk=owner).first()
    pk = tuple((change.new_key or change.key).values())
    live = model._base_manager.using(using).filter(pk=pk[0] if len(pk) == 1 else pk).first() if pk else None
    return live if live is not None else ModelHistory(model, using)._version(change).instance


def _listed(request: Any, admin: Any, row: Any) -> bool:
    """The admin's list has it for this user, if it is there at all."""
    if admin is None or row is None or row._state.adding:
        return True
    return bool(admin.get_queryset(request).filter(pk=row.pk).exists())


def _may_undo(request: Any, admin: Any, owner: Any, model: Any, change: Change, row: Any, using: str) -> bool:
    needed = _UNDOING.get(change.op, "change") if owner is model else "change"
    if not _may(request, admin, owner, needed, row):
        return False
    if admin is not None and needed == "add":
        return lets_add(admin, request, ModelHistory(model, using)._version(change))
    if admin is None or needed != "change":
        return True
    fields = model._meta.concrete_fields if owner is model else [_relation(model)]
    changed = change.changed or ()
    return lets_change(admin, request, row, [one for one in fields if owner is not model or one.column in changed])


def lets_change(admin: Any, request: Any, row: Any, fields: Iterable[Any]) -> bool:
    """The admin's form of the row has these fields for this user to change, as far as a form can have them; superusers need
    none."""
    if request.user.is_superuser:
        return True
    left_out = {*admin.get_readonly_fields(request, row), *(admin.get_exclude(request, row) or ())}
    shown = {*flatten_fieldsets(admin.get_fieldsets(request, row))} - left_out
    return all(one is None or not one.editable or one.name in shown for one in fields)


def lets_add(admin: Any, request: Any, version: Version) -> bool:
    """The admin's form of a new row has, for this user, each field that a row which comes back has otherwise than a new one."""
    others = (one for one in version.changes if one.field is not None and not one.field.primary_key)
    return lets_change(admin, request, None, [one.field for one in others if one.old != one.field.get_default()])


def _may(request: Any, admin: Any, model: Any, verb: str, row: Any) -> bool:
    """What the admin says; of a model that it does not have, the permission; of a table without a model, nobody but superusers."""
    if admin is not None:
        asks = getattr(admin, f"has_{verb}_permission")
        return bool(asks(request) if verb == "add" else asks(request, row))
    if model is None:
        return bool(request.user.is_superuser)
    return bool(request.user.has_perm(f"{model._meta.app_label}.{get_permission_codename(verb, model._meta)}"))
