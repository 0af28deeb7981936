"""Moments as people write them: the words of docs/filter.md's `since:` and `until:`, as vestige/base/time.h has them, in UTC."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Final

UTC: Final = datetime.timezone.utc
_CLOCK: Final = r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?"
_OFFSET: Final = r"(?:[Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)"
_CALENDAR: Final = re.compile(rf"(\d{{4}})-(\d\d)(?:-(\d\d)(?:[Tt ]{_CLOCK}(?: ?{_OFFSET})?)?)?", re.ASCII)
_AGE: Final = re.compile(r"(\d+)(?:[.,](\d+))? *([A-Za-z]+) *", re.ASCII)
_DAY: Final = re.compile(rf"([A-Za-z]*)(?:(?:(?<=[a-zA-Z]) +|(?<![a-zA-Z])){_CLOCK})?", re.ASCII)
_EPOCH: Final = re.compile(r"@(-?)(\d+)(?:[.,](\d+))?", re.ASCII)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS: Final[dict[str, tuple[int, int]]] = {  # seconds, or months
    name: unit
    for names, unit in (
        ("s sec secs second seconds", (1, 0)),
        ("m min mins minute minutes", (60, 0)),
        ("h hr hrs hour hours", (3600, 0)),
        ("d day days", (86400, 0)),
        ("w week weeks", (7 * 86400, 0)),
        ("mo month months", (0, 1)),
        ("y yr yrs year years", (0, 12)),
    )
    for name in names.split()
}


def parsed(text: str, now: datetime.datetime) -> datetime.datetime:
    """The moment that is meant; ages and days count from now."""
    if text == "now":
        return now
    for reads in _READERS:
        try:
            moment = reads(text, now)
        except (ValueError, OverflowError):  # a day or a year that there is not
            continue
        if moment is not None:
            return moment
    raise ValueError(
        f"read the time '{text}': not a moment; write 2026-01-31T12:00:00Z, 2026-01-31, 2026-01, yesterday, monday, 09:30, "
        "or an age such as 2h or 7d"
    )


def _micros(digits: str | None) -> int:
    return int((digits or "")[:6].ljust(6, "0"))


def _clock(hour: str, minute: str, second: str | None, fraction: str | None) -> datetime.time:
    return datetime.time(int(hour), int(minute), int(second or 0), _micros(fraction), UTC)


def _calendar(text: str, now: datetime.datetime) -> datetime.datetime | None:
    found = _CALENDAR.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    date = datetime.date(int(year), int(month), int(day or 1))
    clock = datetime.time(tzinfo=UTC) if hour is None else _clock(hour, minute, second, fraction)
    offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return datetime.datetime.combine(date, clock) + (offset if sign == "-" else -offset)


def _months_before(moment: datetime.datetime, months: int) -> datetime.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    for day in range(moment.day, moment.day - 4, -1):  # the last one of a month that has no such day
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(months)


def _age(text: str, now: datetime.datetime) -> datetime.datetime | None:
    moment, place = now, 0
    while place < len(text) and (place == 0 or text[place:] != "ago"):
        found = _AGE.match(text, place)
        if found is None:
            return None
        count, fraction, word = found.groups()
        seconds, months = _UNITS.get(word.lower(), (0, 0))
        if months and not int(fraction or 0):
            moment = _months_before(moment, int(count) * months)
        elif seconds:
            moment -= datetime.timedelta(seconds=int(count) * seconds, microseconds=seconds * _micros(fraction))
        else:
            return None
        place = found.end()
    return moment if place else None


def _day(text: str, now: datetime.datetime) -> datetime.datetime | None:
    found = _DAY.fullmatch(text)
    if found is None or not text:
        return None
    word, clock = found[1].lower(), None if found[2] is None else _clock(*found.groups()[1:])
    named = [place for place, day in enumerate(_DAYS) if word == day or (len(word) == 3 and day.startswith(word))]
    if word == "yesterday":
        date = now.date() - datetime.timedelta(days=1)
    elif named:
        date = now.date() - datetime.timedelta(days=(now.weekday() - named[0]) % 7)
    elif word in ("", "today"):
        date = now.date()
    else:
        return None
    if not word and clock is not None and clock > now.timetz():
        date -= datetime.timedelta(days=1)
    return datetime.datetime.combine(date, clock or datetime.time(tzinfo=UTC))


def _epoch(text: str, now: datetime.datetime) -> datetime.datetime | None:
    found = _EPOCH.fullmatch(text)
    if found is None:
        return None
    since = datetime.timedelta(seconds=int(found[2]), microseconds=_micros(found[3]))
    return datetime.datetime(1970, 1, 1, tzinfo=UTC) + (-since if found[1] else since)


_READERS: Final[tuple[Callable[[str, datetime.datetime], datetime.datetime | None], ...]] = (_calendar, _age, _day, _epoch)
