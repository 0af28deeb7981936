"""Celery: a task is done under the context of whoever asked for it.

    app = celery.Celery("shop", broker=…)
    vestige.celery.install(app)

The context goes in the headers of the message: of delay() and apply_async(), of groups, chains and chords, and again of a retry. A
task adds its name as `business_process`, and its id as `job_id`; what Beat sends is by the actor `celery-beat`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

from celery import Celery, current_task, signals
from celery.app.task import Task
from celery.utils.imports import symbol_by_name

from vestige._context import CARRIER, said
from vestige._jobs import LEFT_OUT, carried, job

__all__ = ["install"]

_BEAT: Final = '{"actor":"celery-beat"}'
_left_out: set[str] = set(LEFT_OUT)
_is_beat = False


def install(app: Celery, *, leave_out: Iterable[str] = LEFT_OUT) -> None:
    """Tasks of this app carry their requester's context, those that there are and those that are still to come.

    leave_out   fields that are not taken along; one list for all apps of the program
    """
    _left_out.clear()
    _left_out.update(leave_out)
    signals.before_task_publish.connect(_say, weak=False, dispatch_uid=__name__)
    for begins in (signals.beat_init, signals.beat_embedded_init):
        begins.connect(_begin_beat, weak=False, dispatch_uid=__name__)
    base: Any = symbol_by_name(app.task_cls)
    if not hasattr(base.__call__, "vestige_call"):
        app.task_cls = type("Task", (base,), {"__module__": __name__, "__call__": _under_context(base.__call__)})
        app.__dict__.pop("Task", None)  # made anew of the class, if it was made already
    finalized: Any = app.on_after_finalize
    finalized.connect(_wrap_tasks, weak=False, dispatch_uid=__name__)
    if app.finalized:
        _wrap_tasks(app)


def _wrap_tasks(sender: Celery, **_: Any) -> None:
    """Tasks that were there before, and those of a base class of their own."""
    for task in list(sender.tasks.values()):
        kind = type(task)
        if not task.name.startswith("celery.") and not hasattr(kind.__call__, "vestige_call"):
            kind.__call__ = _under_context(kind.__call__)


def _under_context(call: Callable[..., Any]) -> Callable[..., Any]:
    """What a worker calls of a task."""
    # Celery's own would take the call for one of the program's, without a message.
    run = None if call is Task.__call__ else call

    @functools.wraps(call)
    def called(task: Any, *args: Any, **named: Any) -> Any:
        request = task.request
        if request.called_directly:  # as a function
            return call(task, *args, **named)
        message = said() if request.is_eager else (request.headers or {}).get(CARRIER)
        with job(message, business_process=task.name, job_id=request.id):
            return task.run(*args, **named) if run is None else run(task, *args, **named)

    called.vestige_call = True  # type: ignore[attr-defined]
    return called


def _say(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Before a message is sent."""
    if headers is None or CARRIER in headers:  # a retry has its message's own
        return
    text = carried(_left_out)
    request: Any = current_task.request if not text and current_task else None
    if request is not None and request.headers:
        # The next of a chain or the end of a chord: the worker sends it when a task is done, under no context.
        text = request.headers.get(CARRIER, "")
    if not text and _is_beat:
        text = _BEAT
    if text:
        headers[CARRIER] = text


def _begin_beat(**_: Any) -> None:
    global _is_beat
    _is_beat = True
