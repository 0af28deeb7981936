"""pg-audit's middleware: the request's id, and who makes its changes."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest

from vestige.django.middleware import ContextMiddleware

__all__ = ["PgAuditMiddleware", "RequestIDMiddleware"]


class RequestIDMiddleware:
    """`request.request_id`, where nobody has set it before."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if not getattr(request, "request_id", None):
            request.request_id = str(uuid.uuid4())
        return self.get_response(request)


class PgAuditMiddleware(ContextMiddleware):
    """The context of a request; `user_id` besides what vestige.django says, for the column of the view."""

    def fields(self, request: HttpRequest) -> dict[str, Any]:
        return super().fields(request) | {"user_id": functools.partial(self.user_id, request), "source": "http"}

    def user_id(self, request: HttpRequest) -> Any:
        return getattr(getattr(request, "user", None), "pk", None)

    def request_id(self, request: HttpRequest) -> str:
        given: str | None = getattr(request, "request_id", None)
        if not given:
            request.request_id = given = super().request_id(request)
        return given
