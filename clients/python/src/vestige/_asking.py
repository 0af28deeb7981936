"""What both kinds of trails need to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from vestige import _sqlite_connections as sqlite
from vestige import errors
from vestige._postgres_trail import Postgres
from vestige._program import Program
from vestige._records import Change
from vestige._sqlite_trail import Sqlite

FIRST: Final = -1
LAST: Final = 2**63 - 1
_PIECE: Final = re.compile(r""""[^"]*"|'[^']*'|\$(\d+)""")


def placed(sql: str, parameter: Callable[[str], str], quoted: Callable[[str], str]) -> str:
    """The statement with its parameters, and what stands in quotes, as a driver writes them: a table may be called `$1` or `%s`."""
    return _PIECE.sub(lambda found: quoted(found[0]) if found[1] is None else parameter(found[1]), sql)


def formatted(sql: str) -> str:
    """As psycopg writes them: each parameter stands once, in order."""
    return placed(sql, lambda _: "%s", lambda text: text.replace("%", "%%"))


def must_say(connection: Any) -> None:
    if not hasattr(connection, "vestige_autocommit") and not sqlite.is_sqlite(connection):
        kind = type(connection)
        raise TypeError(
            f"a {kind.__module__}.{kind.__qualname__} does not say who acts: use the connections of vestige.psycopg, "
            "vestige.psycopg2 or vestige.asyncpg"
        )


@contextmanager
def told() -> Iterator[None]:
    """What a database without a trail answers, by a name that says what to do."""
    try:
        yield
    except Exception as error:
        if isinstance(error, errors.VestigeError) or not errors.absent(str(error)):
            raise
        raise errors.NoTrail from error


def with_feed(ask: Postgres | Sqlite | Program) -> Postgres | Sqlite:
    if isinstance(ask, Program):
        raise errors.ExtensionUnavailable("the feed needs the loadable extension; `vestige log --consumer NAME` prints it")
    return ask


def index_of(change: Change) -> int:
    if change.index is None:
        raise ValueError(f"change {change.id} is not of the feed: it has no index")
    return change.index
