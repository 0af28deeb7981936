"""Who, from where and by which view: the context of a request.

One class for WSGI and ASGI. Nothing is looked up before something is written: the user, the session and the view are asked for
then. Who sets request.user later (a view, DRF, a token) is heard, wherever this stands among the middleware.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

import vestige
from vestige import _context, _web
from vestige.django.conf import setting

__all__ = ["ContextMiddleware"]


class ContextMiddleware:
    """Every change that a request makes says who made it. A subclass may say more, or other things, in fields()."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._async:
            return self._answer(request)
        with _context.restored(), vestige.context.of(self.fields(request)):
            self._watch(request)
            return self._streamed(self.get_response(request))

    async def _answer(self, request: HttpRequest) -> Any:
        with _context.restored(), vestige.context.of(self.fields(request)):
            self._watch(request)
            answer: Awaitable[Any] = self.get_response(request)
            return self._streamed(await answer)

    def fields(self, request: HttpRequest) -> dict[str, Any]:
        """The fields of the request's context; what can be called is called when something is first written, once."""
        said: dict[str, Any] = {
            "actor": functools.partial(self.actor, request),
            "business_process": functools.partial(self.view, request),
            "request_id": self.request_id(request),
            "ip_address": self.ip_address(request),
            "method": request.method,
            "path": request.path,
        }
        if setting("SESSION_ID"):
            said["session_id"] = functools.partial(self.session_id, request)
        if setting("USER_AGENT"):
            said["user_agent"] = request.headers.get("User-Agent", "")[: _web._LONGEST_USER_AGENT] or None
        trace = request.headers.get("traceparent", "")
        if _web._TRACE.fullmatch(trace):
            said["traceparent"] = trace
        return said

    def actor(self, request: HttpRequest) -> str | None:
        """What VESTIGE["ACTOR"] calls the user of the request."""
        user = getattr(request, "user", None)
        if user is None:
            return None
        called = setting("ACTOR")
        name: str | None = (import_string(called) if isinstance(called, str) else called)(user)
        return name

    def view(self, request: HttpRequest) -> str | None:
        match = request.resolver_match
        return None if match is None else match.view_name

    def request_id(self, request: HttpRequest) -> str:
        """What a proxy called the request, if that is a word and no tale; else a new one; also `request.vestige_request_id`."""
        made = _web._request_id(request.headers.get(setting("REQUEST_ID_HEADER")))
        request.vestige_request_id = made
        return made

    def session_id(self, request: HttpRequest) -> str | None:
        """The same for all requests of a session, of no use to anybody who wants to take it over."""
        key = getattr(getattr(request, "session", None), "session_key", None)
        return salted_hmac("vestige.session", key, algorithm="sha256").hexdigest()[:32] if key else None

    def ip_address(self, request: HttpRequest) -> str | None:
        """The address that the last proxy of one's own was asked from: what stands before it, anybody can write."""
        return _web._address(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For"), setting("TRUSTED_PROXIES"))

    def _watch(self, request: HttpRequest) -> None:
        frame = _context._innermost.get()
        assert frame is not None
        asked = {"user": ("actor", self.actor), "resolver_match": ("business_process", self.view)}

        def changed(name: str) -> None:
            field, asks = asked[name]
            # In the request's own frame: what is open within it ends earlier.
            frame.fields[field] = functools.partial(asks, request)
            frame.version += 1

        request.__dict__["_vestige_changed"] = changed
        kind: Any = type(request)
        request.__class__ = _watched(kind)

    def _streamed(self, response: Any) -> Any:
        """What is made while it is sent is made under the same context."""
        if getattr(response, "streaming", False) and getattr(response, "file_to_stream", None) is None:
            again = _Again(_context._innermost.get())
            content = response.streaming_content
            response.streaming_content = again(_each_async if response.is_async else _each)(content)
        return response


class _Again(vestige.context):
    """A frame that was left, entered once more."""

    def __init__(self, frame: Any) -> None:
        super().__init__()
        self._frame = frame

    def _open(self, parent: Any) -> Any:
        return self._frame


def _each(content: Iterator[Any]) -> Iterator[Any]:
    yield from content


async def _each_async(content: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for part in content:
        yield part


class _Watched:
    """An attribute of a request, which says when it is set."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, request: Any, owner: Any = None) -> Any:
        if request is None:
            return self
        try:
            return request.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{type(request).__name__!r} object has no attribute {self.name!r}") from None

    def __set__(self, request: Any, value: Any) -> None:
        request.__dict__[self.name] = value
        request.__dict__["_vestige_changed"](self.name)

    def __delete__(self, request: Any) -> None:
        del request.__dict__[self.name]
        request.__dict__["_vestige_changed"](self.name)


@functools.lru_cache(maxsize=64)
def _watched(kind: Any) -> Any:
    if isinstance(kind.__dict__.get("user"), _Watched):
        return kind
    names = {"user": _Watched("user"), "resolver_match": _Watched("resolver_match")}
    return type(kind.__name__, (kind,), {"__module__": kind.__module__, **names})
