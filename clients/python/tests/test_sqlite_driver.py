"""sqlite3 beyond the contract: its ways to end a transaction, its scripts, its rows."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import VESTIGE

import vestige
import vestige.sqlite

INSERT = "insert into things (id, label) values (?, ?)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("driver") / "made.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("create table things (id integer primary key, label text)")
    for words in (["init"], ["track", "things"]):
        subprocess.run([VESTIGE, "--db", str(path), *words], check=True, capture_output=True)
    return path


@pytest.fixture
def path(made: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file of its own, in which no context may be left behind."""
    path = tmp_path / "shop.db"
    path.write_bytes(made.read_bytes())
    yield path
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("select * from vestige_session").fetchall() == []


def changes(path: pathlib.Path) -> list[tuple[str, dict[str, Any]]]:
    printed = subprocess.run([VESTIGE, "--db", str(path), "log", "--reverse", "--format", "json"], check=True, capture_output=True)
    found = [json.loads(line) for line in printed.stdout.splitlines()]
    return [(change["new_values"]["label"], change["context"]) for change in found if change["op"] == "INSERT"]


ANN = ("a", {"actor": "ann"})
BOB = ("b", {"actor": "bob"})
NONE = ("c", {})


def test_commit_and_with(path: pathlib.Path) -> None:
    with contextlib.closing(vestige.sqlite.connect(path)) as connection:
        with vestige.context(actor="ann"):
            connection.execute(INSERT, (1, "a"))
            connection.commit()
            with connection, vestige.context(actor="bob"):
                connection.execute(INSERT, (2, "b"))
            with pytest.raises(sqlite3.IntegrityError), connection:
                connection.executemany(INSERT, [(9, "undone"), (9, "again")])
        with connection:
            connection.execute(INSERT, (3, "c"))
    assert changes(path) == [ANN, BOB, NONE]


def test_rows_of_a_statement_alone(path: pathlib.Path) -> None:
    with contextlib.closing(vestige.sqlite.connect(path, isolation_level=None)) as connection, vestige.context(actor="ann"):
        insert = "insert into things (id, label) values (?, ?), (?, ?), (?, ?) returning id"
        cursor = connection.execute(insert, (1, "a", 2, "a", 3, "a"))
        assert not connection.in_transaction
        assert cursor.fetchone() == (1,)
        assert cursor.fetchmany(1) == [(2,)]
        assert list(cursor) == [(3,)]
        assert cursor.fetchone() is None
        assert cursor.execute("select count(*) from things").fetchall() == [(3,)]
    assert changes(path) == [ANN] * 3


@pytest.mark.parametrize("isolation_level", [None, "", "IMMEDIATE"])
def test_scripts(path: pathlib.Path, isolation_level: str | None) -> None:
    with contextlib.closing(vestige.sqlite.connect(path, isolation_level=isolation_level)) as connection:
        with vestige.context(actor="it's; ann", ticket="'); drop table things; --"):
            connection.executescript("insert into things values (1, 'a'); -- one\ninsert into things values (2, 'b') -- end")
            with pytest.raises(sqlite3.IntegrityError):
                connection.executescript("insert into things values (8, 'undone'); insert into things values (1, 'again');")
        assert not connection.in_transaction
        connection.executescript("insert into things values (3, 'c');")
        connection.executescript("begin; insert into things values (4, 'd'); commit;")
    said = {"actor": "it's; ann", "ticket": "'); drop table things; --"}
    assert changes(path) == [("a", said), ("b", said), NONE, ("d", {})]


def test_what_another_left_standing_is_not_taken_over(path: pathlib.Path) -> None:
    with contextlib.closing(vestige.sqlite.connect(path)) as connection:
        plain = super(vestige.sqlite.Connection, connection).cursor()
        plain.execute("insert into vestige_session (actor) values ('stranger')")
        sqlite3.Connection.commit(connection)
        assert plain.execute("select actor from vestige_session").fetchall() == [("stranger",)]
        with connection:
            connection.execute(INSERT, (3, "c"))
    assert changes(path) == [NONE]


@pytest.mark.parametrize("isolation_level", [None, ""])
def test_a_savepoint_that_begins_the_transaction(path: pathlib.Path, isolation_level: str | None) -> None:
    with contextlib.closing(vestige.sqlite.connect(path, isolation_level=isolation_level)) as connection:
        with vestige.context(actor="ann"):
            connection.execute("savepoint outer_one")
            connection.execute("savepoint inner_one")
            connection.execute(INSERT, (1, "a"))
            connection.execute("release inner_one")
            connection.execute(INSERT, (2, "b"))
            connection.execute("release outer_one")
        assert not connection.in_transaction
        assert connection.execute("select count(*) from vestige_session").fetchone() == (0,)
    assert changes(path) == [ANN, ("b", {"actor": "ann"})]


def test_a_database_without_a_trail(tmp_path: pathlib.Path) -> None:
    with contextlib.closing(vestige.sqlite.connect(":memory:")) as connection, vestige.context(actor="ann"):
        connection.executescript("create table t (a); insert into t values (1);")
        with connection:
            connection.execute("insert into t values (2)")
        connection.isolation_level = None
        connection.execute("insert into t values (3)")
        assert connection.execute("select a from t").fetchall() == [(1,), (2,), (3,)]


def test_cursors_of_any_factory(path: pathlib.Path) -> None:
    class Mine(sqlite3.Cursor):
        mine = 7

    with contextlib.closing(vestige.sqlite.connect(path)) as connection, vestige.context(actor="ann"), connection:
        connection.row_factory = sqlite3.Row
        cursor = connection.cursor(Mine)
        assert cursor.mine == 7
        cursor.execute("insert into things (id, label) values (:id, :label) returning label", {"id": 1, "label": "a"})
        assert dict(cursor.fetchone()) == {"label": "a"}
    assert changes(path) == [ANN]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the attribute autocommit came with Python 3.12")
@pytest.mark.parametrize("autocommit", [True, False])
def test_the_attribute_autocommit(path: pathlib.Path, autocommit: bool) -> None:
    with contextlib.closing(vestige.sqlite.connect(path, autocommit=autocommit)) as connection:
        with vestige.context(actor="ann"):
            connection.execute(INSERT, (1, "a"))
        with vestige.context(actor="bob"):
            connection.execute(INSERT, (2, "b"))
        connection.commit()
        with connection:
            connection.execute(INSERT, (3, "c"))
    assert changes(path) == [ANN, BOB, NONE]
