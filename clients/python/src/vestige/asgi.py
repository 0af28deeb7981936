"""ASGI: a middleware under which each request has a context. Starlette, FastAPI, Quart and whatever speaks ASGI.

    app = vestige.asgi.ContextMiddleware(app, actor=lambda scope: scope["user"].username)
    app.add_middleware(vestige.asgi.ContextMiddleware, trusted_proxies=1)                    # of Starlette and FastAPI

It hands on what it gets, and starts no task, so that endpoints, dependencies and threads of the framework's pool share the
request's context: what one of them says by vestige.annotate, all that is written afterwards carries.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from vestige._context import context, restored
from vestige._web import Options

__all__ = ["ContextMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class ContextMiddleware:
    """Takes the application, and what vestige._web.Options takes; `actor` and fields that can be called are given the scope."""

    def __init__(self, app: App, actor: Callable[[Scope], Any] | None = None, **options: Any) -> None:
        self.app = app
        self._options = Options(actor, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        peer = scope.get("client")
        with restored(), context.of(self._options.fields(scope, _headers(scope), peer and peer[0], _user, _process)):
            await self.app(scope, receive, send)


def _headers(scope: Scope) -> Callable[[str], str | None]:
    def header(name: str) -> str | None:
        wanted = name.lower().encode("latin-1")
        found = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]
        return ", ".join(found) if found else None

    return header


def _user(scope: Scope) -> Any:
    return scope.get("user")


def _process(scope: Scope) -> str | None:
    """The route that was found: Starlette's and FastAPI's, or Litestar's."""
    path = getattr(scope.get("route"), "path", None) or scope.get("path_template")
    return f"{scope.get('method', 'WEBSOCKET')} {path}" if isinstance(path, str) else None
