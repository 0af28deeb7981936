"""What a text of SQL does, so far as an adapter has to know: does it begin, end or go back in a transaction, and may it write?

Words are looked for outside of comments, strings and quoted names. The answer errs on the safe side: what is taken for more
than it is costs a round trip, never a name.
"""

from __future__ import annotations

import functools
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_PIECE: Final = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|%\(\w+\)[sbt]\b)  # the last is a parameter of psycopg's
      | (?P<comment>/\*)
      | (?P<string>[eE]?'|")
      | \$(?P<tag>[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?\$
      | (?P<word>[A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]*)
      | (?P<end>;)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# What ends a string or stands in its way. No group is repeated: that needs room for each turn, and a string may have megabytes.
_EDGES: Final = {"'": re.compile("''?"), '"': re.compile('""?'), "e'": re.compile(r"\\.|''?", re.DOTALL)}
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
# Most statements, told at a glance: one statement, and its first word says what it is.
_SIMPLE: Final = re.compile(r"\s*(insert|update|delete|select)\b[^;]*;?\s*\Z", re.IGNORECASE)

_BEGINS_SO: Final = re.compile(r"\s*(insert|update|delete)\b", re.IGNORECASE)
_LONGEST_KEPT: Final = 4096  # of texts whose answers are kept
_CONTROL: Final = frozenset(("begin", "start", "commit", "end", "rollback", "abort", "prepare"))
_WRITES: Final = frozenset(("insert", "update", "delete", "merge", "replace", "truncate", "execute"))
_CHANGING: Final = frozenset(("insert", "update", "delete", "merge", "replace"))


def words(sql: str) -> list[list[str]]:
    """The words of each statement, in lower case; `(` and `;` as far as they tell something."""
    statements: list[list[str]] = [[]]
    place = 0
    while place < len(sql):
        found = _PIECE.match(sql, place)
        assert found is not None  # the last branch matches everything
        place = found.end()
        if found["comment"]:
            place = _after_comment(sql, place)
        elif found["word"]:
            statements[-1].append(found["word"].lower())
        elif found["end"]:
            statements.append([])
        elif found["other"] == "(":
            statements[-1].append("(")
        elif found["string"]:
            place = _after_string(sql, place, found["string"].lower())
            statements[-1].append("''")
        elif found[0].startswith("$") and found[0].endswith("$") and len(found[0]) > 1:
            close = sql.find(found[0], place)
            place = len(sql) if close < 0 else close + len(found[0])
            statements[-1].append("''")
    return [statement for statement in statements if statement]


def _after_string(sql: str, place: int, opening: str) -> int:
    for edge in _EDGES[opening].finditer(sql, place):
        if len(edge[0]) == 1:
            return edge.end()
    return len(sql)


def _after_comment(sql: str, place: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, place)
        if edge is None:
            return len(sql)
        depth += 1 if edge[0] == "/*" else -1
        place = edge.end()
    return place


def _kept(answers: Callable[[str], bool]) -> Callable[[str], bool]:
    """Answers are kept for texts that may come again: long ones have values in them, which are not to stay in memory."""
    kept = functools.lru_cache(maxsize=512)(answers)
    return functools.wraps(answers)(lambda sql: (kept if len(sql) <= _LONGEST_KEPT else answers)(sql))


@_kept
def controls(sql: str) -> bool:
    """Begins, ends or goes back in a transaction: what was said in it has to be said again."""
    if _SIMPLE.match(sql):
        return False
    return any(statement[0] in _CONTROL for statement in words(sql))


@_kept
def starts(sql: str) -> bool:
    """It is nothing but BEGIN or START TRANSACTION, so that another statement may follow it."""
    statements = words(sql)
    return len(statements) == 1 and statements[0][0] in ("begin", "start")


@_kept
def single(sql: str) -> bool:
    """One statement and no more."""
    return len(words(sql)) <= 1


@_kept
def writes(sql: str) -> bool:
    """May change rows, and may do so inside a transaction.

    Of SELECT, what looks as if a function did it: no FROM, or a function in FROM. Not CALL and DO, which may end transactions
    themselves, nor DDL.
    """
    return _BEGINS_SO.match(sql) is not None or any(_writes(statement) for statement in words(sql))


def _writes(statement: list[str]) -> bool:
    first = next((word for word in statement if word != "("), "")
    if first in _WRITES:
        return True
    if first in ("with", "explain"):
        return any(word in _CHANGING for word in statement)
    if first == "copy":
        return "from" in statement and statement[1] != "("
    if first == "select":
        if "from" not in statement:
            return "(" in statement
        after = statement[statement.index("from") + 1 : statement.index("from") + 5]
        return "(" in after[1 : after.index("where") if "where" in after else None]
    return False
