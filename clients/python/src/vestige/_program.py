"""A trail on SQLite asked by the program `vestige`, where the extension cannot be loaded: the questions of _sqlite_trail.

The program opens the file for itself. It sees nothing of a transaction that is open here, and would wait for one that writes; so
there must be none.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vestige import errors, values
from vestige._context import said
from vestige._fields import FIELDS
from vestige._records import Blame, Change, Filter, Finding, Undo, moment
from vestige._sqlite_trail import blame_of, change_of, erase_of, filter_text, findings_of, key_words, undo_of


def _change(line: str) -> Change:
    given = values.members(line)
    text = {name: None if member == "null" else member for name, member in given.items()}
    return change_of(
        index=json.loads(given.get("index", "null")),
        id=int(given["id"]),
        at=json.loads(given["at"]),
        op=json.loads(given["op"]),
        table=json.loads(given["table"]),
        key=given["key"],
        new_key=text.get("new_key"),
        old=text["old_values"],
        new=text["new_values"],
        changed=text.get("changed_fields"),
        tx=int(given["tx"]),
        context=given["context"],
        erased=json.loads(given.get("erased", "null")),
    )


def _who() -> list[str]:
    """The context in force, as options of what does something."""
    options: list[str] = []
    for name, value in (json.loads(said()) if said() else {}).items():
        text = value if isinstance(value, str) else json.dumps(value)
        if name == "actor":
            options += ["--by", text]
        elif name in FIELDS:
            options += [f"--{name.replace('_', '-')}", text]
        else:
            options += ["--context", f"{name}={text}"]
    return options


class Program:
    """The questions to the file of a connection, by the program."""

    def __init__(self, program: str, connection: Any, file: str) -> None:
        self._program = program
        self._connection = connection
        self._file = file

    def _command(self, *words: str) -> list[str]:
        if self._connection.in_transaction:
            raise errors.ExtensionUnavailable(
                "the program vestige stands in for the extension, and sees nothing of a transaction that is open here: end it first"
            )
        return [self._program, "--db", f"sqlite:{self._file}", *words]

    def _lines(self, *words: str, answers: tuple[int, ...] = (0,)) -> list[str]:
        done = subprocess.run(self._command(*words), capture_output=True, text=True, check=False)
        if done.returncode not in answers:
            raise _refused(done.stderr.strip())
        return done.stdout.splitlines()

    def history(self, table: str, key: Sequence[Any]) -> list[Change]:
        return [_change(line) for line in self._lines("log", "--format", "json", "--", table, *key_words(key))]

    def selected(self, wanted: Filter, newest_first: bool) -> Iterator[Change]:
        words = ["log", "--format", "json", *(["--query", text] if (text := filter_text(wanted)) else [])]
        with subprocess.Popen(
            self._command(*words, *([] if newest_first else ["--reverse"])),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            try:
                for line in running.stdout:
                    yield _change(line)
            except GeneratorExit:
                running.kill()
                raise
            told = running.stderr.read()
            if running.wait() != 0:
                raise _refused(told.strip())

    def blame(self, table: str, key: Sequence[Any]) -> list[Blame]:
        found = []
        for line in self._lines("blame", "--format", "json", "--", table, *key_words(key)):
            one = values.members(line)
            at, op, who, reason = (json.loads(one.get(name, "null")) for name in ("at", "op", "actor", "reason"))
            found.append(blame_of(json.loads(one["column"]), one["value"], json.loads(one["change"]), at, who, reason, op))
        return found

    def as_of(self, table: str, at: datetime.datetime | int) -> list[dict[str, Any]]:
        when = ["--change" if isinstance(at, int) else "--time", moment(at)]
        lines = self._lines("at", "--format", "json", *when, "--", table)
        return [values.decoded_sqlite(line) or {} for line in lines]

    def revert(self, tx: int, force: bool) -> int:
        words = ["--tx", str(tx), *(["--force"] if force else [])]
        [outcome] = self._lines("revert", "--format", "json", *words, *_who())
        return int(json.loads(outcome)["applied"])

    def undo(self, change: int, force: bool) -> Undo:
        words = ["revert", "--format", "json", "--change", str(change)]
        *_, looked = self._lines(*words, "--skip-conflicts", "--dry-run", *_who())
        conflicts = json.loads(looked)["conflicts"]
        if conflicts and not (force and conflicts[0]["columns"]):
            return undo_of(looked, True)
        [done] = self._lines(*words, *(["--force"] if force else []), *_who())
        return undo_of(done, False)

    def erase(self, table: str, key: Sequence[Any], keys: bool, contexts: bool) -> int | None:
        parts = [*(["--keys"] if keys else []), *(["--contexts"] if contexts else [])]
        [outcome] = self._lines("erase", "--format", "json", *parts, *_who(), "--", table, *key_words(key))
        return erase_of(outcome)

    def init(self) -> bool:
        had = self._connection.execute("select count(*) from sqlite_master where name = 'vestige_change'").fetchall()
        self._lines("init")
        return not had[0][0]

    def track(self, table: str, policy: Mapping[str, Any], baseline: bool) -> None:
        # The program keeps what is not said; here it is off.
        empty = ("redact", "encrypt", "subject", "when", "require", "key", "retention", "classification", "tags")
        whole = {"capture": "changes", **dict.fromkeys(empty, "")}
        options: list[str] = []
        for name, value in (whole | ({} if "include" in policy else {"exclude": ""}) | dict(policy)).items():
            words = [f"{column}={keys}" for column, keys in value.items()] if isinstance(value, dict) else value
            text = ",".join(_listed(one) for one in words) if isinstance(words, list) else words
            options += [f"--{name.replace('_', '-')}", text]
        self._lines("track", *options, *(["--baseline"] if baseline else []), "--", table)

    def untrack(self, table: str) -> None:
        self._lines("untrack", "--", table)

    def doctor(self, fix: bool) -> list[Finding]:
        lines = self._lines("doctor", "--format", "json", *(["--fix"] if fix else []), answers=(0, 1))
        return findings_of(json.loads(line) for line in lines)


def _listed(name: str) -> str:
    """A name in a list of the command line."""
    return '"' + name.replace('"', '""') + '"'


def _refused(told: str) -> errors.VestigeError:
    return errors.named(told) or errors.VestigeError(told)
