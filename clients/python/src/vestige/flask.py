"""Flask: an extension under which each request has a context.

    vestige.flask.Vestige(app, actor=lambda: flask.g.user.name)       # or Vestige().init_app(app)

Who acts is asked for when something is first written, in the request; without `actor` it is flask_login's current user, where the
program uses that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import flask

from vestige import current, wsgi

__all__ = ["Vestige"]


class Vestige:
    """Takes what vestige._web.Options takes; `actor` and fields that can be called are called without anything, in the request."""

    def __init__(self, app: flask.Flask | None = None, actor: Callable[[], Any] | None = None, **options: Any) -> None:
        self._actor = actor or _current_user
        self._options = {name: _in_request(given) if callable(given) else given for name, given in options.items()}
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        around: Any = wsgi.ContextMiddleware(app.wsgi_app, _in_request(self._actor), process=_process, **self._options)
        app.wsgi_app = around  # type: ignore[method-assign]
        app.after_request(_asked_now)


def _in_request(asks: Callable[[], Any]) -> Callable[[Any], Any]:
    """Where a request is no more, as in a thread of its own, nothing can be asked of it."""
    return lambda environ: asks() if flask.has_request_context() else None


def _asked_now(response: flask.Response) -> flask.Response:
    """What is written while an answer is sent is written when the request is no more: it is asked before."""
    if response.is_streamed and not response.direct_passthrough:
        current()
    return response


def _current_user() -> Any:
    login = sys.modules.get("flask_login")
    user = None if login is None else login.current_user
    return user.get_id() if user is not None and user.is_authenticated else None


def _process(environ: Any) -> str | None:
    rule = flask.request.url_rule if flask.has_request_context() else None
    return None if rule is None else f"{flask.request.method} {rule.rule}"
