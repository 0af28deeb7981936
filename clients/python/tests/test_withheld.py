"""What the trail does not give: redacted and encrypted values, by each database."""

from __future__ import annotations

import copy
import itertools
import pathlib
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import VESTIGE, Shop, vestige_program
from test_sqlite_trail import EXTENSION, LOADS, WithoutLoading

import vestige
import vestige.psycopg
import vestige.sqlite
from vestige import values
from vestige.trail import REDACTED, UNRECORDED, Encrypted, Trail

POLICY: Any = {"redact": ["card"], "encrypt": {"ssn": "phi", "doc": "phi"}}
LIKE_A_MARK = {"$redacted": True}


@pytest.fixture
def patients(request: pytest.FixtureRequest, shop: Shop, recipient: str, tmp_path: pathlib.Path) -> Iterator[Trail]:
    """A table with such columns, and two changes of a row."""
    if request.param == "postgresql":
        shop.run("create extension if not exists pgcrypto", f"select vestige.add_recipient('phi', '{recipient}')")
        connection: Any = vestige.psycopg.Connection.connect("dbname=clients", autocommit=True)
        schema = f"withheld_{next(NUMBERS)}"
        connection.execute(f"create schema {schema}; set search_path = {schema}")
        connection.execute("create table patients (id int primary key, ssn text, card text, doc jsonb, plain jsonb)")
        trail = Trail(connection)
    else:
        file = str(tmp_path / "shop.db")
        connection = vestige.sqlite.connect(file, isolation_level=None) if request.param == "sqlite" else WithoutLoading(file)
        if request.param == "sqlite" and not LOADS:
            pytest.skip("this Python loads no extensions")
        trail = Trail(connection, extension=EXTENSION, program=VESTIGE)
        trail.init()
        vestige_program(f"sqlite:{file}", "keys", "add", "phi", recipient.split()[0])
        connection.execute("create table patients (id integer primary key, ssn text, card text, doc text, plain text)")
    trail.track("patients", **POLICY)
    connection.execute("""insert into patients values (1, '078-05-1120', '4111', '{"a": 1}', '{"$redacted": true}')""")
    connection.execute("update patients set ssn = null, card = '4242'")
    yield trail
    if request.param == "postgresql":
        connection.execute(f"drop schema {schema} cascade")
    connection.close()


NUMBERS = itertools.count(1)
ALL = pytest.mark.parametrize("patients", ["postgresql", "sqlite", "the program"], indirect=True)


@ALL
def test_a_history_says_what_it_does_not_give(patients: Trail) -> None:
    changed, made = patients.history("patients", 1)
    assert isinstance(made.new["ssn"], Encrypted)
    assert isinstance(made.new["doc"], Encrypted)
    assert made.new["card"] is REDACTED
    assert (str(made.new["ssn"]), str(REDACTED)) == ("(encrypted)", "(redacted)")
    assert "078-05" not in repr(made)
    # A document of the application's own that looks like a mark is none.
    assert made.new["plain"] in (LIKE_A_MARK, '{"$redacted": true}')
    assert changed.changed == ("ssn", "card")
    assert changed.new == {"ssn": None, "card": REDACTED}
    assert isinstance(changed.old["ssn"], Encrypted)
    assert changed.old["card"] is REDACTED
    assert [one.id for one in patients.changes("patients", q="new.card:*")] == [made.id, changed.id]
    blamed = {one.column: one.value for one in patients.blame("patients", 1)}
    assert blamed["plain"] == made.new["plain"]


@ALL
def test_nothing_writes_it_back(patients: Trail) -> None:
    changed, _ = patients.history("patients", 1)
    with vestige.context(actor="ann", reason="asked"):
        undone = patients.undo(changed.id, force=True)
    assert undone.done == "nothing"
    assert [note for note in undone.notes if "ssn" in note and ("encrypted" in note or "key" in note)]


def test_a_mark_is_itself_wherever_it_goes() -> None:
    for one in (REDACTED, UNRECORDED):
        assert copy.deepcopy(one) is one
        assert pickle.loads(pickle.dumps(one)) is one
    assert values.decoded_sqlite('{"a":{"$encrypted":""},"b":{"$blob":"00"}}') == {"a": Encrypted(""), "b": b"\0"}
    assert values.decoded('{"a":{"$encrypted": "AA=="},"b":{"$encrypted":"AA=="}}', {"a": "jsonb", "b": "jsonb"}) == {
        "a": {"$encrypted": "AA=="},
        "b": Encrypted("AA=="),
    }
