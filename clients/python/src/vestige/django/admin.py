"""Django's admin: a row's timeline, who gave each field its value, rows that are gone, and undoing with a preview.

    class ProductAdmin(HistoryMixin, admin.ModelAdmin): ...

Who may see the row and has the permission vestige.view_history sees its history; undoing takes vestige.undo and what Django asks
for the same by hand: change, add or delete. Nothing here needs JavaScript, and every value is escaped where it is shown.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import csrf_protect_m
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, DataError, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

import vestige
from vestige.django.admin_pages import HIDDEN, Entry, Page, name_of, preview
from vestige.django.admin_transaction import lets_add, lets_change, transaction_of
from vestige.django.errors import Conflict
from vestige.django.history import ModelHistory, Version

__all__ = ["HistoryMixin"]


class HistoryMixin:
    """For a ModelAdmin of a tracked model: "History" is what the trail has, and the list of rows leads to those that are gone."""

    history_hidden: tuple[str, ...] = HIDDEN  # fields whose values nobody is shown
    history_per_page = 20
    change_list_template = "vestige/admin/change_list.html"

    def get_urls(self: Any) -> list[Any]:
        info = self.opts.app_label, self.opts.model_name
        wrap = self.admin_site.admin_view
        return [
            path("deleted/", wrap(self.deleted_view), name="{}_{}_deleted".format(*info)),
            path("<path:object_id>/history/<int:change>/", wrap(self.version_view), name="{}_{}_version".format(*info)),
            path("<path:object_id>/history/<int:change>/undo/", wrap(self.undo_view), name="{}_{}_undo".format(*info)),
            path("<path:object_id>/history/tx/<int:tx>/", wrap(self.transaction_view), name="{}_{}_tx".format(*info)),
            *super().get_urls(),  # type: ignore[misc]
        ]

    # What may be done

    def has_history_permission(self: Any, request: HttpRequest, obj: Any = None) -> bool:
        """May see the history of a row; None: of those that are gone."""
        user: Any = request.user
        return user.has_perm("vestige.view_history") and self.has_view_or_change_permission(request, obj)

    def has_undo_permission(self: Any, request: HttpRequest, op: str, obj: Any = None) -> bool:
        """May undo a change of this kind: what the admin asks for the same by hand, and vestige.undo."""
        user: Any = request.user
        if not user.has_perm("vestige.undo") or not self.has_history_permission(request, obj):
            return False
        if op in ("INSERT", "BASELINE"):
            return self.has_delete_permission(request, obj)
        return self.has_add_permission(request) if op == "DELETE" else self.has_change_permission(request, obj)

    def _may_undo(self: Any, request: HttpRequest, version: Version, obj: Any) -> bool:
        """This very change: of an UPDATE, the form has to let this user change each of its fields."""
        if not self.has_undo_permission(request, version.op, obj):
            return False
        if version.op == "DELETE":
            return lets_add(self, request, version)
        return version.op != "UPDATE" or lets_change(self, request, obj, [one.field for one in version.changes])

    def _history(self: Any, request: HttpRequest) -> ModelHistory:
        return ModelHistory(self.model._meta.concrete_model, self.get_queryset(request)._db)  # None: as the router says

    def _page(self: Any, request: HttpRequest, object_id: str) -> Page:
        """The row's history, if it may be seen."""
        obj = self.get_object(request, unquote(object_id))
        history = self._history(request)
        try:
            pk = obj.pk if obj is not None else self.model._meta.pk.to_python(unquote(object_id))
            if obj is None and self.model._base_manager.using(history._using).filter(pk=pk).exists():
                raise PermissionDenied  # there, and not for this user's eyes
            if not self.has_history_permission(request, obj):
                raise PermissionDenied
            with connections[history._using].wrap_database_errors:
                page = Page(self, history, pk, obj)
        except (ValidationError, ValueError, DataError) as error:  # no key that the table could have
            raise Http404(f"no {self.opts.verbose_name} {object_id}") from error
        if obj is None and not page.versions:
            raise Http404(f"no {self.opts.verbose_name} {object_id}")
        if obj is None and not self.has_history_permission(request, page.row_asked_of):
            raise PermissionDenied
        return page

    def _shown(self: Any, request: HttpRequest, template: str, status: int = 200, **named: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **named}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"vestige/admin/{template}.html", context, status=status)

    # Pages

    def history_view(self: Any, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The timeline, newest first, and who gave each field its value."""
        page = self._page(request, object_id)
        field = request.GET.get("field", "")
        before = request.GET.get("before", "")
        last = int(before) if before.isdecimal() and len(before) < 20 else None
        entries, more = page.entries(field, last, self.history_per_page)
        for entry in entries:
            entry.may_undo = entry.version is not None and self._may_undo(request, entry.version, page.row_asked_of)
        return self._shown(
            request,
            "history",
            title=f"History: {page.name}",
            page=page,
            object_id=quote(page.pk),
            entries=entries,
            more=more,
            field=field,
            **(extra_context or {}),
        )

    def version_view(self: Any, request: HttpRequest, object_id: str, change: int) -> HttpResponse:
        """The row as it was after a change."""
        page = self._page(request, object_id)
        version = page.version(change)
        return self._shown(
            request, "version", title="As it was", page=page, object_id=quote(page.pk), entry=Entry(page, version),
            rows=page.whole(version),
        )  # fmt: skip

    @csrf_protect_m
    def undo_view(self: Any, request: HttpRequest, object_id: str, change: int) -> HttpResponse:
        """What undoing a change would do; and on POST, it is done."""
        page = self._page(request, object_id)
        version = page.version(change)
        if not self._may_undo(request, version, page.row_asked_of):
            raise PermissionDenied
        conflict, status = None, 200
        if request.method == "POST":
            try:
                with self._under(request):
                    done = page.history.undo(version, force="force" in request.POST)
                said = "It was so already." if done.done == "nothing" else "The change is undone."
                messages.success(request, said)
                return HttpResponseRedirect(self._after(page))
            except (Conflict, DatabaseError) as error:
                conflict, status = page.told(error, [version]), 409
        rows, found = preview(page, version)
        return self._shown(
            request, "undo", status, title="Undo a change", page=page, object_id=quote(page.pk), rows=rows,
            entry=Entry(page, version), conflict=conflict or found, reason=request.POST.get("reason", ""),
        )  # fmt: skip

    @csrf_protect_m
    def transaction_view(self: Any, request: HttpRequest, object_id: str, tx: int) -> HttpResponse:
        """Everything that a transaction did; and on POST, it is undone."""
        page = self._page(request, object_id)
        if not any(version.tx == tx for version in page.versions):
            raise Http404(f"no transaction {tx}")
        found = transaction_of(page, tx, request)
        conflict, status = None, 200
        if request.method == "POST":
            if not found.may_undo:
                raise PermissionDenied
            try:
                with self._under(request):
                    count = page.history.revert(tx, force="force" in request.POST)
                messages.success(request, f"{count} changes are undone.")
                return HttpResponseRedirect(self._after(page))
            except (Conflict, DatabaseError) as error:
                conflict, status = found.told(error), 409
        return self._shown(
            request, "transaction", status, title=f"Transaction {tx}", page=page, object_id=quote(page.pk), found=found,
            conflict=conflict or (found.conflict() if found.may_undo else None), reason=request.POST.get("reason", ""),
        )  # fmt: skip

    def deleted_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Rows that are gone, the last first."""
        if not self.has_history_permission(request):
            raise PermissionDenied
        history = self._history(request)
        rows: list[Version] = []
        for version in history.deleted():
            if self.has_history_permission(request, version.before):
                rows.append(version)
            if len(rows) == 100:
                break
        return self._shown(
            request,
            "deleted",
            title=f"Deleted {self.opts.verbose_name_plural}",
            rows=[
                (version, name_of(version.before), quote(version.before.pk), self._may_undo(request, version, version.before))
                for version in rows
            ],
        )

    def changelist_view(self: Any, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"history_of_deleted": self.has_history_permission(request), **(extra_context or {})}
        return super().changelist_view(request, shown)  # type: ignore[misc]

    def _under(self: Any, request: HttpRequest) -> vestige.context:
        """The request's context, and the reason that the form has."""
        reason = request.POST.get("reason", "").strip()
        return vestige.context(reason=reason) if reason else vestige.context()

    def _after(self: Any, page: Page) -> str:
        there = self.model._base_manager.using(page.history._writing).filter(pk=page.pk).exists()
        name = "history" if there else "changelist"
        args = (quote(page.pk),) if there else ()
        found: str = reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args, current_app=self.admin_site.name
        )
        return found
