"""What the conditions of a filter mean, of a change as the trail has it: vestige/record/filter.cc."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vestige._filter import Condition, Word

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WITHHELD: Final = {
    '{"$unrecorded":true}': "(too large to be recorded)",
    '{"$redacted":true}': "(redacted)",
}
_SMALL: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
Row = Mapping[str, str]  # of each column the JSON


@dataclass(frozen=True)
class Facts:
    """A change, as conditions see it: values as the JSON that they are; and what is asked of its table."""

    id: int
    at: datetime.datetime
    op: str
    table: str
    key: Row
    new_key: Row
    old: Row | None
    new: Row | None
    tx: int
    context: Mapping[str, str]  # texts
    db_user: str | None
    classification: str = ""
    tags: Iterable[str] = field(default=())


def _shown(value: str) -> str:
    """A value as people see it: the text of a text."""
    if value.startswith('"'):
        return str(json.loads(value))
    return "(encrypted)" if value.startswith('{"$encrypted":') else _WITHHELD.get(value, value)


def _contains(text: str, part: str) -> bool:
    return part.translate(_SMALL) in text.translate(_SMALL)


def _fits(text: str, word: Word) -> bool:
    if word.plain:
        return text == word.text
    return re.fullmatch(".*".join(map(re.escape, word.text.split("*"))), text, re.DOTALL) is not None


def _any_fits(text: str | None, condition: Condition) -> bool:
    return text is not None and any(_fits(text, word) for word in condition.words)


def _any_within(text: str | None, condition: Condition) -> bool:
    return text is not None and any(word.text == "*" or _contains(text, word.text) for word in condition.words)


def _number(text: str) -> decimal.Decimal | None:
    return decimal.Decimal(text) if _NUMBER.fullmatch(text) else None


_ORDERS: Final[dict[str, Callable[[int], bool]]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _compares(sign: str, value: str, word: Word) -> bool:
    """A recorded value against a word: as numbers where both are, otherwise letter by letter."""
    null, equality = value == "null", sign in ("=", "!=")
    if equality:
        wanted = sign == "="
        if not word.quoted and word.text == "null":
            return null == wanted
        if not word.plain:
            return (word.text == "*" or (not null and _fits(_shown(value), word))) == wanted
    if null:
        return sign == "!="
    text = _shown(value)
    number = None if word.quoted else _number(word.text)
    other = None if number is None else _number(text)
    if number is not None and other is not None:
        return _ORDERS[sign]((other > number) - (other < number))
    # A text has no order among numbers, nor has what is no text among letters: 5 is not less than "abc".
    if not equality and (number is not None or not value.startswith('"')):
        return False
    return _ORDERS[sign]((text > word.text) - (text < word.text))


def _value_matches(condition: Condition, values: Row | None) -> bool:
    value = None if values is None else values.get(condition.name)
    if value is None:
        return False
    each = (_compares(condition.sign, value, word) for word in condition.words)
    # "Unequal to any of these" would be true of everything.
    return all(each) if condition.sign == "!=" else any(each)


def _key_matches(condition: Condition, facts: Facts) -> bool:
    if condition.name:
        return _value_matches(condition, facts.key) or _value_matches(condition, facts.new_key)
    values = [*facts.key.values(), *facts.new_key.values()]
    return any(_compares("=", value, word) for value in values for word in condition.words)


def _text_matches(condition: Condition, facts: Facts) -> bool:
    rows = (facts.key, facts.new_key, facts.old or {}, facts.new or {})
    return (
        any(_any_within(_shown(value), condition) for row in rows for value in row.values())
        or _any_within(facts.db_user, condition)
        or any(_any_within(said, condition) for said in facts.context.values())
    )


def _times_in(text: str, row: Row | None, only: Row | None) -> int:
    if row is None or not text:
        return 0
    return sum(_shown(value).count(text) for name, value in row.items() if only is None or name in only)


def _moved(condition: Condition, facts: Facts) -> bool:
    """A text came into a value or went out of it. Of an UPDATE that recorded every new value, only what changed counts."""
    only = facts.old if facts.op == "UPDATE" else None
    return any(
        facts.old is not None or facts.new is not None
        if not word.quoted and word.text == "*"
        else _times_in(word.text, facts.old, only) != _times_in(word.text, facts.new, only)
        for word in condition.words
    )


def _context_matches(condition: Condition, facts: Facts) -> bool:
    said = facts.context.get(condition.name if condition.field == "context" else condition.field)
    return _any_within(said, condition) if condition.field == "reason" else _any_fits(said, condition)


_MEANINGS: Final[dict[str, Callable[[Condition, Facts], bool]]] = {
    "table": lambda c, f: _any_fits(f.table, c),
    "key": _key_matches,
    "op": lambda c, f: any(word.text == "*" or word.text.upper() == f.op for word in c.words),
    "column": lambda c, f: any(_any_fits(name, c) for row in (f.old, f.new) for name in row or ()),
    "who": lambda c, f: _any_fits(f.context.get("actor", f.db_user), c),
    "db_user": lambda c, f: _any_fits(f.db_user, c),
    "since": lambda c, f: f.at >= min(c.values),
    "until": lambda c, f: f.at < max(c.values),
    "tx": lambda c, f: f.tx in c.values,
    "id": lambda c, f: f.id in c.values,
    "tag": lambda c, f: any(_any_fits(tag, c) for tag in f.tags),
    "class": lambda c, f: bool(f.classification) and _any_fits(f.classification, c),
    "old": lambda c, f: _value_matches(c, f.old),
    "new": lambda c, f: _value_matches(c, f.new),
    "text": _text_matches,
    "value": _moved,
}


def matches(conditions: Iterable[Condition], facts: Facts) -> bool:
    """Does a change meet every condition?"""
    return all(_MEANINGS.get(one.field, _context_matches)(one, facts) != one.negated for one in conditions)
