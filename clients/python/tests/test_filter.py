"""Filters mean the same to the client and to the program: random ones, and the moments of the library's own test."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import re
import subprocess
from typing import Any

import psycopg
import pytest
from conftest import SOURCE, VESTIGE, Shop
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import vestige
from vestige import _filter, _times
from vestige.trail import Trail

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)
TIMES = (SOURCE / "vestige/base/time_test.cc").read_text(encoding="utf-8")


def cases(test: str, end: str) -> str:
    part = TIMES[TIMES.index(test) :]
    return part[: part.index(end)]


@pytest.mark.parametrize("test", ["IsReadAsPeopleWriteIt", "DaysBeginAtMidnight", "AgesAreSaidInManyWays"])
def test_moments(test: str) -> None:
    read = re.findall(r'\{"([^"]*)",\s*"([^"]*)"\}', cases(test, "};\n  for"))
    assert len(read) > 8
    assert [_times.parsed(text, NOW).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for text, _ in read] == [moment for _, moment in read]


def test_what_is_no_moment() -> None:
    refused = re.findall(r'"([^"]*)"', cases("RefusesWhatIsNotAMoment", "}) {"))
    assert len(refused) > 30
    for text in refused:
        with pytest.raises(ValueError, match="not a moment"):
            _times.parsed(text, NOW)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("who:", "who: a value is missing"),
        ('"open', "a quote is not closed"),
        ('a"b"', 'a quote within a"b"'),
        ('"a"b', "b follows a closing quote"),
        ("colour:red", "there is no field colour; the fields are"),
        ("price>5", "there is no field price; compare old.price or new.price"),
        ("old:5", "old:5: a name is missing"),
        ("who>5", "only key., old. and new. are compared"),
        ("tx:x", "'x' is not a number"),
        ("op:drop", "there is none called drop"),
        ("since:soon", "not a moment"),
    ],
)
def test_what_is_no_filter(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        _filter.parsed(text)
    done = subprocess.run([VESTIGE, "--db", ":memory:", "log", "-q", text], capture_output=True, text=True, check=False)
    assert done.returncode == 2


NUMBERS = itertools.count(1)
WORDS = ["ann", "bob", "Ann B", "5", "5.0", "-1", "1e2", "null", "", "a*b", "x,y", 'q"q', "refund", "REFUND", "größe", "[1, 2]"]
TEXTS = st.sampled_from(WORDS)
COLUMNS = ["id", "price", "note", "doc"]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


PATTERNS = st.one_of(
    TEXTS.map(quoted),
    TEXTS.filter(lambda text: text and not set(text) & set(' ,"')),
    st.sampled_from(["*", "a*", "*n", "*5*", "n*l", "null", "re*d", "1.0", "100"]),
)
LISTS = st.lists(PATTERNS, min_size=1, max_size=2).map(",".join)
SIGNS = st.sampled_from([":", "=", "!=", "<", "<=", ">", ">="])
CONDITIONS = st.one_of(
    st.builds(
        "{}:{}".format, st.sampled_from(["who", "actor", "reason", "context.ticket", "db_user", "text", "value", "key"]), LISTS
    ),
    st.builds("{}.{}{}{}".format, st.sampled_from(["old", "new"]), st.sampled_from([*COLUMNS, '"price"']), SIGNS, LISTS),
    st.builds("key.id{}{}".format, SIGNS, LISTS),
    st.builds("column:{}".format, st.sampled_from([*COLUMNS, "p*", "*", "note,doc"])),
    st.builds("op:{}".format, st.sampled_from(["insert", "update,delete", "TRUNCATE", "*"])),
    st.builds("{}:{}".format, st.sampled_from(["tx", "id"]), st.sampled_from(["1", "3,4", "2,5,7"])),
    st.builds("{}:{}".format, st.sampled_from(["since", "until"]), st.sampled_from(["1h", "2020", "now", "2020-01-01", "today"])),
    st.builds("tag:{}".format, st.sampled_from(["SOX", "S*", "x"])),
    st.builds("class:{}".format, st.sampled_from(["phi", "*", "none"])),
    st.builds("table:{}".format, st.sampled_from(["ledger", "public.ledger", "led*", "*x"])),
    PATTERNS,
)
FILTERS = st.lists(st.builds("{}{}".format, st.sampled_from(["", "", "-"]), CONDITIONS), min_size=1, max_size=3).map(" ".join)


@pytest.fixture(scope="module")
def ledger(shop: Shop) -> Any:
    shop.run("drop database if exists ledger (force)", "create database ledger")
    with psycopg.connect("dbname=ledger", autocommit=True) as connection:
        trail = Trail(connection)
        trail.init()
        connection.execute("create table ledger (id text primary key, price numeric, note text, doc jsonb)")
        connection.execute("create table other (id int primary key)")
        trail.track("ledger", tags=["SOX"], classification="phi")
        trail.track("other", capture="full")
        for n, (word, other) in enumerate(zip(WORDS, WORDS[5:] + WORDS[:5], strict=True)):
            context = {"actor": word or None, "reason": other, "ticket": n, "tags": [other]} if n % 3 else {}
            with connection.transaction():
                connection.execute("select vestige.set_context(%s)", (json.dumps(context),))
                connection.execute("insert into ledger values (%s, %s, %s, %s)", (word, n - 5, other, json.dumps({"a": [n, word]})))
                connection.execute("update ledger set note = %s, price = nullif(price, 0) * 10 where id = %s", (word, word))
                if n % 4 == 0:
                    connection.execute("delete from ledger where id = %s", (word,))
        connection.execute("insert into other values (1), (5)")
        connection.execute("truncate ledger")
        yield trail
    shop.run("drop database ledger (force)")


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(FILTERS)
@example("new.note!=refund,ann")
@example("old.price!=null new.price<=-10 -new.note:null")
@example("key:5.0,-1")
@example('new.note<b new.note>"5" -new.note:"a*b"')
@example('value:refund -text:"x,y" tag:S*')
@example("new.doc:*refund* -who:ann,bob")
@example("class:phi column:note op:update until:now since:1d")
@example('reason:refund actor:"Ann B" ')
def test_the_program_means_the_same(ledger: Trail, text: str) -> None:
    command = [VESTIGE, "log", "--format", "json", "--tz", "UTC", "-q", text]
    environment = os.environ | {"VESTIGE_DB": "postgresql:///ledger"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        with pytest.raises((ValueError, vestige.VestigeError)):
            list(ledger.changes(q=text))
        return
    wanted = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert [change.id for change in ledger.changes(q=text, newest_first=True)] == wanted, text


def test_a_filter_besides(ledger: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vestige.trail.PAGE", 3)  # so that pages are read in which nothing is meant
    found = list(ledger.changes("ledger", op="insert", q="new.price>=0 new.price<3"))
    assert [change.new and change.new["price"] for change in found] == [0, 1, 2]
    assert [change.id for change in ledger.changes(q="old.note:refund")] == [
        change.id for change in ledger.changes() if change.old and change.old.get("note") == "refund"
    ]
    with pytest.raises(vestige.VestigeError, match="find column colour"):
        list(ledger.changes(q="new.colour:red"))
    with pytest.raises(psycopg.errors.UndefinedTable):
        list(ledger.changes(q="table:nothing"))
