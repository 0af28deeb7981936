"""What an application reports that it read: the same call, the same row, on both databases."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
import test_sqlite_trail
import test_trail
from conftest import VESTIGE, Shop
from test_trail import Twin

import vestige

POSTGRES = ["psycopg", "psycopg2", "asyncpg", "psycopg async"]
SQLITE = ["sqlite3", "aiosqlite", "apsw", "program"]
LATER = datetime.datetime(2099, 1, 1, 12, 30, 0, 5, datetime.timezone.utc)


def listed(place: str, *words: str) -> list[dict[str, Any]]:
    told = subprocess.run(
        [VESTIGE, "access", "--reverse", "--format", "json", *words],
        env=os.environ | {"VESTIGE_DB": place},
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in told.stdout.splitlines()]


def prepare(file: str) -> None:
    subprocess.run([VESTIGE, "access", "--prepare"], env=os.environ | {"VESTIGE_DB": file}, check=True, capture_output=True)


@contextlib.asynccontextmanager
async def prepared(driver: str, tmp_path: pathlib.Path) -> AsyncIterator[tuple[Twin, str]]:
    if driver in POSTGRES:
        async with test_trail.connected(driver) as twin:
            yield twin, "postgresql:///clients"
        return
    file = str(tmp_path / "ward.db")
    async with test_sqlite_trail.connected(driver, file) as twin:
        await twin.do("init")
        prepare(file)
        yield twin, file


@pytest.mark.parametrize("driver", POSTGRES + SQLITE)
async def test_the_same_call_gives_the_same_row(shop: Shop, driver: str, tmp_path: pathlib.Path) -> None:
    if driver == "apsw":
        pytest.importorskip("apsw")
    elif driver in ("sqlite3", "aiosqlite") and not test_sqlite_trail.LOADS:
        pytest.skip("this Python loads no extensions")
    async with prepared(driver, tmp_path) as (twin, place):
        await twin.run('create table "Wa.rd" (id integer, part text, primary key (id, part))')
        before = max((one["change"] for one in listed(place)), default=0)
        with vestige.context(actor="nurse", reason="round", bed=7):
            await twin.do("access", '"Wa.rd"', 7, 'a"b, \\é\n', purpose="it's due")
        await twin.do("access", '"Wa.rd"', entries=40)
        with vestige.context(actor="billing"):
            named = dict(recipient="Acme", recipient_address="Main Street 1", description="bill", request_ref="C-1")
            done = await twin.do("access", '"Wa.rd"', "17", kind="disclosure", suspended_until=LATER, **named)
        assert isinstance(done, int)
        refused = [
            ("a disclosure has a recipient", dict(kind="disclosure")),
            ("kind is trail", dict(kind="trail")),
            ("a text of 8193 bytes is too long", dict(purpose="x" * 8193)),
            ("a text of 8194 bytes is too long", dict(request_ref="é" * 4097)),
            ("a text has a NUL in it", dict(purpose="a\0b")),
            ("entries is -1", dict(entries=-1)),
        ]
        for why, options in refused:
            with pytest.raises(ValueError, match=why):
                await twin.do("access", '"Wa.rd"', 1, **options)
        with pytest.raises(ValueError, match="a text of 8201 bytes is too long"):
            await twin.do("access", '"Wa.rd"', "x" * 8192, "a\\b")
        for name, value in [("bool", True), ("datetime", LATER), ("bytes", b"a"), ("NoneType", None), ("list", [1])]:
            with pytest.raises(TypeError, match=f"a {name} in a key: give the text"):
                await twin.do("access", '"Wa.rd"', value)
        with pytest.raises(Exception, match="nothing_there"):
            await twin.do("access", "nothing_there", 1)
        rows = [one for one in listed(place) if one["change"] > before]
        asked, counted, told = rows
        nobody = "postgres" if driver in POSTGRES else None
        assert [(one["kind"], one["table"], one["key"], one["who"], one["entries"]) for one in rows] == [
            ("read", asked["table"], ["7", 'a"b, \\é\n'], "nurse", None),
            ("read", asked["table"], None, nobody, 40),
            ("disclosure", asked["table"], ["17"], "billing", None),
        ]
        assert asked["table"] == ('"Wa.rd"' if driver in POSTGRES else "Wa.rd")
        assert (asked["purpose"], asked["context"]["reason"], str(asked["context"]["bed"])) == ("it's due", "round", "7")
        assert (counted["context"], told["suspended_until"]) == ({}, "2099-01-01T12:30:00.000005Z")
        assert {name: told[name] for name in named} == named
        assert [one["change"] for one in listed(place, "--", '"Wa.rd"', "17")][-1] == told["change"]
        await twin.run('drop table "Wa.rd"')


async def test_within_a_transaction_of_sqlite(tmp_path: pathlib.Path) -> None:
    """It goes with the transaction, and what plain SQL said before stands again after it."""
    async with prepared("program", tmp_path) as (twin, file):
        await twin.run("create table ward (id integer primary key)")
        await twin.run("begin")
        await twin.do("access", "ward", 1)
        await twin.run("rollback")
        assert listed(file) == []
        await twin.run("begin")
        await twin.run("insert into vestige_session (actor) values ('ann')")
        await twin.do("access", "WARD", 1)
        with vestige.context(actor="bob"):
            await twin.do("access", "ward", 2)
        for way in ("abort", "rollback"):
            await twin.run(
                f"create temp trigger full before insert on main.vestige_access begin select raise({way}, 'disk full'); end"
            )
            with vestige.context(actor="bob"), pytest.raises(Exception, match="disk full"):
                await twin.do("access", "ward", 3)
            if way == "abort":
                await twin.run("drop trigger full")
                await twin.do("access", "ward", 4)
                await twin.run("commit")
                await twin.run("begin")
        await twin.do("access", "ward", 5)
        await twin.run("delete from vestige_session")
        assert [(one["who"], one["table"], one["key"]) for one in listed(file)] == [
            ("ann", "ward", ["1"]),
            ("bob", "ward", ["2"]),
            ("ann", "ward", ["4"]),
            ("ann", "ward", ["5"]),
        ]


async def test_what_is_not_there_is_said(tmp_path: pathlib.Path) -> None:
    async with test_sqlite_trail.connected("program", str(tmp_path / "bare.db")) as twin:
        await twin.run("create table ward (id integer primary key)")
        with pytest.raises(vestige.NoTrail):
            await twin.do("access", "ward", 1)
        await twin.do("init")
        with pytest.raises(vestige.VestigeError, match="`vestige access --prepare` makes the table vestige_access"):
            await twin.do("access", "ward", 1)
