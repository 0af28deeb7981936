"""What a test of an application is told of what it records, by each driver."""

from __future__ import annotations

import pathlib

import psycopg
import pytest
import test_sqlite_trail
import test_trail
from conftest import Shop

import vestige
import vestige.psycopg
from vestige.pytest_plugin import Recorded
from vestige.trail import Trail


def test_a_block(shop: Shop, recorded: type[Recorded]) -> None:
    with vestige.psycopg.Connection.connect(f"dbname={shop.name} user=postgres") as connection:
        with recorded(connection) as nothing:
            connection.execute("select 1")
        assert nothing == []
        with recorded(connection) as changes, vestige.context(actor="ann"):
            connection.execute("insert into things (id, label) values (9001, 'block a'), (9002, 'block b')")
            with recorded(Trail(connection)) as inner:
                connection.execute("update things set label = 'block c' where id = 9002")
            assert changes == []
        assert [(one.op, one.key["id"], one.actor) for one in changes] == [
            ("INSERT", 9001, "ann"),
            ("INSERT", 9002, "ann"),
            ("UPDATE", 9002, "ann"),
        ]
        assert inner == changes[2:]
        connection.rollback()
        broken = recorded(connection)
        with pytest.raises(psycopg.errors.UndefinedTable, match="no_such"), broken:
            connection.execute("insert into things (id) values (9003); select * from no_such")
        assert broken == []
        connection.rollback()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg async"])
async def test_a_block_of_an_async_test(shop: Shop, driver: str, recorded: type[Recorded]) -> None:
    async with test_trail.connected(driver) as twin:
        async with recorded(twin.trail) as changes:
            await twin.run("insert into things (id, label) values (9004, 'block d')")
            async with recorded(twin.trail.connection) as inner:
                await twin.run("delete from things where id = 9004")
        assert [one.op for one in changes] == ["INSERT", "DELETE"]
        assert inner == changes[1:]


@pytest.mark.parametrize("driver", ["program", "sqlite3", "aiosqlite"])
async def test_on_sqlite(driver: str, tmp_path: pathlib.Path, recorded: type[Recorded]) -> None:
    if driver != "program" and not test_sqlite_trail.LOADS:
        pytest.skip("this Python loads no extensions")
    async with test_sqlite_trail.connected(driver, str(tmp_path / "shop.db")) as twin:
        await twin.do("init")
        await twin.run("create table t (id integer primary key)")
        await twin.do("track", "t")
        if driver == "aiosqlite":
            async with recorded(twin.trail) as changes:
                await twin.run("insert into t values (1), (2)")
        else:
            with recorded(twin.trail) as changes:
                await twin.run("insert into t values (1), (2)")
        assert [(one.op, one.new) for one in changes] == [("INSERT", {"id": 1}), ("INSERT", {"id": 2})]
