"""Dramatiq: an actor does its work under the context of whoever sent the message.

    broker = RedisBroker(…)
    vestige.dramatiq.install(broker)

The context is an option of the message: of send(), of pipelines and groups, and again of a retry. A job adds its actor's name as
`business_process`, and its message's id as `job_id`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import local
from typing import Any

import dramatiq

from vestige._context import CARRIER
from vestige._jobs import carried, job

__all__ = ["ContextMiddleware", "install"]


class ContextMiddleware(dramatiq.Middleware):
    """Puts the context into messages, and takes it out again. It has to be the first, so that what others send when a message was
    processed (the next of a pipeline, say) is under the context, too."""

    def __init__(self) -> None:
        self._open = local()

    def before_enqueue(self, broker: dramatiq.Broker, message: dramatiq.Message[Any], delay: int | None) -> None:
        if text := carried():
            message.options.setdefault(CARRIER, text)  # a retry has its message's own

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        self._end()
        opened = job(message.options.get(CARRIER), business_process=message.actor_name, job_id=message.message_id)
        opened.__enter__()
        self._open.job = opened

    def after_process_message(self, broker: dramatiq.Broker, message: Any, *, result: Any = None, exception: Any = None) -> None:
        self._end()

    def after_skip_message(self, broker: dramatiq.Broker, message: Any) -> None:
        self._end()

    def _end(self) -> None:
        opened: AbstractContextManager[None] | None = self._open.__dict__.pop("job", None)
        if opened is not None:
            opened.__exit__(None, None, None)


def install(broker: dramatiq.Broker) -> None:
    """Messages of this broker carry their sender's context."""
    first = type(broker.middleware[0]) if broker.middleware else None
    broker.add_middleware(ContextMiddleware(), before=first)
