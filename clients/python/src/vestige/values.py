"""What the trail recorded, as values of Python, with nothing lost.

The trail gives JSON whose numbers have every digit, and says the type of each column. A float that is not finite and a text that
reads "NaN" look alike in JSON: only the type tells. What a type of Python cannot hold stays text: a time that is infinite, before
the year 1 or after 9999, an array that does not begin at 1, and the types that have no counterpart.
"""

from __future__ import annotations

import datetime
import decimal
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from vestige.errors import VestigeError

__all__ = ["REDACTED", "UNRECORDED", "Encrypted", "Interval", "InvalidText", "Moment", "Withheld", "decoded", "decoded_sqlite"]


class Withheld:
    """Stands where the trail gives no value: UNRECORDED, REDACTED, or an Encrypted."""

    __slots__ = ()

    def resolve_expression(self, *_: Any, **__: Any) -> NoReturn:
        """Django asks this of what it is about to write, and would write down how it prints."""
        raise VestigeError(f"the trail does not give this value, so that nothing can be written back: {self}")


class _Mark(Withheld):
    __slots__ = ("_name", "_shown")

    def __init__(self, name: str, shown: str) -> None:
        self._name, self._shown = name, shown

    def __repr__(self) -> str:
        return f"vestige.{self._name}"

    def __str__(self) -> str:
        return self._shown

    def __reduce__(self) -> str:  # a copy of it is itself
        return self._name


UNRECORDED: Final = _Mark("UNRECORDED", "(too large to be recorded)")
REDACTED: Final = _Mark("REDACTED", "(redacted)")


@dataclass(frozen=True, slots=True)
class Encrypted(Withheld):
    """A value that only a private key opens: the token that is recorded. It is empty where SQLite has yet to make it."""

    token: str = field(repr=False)

    def __str__(self) -> str:
        return "(encrypted)"


class Moment(str):
    """A date or a time that Python has no value for, as PostgreSQL prints it: `infinity`, `0044-03-15 BC`."""

    __slots__ = ()

    @property
    def infinite(self) -> bool:
        return self in ("infinity", "-infinity")


@dataclass(frozen=True, slots=True)
class Interval:
    """PostgreSQL's interval: a month is not thirty days, nor a day twenty-four hours."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def __str__(self) -> str:
        return f"{self.months} months {self.days} days {self.microseconds} microseconds"


@dataclass(frozen=True, slots=True)
class InvalidText:
    """A text of SQLite's that is not UTF-8: its bytes."""

    raw: bytes


class _Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


def parsed(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_int=_Number, parse_float=_Number)


def plain(value: Any) -> Any:
    """What parsed() gives, as a document: numbers are int where they are whole and short to write, else Decimal."""
    if isinstance(value, _Number):
        return decimal.Decimal(value) if set(value) & set(".eE") or value == "-0" else _integer(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def _integer(text: str) -> int:
    # int() refuses texts of more than some thousand digits; Decimal does not, and gives the same.
    return int(text) if len(text) < 4000 else int(decimal.Decimal(text))


_SPAN = re.compile(r"(-?\d+) (year|mon|day)s?|([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
_ZONE = r"([+-]\d\d)(?::?(\d\d))?(?::?(\d\d))?"
_TIME = re.compile(f"{_CLOCK}(?:{_ZONE})?")
_STAMP = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)[ T]{_CLOCK}(?:{_ZONE})?")


def _zone(hours: str | None, minutes: str | None, seconds: str | None) -> datetime.timezone | None:
    if hours is None:
        return None
    sign = -1 if hours[0] == "-" else 1
    offset = datetime.timedelta(hours=abs(int(hours)), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return datetime.timezone(sign * offset)


def _micros(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0"))


def stamp(text: str) -> datetime.datetime | Moment:
    found = _STAMP.fullmatch(text)
    if found is None or found[1] == "0000":
        return Moment(text)
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    made = datetime.datetime(year, month, day, hour, minute, second, _micros(found[7]), _zone(found[8], found[9], found[10]))
    try:
        return made if made.tzinfo is None else made.astimezone(datetime.timezone.utc)
    except OverflowError:  # at the edge of the calendar, in another zone
        return Moment(text)


def _date(text: str) -> datetime.date | Moment:
    return datetime.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) and text[:4] != "0000" else Moment(text)


def _time(text: str) -> datetime.time | Moment:
    found = _TIME.fullmatch(text)
    if found is None or found[1] == "24":
        return Moment(text)
    return datetime.time(int(found[1]), int(found[2]), int(found[3]), _micros(found[4]), _zone(found[5], found[6], found[7]))


def _interval(text: str) -> Interval | Moment:
    months = days = micros = 0
    for found in _SPAN.finditer(text):
        number, unit, sign, hours, minutes, seconds, fraction = found.groups()
        if unit == "day":
            days += int(number)
        elif unit:
            months += int(number) * (12 if unit == "year" else 1)
        else:
            amount = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000_000 + _micros(fraction)
            micros += -amount if sign == "-" else amount
    return Moment(text) if "infinity" in text else Interval(months, days, micros)


def _float(value: str) -> float:
    return float(value)


_TYPES: Final[dict[str, Callable[[str], Any]]] = {
    "smallint": _integer,
    "integer": _integer,
    "bigint": _integer,
    "oid": _integer,
    "numeric": decimal.Decimal,
    "real": _float,
    "double precision": _float,
    "bytea": lambda text: bytes.fromhex(text[2:]),
    "timestamp with time zone": stamp,
    "timestamp without time zone": stamp,
    "date": _date,
    "time without time zone": _time,
    "time with time zone": _time,
    "interval": _interval,
    "boolean": lambda text: text in ("t", "true"),
    "uuid": uuid.UUID,
    "json": lambda text: plain(parsed(text)),
}
_WITHOUT_SIZE = re.compile(r"\(\d+(?:,-?\d+)?\)")


def value(kind: str, given: Any) -> Any:
    """A value of JSON, as parsed() gives it, of a column of this type."""
    if given is None:
        return None
    if kind.endswith("[]"):
        if isinstance(given, list):
            return _elements(kind[:-2], given)
        # Of a type that JSON would not keep whole, an array is its text; one that does not begin at 1 stays that.
        return _elements(kind[:-2], _listed(given)) if isinstance(given, str) and given.startswith("{") else plain(given)
    if kind == "jsonb":
        return plain(given)
    if isinstance(given, str):
        # What is erased or comes from another table of this name may not be of the type of today.
        made = _TYPES.get(kind)
        return str(given) if made is None and not isinstance(given, _Number) else plain(given) if made is None else made(given)
    return plain(given)


# The loop turns once for each backslash, not for each character, since every turn needs room.
_ITEM = re.compile(r'([{},])|"([^"\\]*(?:\\.[^"\\]*)*)"|([^{},"]+)', re.DOTALL)


def _listed(text: str) -> list[Any]:
    """The elements of an array as PostgreSQL prints it, as texts."""
    stack: list[list[Any]] = [[]]
    for found in _ITEM.finditer(text):
        if found[1] == "{":
            stack.append([])
        elif found[1] == "}":
            stack[-2].append(stack.pop())
        elif found[2] is not None:
            stack[-1].append(re.sub(r"\\(.)", r"\1", found[2], flags=re.DOTALL))
        elif found[3] is not None:
            stack[-1].append(None if found[3] == "NULL" else found[3])
    listed: list[Any] = stack[0][0]
    return listed


def _elements(kind: str, given: list[Any]) -> list[Any]:
    return [_elements(kind, one) if isinstance(one, list) and kind != "jsonb" else value(kind, one) for one in given]


def decoded(text: str | None, types: Mapping[str, str]) -> dict[str, Any] | None:
    """A row of the trail, of JSON as text and the types of its columns."""
    if text is None:
        return None
    found = {}
    for name, given in parsed(text).items():
        kind = types.get(name, "text")
        mark = _withheld(given)
        # Of a jsonb column the application may have written one; but PostgreSQL prints a space into that.
        if mark is None or (kind == "jsonb" and " " in members(text)[name]):
            found[name] = value(kind, given)
        else:
            found[name] = mark
    return found


def decoded_value(text: str, kind: str) -> Any:
    """One value, of its JSON and its type."""
    return (decoded('{"value":' + text + "}", {"value": kind}) or {})["value"]


def _withheld(given: Any) -> Withheld | None:
    """What stands for a value that the trail does not give, if that is it."""
    if not isinstance(given, dict) or len(given) != 1:
        return None
    [(tag, said)] = given.items()
    if tag == "$encrypted" and isinstance(said, str):
        return Encrypted(said)
    return {"$unrecorded": UNRECORDED, "$redacted": REDACTED}.get(tag) if said is True else None


def bare(kind: str) -> str:
    """The type without its size: numeric(10,2) is numeric."""
    return _WITHOUT_SIZE.sub("", kind)


def _of_sqlite(given: Any) -> Any:
    """A value of JSON, as parsed() gives it, in the class that it is stored in: 2 is an INTEGER, 2.0 a REAL."""
    if isinstance(given, _Number):
        return float(given) if set(given) & set(".eE") else int(given)
    if not isinstance(given, dict) or len(given) != 1:
        return plain(given)
    mark = _withheld(given)
    if mark is not None:
        return mark
    [(tag, text)] = given.items()
    if tag == "$blob":
        return bytes.fromhex(text)
    if tag == "$text":
        return InvalidText(bytes.fromhex(text))
    if tag == "$real":
        return float(text)
    return plain(given)


def decoded_sqlite(text: str | None) -> dict[str, Any] | None:
    """A row of a trail on SQLite, whose values say themselves what they are."""
    return None if text is None else {name: _of_sqlite(given) for name, given in parsed(text).items()}


def sqlite_value(text: str) -> Any:
    return _of_sqlite(parsed(text))


def members(text: str) -> dict[str, str]:
    """The members of an object of JSON, each as the text that it is."""
    found: dict[str, str] = {}
    place = _after(text, text.index("{") + 1)
    while text[place] != "}":
        name, end = _DECODER.raw_decode(text, place)
        place = _after(text, _after(text, end) + 1)  # a colon
        _, end = _DECODER.raw_decode(text, place)
        found[name] = text[place:end]
        place = _after(text, end)
        place = _after(text, place + 1) if text[place] == "," else place
    return found


def _after(text: str, place: int) -> int:
    """Behind what spaces stand there."""
    found = _SPACES.match(text, place)
    return place if found is None else found.end()


_SPACES: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()
