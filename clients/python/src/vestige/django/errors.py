"""What the trail refuses, as errors of Django's as well: code that catches django.db.DatabaseError goes on to."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from django.db import DatabaseError, IntegrityError
from django.db.utils import DatabaseErrorWrapper

import vestige

__all__ = ["Conflict", "MissingContext", "Translating"]


class MissingContext(vestige.MissingContext, IntegrityError):
    """A table requires a field that the context does not have. Nothing was written."""


class Conflict(vestige.Conflict, DatabaseError):
    """What is to be undone was changed since. Nothing was changed; the message names rows and columns."""


class Translating(DatabaseErrorWrapper):
    """Django's translation of a driver's errors, which keeps the kinds of ours."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> Any:
        ours: type[Exception] | None = None
        if isinstance(error, vestige.MissingContext):
            ours = MissingContext
        elif isinstance(error, vestige.Conflict):
            ours = Conflict
        if ours is not None and error is not None:
            raise ours(*error.args).with_traceback(traceback) from error
        return super().__exit__(kind, error, traceback)
