"""The trail by each driver: history, changes, blame, as_of, feed, and what undoes and erases."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import psycopg2
import psycopg2.extras
import pytest
from conftest import VESTIGE, Shop
from psycopg.rows import dict_row

import vestige
import vestige.asyncpg
import vestige.psycopg
import vestige.psycopg2
from vestige.trail import AsyncTrail, Blame, Trail


class Twin:
    """Both kinds of trails, called alike."""

    def __init__(self, trail: Any) -> None:
        self.trail = trail

    async def all(self, name: str, *args: Any, **named: Any) -> list[Any]:
        found = getattr(self.trail, name)(*args, **named)
        return [one async for one in found] if hasattr(found, "__aiter__") else list(found)

    async def do(self, name: str, *args: Any, **named: Any) -> Any:
        done = getattr(self.trail, name)(*args, **named)
        return await done if hasattr(done, "__await__") else done

    async def run(self, sql: str) -> None:
        done = self.trail.connection.cursor().execute(sql) if isinstance(self.trail, Trail) else self.trail.connection.execute(sql)
        if hasattr(done, "__await__"):
            await done


@pytest.fixture(params=["psycopg", "psycopg2", "asyncpg", "psycopg async", "pool of asyncpg"])
async def twin(shop: Shop, request: pytest.FixtureRequest) -> AsyncIterator[Twin]:
    # A table that is made anew under its name goes on with its history: each test has a schema of its own.
    schema = f"of_{next(NUMBERS)}"
    shop.run(f"create schema {schema}")
    async with connected(request.param) as made:
        await made.run(f"set search_path = {schema}")
        await made.run("create table prices (id int, part int, price numeric(12,2), note text, primary key (id, part))")
        await made.run("select vestige.track('prices')")
        yield made
    shop.run(f"drop schema {schema} cascade")


NUMBERS = itertools.count(1)


@contextlib.asynccontextmanager
async def connected(driver: str, name: str = "clients") -> AsyncIterator[Twin]:
    if driver == "psycopg":
        with vestige.psycopg.Connection.connect(f"dbname={name}", autocommit=True, row_factory=dict_row) as one:
            yield Twin(Trail(one))
    elif driver == "psycopg2":
        other = vestige.psycopg2.connect(f"dbname={name}", cursor_factory=psycopg2.extras.RealDictCursor)
        other.autocommit = True
        yield Twin(Trail(other))
        other.close()
    elif driver == "asyncpg":
        third = await vestige.asyncpg.connect(database=name)
        yield Twin(AsyncTrail(third))
        await third.close()
    elif driver == "psycopg async":
        async with await vestige.psycopg.AsyncConnection.connect(f"dbname={name}", autocommit=True) as fourth:
            yield Twin(AsyncTrail(fourth))
    else:
        async with vestige.asyncpg.create_pool(database=name, min_size=1, max_size=1) as pool, pool.acquire() as fifth:
            yield Twin(AsyncTrail(fifth))


async def written(twin: Twin) -> None:
    with vestige.context(actor="ann", reason="list"):
        await twin.run("insert into prices values (1, 1, 9.50, 'a'), (1, 2, 7.00, 'b')")
    with vestige.context(actor="bob", ticket=7):
        await twin.run("update prices set price = price + 1 where part = 1")
    await twin.run("update prices set part = 3 where part = 1")


async def test_a_rows_history(twin: Twin) -> None:
    await written(twin)
    moved, raised, made = await twin.all("history", "prices", 1, 3)
    assert (moved.op, moved.key, moved.new_key, moved.changed) == ("UPDATE", {"id": 1, "part": 1}, {"id": 1, "part": 3}, ("part",))
    assert (moved.context, moved.actor, moved.who) == ({}, None, "postgres")
    assert (raised.old, raised.new) == ({"price": Decimal("9.50")}, {"price": Decimal("10.50")})
    assert (raised.context, raised.who, raised.db_user) == ({"actor": "bob", "ticket": 7}, "bob", "postgres")
    assert (made.op, made.old, made.new) == ("INSERT", None, {"id": 1, "part": 1, "price": Decimal("9.50"), "note": "a"})
    assert made.new_json == '{"id":1,"part":1,"price":9.50,"note":"a"}'
    assert made.at.tzinfo is datetime.timezone.utc
    assert made.at < raised.at < moved.at < datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
    assert made.id < raised.id < moved.id
    assert made.tx < raised.tx


@pytest.mark.parametrize("name", ["a$1b$2", "50%s", "50%%", "%(x)s", 'q"$1%s', "it's :x $1", "\\'$$;--"])
async def test_a_table_of_any_name(twin: Twin, name: str) -> None:
    """What a driver takes for a parameter is one only outside of names."""
    quoted = '"' + name.replace('"', '""') + '"'
    for sql in (f"create table {quoted} (id int primary key)", f"insert into {quoted} values (7)", f"delete from {quoted}"):
        await twin.run(sql)
        if sql.startswith("create"):
            await twin.do("track", quoted)
    gone, made = await twin.all("history", quoted, 7)
    assert [gone.op, made.op] == ["DELETE", "INSERT"]
    assert await twin.all("as_of", quoted, made.id) == [{"id": 7}]
    assert await twin.all("as_of", quoted, gone.id) == []
    assert await twin.all("changes", quoted) == [made, gone]


async def test_changes_that_are_meant(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("trail", "_async_trail"):
        monkeypatch.setattr(f"vestige.{module}.PAGE", 2)  # so that there are pages
    await written(twin)
    everything = await twin.all("changes", "prices")
    assert [change.op for change in everything] == ["INSERT", "INSERT", "UPDATE", "UPDATE"]
    assert await twin.all("changes", "prices", newest_first=True) == everything[::-1]
    assert await twin.all("changes", "prices", actor="bob") == everything[2:3]
    assert await twin.all("changes", tx=everything[0].tx) == everything[:2]
    assert await twin.all("changes", "prices", op="insert") == everything[:2]
    assert await twin.all("changes", "prices", q="-op:insert key.part:1 old.price>9") == everything[2:3]
    assert await twin.all("changes", actor="ann", q="table:prices who:ann reason:LIST") == everything[:2]
    assert await twin.all("changes", "prices", op=["UPDATE", "DELETE"]) == everything[2:]
    assert await twin.all("changes", "prices", since=everything[1].at, until=everything[3].at) == everything[1:3]
    assert await twin.all("changes", "prices", actor="'; drop table prices; --") == []


async def test_names_of_today_and_types_of_then(twin: Twin) -> None:
    await twin.run("insert into prices values (1, 1, 9.50, 'a')")
    await twin.run("alter table prices rename price to cents")
    await twin.run("alter table prices alter cents type text")
    await twin.run("update prices set cents = 'dear'")
    raised, made = await twin.all("history", "prices", 1, 1)
    assert made.new["cents"] == Decimal("9.50")
    assert raised.new == {"cents": "dear"}


async def test_blame(twin: Twin) -> None:
    await written(twin)
    found: list[Blame] = await twin.do("blame", "prices", 1, 3)
    assert [(one.column, one.value, one.who, one.reason) for one in found] == [
        ("id", 1, "ann", "list"),
        ("part", 3, "postgres", None),
        ("price", Decimal("10.50"), "bob", None),
        ("note", "a", "ann", "list"),
    ]
    assert found[2].op == "UPDATE"
    assert found[2].at is not None


async def test_as_of(twin: Twin) -> None:
    await written(twin)
    made = (await twin.all("changes", "prices"))[1]
    then = await twin.all("as_of", "prices", made.id)
    assert sorted(then, key=lambda row: row["part"]) == [
        {"id": 1, "part": 1, "price": Decimal("9.50"), "note": "a"},
        {"id": 1, "part": 2, "price": Decimal("7.00"), "note": "b"},
    ]
    assert await twin.all("as_of", made.table, made.at) == then
    assert len(await twin.all("as_of", "prices", datetime.datetime.now(datetime.timezone.utc))) == 2


async def test_undone_under_the_context(twin: Twin) -> None:
    await written(twin)
    with vestige.context(actor="bob"):
        await twin.run("update prices set price = 8 where part = 2")
    raised = (await twin.all("changes", "prices", newest_first=True))[0]
    with vestige.context(actor="cleo", reason="undo"):
        done = await twin.do("undo", raised.id)
    assert (done.done, done.conflict) == ("applied", None)
    undone = (await twin.all("changes", "prices", newest_first=True))[0]
    assert (undone.new, undone.context) == ({"price": Decimal("7.00")}, {"actor": "cleo", "reason": "undo"})
    with vestige.context(actor="cleo"):
        assert await twin.do("revert", undone.tx) == 1
        last = (await twin.all("changes", "prices", newest_first=True))[0]
        assert (last.new, last.actor) == ({"price": Decimal("8.00")}, "cleo")
        await twin.run("update prices set price = 1 where part = 2")
        with pytest.raises(vestige.Conflict, match="price has changed since"):
            await twin.do("revert", last.tx)
        assert (await twin.do("undo", last.id)).columns == ("price",)
        assert await twin.do("revert", last.tx, force=True) == 1


async def test_erased(twin: Twin) -> None:
    await written(twin)
    await twin.run("delete from prices where part = 2")
    with pytest.raises(vestige.MissingContext):
        await twin.do("erase", "prices", 1, 2)
    with vestige.context(actor="dpo", reason="request 4711"):
        erase = await twin.do("erase", "prices", 1, 2)
    removed, made = await twin.all("history", "prices", 1, 2)
    assert (made.new, removed.old) == (None, None)
    assert made.erased == {"values": erase} == removed.erased
    last = (await twin.all("changes", "prices", newest_first=True))[0]
    assert (last.id, last.op, last.actor) == (erase, "ERASE", "dpo")
    with vestige.context(reason="once more"):
        assert await twin.do("erase", "prices", 1, 2) is None
    with vestige.context(reason="all of it"):
        erase = await twin.do("erase", "prices", 1, 2, keys=True, contexts=True)
    erased = next(change for change in await twin.all("changes", "prices") if change.id == made.id)
    assert (erased.key, erased.context.get("reason")) == ({}, None)
    assert erased.erased == made.erased | {"key": erase, "context": erase}


def by_program(name: str, *words: str) -> str:
    """What the program says, in words."""
    environment = os.environ | {"VESTIGE_DB": f"postgresql:///{name}"}
    return subprocess.run([VESTIGE, *words], check=True, capture_output=True, text=True, env=environment).stderr


def place() -> None:
    """A follower gives places to what has none yet."""
    by_program("clients", "log", "--consumer", "tests")


async def test_the_feed(shop: Shop, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    place()
    [[last]] = shop.owner.execute("select upto from vestige.cursor where consumer = 'tests'").fetchall()
    await written(twin)
    place()
    for module in ("trail", "_async_trail"):
        monkeypatch.setattr(f"vestige.{module}.PAGE", 3)
    new = await twin.all("feed", last)
    assert [change.index for change in new] == [last + 1, last + 2, last + 3, last + 4]
    assert [change.op for change in new] == ["INSERT", "INSERT", "UPDATE", "UPDATE"]
    assert new[2].new == {"price": Decimal("10.50")}
    assert [change.id for change in new] == [change.id for change in await twin.all("changes", "prices")]


async def test_a_consumer_of_the_feed_goes_on_where_it_was(shop: Shop, twin: Twin) -> None:
    place()
    [[last]] = shop.owner.execute("select upto from vestige.cursor where consumer = 'tests'").fetchall()
    await written(twin)
    place()
    new = await twin.all("feed", last)
    await twin.do("seen", "stock", new[1])
    assert await twin.all("feed", consumer="stock") == new[2:]
    await twin.do("seen", "stock", new[3])
    assert await twin.all("feed", consumer="stock") == []
    with pytest.raises(ValueError, match="is not of the feed"):
        await twin.do("seen", "stock", (await twin.all("changes", "prices"))[0])


async def other_policies(twin: Twin) -> None:
    """A table stock with two changes gets another policy, none, and is left."""
    await twin.do("track", "stock", include=["n"])  # another policy, and nothing of the former
    await twin.run("update stock set n = -4, seen = 9")
    assert (await twin.all("history", "stock", 1))[0].new == {"n": -4}
    await twin.do("track", "stock")
    await twin.run("update stock set seen = 10")
    assert (await twin.all("history", "stock", 1))[0].new == {"seen": 10}
    await twin.do("untrack", "stock")
    await twin.run("update stock set n = 4")
    assert len(await twin.all("history", "stock", 1)) == 4


async def test_tracked_examined_and_left(twin: Twin) -> None:
    await twin.run("create table stock (id int primary key, n int, seen int)")
    await twin.run("insert into stock values (1, 1, 1)")
    await twin.do("track", "stock", exclude=["seen"], require=("actor",), tags=["SOX", 'a,"b'], when="NEW.n > 0", baseline=True)
    with vestige.context(actor="ann"):
        await twin.run("update stock set n = 2, seen = 2")
        await twin.run("update stock set n = -1")
    changed, made = await twin.all("history", "stock", 1)
    assert (made.op, made.new, changed.new) == ("BASELINE", {"id": 1, "n": 1}, {"n": 2})
    with pytest.raises(vestige.MissingContext):
        await twin.run("update stock set n = 3")
    await twin.run("alter table stock disable trigger all")
    broken = [one for one in await twin.do("doctor") if one.table == changed.table and one.severity == "error"]
    assert broken
    assert all(one.fixable for one in broken)
    mended = [one for one in await twin.do("doctor", fix=True) if one.table == changed.table and one.severity == "error"]
    assert [(one.code, one.fixed) for one in mended] == [(one.code, True) for one in broken]
    assert not [one for one in await twin.do("doctor") if one.table == changed.table and one.severity == "error"]
    await other_policies(twin)


async def test_keys_of_any_characters(twin: Twin) -> None:
    await twin.run("create table words (a text, b bytea, c timestamptz, n int, primary key (a, b, c))")
    await twin.run("select vestige.track('words')")
    await twin.run("""insert into words values (E'a"b\\\\c{,}''%s$1', '\\x00ff', '2026-01-02 03:04:05.5+00', 1)""")
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=datetime.timezone.utc)
    [made] = await twin.all("history", "words", "a\"b\\c{,}'%s$1", b"\x00\xff", at)
    assert made.key == {"a": "a\"b\\c{,}'%s$1", "b": b"\x00\xff", "c": at}


async def test_names_that_have_to_be_quoted(twin: Twin) -> None:
    await twin.run('create table "Odd ""Table" ("a ""b" int primary key)')
    await twin.run("""select vestige.track('"Odd ""Table"')""")
    await twin.run('insert into "Odd ""Table" values (1)')
    [made] = await twin.all("history", '"Odd ""Table"', 1)
    assert made.new == {'a "b': 1}
    assert await twin.all("as_of", '"Odd ""Table"', made.id) == [{'a "b': 1}]


async def test_init_is_what_the_program_does(shop: Shop) -> None:
    """Neither of them has anything to do after the other; and a transaction that is open keeps its settings."""
    shop.run("drop database if exists made (force)", "create database made")
    with psycopg.connect("dbname=made") as connection:
        connection.execute("set local search_path = pg_temp")
        assert Trail(connection).init()
        [path] = connection.execute("show search_path").fetchone() or []
        assert path == "pg_temp"
        connection.rollback()
        assert connection.execute("select to_regnamespace('vestige')").fetchone() == (None,)
        connection.rollback()
    async with connected("asyncpg", "made") as twin:
        assert await twin.do("init")
        assert not await twin.do("init")
    assert "up to date" in by_program("made", "init")
    with psycopg.connect("dbname=made", autocommit=True) as connection:
        connection.execute("update vestige.meta set value = 'another' where name = 'script'")
        assert Trail(connection).init()
        connection.execute("create table t (id int primary key)")
        Trail(connection).track("t")
        connection.execute("insert into t values (1)")
        assert [change.new for change in Trail(connection).history("t", 1)] == [{"id": 1}]
    shop.run("drop database made (force)")


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "psycopg async"])
async def test_a_database_without_a_trail(shop: Shop, driver: str) -> None:
    shop.run("drop database if exists made (force)", "create database made")
    async with connected(driver, "made") as twin:
        await twin.run("create table t (id int primary key)")
        with vestige.context(actor="ann", reason="asked"):
            await nothing_is_there(twin)
    shop.run("drop database made (force)")


async def nothing_is_there(twin: Twin) -> None:
    """Whatever is asked, the answer says what makes a trail; and what else is not there is another error."""
    for name, *asked in (
        ("history", "t", 1), ("changes",), ("as_of", "t", 1), ("blame", "t", 1), ("track", "t"), ("untrack", "t"), ("doctor",),
        ("revert", 1), ("undo", 1), ("erase", "t", 1),
    ):  # fmt: skip
        with pytest.raises(vestige.NoTrail, match=r"no trail, or an older one: init\(\) .* manage.py migrate"):
            await (twin.all if name in ("history", "changes", "as_of") else twin.do)(name, *asked)
    assert await twin.do("init")
    with pytest.raises(Exception, match="nowhere") as caught:
        await twin.do("track", "nowhere")
    assert not isinstance(caught.value, vestige.NoTrail)


@pytest.fixture
def plain() -> Iterator[Any]:
    with psycopg.connect("dbname=clients", autocommit=True) as connection:
        yield connection


def test_a_plain_connection_reads_and_changes_nothing(shop: Shop, plain: Any) -> None:
    shop.run("delete from things", "insert into things (id, label) values (1, 'a')")
    trail = Trail(plain)
    change = next(trail.history("things", 1))
    assert change.actor == "owner"
    for attempt in (lambda: trail.undo(change.id), lambda: trail.revert(change.tx), lambda: trail.erase("things", 1)):
        with pytest.raises(TypeError, match="does not say who acts"):
            attempt()


def test_a_reader_needs_no_more_than_its_role(shop: Shop) -> None:
    shop.run("drop role if exists auditor", "create role auditor login", "grant vestige_reader to auditor", "delete from things")
    shop.run("grant select on things to auditor", "insert into things (id, label) values (1, 'a')")
    with psycopg.connect("dbname=clients user=auditor") as connection:
        trail = Trail(connection)
        change = next(trail.history("things", 1))
        assert change.new == {"id": 1, "label": "a", "note": "none"}
        assert next(trail.changes("things", newest_first=True)) == change
        assert [one.column for one in trail.blame("things", 1)] == ["id", "label", "note"]
        assert list(trail.as_of("things", change.id)) == [change.new]
        assert list(trail.feed(2**40)) == []
    shop.run("revoke select on things from auditor", "drop role auditor")


async def test_what_is_no_moment_is_refused(twin: Twin) -> None:
    with pytest.raises(TypeError, match="a datetime or the id of a change, not 'yesterday'"):
        await twin.all("as_of", "prices", "yesterday")
    with pytest.raises(TypeError, match="a datetime, not 7"):
        await twin.all("changes", since=7)
