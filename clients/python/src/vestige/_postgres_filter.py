"""A filter on PostgreSQL: which of its conditions the database is told, and what has to be known to judge the others."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vestige import _filter, errors, values
from vestige._filter import Condition, Word
from vestige._matching import Facts, Row, matches
from vestige._records import Question

_NAME: Final = "vestige.shown_name(t.schema_name, t.table_name)"


@dataclass
class Selected:
    """What is meant: conditions of SQL with their parameters, and the filter, which holds of what these give."""

    sql: list[tuple[str, str]] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    policies: dict[str, Any] = field(default_factory=dict)  # by the tables' names

    def holds(self, row: Sequence[Any]) -> bool:
        """Of a row of _postgres_trail.COLUMNS."""
        return not self.conditions or matches(self.conditions, self._facts(row))

    def _facts(self, row: Sequence[Any]) -> Facts:
        at = values.stamp(row[1])
        assert isinstance(at, datetime.datetime)
        policy = self.policies.get(row[3], {})
        return Facts(
            id=row[0],
            at=at,
            op=row[2],
            table=row[3],
            key=_row(row[4]) or {},
            new_key=_row(row[5]) or {},
            old=_row(row[6]),
            new=_row(row[7]),
            tx=row[9],
            context={name: _text(said) for name, said in (_row(row[10]) or {}).items()},
            db_user=row[11],
            classification=policy.get("classification", ""),
            tags=policy.get("tags", ()),
        )


def _row(text: str | None) -> Row | None:
    return None if text is None else values.members(text)


def _text(said: str) -> str:
    return str(json.loads(said)) if said.startswith('"') else said


def array(texts: Sequence[str]) -> str:
    """An array of texts as a text, which every driver sends alike."""
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def understood(text: str) -> Question[Selected]:
    """A filter, with the names in it looked up: one that no table ever had is a slip, not a question with an empty answer."""
    made = Selected(conditions=_filter.parsed(text))
    for condition in made.conditions:
        if condition.field == "table":
            condition.words = yield from _tables(condition.words)
        names = [word.text for word in condition.words if word.plain] if condition.field == "column" else []
        if condition.name and condition.field != "context":
            names.append(condition.name)
        if names:
            yield from _require_columns(names)
        if not condition.negated and condition.plain:
            made.sql += _pushed(condition)
    if any(condition.field in ("tag", "class") for condition in made.conditions):
        rows = yield (
            "select vestige.shown_name(t.schema_name, t.table_name), t.policy::text from vestige.tracked t order by t.id",
            [],
        )
        for name, policy in rows:
            made.policies.setdefault(name, json.loads(policy))
    return made


def _tables(words: list[Word]) -> Question[list[Word]]:
    """Tables under the names that changes have."""
    found = []
    for word in words:
        if word.plain:
            rows = yield (
                f"select {_NAME} from vestige.tracked_table($1::text::regclass, 'changes') t",
                [word.text],
            )
            word = Word(rows[0][0], True)
        found.append(word)
    return found


def _require_columns(names: list[str]) -> Question[None]:
    known = yield (
        """select distinct coalesce(n ->> 'name', i ->> 'name')
           from vestige.shape s join vestige.tracked t on t.id = s.tracked join vestige.shape today on today.id = t.shape
             cross join jsonb_array_elements(s.columns) i
             left join jsonb_array_elements(today.columns) n on n -> 'id' = i -> 'id'""",
        [],
    )
    for name in names:
        if [name] not in [list(row) for row in known]:
            raise errors.VestigeError(f"find column {name}: not recorded in any table, now or ever")


def _pushed(condition: Condition) -> list[tuple[str, str]]:
    """What the database may look for: never less than what is meant."""
    texts = [word.text for word in condition.words]
    if condition.field == "table":
        return [('c."table" = any (${}::text::text[])', array(texts))]
    if condition.field == "who":
        return [("coalesce(c.actor, c.db_user::text) = any (${}::text::text[])", array(texts))]
    if condition.field == "op":
        return [("c.op = any (${}::text::text[])", array([text.upper() for text in texts]))]
    if condition.field == "id":
        return [("c.id = any (${}::text::bigint[])", array(texts))]
    if condition.field == "tx" and len(texts) == 1:
        return [("c.id = any ((select vestige.changes_of(${}::text::bigint))::bigint[])", texts[0])]
    if condition.field == "since":
        return [("c.at >= ${}::text::timestamptz", min(condition.values).isoformat())]
    if condition.field == "until":
        return [("c.at < ${}::text::timestamptz", max(condition.values).isoformat())]
    return []
