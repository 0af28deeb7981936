"""WSGI: a middleware under which each request has a context, also while its answer is sent.

application = vestige.wsgi.ContextMiddleware(application, actor=lambda environ: environ.get("REMOTE_USER"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from vestige._context import _Within, context
from vestige._web import Options

__all__ = ["ContextMiddleware"]

Environ: TypeAlias = dict[str, Any]
App: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class ContextMiddleware:
    """Takes the application, and what vestige._web.Options takes; `actor` and fields that can be called are given the environ."""

    def __init__(
        self,
        app: App,
        actor: Callable[[Environ], Any] | None = None,
        *,
        process: Callable[[Environ], str | None] | None = None,
        **options: Any,
    ) -> None:
        self.app = app
        self._options = Options(actor, **options)
        self._process = process or _nothing

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        fields = self._options.fields(environ, _headers(environ), environ.get("REMOTE_ADDR"), _user, self._process)
        within = _Within(context.of(fields))
        with within:
            parts = self.app(environ, start_response)
        # What is there already needs no context, nor does a file that the server sends by itself.
        by_server = environ.get("wsgi.file_wrapper")
        if isinstance(parts, (list, tuple)) or (isinstance(by_server, type) and isinstance(parts, by_server)):
            return parts
        return _Parts(parts, within)


class _Parts:
    """An answer, whose parts are made under the request's context."""

    def __init__(self, parts: Iterable[bytes], within: _Within) -> None:
        self._parts = parts
        self._within = within
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._within:
            if self._iterator is None:
                self._iterator = iter(self._parts)
            return next(self._iterator)

    def close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            with self._within:
                close()


def _headers(environ: Environ) -> Callable[[str], str | None]:
    def header(name: str) -> str | None:
        found: str | None = environ.get("HTTP_" + name.upper().replace("-", "_"))
        return found

    return header


def _user(environ: Environ) -> Any:
    """Whom the server itself has let in."""
    return environ.get("REMOTE_USER")


def _nothing(environ: Environ) -> str | None:
    return None
