"""What an application reports that it read, or disclosed: the same refusals, and the same row, on both databases
(docs/compliance.md).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vestige import _sqlite_connections as sqlite
from vestige import errors
from vestige._context import said
from vestige._fields import FIELDS
from vestige._records import Question
from vestige._session import row_of

_LONGEST: Final = 8192  # bytes of each text, as vestige.access has it
_MOST: Final = 2**63 - 1
_PLAIN: Final = re.compile(r'[^\s"\\{},]+')
_COLUMNS: Final = ", ".join((*FIELDS, "extra", "seconds"))
_SAY: Final = f"insert into main.vestige_session ({_COLUMNS}) values ({', '.join('?' * (len(FIELDS) + 2))})"
_CLEAR: Final = "delete from main.vestige_session"
_SECONDS: Final = 3600  # longer than it stands: it is taken away in the same transaction


@dataclass(frozen=True, slots=True)
class Reported:
    """What is reported of a table, or of one row of it."""

    table: str
    key: tuple[str, ...]
    kind: str = "read"
    purpose: str | None = None
    recipient: str | None = None
    recipient_address: str | None = None
    description: str | None = None
    request_ref: str | None = None
    suspended_until: datetime.datetime | None = None
    entries: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("read", "disclosure"):
            raise ValueError(f"access: kind is {self.kind}: it is read or disclosure")
        if self.kind == "disclosure" and not self.recipient:
            raise ValueError("access: a disclosure has a recipient")
        if self.entries is not None and not 0 <= self.entries <= _MOST:
            raise ValueError(f"access: entries is {self.entries}")
        for text in (*self.texts, *self.key, _as_array(self.key) if len(self.key) > 1 else None):
            if text is not None and "\0" in text:
                raise ValueError("access: a text has a NUL in it")
            if text is not None and len(text.encode()) > _LONGEST:
                raise ValueError(f"access: a text of {len(text.encode())} bytes is too long: each may have {_LONGEST}")

    @property
    def texts(self) -> list[str | None]:
        return [self.purpose, self.recipient, self.recipient_address, self.description, self.request_ref]

    @property
    def until(self) -> str | None:
        """A time without a zone is in that of the process."""
        return None if self.suspended_until is None else self.suspended_until.astimezone(datetime.timezone.utc).isoformat()


def key_of(key: Sequence[Any]) -> tuple[str, ...]:
    """The key as texts, which are the same on both databases: of what each prints in its own way, a time for one, there is none."""
    for one in key:
        if isinstance(one, (bool, datetime.datetime)) or not (
            isinstance(one, (str, int, float, datetime.date)) or type(one).__name__ in _AS_TEXT
        ):
            raise TypeError(f"access: a {type(one).__name__} in a key: give the text that `vestige log` shows of it")
    return tuple(map(str, key))


_AS_TEXT: Final = ("Decimal", "UUID")


def _as_array(key: Sequence[str]) -> str:
    """As PostgreSQL writes an array, whose length it looks at."""
    return "{" + ",".join(one if _PLAIN.fullmatch(one) and one.upper() != "NULL" else _quoted(one) for one in key) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def report(connection: Any, what: Reported) -> Question[int]:
    """The id of the row that it made."""
    if not sqlite.is_sqlite(connection):
        return _on_postgres(what)
    return _on_sqlite(what, keeps=not hasattr(connection, "vestige_autocommit"))


def _on_postgres(what: Reported) -> Question[int]:
    key = "{" + ",".join(map(_quoted, what.key)) + "}" if what.key else None
    rows = yield (
        """select vestige.access($1::text::regclass, kind => $2::text, purpose => $3::text, recipient => $4::text,
             recipient_address => $5::text, description => $6::text, request_ref => $7::text,
             suspended_until => $8::text::timestamptz, entries => $9::text::bigint, whole_key => $10::text::text[])""",
        [what.table, what.kind, *what.texts, what.until, None if what.entries is None else str(what.entries), key],
    )
    return int(rows[0][0])


def _on_sqlite(what: Reported, keeps: bool) -> Question[int]:
    """An INSERT, under the context in force, all of it or nothing.

    keeps  where none is in force, that which stands in the database is left, as plain SQL has said it
    """
    table = yield from _named(what.table)
    text = said()
    swaps = bool(text) or not keeps
    stood = (yield f"select {_COLUMNS} from main.vestige_session", []) if swaps else []
    yield "savepoint vestige_report", []
    try:
        if swaps:
            yield _CLEAR, []
        if text:
            yield _SAY, [*row_of(text), _SECONDS]
        rows = yield (
            """insert into main.vestige_access (kind, subject_table, subject_key, purpose, recipient, recipient_address,
                 description, request_ref, suspended_until, entries) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning id""",
            [what.kind, table, _json(what.key), *what.texts, what.until, what.entries],
        )
        if text:
            yield _CLEAR, []
        for row in stood:
            yield _SAY, list(row)
    except Exception as error:
        try:
            yield "rollback to vestige_report", []
            yield "release vestige_report", []
        except Exception as other:  # the error may have ended the whole transaction, the savepoint with it
            if "no such savepoint" not in str(other):
                raise
        raise error
    yield "release vestige_report", []
    return int(rows[0][0])


def _json(key: Sequence[str]) -> str | None:
    """As PostgreSQL writes a list of texts as JSON."""
    return json.dumps(key, ensure_ascii=False, separators=(",", ":")) if key else None


def _named(typed: str) -> Question[str]:
    """The table under the name that the trail shows, which is how reads of it are found."""
    own = yield "select name from main.sqlite_schema where name in ('vestige_change', 'vestige_access')", []
    if len(own) < 2:
        if not own:
            raise errors.NoTrail
        raise errors.VestigeError("no read can be reported yet: `vestige access --prepare` makes the table vestige_access")
    bare = typed[1:-1].replace('""', '"') if len(typed) > 1 and typed[0] == typed[-1] == '"' else typed
    rows = yield (
        """select name from main.sqlite_schema where type in ('table', 'view') and name collate nocase in (?1, ?2)
           order by name = ?1 desc, name = ?2 desc""",
        [typed, bare],
    )
    if not rows:
        raise errors.VestigeError(f"access: the table {typed} is missing")
    return str(rows[0][0])
