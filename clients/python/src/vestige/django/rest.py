"""Django REST framework: a view set's rows have their history and their past.

    class ProductViewSet(HistoryMixin, ModelViewSet): ...
    GET products/1/history/                 every version, newest first
    GET products/1/as-of/?at=2026-11-01     the row as it was, by the view set's serializer

Who may see a row may see its history, of the fields that the view set's serializer shows. A change that is made says who, also
where DRF finds the user after the middleware.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from vestige.values import Withheld

__all__ = ["HistoryMixin", "VersionSerializer"]


class VersionSerializer(serializers.Serializer):
    """A version: what changed, when, by whom and why; of the fields that its context has as `history_fields`, where it has any."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    op = serializers.CharField()
    actor = serializers.CharField()
    reason = serializers.CharField()
    tx = serializers.IntegerField()
    changes = serializers.SerializerMethodField()

    def get_changes(self, version: Any) -> list[dict[str, Any]]:
        wanted = self.context.get("history_fields")
        return [
            {"field": one.name, "old": _told(one.old), "new": _told(one.new)}
            for one in version.changes
            if wanted is None or one.name in wanted or (one.field is not None and one.field.name in wanted)
        ]


class HistoryMixin:
    """For a ModelViewSet of a tracked model."""

    history_fields: tuple[str, ...] | None = None  # those that a history shows; None: what the serializer shows

    def _history_context(self: Any) -> dict[str, Any]:
        wanted = self.history_fields
        if wanted is None:
            wanted = {field.source for field in self.get_serializer().fields.values() if not field.write_only}
        return {**self.get_serializer_context(), "history_fields": wanted}

    @action(detail=True, url_path="history")
    def history(self: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        versions = self.get_object().vestige.versions()
        page = self.paginate_queryset(versions)
        found = VersionSerializer(versions if page is None else page, many=True, context=self._history_context()).data
        return Response(found) if page is None else self.get_paginated_response(found)

    @action(detail=True, url_path="as-of")
    def as_of(self: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        then = self.get_object().vestige.as_of(_moment(request.query_params.get("at", "")))
        if then is None:
            raise NotFound("it was not there")
        serializer = self.get_serializer(then)
        # What is not given is nothing that a field could print.
        withheld = {name: getattr(then, field.source, None) for name, field in serializer.fields.items()}
        withheld = {name: value for name, value in withheld.items() if isinstance(value, Withheld)}
        for name in withheld:
            serializer.fields.pop(name)
        return Response({**serializer.data, **{name: _told(value) for name, value in withheld.items()}})


def _told(value: Any) -> Any:
    """A value as JSON takes it; what the trail does not give says which that is."""
    return str(value) if isinstance(value, Withheld) else value


def _moment(text: str) -> datetime.datetime:
    try:
        found = parse_datetime(text)
        day = None if found else parse_date(text)
    except ValueError:
        found = day = None
    if day is not None:
        found = datetime.datetime.combine(day, datetime.time())
    if found is None:
        raise ValidationError({"at": "say a time, as 2026-11-01T12:00:00Z"})
    return found if found.tzinfo else timezone.make_aware(found)
