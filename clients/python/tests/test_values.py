"""Values come back as they are: the corpus that all clients read, and any values of each type against the live row."""

from __future__ import annotations

import datetime
import decimal
import itertools
import json
import math
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from conftest import SOURCE, Shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vestige.trail import UNRECORDED, Interval, InvalidText, Moment, Trail
from vestige.values import decoded

CORPORA = json.loads((SOURCE / "clients/contract/values.json").read_text(encoding="utf-8"))
CORPUS, CORPUS_SQLITE = CORPORA["values"], CORPORA["sqlite"]
UTC = datetime.timezone.utc
FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}
NUMBERS = itertools.count(1)


def clock(value: Any) -> str:
    text = value.strftime("%H:%M:%S.%f")
    offset = value.utcoffset()
    return text if offset is None else f"{text}{'-' if offset.days < 0 else '+'}{str(abs(offset))[:-3]:0>5}"


def document(value: Any) -> str:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(document, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{document(one)}" for name, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def element(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(element, value)) + "]"
    return json.dumps(str(value)) if isinstance(value, decimal.Decimal) else document(value)


def shown(value: Any, kind: str) -> str:
    """A value as the words of its kind, from the type that it has in Python."""
    if kind == "json":
        return document(value)
    if value is None:
        return ""
    if isinstance(value, Moment):
        return str(value)
    by_type: list[tuple[str, type, Any]] = [
        ("int", int, str),
        ("decimal", decimal.Decimal, str),
        ("float", float, lambda v: FLOATS.get(repr(v)) or repr(v).removesuffix(".0")),
        ("bool", bool, lambda v: str(v).lower()),
        ("text", str, str),
        ("bytes", bytes, bytes.hex),
        ("invalid", InvalidText, lambda v: v.raw.hex()),
        ("timestamptz", datetime.datetime, lambda v: v.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
        ("timestamp", datetime.datetime, lambda v: v.strftime("%Y-%m-%dT%H:%M:%S.%f")),
        ("date", datetime.date, datetime.date.isoformat),
        ("time", datetime.time, clock),
        ("timetz", datetime.time, clock),
        ("interval", Interval, str),
        ("uuid", uuid.UUID, str),
        ("array", list, element),
    ]
    [(of_type, show)] = [(of_type, show) for name, of_type, show in by_type if name == kind]
    assert type(value) is of_type, f"{value!r} for {kind}"
    text: str = show(value)
    return text


def test_the_corpus(shop: Shop) -> None:
    """Each entry is a column of one row of a table, since there are not that many types of a column."""
    columns = ", ".join(f"c{n} {entry['type']}" for n, entry in enumerate(CORPUS))
    shop.run(
        "drop table if exists corpus", f"create table corpus (id int primary key, {columns})", "select vestige.track('corpus')"
    )
    odd = {"datestyle": "german, mdy", "intervalstyle": "iso_8601", "timezone": "Asia/Kathmandu", "bytea_output": "escape"}
    shop.run(*(f"set {name} = '{setting}'" for name, setting in odd.items()))
    shop.run(f"insert into corpus values (1, {', '.join(entry['sql'] for entry in CORPUS)})")
    [change] = Trail(shop.owner).history("corpus", 1)
    assert change.new is not None
    read = [shown(change.new[f"c{n}"], entry["kind"]) for n, entry in enumerate(CORPUS)]
    shop.run(*(f"reset {name}" for name in odd), "drop table corpus")
    assert read == [entry["text"] for entry in CORPUS]


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
DECIMALS = st.decimals(allow_infinity=False).map(lambda d: decimal.Decimal("NaN") if d.is_nan() else d)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
MOMENTS = st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30))
TYPES: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric": DECIMALS,
    "double precision": st.floats(),
    "real": st.floats(width=32),
    "boolean": st.booleans(),
    "text": TEXT,
    "bytea": st.binary(),
    "timestamptz": MOMENTS.map(lambda at: at.replace(tzinfo=UTC)),
    "timestamp": MOMENTS,
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.times(timezones=st.integers(-839, 839).map(lambda m: datetime.timezone(datetime.timedelta(minutes=m)))),
    "uuid": st.uuids(),
    "jsonb": DOCUMENTS.map(lambda given: psycopg.types.json.Jsonb(given)),
    "bigint[]": st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=4),
    "text[]": st.lists(st.one_of(st.none(), TEXT), max_size=4),
    "double precision[]": st.lists(st.floats(), max_size=3),
    "bytea[]": st.lists(st.binary(max_size=4), max_size=3),
    "timestamptz[]": st.lists(MOMENTS.map(lambda at: at.replace(tzinfo=UTC)), max_size=2),
}


@pytest.fixture(scope="module")
def table(shop: Shop) -> Iterator[Any]:
    columns = ", ".join(f'"{kind}" {kind}' for kind in TYPES)
    shop.run(
        "drop table if exists anything",
        f"create table anything (id int primary key, {columns})",
        "select vestige.track('anything')",
    )
    with psycopg.connect("dbname=clients", autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        psycopg.types.json.set_json_loads(lambda text: json.loads(text, parse_float=decimal.Decimal), connection)
        yield connection
    shop.run("drop table anything")


def bits(value: Any) -> Any:
    """The value, so that what differs in a sign or a zero at the end is not equal."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value.hex()
    if isinstance(value, list):
        return [bits(one) for one in value]
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.fixed_dictionaries({kind: st.one_of(st.none(), values) for kind, values in TYPES.items()}))
def test_any_value_is_what_the_driver_reads(table: Any, row: dict[str, Any]) -> None:
    """And a row that is deleted and put back is the same."""
    number = next(NUMBERS)  # each example is another row: a history that grows is not what this is about
    names = ", ".join(f'"{kind}"' for kind in TYPES)
    places = ", ".join(f"%s::{kind}" for kind in TYPES)
    table.execute(f"insert into anything values ({number}, {places})", [row[kind] for kind in TYPES])
    live = table.execute(f"select {names} from anything where id = {number}").fetchone()
    as_text = table.execute(f"select a::text from anything a where id = {number}").fetchone()
    table.execute(f"delete from anything where id = {number}")
    deleted = next(Trail(table).history("anything", number))
    assert deleted.op == "DELETE"
    assert deleted.old is not None
    assert [bits(deleted.old[kind]) for kind in TYPES] == [bits(one) for one in live]
    assert [type(deleted.old[kind]) for kind in TYPES] == [type(one) for one in live]
    table.execute("select vestige.undo(%s)", (deleted.id,))
    assert table.execute(f"select a::text from anything a where id = {number}").fetchone() == as_text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(10**5), 10**5), st.integers(-(10**6), 10**6), st.integers(-(10**15), 10**15))
def test_any_interval(table: Any, months: int, days: int, micros: int) -> None:
    made = Interval(months, days, micros)
    text = table.execute("select %s::interval::text", (str(made),)).fetchone()[0]
    assert decoded(json.dumps({"i": text}), {"i": "interval"}) == {"i": made}


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("timestamp with time zone", '"0044-03-15T12:00:00+00:00 BC"', Moment("0044-03-15T12:00:00+00:00 BC")),
        ("timestamp with time zone", '"9999-12-31T23:59:59-01:00"', Moment("9999-12-31T23:59:59-01:00")),
        ("date", '"5874897-12-31"', Moment("5874897-12-31")),
        ("time without time zone", '"24:00:00"', Moment("24:00:00")),
        ("integer[]", '"[0:1]={1,2}"', "[0:1]={1,2}"),
        ("boolean[]", '"{t,NULL,f}"', [True, None, False]),
        ("text[]", json.dumps('{{"a,\\"b\\\\",NULL},{"NULL",""}}'), [['a,"b\\', None], ["NULL", ""]]),
        ("numeric", '{"$unrecorded":true}', UNRECORDED),
        ("integer", "null", None),
        ("public.mood", '"ok"', "ok"),
    ],
)
def test_what_python_cannot_hold_stays_text(kind: str, given: str, wanted: Any) -> None:
    found = decoded(f'{{"c":{given}}}', {"c": kind})
    assert found == {"c": wanted}
    assert type(found["c"]) is type(wanted)


def test_arrays_that_are_texts() -> None:
    """With what is in quotes, and values of megabytes: each character must not need room of its own."""
    for text, wanted in (('{{"a,b"},{"}"}}', [["a,b"], ["}"]]), (r'{"a\\","\"",NULL,"NULL",x}', ["a\\", '"', None, "NULL", "x"])):
        assert decoded(json.dumps({"a": text}), {"a": "text[]"}) == {"a": wanted}
    code = """import json, resource
from vestige.values import decoded
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
large = "x" * (16 << 20)
assert decoded(json.dumps({"a": '{"' + large + '"}'}), {"a": "text[]"}) == {"a": [large]}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]


def test_moments_without_an_end() -> None:
    assert Moment("-infinity").infinite
    assert not Moment("0044-03-15 BC").infinite


def test_digits_without_an_end() -> None:
    digits = "7" * 5000
    found = decoded(f'{{"n":{digits}.5,"i":{digits}}}', {"n": "numeric", "i": "numeric"})
    assert found == {"n": decimal.Decimal(digits + ".5"), "i": decimal.Decimal(digits)}
    assert found["n"].as_tuple().digits[-1] == 5
