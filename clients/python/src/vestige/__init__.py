"""Vestige: who changed which row, when, why and from where.

    import vestige
    with vestige.context(actor="ann", reason="summer sale"):
        ...                                   # whatever writes, through a connection of vestige.psycopg and its like

Nothing here imports a driver or a framework: `vestige.psycopg`, `vestige.psycopg2`, `vestige.asyncpg` and `vestige.sqlite`
do, each its own.
"""

from vestige._context import annotate, attach, bind, carrier, context, current, detach, without
from vestige._fields import FIELDS
from vestige._signing import sign_with
from vestige.errors import Conflict, ContextTooLarge, ExtensionUnavailable, MissingContext, NoTrail, VestigeError

__all__ = [
    "FIELDS",
    "Conflict",
    "ContextTooLarge",
    "ExtensionUnavailable",
    "MissingContext",
    "NoTrail",
    "VestigeError",
    "annotate",
    "attach",
    "bind",
    "carrier",
    "context",
    "current",
    "detach",
    "sign_with",
    "without",
]
