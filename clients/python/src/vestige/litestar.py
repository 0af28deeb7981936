"""Litestar: a plugin under which each request has a context.

    app = Litestar([...], plugins=[vestige.litestar.Vestige(actor=lambda scope: scope["user"].email)])

Without `actor` it is what Litestar's authentication put into `request.user`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar.config.app import AppConfig
from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin

from vestige.asgi import ContextMiddleware

__all__ = ["Vestige"]


class Vestige(InitPlugin):
    """Takes what vestige._web.Options takes; `actor` and fields that can be called are given the scope."""

    def __init__(self, actor: Callable[[Any], Any] | None = None, **options: Any) -> None:
        middleware: Any = ContextMiddleware
        self._middleware = DefineMiddleware(middleware, actor=actor, **options)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.middleware.insert(0, self._middleware)
        return app_config
