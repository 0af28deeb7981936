"""The grammar of docs/filter.md, for trails that are read without the library: vestige/record/filter.h has the contract, and
tests/test_filter.py holds the one against the other. SQLite's extension reads filters itself.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from vestige import _times
from vestige._fields import FIELDS

NAMES: Final = (
    *(
        "table",
        "key",
        "op",
        "column",
        "who",
        "db_user",
        "since",
        "until",
        "tx",
        "id",
        "tag",
        "class",
        "old",
        "new",
        "text",
        "value",
    ),
    *FIELDS,
    "context",
)
OPS: Final = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "BASELINE", "ERASE", "EXPIRE")
_DOTTED: Final = ("old", "new", "context", "key")
_SPACES: Final = " \t\n\v\f\r"
_FIELD: Final = re.compile(r"[a-zA-Z0-9_]+", re.ASCII)
_BARE_NAME: Final = re.compile(r'[^ \t\n\v\f\r:=<>!"]*')
_SIGN: Final = re.compile(r"!=|<=|>=|[:=<>]")
_BARE: Final = re.compile(r'[^ \t\n\v\f\r,"]*')
_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True)
class Word:
    """A value of a condition. In quotes * and null are themselves."""

    text: str
    quoted: bool

    @property
    def plain(self) -> bool:
        return self.quoted or "*" not in self.text


@dataclass
class Condition:
    """One condition: any of its words will do."""

    field: str
    name: str = ""  # old, new, key: the column; context: the field
    sign: str = "="
    words: list[Word] = dataclasses.field(default_factory=list)
    values: list[Any] = dataclasses.field(default_factory=list)  # id, tx: numbers; since, until: times
    negated: bool = False

    @property
    def plain(self) -> bool:
        return all(word.plain for word in self.words)


def _refused(message: str, hint: str) -> NoReturn:
    raise ValueError(f"read the filter: {message}; {hint}")


class _Reader:
    def __init__(self, text: str, now: datetime.datetime) -> None:
        self.text, self.now, self.at = text, now, 0

    def conditions(self) -> list[Condition]:
        found = []
        while self._more():
            found.append(self._condition())
        return found

    def _more(self) -> bool:
        while self.at < len(self.text) and self.text[self.at] in _SPACES:
            self.at += 1
        return self.at < len(self.text)

    def _take(self, what: re.Pattern[str]) -> str | None:
        found = what.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def _here(self) -> str:
        return self.text[self.at : self.at + 1]

    def _typed(self, start: int) -> str:
        """The word that begins there, for messages."""
        return re.split(rf"[{_SPACES}]", self.text[start:], maxsplit=1)[0]

    def _quoted(self) -> str:
        found = self._take(_QUOTED)
        if found is None:
            _refused(f"a quote is not closed: {self.text[self.at :]}", 'a quote within quotes is written twice: ""')
        return found[1:-1].replace('""', '"')

    def _word(self, of: str) -> Word:
        if self._here() == '"':
            word = Word(self._quoted(), True)
            if self._here() not in ("", ",", *_SPACES):
                _refused(f"{self._typed(self.at)} follows a closing quote", "put a space or a comma between")
            return word
        start = self.at
        text = self._take(_BARE) or ""
        if self._here() == '"':
            _refused(f"a quote within {self._typed(start)}", "put the whole value in quotes")
        if not text:
            _refused(f"{of}: a value is missing", '"" is the empty text' if of == "text" else f"{of}:* is any value, -{of}:* none")
        return Word(text, False)

    def _condition(self) -> Condition:
        negated = self._here() == "-"
        self.at += negated
        condition = self._named() or Condition("text")
        condition.negated = negated
        of = f"{condition.field}.{condition.name}" if condition.name else condition.field
        condition.words.append(self._word(of))
        while self._here() == ",":
            self.at += 1
            condition.words.append(self._word(of))
        condition.values = [value for word in condition.words if (value := self._understood(condition, word.text)) is not None]
        return condition

    def _named(self) -> Condition | None:
        """FIELD or FIELD.NAME before an operator; None, and nothing is read, where the word is none."""
        start = self.at
        name, sign, dotted = "", None, False
        typed = self._take(_FIELD)
        if typed is not None:
            dotted = typed.lower() in _DOTTED and self._here() == "."
            if dotted:
                self.at += 1
                name = self._quoted() if self._here() == '"' else self._take(_BARE_NAME) or ""
            sign = self._take(_SIGN)
        if typed is None or sign is None:
            self.at = start
            return None
        made = Condition(typed.lower(), name, "=" if sign == ":" else sign)
        self._check(made, sign == ":", dotted, self._typed(start))
        return made

    @staticmethod
    def _check(made: Condition, colon: bool, dotted: bool, typed: str) -> None:
        of = made.field
        if of not in NAMES:
            _refused(
                f"{typed}: there is no field {of}",
                f"the fields are {', '.join(NAMES)}; what is only a text stands in quotes"
                if colon
                else f"compare old.{of} or new.{of}; what is only a text stands in quotes",
            )
        if not made.name and of in _DOTTED and (dotted or of != "key"):
            _refused(
                f"{typed}: a name is missing", f'write {of}.NAME:VALUE; a name with odd letters in quotes: {of}."unit price":5'
            )
        if not colon and not (of in ("old", "new") or (of == "key" and made.name)):
            _refused(f"{typed}: only key., old. and new. are compared", f"write {of}:VALUE")

    def _understood(self, condition: Condition, text: str) -> Any:
        if condition.field in ("since", "until"):
            return _times.parsed(text, self.now)
        if condition.field == "op" and text != "*" and text.upper() not in OPS:
            raise ValueError(f"read an operation: there is none called {text}")
        if condition.field in ("id", "tx"):
            if not re.fullmatch(r"-?[0-9]+", text) or not -(2**63) <= int(text) < 2**63:
                raise ValueError(f"read the filter: {condition.field}: '{text}' is not a number")
            return int(text)
        return None


def parsed(text: str, now: datetime.datetime | None = None) -> list[Condition]:
    """The conditions of a filter, which all hold; ages and days count from now, and are UTC's. ValueError says what to write."""
    return _Reader(text, now or datetime.datetime.now(_times.UTC)).conditions()
