"""What a queue takes along of a context, and the context in which a job of it is done: for vestige.celery, .rq and .dramatiq.

Whoever asked for a job is who its changes are by. The job itself is their business process. When it ends, the worker's context is
what it was before, whatever the job left open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from vestige._context import CARRIER, attach, context, said, under

LEFT_OUT: Final = ("user_agent",)  # long, and of the request alone


def carried(leave_out: Iterable[str] = LEFT_OUT) -> str:
    """The context in force, as a message of a queue has it; empty where there is none."""
    text = said()
    left = set(leave_out)
    if not text or not left:
        return text
    fields = {name: value for name, value in json.loads(text).items() if name not in left}
    return json.dumps(fields) if fields else ""


@contextmanager
def job(message: Any, **fields: Any) -> Iterator[None]:
    """Does a job: under what its message carries, and its own fields over it."""
    with under(None), attach({CARRIER: message}), context.of(fields):
        yield
