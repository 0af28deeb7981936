"""What the trail refuses, as errors that one can catch whatever driver is used.

An adapter raises its own kinds, which are the driver's errors as well: code that catches `psycopg.Error` goes on to.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["Conflict", "ContextTooLarge", "ExtensionUnavailable", "MissingContext", "NoTrail", "VestigeError"]

MISSING_CONTEXT: Final = "VS001"
CONFLICT: Final = "VS002"

_REQUIRED = re.compile(
    r"vestige: (?:a change of (?P<table>.*) needs a context with (?P<field>\S+)"
    r"|(?P<table_>.*) requires (?P<field_>\S+) in the context)"
)


_ABSENT = re.compile(
    r'(?:schema "vestige"|relation "vestige\.\w+") does not exist|no such table: (?:main\.)?vestige_|read the trail: there is none'
)


class VestigeError(Exception):
    """Anything that Vestige refuses."""


class MissingContext(VestigeError):
    """A table requires a field that the context does not have (SQLSTATE VS001). Nothing was written."""

    @property
    def table(self) -> str | None:
        found = _REQUIRED.search(str(self))
        return None if found is None else found["table"] or found["table_"]

    @property
    def field(self) -> str | None:
        found = _REQUIRED.search(str(self))
        return None if found is None else found["field"] or found["field_"]


class Conflict(VestigeError):
    """What is to be undone was changed since (SQLSTATE VS002). Nothing was changed; the message names rows and columns."""


class ExtensionUnavailable(VestigeError):
    """The loadable extension cannot be had in a connection of SQLite; the message says why, and what can be done about it."""


class NoTrail(VestigeError):
    """The database has no trail, or an older one that lacks something."""

    def __init__(self) -> None:
        super().__init__(
            "this database has no trail, or an older one: init() of vestige.trail.Trail makes it or brings it up to date, as the "
            "program's `vestige init` does; of a Django project, manage.py migrate"
        )


class ContextTooLarge(UserWarning):
    """A context of more than 16 KiB was cut; `left_out` in it says where."""


def requires(message: str) -> bool:
    """It is the refusal of a change whose context lacks a field."""
    return _REQUIRED.search(message) is not None


def conflicts(message: str) -> bool:
    """It is the refusal of an undoing, of what was changed since."""
    return "cannot be undone, nothing was changed" in message


def absent(message: str) -> bool:
    """It is what a database without a trail says when it is asked for it."""
    return _ABSENT.search(message) is not None


def named(message: str) -> VestigeError | None:
    """What the core refuses in the words of its command line, by its name and in the words of this client."""
    if "a reason is needed" in message:
        return MissingContext(
            "erase: a reason is needed: vestige.context(reason=...); it is recorded for good, so name no person in it"
        )
    if absent(message):
        return NoTrail()
    return Conflict(message) if conflicts(message) else None
