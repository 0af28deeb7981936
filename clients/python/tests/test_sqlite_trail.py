"""The trail on SQLite, by the loadable extension in each driver, and by the program where nothing can be loaded."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiosqlite
import pytest
from conftest import VESTIGE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_trail import Twin, nothing_is_there, other_policies
from test_values import CORPUS_SQLITE, bits, shown

import vestige
import vestige.sqlite
from vestige.trail import AsyncTrail, InvalidText, Trail

EXTENSION = str(pathlib.Path(VESTIGE).parent.parent / "sqlite/vestige0.so")
LOADS = hasattr(sqlite3.Connection, "enable_load_extension")  # else this Python is one of those that cannot
pytestmark = pytest.mark.skipif(not pathlib.Path(EXTENSION).exists(), reason="the loadable extension is not built")
TABLES = "create table prices (id integer, part integer, price real, note text, primary key (id, part))"


class WithoutLoading:
    """A connection of a Python that was built without loadable extensions: all but its two methods."""

    def __new__(cls, file: str) -> Any:
        class Connection(sqlite3.Connection):
            def __getattribute__(self, name: str) -> Any:
                if name in ("enable_load_extension", "load_extension"):
                    raise AttributeError(name)
                return super().__getattribute__(name)

        return sqlite3.connect(file, isolation_level=None, factory=Connection)


@contextlib.asynccontextmanager
async def connected(driver: str, file: str) -> AsyncIterator[Twin]:
    if driver == "aiosqlite":
        async with aiosqlite.connect(file, isolation_level=None) as one:
            one.row_factory = sqlite3.Row
            yield Twin(AsyncTrail(one, extension=EXTENSION))
        return
    if driver == "apsw":
        import apsw

        connection: Any = apsw.Connection(file)
    elif driver == "program":
        connection = WithoutLoading(file)
    else:
        connection = vestige.sqlite.connect(file, isolation_level=None)
        connection.row_factory, connection.text_factory = sqlite3.Row, bytes
    yield Twin(Trail(connection, extension=EXTENSION, program=VESTIGE))
    connection.close()


@pytest.fixture(params=["sqlite3", "aiosqlite", "apsw", "program"])
async def twin(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> AsyncIterator[Twin]:
    if request.param == "apsw":
        pytest.importorskip("apsw")
    elif request.param != "program" and not LOADS:
        pytest.skip("this Python loads no extensions")
    async with connected(request.param, str(tmp_path / "shop.db")) as made:
        assert await made.do("init")
        assert not await made.do("init")
        await made.run(TABLES)
        await made.do("track", "prices")
        made.by_program = request.param == "program"
        yield made


@pytest.mark.parametrize("driver", ["sqlite3", "aiosqlite", "apsw", "program"])
async def test_a_database_without_a_trail(driver: str, tmp_path: pathlib.Path) -> None:
    if driver == "apsw":
        pytest.importorskip("apsw")
    elif driver != "program" and not LOADS:
        pytest.skip("this Python loads no extensions")
    async with connected(driver, str(tmp_path / "bare.db")) as twin:
        await twin.run("create table t (id integer primary key)")
        with vestige.context(actor="ann", reason="asked"):
            await nothing_is_there(twin)


async def written(twin: Twin) -> None:
    await under(twin, {"actor": "ann", "reason": "list"}, "insert into prices values (1, 1, 9.5, 'a'), (1, 2, 7, 'b')")
    await under(twin, {"actor": "bob", "ticket": 7}, "update prices set price = price + 1 where part = 1")
    await twin.run("update prices set part = 3 where part = 1")


async def under(twin: Twin, context: dict[str, Any], sql: str) -> None:
    """A context as plain SQL says it, whatever the driver."""
    names = [name for name in context if name != "ticket"]
    extra = f"""'{{"ticket": {context["ticket"]}}}'""" if "ticket" in context else "null"
    said = ", ".join(f"'{context[name]}'" for name in names)
    for each in (
        "begin",
        f"insert into vestige_session ({', '.join(names)}, extra) values ({said}, {extra})",
        sql,
        "delete from vestige_session",
        "commit",
    ):
        await twin.run(each)


async def test_a_rows_history(twin: Twin) -> None:
    await written(twin)
    moved, raised, made = await twin.all("history", "prices", 1, 3)
    assert (moved.op, moved.key, moved.new_key, moved.changed) == ("UPDATE", {"id": 1, "part": 1}, {"id": 1, "part": 3}, ("part",))
    assert (moved.context, moved.actor, moved.who) == ({}, None, None)
    assert (raised.old, raised.new) == ({"price": 9.5}, {"price": 10.5})
    assert (raised.context, raised.who, raised.db_user) == ({"actor": "bob", "ticket": "7"}, "bob", None)
    assert (made.op, made.old, made.new) == ("INSERT", None, {"id": 1, "part": 1, "price": 9.5, "note": "a"})
    assert made.new_json == '{"id":1,"part":1,"price":9.5,"note":"a"}'
    assert made.at.tzinfo is datetime.timezone.utc
    assert made.at <= raised.at <= moved.at
    assert made.id < raised.id < moved.id


async def test_changes_that_are_meant(twin: Twin) -> None:
    await written(twin)
    everything = await twin.all("changes", "prices")
    assert [change.op for change in everything] == ["INSERT", "INSERT", "UPDATE", "UPDATE"]
    assert await twin.all("changes", newest_first=True) == everything[::-1]
    assert await twin.all("changes", "prices", actor="bob") == everything[2:3]
    assert await twin.all("changes", tx=everything[0].tx) == everything[:2]
    assert await twin.all("changes", "prices", op="insert") == everything[:2]
    assert await twin.all("changes", "prices", q="-op:insert key.part:1 old.price>9") == everything[2:3]
    assert await twin.all("changes", actor="ann", q="table:prices who:ann reason:LIST") == everything[:2]
    assert await twin.all("changes", "prices", op=["UPDATE", "DELETE"]) == everything[2:]
    later = everything[3].at + datetime.timedelta(seconds=1)
    assert await twin.all("changes", "prices", since=everything[0].at, until=later) == everything
    assert await twin.all("changes", "prices", until=everything[0].at) == []
    for forged in ('x" or "', 'x","ann', 'ann" table:"prices', 'x" -actor:"x', '"', 'ann""'):
        assert await twin.all("changes", "prices", actor=forged) == []


async def test_left_in_the_middle(twin: Twin) -> None:
    await written(twin)
    found = twin.trail.changes("prices")
    if hasattr(found, "__anext__"):
        first = await found.__anext__()
        await found.aclose()
    else:
        first = next(found)
        found.close()
    assert first.op == "INSERT"
    assert len(await twin.all("changes")) == 4


async def test_blame(twin: Twin) -> None:
    await written(twin)
    found = await twin.do("blame", "prices", 1, 3)
    assert [(one.column, one.value, one.who, one.reason, one.op) for one in found] == [
        ("id", 1, "ann", "list", "INSERT"),
        ("part", 3, None, None, "UPDATE"),
        ("price", 10.5, "bob", None, "UPDATE"),
        ("note", "a", "ann", "list", "INSERT"),
    ]


async def test_as_of(twin: Twin) -> None:
    await written(twin)
    made = (await twin.all("changes", "prices"))[1]
    assert await twin.all("as_of", "prices", made.id) == [
        {"id": 1, "part": 1, "price": 9.5, "note": "a"},
        {"id": 1, "part": 2, "price": 7.0, "note": "b"},
    ]
    assert len(await twin.all("as_of", "prices", datetime.datetime.now(datetime.timezone.utc))) == 2


async def test_undone_under_the_context(twin: Twin) -> None:
    await written(twin)
    await twin.run("update prices set price = 8, note = 'c' where part = 2")
    raised = (await twin.all("changes", newest_first=True))[0]
    with vestige.context(actor="cleo", reason="undo", ticket={"n": 1}):
        done = await twin.do("undo", raised.id)
    assert (done.done, done.conflict) == ("applied", None)
    undone = (await twin.all("changes", newest_first=True))[0]
    assert (undone.new, undone.actor, undone.context["reason"]) == ({"price": 7.0, "note": "b"}, "cleo", "undo")
    assert (await twin.do("undo", raised.id)).done == "nothing"
    with vestige.context(actor="cleo"):
        assert await twin.do("revert", undone.tx) == 1
        last = (await twin.all("changes", newest_first=True))[0]
        assert (last.new, last.actor) == ({"price": 8.0, "note": "c"}, "cleo")
        await twin.run("update prices set price = 1 where part = 2")
        with pytest.raises(vestige.Conflict, match="price has changed since"):
            await twin.do("revert", last.tx)
        refused = await twin.do("undo", last.id)
        assert (refused.done, refused.columns) == ("conflict", ("price",))
        assert (await twin.all("history", "prices", 1, 2))[0].new == {"price": 1.0}  # and not the column without a conflict
        assert (await twin.do("undo", last.id, force=True)).done == "applied"
    await twin.run("delete from prices where part = 2")
    assert (await twin.do("undo", last.id, force=True)).conflict == "the row is gone"


async def test_undone_where_a_context_is_required(twin: Twin) -> None:
    await twin.do("track", "prices", require=["actor"])
    await under(twin, {"actor": "bob"}, "insert into prices values (1, 1, 9.5, 'a')")
    [made] = await twin.all("changes")
    with pytest.raises(Exception, match="requires actor"):
        await twin.do("undo", made.id)
    with vestige.context(actor="cleo"):
        assert (await twin.do("undo", made.id)).done == "applied"


async def test_erased(twin: Twin) -> None:
    await written(twin)
    await twin.run("delete from prices where part = 2")
    with pytest.raises(vestige.MissingContext, match=r"a reason is needed: vestige\.context\(reason="):
        await twin.do("erase", "prices", 1, 2)
    with vestige.context(actor="dpo", reason="request 4711"):
        erase = await twin.do("erase", "prices", 1, 2)
    removed, made = await twin.all("history", "prices", 1, 2)
    assert (made.new, removed.old) == (None, None)
    assert made.erased == {"values": erase} == removed.erased
    last = (await twin.all("changes", newest_first=True))[0]
    assert (last.id, last.op, last.actor, last.erased) == (erase, "ERASE", "dpo", None)
    with vestige.context(reason="once more"):
        assert await twin.do("erase", "prices", 1, 2) is None
    with vestige.context(reason="all of it"):
        erase = await twin.do("erase", "prices", 1, 2, keys=True, contexts=True)
    erased = next(change for change in await twin.all("changes", "prices") if change.id == made.id)
    assert (erased.key, erased.context.get("reason")) == ({}, None)
    assert erased.erased == made.erased | {"key": erase, "context": erase}


async def test_keys_of_any_characters(twin: Twin) -> None:
    await twin.run("create table words (a text, b, primary key (a, b))")
    await twin.do("track", "words")
    keys: list[tuple[Any, Any]] = [
        ("null", b"\x00\xff"),
        ("a=1", "null"),
        ("'x'", None),
        ("", 7),
        ("1", 2.5),
        ('ü"\n', "rowid=7"),
        ("x'00'", True),
        ("--help", "-1"),
    ]
    connection = twin.trail.connection
    for key in keys:
        done = connection.execute("insert into words values (?, ?)", key)
        if hasattr(done, "__await__"):
            await done
    for a, b in keys:
        [made] = await twin.all("history", "words", a, b)
        assert made.new == {"a": a, "b": b}, (a, b)


async def test_tracked_examined_and_left(twin: Twin) -> None:
    await twin.run("create table stock (id integer primary key, n integer, seen integer)")
    await twin.run("insert into stock values (1, 1, 1)")
    await twin.do("track", "stock", exclude=["seen"], require=("actor",), tags=["SOX", "a b"], when="NEW.n > 0", baseline=True)
    await under(twin, {"actor": "ann"}, "update stock set n = 2, seen = 2")
    changed, made = await twin.all("history", "stock", 1)
    assert (made.op, made.new, changed.new) == ("BASELINE", {"id": 1, "n": 1}, {"n": 2})
    with pytest.raises(Exception, match="requires actor"):
        await twin.run("update stock set n = 3")
    await twin.run("drop trigger vestige_2_update")
    [broken] = [one for one in await twin.do("doctor") if one.severity == "error"]
    assert (broken.table, broken.code, broken.fixable, broken.fixed) == ("stock", "triggers-missing", True, False)
    assert [one.fixed for one in await twin.do("doctor", fix=True) if one.severity == "error"] == [True]
    assert not [one for one in await twin.do("doctor") if one.severity == "error"]
    await other_policies(twin)


async def test_the_feed(twin: Twin, tmp_path: pathlib.Path) -> None:
    await written(twin)
    follow = [VESTIGE, "--db", str(tmp_path / "shop.db"), "log", "--consumer", "tests"]
    subprocess.run(follow, check=True, capture_output=True)  # noqa: ASYNC221 (nothing else runs here)
    if twin.by_program:
        with pytest.raises(vestige.ExtensionUnavailable, match="needs the loadable extension"):
            await twin.all("feed")
        return
    new = await twin.all("feed")
    assert [change.index for change in new] == [0, 1, 2, 3]
    assert [change.id for change in new] == [change.id for change in await twin.all("changes")]
    await twin.do("seen", "stock", new[1])
    assert await twin.all("feed", consumer="stock") == new[2:]
    await twin.do("seen", "stock", new[3])
    assert await twin.all("feed", consumer="stock") == []
    assert await twin.all("feed", 2) == new[3:]


@pytest.fixture
def memory() -> Iterator[Trail]:
    if not LOADS:
        pytest.skip("this Python loads no extensions")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    trail = Trail(connection, extension=EXTENSION)
    trail.init()
    yield trail
    connection.close()


def test_inside_a_transaction_and_in_memory(memory: Trail) -> None:
    db = memory.connection
    db.execute(TABLES)
    memory.track("prices")
    db.execute("begin")
    db.execute("insert into prices values (1, 1, 1, 'a')")
    [made] = memory.history("prices", 1, 1)
    with vestige.context(actor="ann"):
        assert memory.undo(made.id).done == "applied"
    assert db.execute("select count(*) from prices").fetchone() == (0,)
    db.execute("rollback")
    assert list(memory.changes()) == []
    with pytest.raises(sqlite3.OperationalError, match="not authorized"):
        db.execute("select load_extension('x')")  # loading is off again


def test_the_corpus(memory: Trail) -> None:
    columns = ", ".join(f"c{n} {entry['type']}" for n, entry in enumerate(CORPUS_SQLITE))
    memory.connection.execute(f"create table corpus (id integer primary key, {columns})")
    memory.track("corpus")
    memory.connection.execute(f"insert into corpus values (1, {', '.join(entry['sql'] for entry in CORPUS_SQLITE)})")
    [change] = memory.history("corpus", 1)
    assert change.new is not None
    read = [shown(change.new[f"c{n}"], entry["kind"]) for n, entry in enumerate(CORPUS_SQLITE)]
    assert read == [entry["text"] for entry in CORPUS_SQLITE]


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),  # SQLite makes it NULL
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(VALUES, min_size=6, max_size=6))
def test_any_value_is_what_the_driver_reads(memory: Trail, row: list[Any]) -> None:
    """And a row that is deleted and put back is the same."""
    db = memory.connection
    if not db.execute("select 1 from sqlite_master where name = 'anything'").fetchone():
        db.execute("create table anything (id integer primary key, a, b, c, d text, e real, f integer)")
        memory.track("anything")
    db.execute("insert into anything (a, b, c, d, e, f) values (?, ?, ?, ?, ?, ?)", row)
    [number] = db.execute("select max(id) from anything").fetchone()
    live = db.execute("select a, b, c, d, e, f from anything where id = ?", [number]).fetchone()
    db.execute("delete from anything where id = ?", [number])
    deleted = next(memory.history("anything", number))
    assert deleted.old is not None
    assert [bits(deleted.old[name]) for name in "abcdef"] == [bits(one) for one in live]
    assert [type(deleted.old[name]) for name in "abcdef"] == [type(one) for one in live]
    memory.undo(deleted.id)
    back = db.execute("select a, b, c, d, e, f from anything where id = ?", [number]).fetchone()
    assert [(type(one), bits(one)) for one in back] == [(type(one), bits(one)) for one in live]


def test_a_text_that_is_none(memory: Trail) -> None:
    memory.connection.execute("create table t (id integer primary key, a)")
    memory.track("t")
    memory.connection.execute("insert into t values (1, cast(x'ff41' as text))")
    [made] = memory.history("t", 1)
    assert made.new == {"id": 1, "a": InvalidText(b"\xffA")}


def test_where_nothing_can_be_loaded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(tmp_path / "shop.db")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "vestige_sqlite", None)  # it is not installed
    with contextlib.closing(WithoutLoading(file)) as db:
        with pytest.raises(vestige.ExtensionUnavailable, match=r"pip install pysqlite3-binary.*apsw.*the program `vestige`"):
            Trail(db, extension=EXTENSION)
        (tmp_path / "vestige").symlink_to(VESTIGE)  # on the PATH
        trail = Trail(db, extension=EXTENSION)
        assert trail.init()
        db.execute("begin")
        with pytest.raises(vestige.ExtensionUnavailable, match="a transaction that is open"):
            list(trail.changes())
        db.execute("rollback")
        with pytest.raises(vestige.VestigeError, match="not tracked"):
            list(trail.changes("nothing"))
    with contextlib.closing(WithoutLoading(":memory:")) as db, pytest.raises(vestige.ExtensionUnavailable):
        Trail(db, extension=EXTENSION)
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as db,
        pytest.raises(vestige.ExtensionUnavailable, match="pip install vestige"),
    ):
        Trail(db)


async def test_aiosqlite_where_nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vestige_sqlite", None)
    async with aiosqlite.connect(":memory:") as db:
        with pytest.raises(vestige.ExtensionUnavailable, match="pip install vestige-sqlite"):
            await AsyncTrail(db).init()
