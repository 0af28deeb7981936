"""What is asked of a trail on SQLite by the loadable extension, and what is made of the answers (docs/sqlite-extension.md).

A question is a generator, as in _postgres_trail. Where the extension cannot be loaded, _program asks the program the same.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vestige import values
from vestige._context import said
from vestige._records import Blame, Change, Filter, Finding, Question, Undo, instant, moment

COLUMNS: Final = """c."index", c.id, c.at, c.op, c."table", c.key, c.new_key, c.old_values, c.new_values, c.changed_fields, c.tx,
  c.context, (select group_concat(e.change || ',' || e.parts, ';') from vestige_erased e where e.erased = c.id)"""
_NUMBER: Final = frozenset("0123456789+-.eE")
_OPTIONS: Final = ("dry_run", "force", "skip_conflicts", "keys", "contexts")


def key_words(key: Sequence[Any]) -> list[str]:
    """The values of a key as words that mean them, whatever a text looks like."""
    return [_key_word(one) for one in key]


def _key_word(one: Any) -> str:
    if one is None:
        return "null"
    if isinstance(one, bool):
        return str(int(one))
    if isinstance(one, (bytes, bytearray, memoryview)):
        return f"x'{bytes(one).hex()}'"
    if isinstance(one, (int, float)):
        return repr(one)
    text = one.isoformat(" ") if isinstance(one, datetime.datetime) else str(one)
    # What may be a number in the rows is looked for as both; everything else is a text, also `null`.
    return text if text and _NUMBER.issuperset(text) else f"'{text}'"


def filter_text(wanted: Filter) -> str:
    """A filter in the words of docs/filter.md."""
    conditions = [
        f"{name}:{_quoted(said)}"
        for name, said in (
            ("table", wanted.table),
            ("actor", wanted.actor),
            ("tx", wanted.tx),
            ("since", None if wanted.since is None else instant(wanted.since)),
            ("until", None if wanted.until is None else instant(wanted.until)),
        )
        if said is not None
    ]
    if wanted.op:
        conditions.append("op:" + ",".join(map(_quoted, wanted.op)))
    return " ".join([*conditions, wanted.q or ""]).strip()


def _quoted(said: Any) -> str:
    """A value in quotes, in which nothing means anything."""
    return '"' + str(said).replace('"', '""') + '"'


def _at(text: str) -> datetime.datetime:
    stamp = values.stamp(text.replace("Z", "+00:00"))
    assert isinstance(stamp, datetime.datetime)
    return stamp


def change_of(
    index: int | None,
    id: int,
    at: str,
    op: str,
    table: str,
    key: str,
    new_key: str | None,
    old: str | None,
    new: str | None,
    changed: str | None,
    tx: int,
    context: str,
    erased: dict[str, int] | None = None,
) -> Change:
    """A change, of the texts that the trail gives."""
    return Change(
        id=id,
        at=_at(at),
        op=op,
        table=table,
        key=values.decoded_sqlite(key) or {},
        new_key=values.decoded_sqlite(new_key),
        old=values.decoded_sqlite(old),
        new=values.decoded_sqlite(new),
        changed=None if changed is None else tuple(json.loads(changed)),
        tx=tx,
        context=values.plain(values.parsed(context)),
        db_user=None,
        erased=erased,
        old_json=old,
        new_json=new,
        index=index,
    )


def _changes(rows: Iterable[Sequence[Any]]) -> list[Change]:
    return [replace(change_of(*row[:12]), erased=_erased(row[12])) for row in rows]


def _erased(text: str | None) -> dict[str, int] | None:
    """Which parts are gone, and by which ERASE, of what vestige_erased says: 9,values;12,key,context."""
    if text is None:
        return None
    found: dict[str, int] = {}
    for each in sorted(text.split(";"), key=lambda each: int(each.split(",")[0])):
        erase, *parts = each.split(",")
        for part in parts:
            found.setdefault(part.partition("=")[0], int(erase))  # of a context: and what it was, as a hash
    return found


def blame_of(
    column: str, value: str, change: int | None, at: str | None, who: str | None, reason: str | None, op: str | None
) -> Blame:
    return Blame(column, values.sqlite_value(value), change, None if at is None else _at(at), op, who, reason)


def undo_of(text: str, conflict: bool) -> Undo:
    """What `revert --format json` says of one change."""
    outcome = json.loads(text)
    if conflict:
        [first, *_] = outcome["conflicts"]
        return Undo("conflict", first["what"], tuple(first["columns"] or ()), tuple(outcome["notes"]))
    return Undo("applied" if outcome["applied"] else "nothing", None, (), tuple(outcome["notes"]))


def erase_of(text: str) -> int | None:
    """The ERASE that `erase --format json` names, if there was something to take."""
    erases = json.loads(text)["erase"]
    return int(erases[0]) if erases else None


def findings_of(found: Iterable[Mapping[str, Any]]) -> list[Finding]:
    names = Finding.__dataclass_fields__
    return [Finding(**{name: one[name] for name in names}) for one in found]


def under_context(**options: Any) -> str:
    """Options of a function that does something: how, and the context in force. A field of it that is called like one is none."""
    fields = json.loads(said() or "{}")
    return json.dumps({name: value for name, value in fields.items() if name not in _OPTIONS} | options)


class Sqlite:
    """The questions to one database, by its extension."""

    def history(self, table: str, key: Sequence[Any]) -> Question[list[Change]]:
        words = key_words(key)
        places = "".join(", ?" for _ in words)
        rows = yield f"select {COLUMNS} from vestige_history(?{places}) c order by c.id desc", [table, *words]
        return _changes(rows)

    def selected(self, wanted: Filter, newest_first: bool) -> tuple[str, list[Any]]:
        """The statement that gives the changes that are meant."""
        order = "" if newest_first else " order by c.id"
        text = filter_text(wanted)
        if not text:
            return f"select {COLUMNS} from vestige_changes c{order}", []
        return f"select {COLUMNS} from vestige_changes(?) c{order}", [text]

    @staticmethod
    def change(row: Sequence[Any]) -> Change:
        [change] = _changes([row])
        return change

    def feed(self, after: int, most: int) -> Question[tuple[list[Change], int | None]]:
        rows = yield f"select {COLUMNS} from vestige_feed(?) c limit ?", [after, most]
        return _changes(rows), rows[-1][0] if rows else None

    def seen_by(self, consumer: str) -> Question[int]:
        rows = yield "select upto from vestige_cursor where consumer = ?", [consumer]
        return int(rows[0][0]) if rows else -1

    def seen(self, consumer: str, index: int) -> Question[None]:
        yield (
            """insert into vestige_cursor (consumer, upto) values (?, ?)
               on conflict (consumer) do update set upto = excluded.upto, at = excluded.at""",
            [consumer, index],
        )

    def blame(self, table: str, key: Sequence[Any]) -> Question[list[Blame]]:
        words = key_words(key)
        places = "".join(", ?" for _ in words)
        rows = yield (
            f"""select b."column", b.value, b.change, b.at, b.actor, b.reason from vestige_blame(?{places}) b""",
            [table, *words],
        )
        ops = {}
        for change in {row[2] for row in rows if row[2] is not None}:
            [[op]] = yield "select op from vestige_changes(?)", [f"id:{change}"]
            ops[change] = op
        return [
            blame_of(column, value, change, at, who, reason, ops.get(change)) for column, value, change, at, who, reason in rows
        ]

    def as_of(self, table: str, at: datetime.datetime | int) -> Question[tuple[str, list[Any]]]:
        yield from ()  # nothing is asked before
        return "select row from vestige_at(?, ?)", [table, moment(at)]

    @staticmethod
    def row(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        return values.decoded_sqlite(row[0]) or {}

    def revert(self, tx: int, force: bool) -> Question[int]:
        rows = yield "select vestige_revert(?, ?)", [tx, under_context(force=force)]
        return int(json.loads(rows[0][0])["applied"])

    def undo(self, change: int, force: bool) -> Question[Undo]:
        # With a conflict nothing is to be done, also not to the other columns; so it is asked for before.
        looked = yield "select vestige_undo(?, ?)", [change, under_context(skip_conflicts=True, dry_run=True)]
        conflicts = json.loads(looked[0][0])["conflicts"]
        if conflicts and not (force and conflicts[0]["columns"]):
            return undo_of(looked[0][0], True)
        done = yield "select vestige_undo(?, ?)", [change, under_context(force=force)]
        return undo_of(done[0][0], False)

    def erase(self, table: str, key: Sequence[Any], keys: bool, contexts: bool) -> Question[int | None]:
        words = key_words(key)
        options = under_context(keys=keys, contexts=contexts)
        rows = yield f"select vestige_erase(?{''.join(', ?' for _ in words)}, ?)", [table, *words, options]
        return erase_of(rows[0][0])

    def init(self) -> Question[bool]:
        rows = yield "select vestige_init()", []
        return bool(rows[0][0])

    def track(self, table: str, policy: Mapping[str, Any], baseline: bool) -> Question[None]:
        yield "select vestige_track(?, ?)", [table, json.dumps({**policy, "baseline": baseline})]

    def untrack(self, table: str) -> Question[None]:
        yield "select vestige_untrack(?)", [table]

    def doctor(self, fix: bool) -> Question[list[Finding]]:
        rows = yield "select vestige_doctor(?)", [json.dumps({"fix": fix})]
        return findings_of(json.loads(rows[0][0]))
