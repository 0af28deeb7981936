"""What is asked of a trail on PostgreSQL, and what is made of the answers: for every driver alike, sync or async.

A question is a generator: it yields statements with their parameters (None: a script), is sent their rows, and returns what was
asked for. Whoever runs it (vestige.trail) knows the driver, and nothing else. Everything comes as text, so that no driver rounds
anything.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vestige import _install, values
from vestige._postgres_filter import Selected, array, understood
from vestige._records import Blame, Change, Filter, Finding, Question, Row, Undo, instant, moment

COLUMNS: Final = """c.id, to_json(c.at) #>> '{}', c.op, c."table", c.key::text, c.new_key::text, c.old_values::text,
  c.new_values::text, to_json(c.changed_fields)::text, c.tx, c.context::text, c.db_user::text, c.erased::text, c.shape"""


_CASTS: Final[dict[type, str]] = {list: "::text[]", dict: "::jsonb"}  # of what a policy says, beside texts


class Types:
    """The types of the columns of each shape that a table had, under the names that they have today; asked for once."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, str]] = {}

    def of(self, shapes: set[int]) -> Question[dict[int, dict[str, str]]]:
        missing = shapes - self._known.keys()
        if missing:
            rows = yield (
                """select s.id, json_object_agg(coalesce(n ->> 'name', i ->> 'name'),
                     coalesce(i ->> 'base', i ->> 'type'))::text
                   from vestige.shape s join vestige.tracked t on t.id = s.tracked join vestige.shape today on today.id = t.shape
                     cross join jsonb_array_elements(s.columns) i
                     left join jsonb_array_elements(today.columns) n on n -> 'id' = i -> 'id'
                   where s.id = any ($1::text::int[]) group by s.id""",
                ["{" + ",".join(map(str, sorted(missing))) + "}"],
            )
            for shape, types in rows:
                self._known[shape] = {name: values.bare(kind) for name, kind in values.parsed(types).items()}
        return self._known

    def forget(self) -> None:
        """A name may be another's by tomorrow."""
        self._known.clear()


def _object(text: str | None) -> Any:
    return None if text is None else values.plain(values.parsed(text))


def _change(row: Row, types: Mapping[str, str], index: int | None = None) -> Change:
    at = values.stamp(row[1])
    assert isinstance(at, datetime.datetime)
    changed = _object(row[8])
    return Change(
        id=row[0],
        at=at,
        op=row[2],
        table=row[3],
        key=values.decoded(row[4], types) or {},
        new_key=values.decoded(row[5], types),
        old=values.decoded(row[6], types),
        new=values.decoded(row[7], types),
        changed=None if changed is None else tuple(changed),
        tx=row[9],
        context=_object(row[10]) or {},
        db_user=row[11],
        erased=_object(row[12]),
        old_json=row[6],
        new_json=row[7],
        index=index,
    )


def key_texts(key: Sequence[Any]) -> list[str]:
    """The values of a key as the trail takes them: one text for each column."""
    return [_key_text(one) for one in key]


def _key_text(one: Any) -> str:
    if isinstance(one, bool):
        return "t" if one else "f"
    if isinstance(one, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(one).hex()
    if isinstance(one, (datetime.date, datetime.time)):
        return one.isoformat()
    return str(one)


def _told(wanted: Filter) -> list[tuple[str, str]]:
    """What the database is told of a filter: conditions with their parameters."""
    tx = None if wanted.tx is None else str(wanted.tx)
    conditions = (
        ("c.tracked = (select t.id from vestige.tracked_table(${}::text::regclass, 'changes') t)", wanted.table),
        ("c.actor = ${}::text", wanted.actor),
        ("c.id = any ((select vestige.changes_of(${}::text::bigint))::bigint[])", tx),
        ("c.at >= ${}::text::timestamptz", None if wanted.since is None else instant(wanted.since)),
        ("c.at < ${}::text::timestamptz", None if wanted.until is None else instant(wanted.until)),
        ("c.op = any (${}::text::text[])", array(wanted.op) if wanted.op else None),
    )
    return [(text, given) for text, given in conditions if given is not None]


def row_as_driver(names: Sequence[str], row: Row) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


class Postgres:
    """The questions to one database."""

    def __init__(self) -> None:
        self._types = Types()

    def _changes(self, sql: str, parameters: list[Any]) -> Question[list[Change]]:
        self._types.forget()
        rows = yield sql, parameters
        shapes = yield from self._types.of({row[13] for row in rows if row[13] is not None})
        return [_change(row, shapes.get(row[13], {})) for row in rows]

    def history(self, table: str, key: Sequence[Any]) -> Question[list[Change]]:
        """A row's changes, newest first, under every key that it had."""
        return (
            yield from self._changes(
                f"""select {COLUMNS} from vestige.changes c where c.id = any (array(
                      select x.id from vestige.tracked_table($1::text::regclass, 'history') t,
                        vestige.row_trail(t.id, vestige.named_key(t, $2::text::text[], 'history') collate "C") x))
                    order by c.id desc""",
                [table, array(key_texts(key))],
            )
        )

    def selected(self, wanted: Filter) -> Question[Selected]:
        """What is meant, for changes()."""
        made = Selected() if wanted.q is None else (yield from understood(wanted.q))
        made.sql[:0] = _told(wanted)
        return made

    def changes(self, wanted: Selected, after: int, newest_first: bool, most: int) -> Question[tuple[list[Change], int | None]]:
        """A page of changes, by id, and the last id that was looked at, if any was; `after` is that of the page before."""
        told = [
            *wanted.sql,
            (f"c.id {'<' if newest_first else '>'} ${{}}::text::bigint", str(after)),
        ]
        conditions = " and ".join(text.format(place) for place, (text, _) in enumerate(told, 1))
        rows = yield (
            f"""select {COLUMNS} from vestige.changes c where {conditions}
                order by c.id{" desc" if newest_first else ""} limit ${len(told) + 1}::text::int""",
            [*(given for _, given in told), str(most)],
        )
        self._types.forget()
        meant = [row for row in rows if wanted.holds(row)]
        shapes = yield from self._types.of({row[13] for row in meant if row[13] is not None})
        return [_change(row, shapes.get(row[13], {})) for row in meant], rows[-1][0] if rows else None

    def feed(self, after: int, most: int) -> Question[tuple[list[Change], int | None]]:
        """A page of the feed: each change once, in the one order that the tree has; and its last index, where it has any. What was
        dropped since, for its age, has its place still, and is passed over."""
        self._types.forget()
        rows = yield (
            f"""select {COLUMNS}, c.index from (
                  select f.*, (select x.shape from vestige.change x where x.id = f.id) as shape
                  from vestige.feed($1::text::bigint, $2::text::int) f) c order by c.index""",
            [str(after), str(most)],
        )
        there = [row for row in rows if row[2] is not None]
        shapes = yield from self._types.of({row[13] for row in there if row[13] is not None})
        return [_change(row, shapes.get(row[13], {}), row[14]) for row in there], rows[-1][14] if rows else None

    def seen_by(self, consumer: str) -> Question[int]:
        """The index of the last change that a consumer of the feed is done with."""
        rows = yield "select c.upto from vestige.cursor c where c.consumer = $1::text", [consumer]
        return int(rows[0][0]) if rows else -1

    def seen(self, consumer: str, index: int) -> Question[None]:
        yield (
            """insert into vestige.cursor (consumer, upto) values ($1::text, $2::text::bigint)
               on conflict (consumer) do update set upto = excluded.upto, at = excluded.at""",
            [consumer, str(index)],
        )

    def blame(self, table: str, key: Sequence[Any]) -> Question[list[Blame]]:
        self._types.forget()
        shown = yield "select (vestige.tracked_table($1::text::regclass, 'blame')).shape", [table]
        shapes = yield from self._types.of({shown[0][0]})
        rows = yield (
            """select b."column", b.value::text, b.change_id, to_json(b.changed_at) #>> '{}', b.action, b.changed_by, b.reason
               from vestige.blame($1::text::regclass, variadic $2::text::text[]) b""",
            [table, array(key_texts(key))],
        )
        kinds = shapes.get(shown[0][0], {})
        found = []
        for column, text, change, at, op, who, reason in rows:
            stamp = None if at is None else values.stamp(at)
            assert not isinstance(stamp, values.Moment)
            value = None if text is None else values.decoded_value(text, kinds.get(column, "text"))
            found.append(Blame(column, value, change, stamp, op, who, reason))
        return found

    def as_of(self, table: str, at: datetime.datetime | int) -> Question[tuple[str, list[Any]]]:
        """The statement that gives the rows of a table as they were, and its parameter: a time as text, or a change."""
        rows = yield "select $1::text::regclass::text", [table]
        kind = f"null::{rows[0][0]}"  # as the server prints it: quoted where it has to be
        if isinstance(at, int):
            return f"select a.* from vestige.as_of_change({kind}, $1::text::bigint) a", [moment(at)]
        return f"select a.* from vestige.as_of({kind}, $1::text::timestamptz) a", [moment(at)]

    row = staticmethod(row_as_driver)

    def revert(self, tx: int, force: bool) -> Question[int]:
        rows = yield "select vestige.revert($1::text::bigint, $2::text::boolean)", [str(tx), str(force)]
        return int(rows[0][0])

    def undo(self, change: int, force: bool) -> Question[Undo]:
        rows = yield (
            """select u.done, u.conflict, to_json(u.columns)::text, to_json(u.notes)::text
               from vestige.undo($1::text::bigint, $2::text::boolean) u""",
            [str(change), str(force)],
        )
        done, conflict, columns, notes = rows[0]
        return Undo(done, conflict, tuple(_object(columns) or ()), tuple(_object(notes) or ()))

    def erase(self, table: str, key: Sequence[Any], keys: bool, contexts: bool) -> Question[int | None]:
        rows = yield (
            """select e from vestige.tracked_table($1::text::regclass, 'erase') t, vestige.erase_changes(array(
                 select x.id from vestige.row_trail(t.id, vestige.named_key(t, $2::text::text[], 'erase') collate "C") x),
                 keys => $3::text::boolean, contexts => $4::text::boolean) e""",
            [table, array(key_texts(key)), str(keys), str(contexts)],
        )
        return int(rows[0][0]) if rows else None

    def init(self) -> Question[bool]:
        there = yield "select to_regclass('vestige.meta') is not null", []
        if there[0][0]:
            stands = yield "select value from vestige.meta where name = 'script'", []
            if stands and stands[0][0] == _install.fingerprint():
                return False
        yield _install.installation(), None
        return True

    def track(self, table: str, policy: Mapping[str, Any], baseline: bool) -> Question[None]:
        sql, parameters = "select vestige.track($1::text::regclass", [table]
        for name, said in policy.items():
            parameters.append(array(said) if isinstance(said, list) else json.dumps(said) if isinstance(said, dict) else said)
            sql += f""", "{name}" => ${len(parameters)}::text{_CASTS.get(type(said), "")}"""
        yield f"{sql}, baseline => {'true' if baseline else 'false'})", parameters

    def untrack(self, table: str) -> Question[None]:
        yield "select vestige.untrack($1::text::regclass)", [table]

    def _examined(self) -> Question[list[Finding]]:
        rows = yield 'select d.severity, d.code, d."table", d.message, d.remedy, d.fixable from vestige.doctor() d', []
        return [Finding(*row) for row in rows]

    def doctor(self, fix: bool) -> Question[list[Finding]]:
        found = yield from self._examined()
        if not fix or not any(one.fixable for one in found):
            return found
        yield "select vestige.mend()", []
        left = yield from self._examined()
        return [replace(one, fixed=True) for one in found if one.fixable and one not in left] + left
