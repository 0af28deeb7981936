"""What a context looks like on its way to the database: JSON in ASCII, and that as a literal of SQL.

A context comes from headers, forms and names, so it is hostile. Of what could mean something to a lexer between here and the
trail, nothing is left: quotes, percent and dollar signs, asterisks and semicolons and everything that is not ASCII are
escapes of JSON, and E'…' reads doubled backslashes alike whatever standard_conforming_strings, backslash_quote and the
encoding of the client are. What PostgreSQL's jsonb would refuse, it does not get: NUL is left out, half a surrogate pair is
U+FFFD, and a number that is not finite is a text. What Python itself would refuse to write or to go down into is a text, too:
a context must never be why a write fails.
"""

from __future__ import annotations

import json
import re

from vestige._fields import FIELDS
from vestige._signing import signed
from vestige.errors import ContextTooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

LARGEST: Final = 16 * 1024  # of a context as JSON; every transaction sends it
LONGEST_KEPT: Final = 1024  # of a known field as JSON, where the context is too large
MOST_NAMED: Final = 8  # fields that `left_out` names
DEEPEST: Final = 32  # lists and objects within one another
_LONGEST_NUMBER: Final = 4096  # bits
SETTING: Final = "vestige.context"

_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_ESCAPED: Final = {ord(c): f"\\u{ord(c):04x}" for c in "'%$*;"}


def _text(value: str) -> str:
    return _HALF_PAIR.sub("\ufffd", value.replace("\0", ""))


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it: times in RFC 3339, what JSON has no word for as its text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value.bit_length() <= _LONGEST_NUMBER else hex(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if hasattr(value, "items") or isinstance(value, (list, tuple, set, frozenset)):
        return _composed(value, depth + 1) if depth < DEEPEST else f"(nested deeper than {DEEPEST})"
    isoformat = getattr(value, "isoformat", None)
    return _text(str(value) if isoformat is None else isoformat())


def _composed(value: Any, depth: int) -> Any:
    if hasattr(value, "items"):
        return {_text(str(name)): plain(one, depth) for name, one in value.items()}
    return [plain(one, depth) for one in value]


def as_json(fields: Mapping[str, Any]) -> str:
    """The fields as a JSON object in ASCII without NUL; the empty text where there is none.

    What is longer than 16 KiB loses fields outside the known ones, the largest first, and then the ends of known ones;
    `left_out` in the context says which, and a ContextTooLarge warns.
    """
    values = {_text(name): plain(value) for name, value in fields.items() if value is not None}
    if not values:
        return ""
    said = dump(values)
    return said if len(said) <= LARGEST else _cut(values)


def literal(said: str) -> str:
    """A text of as_json() as a literal of SQL: nothing in it needs to be escaped any further, by whoever sends it."""
    return "E'" + said.replace("\\", "\\\\") + "'"


def set_local(said: str) -> str:
    """The statement that says it for the rest of the transaction, signed where this process signs: once for each transaction."""
    return f"SET LOCAL {SETTING} = {literal(signed(said))}"


def dump(values: Mapping[str, Any]) -> str:
    """JSON in ASCII, without what means something elsewhere."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True).translate(_ESCAPED)


def _cut(values: dict[str, Any]) -> str:
    sizes = sorted(((len(dump({name: value})), name) for name, value in values.items() if name not in FIELDS), reverse=True)
    left_out: list[str] = []
    said = ""
    for _, name in sizes:
        del values[name]
        left_out.append(name[:40])
        said = dump(values | {"left_out": left_out[:MOST_NAMED]})
        if len(said) <= LARGEST:
            break
    else:
        for name, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            if len(dump({name: text})) > LONGEST_KEPT:
                values[name] = _shortened(text)
                left_out.append(name)
        said = dump(values | {"left_out": left_out[-MOST_NAMED:]})
    import warnings

    warnings.warn(f"a context of more than {LARGEST} bytes: {', '.join(left_out)} left out or cut", ContextTooLarge, stacklevel=2)
    return said


def _shortened(text: str) -> str:
    """As many characters as are LONGEST_KEPT in JSON, and no more."""
    room = LONGEST_KEPT
    for place, character in enumerate(text):
        room -= len(dump({"": character})) - len('{"":""}')
        if room < 0:
            return text[:place]
    return text
