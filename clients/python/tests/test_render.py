"""Whatever a context is made of, it arrives as it was, and nothing else happens."""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg
import pytest
from conftest import Shop
from hypothesis import given, settings
from hypothesis import strategies as st

import vestige
from vestige._render import LARGEST, as_json, literal, set_local

# Characters that mean something to somebody on the way, more often than others.
NASTY = st.sampled_from(
    [
        "'",
        "''",
        '"',
        "\\",
        "\\'",
        "$$",
        "*/",
        "/*",
        "--",
        ";",
        "%",
        "%s",
        "%%",
        ":a",
        "{x}",
        "?",
        "$1",
        "E'",
        "\0",
        "\n",
        "\r",
        "\x1a",
        "\x7f",
        "\ud800",
        "\udfff",
        "\ud83d\ude00",
        "é",
        "☕",
        "𝒳",
        "\\u0041",
        "\\x41",
    ]
)
TEXTS = st.lists(st.one_of(NASTY, st.text(max_size=8)), max_size=8).map("".join)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
CONTEXTS = st.dictionaries(st.one_of(st.sampled_from(vestige.FIELDS), TEXTS), VALUES, max_size=5)


def repaired(value: Any) -> Any:
    """What stays of a value: no NUL, no half of a pair."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value.replace("\0", ""))
    if isinstance(value, list):
        return [repaired(one) for one in value]
    if isinstance(value, dict):
        return {repaired(name): repaired(one) for name, one in value.items()}
    return value


@settings(max_examples=300, deadline=None)
@given(CONTEXTS)
def test_a_literal_has_nothing_to_escape(fields: dict[str, Any]) -> None:
    text = as_json(fields)
    assert text.isascii()
    assert not set("'%$*;\0\n") & set(text)
    assert len(text) <= LARGEST
    inner = literal(text)
    assert inner[:2] == "E'"
    assert inner[-1] == "'"
    assert inner[2:-1].replace("\\\\", "") == inner[2:-1].replace("\\", "")
    assert text == "" or isinstance(json.loads(text), dict)


@pytest.mark.parametrize("strings", ["on", "off"])
def test_it_arrives(shop: Shop, strings: str) -> None:
    """By every road that text takes to a server; read back by jsonb, which capture reads it by."""
    with psycopg.connect("dbname=clients", autocommit=True) as connection:
        connection.execute(f"set standard_conforming_strings = {strings}")
        connection.execute("set escape_string_warning = off")

        @settings(max_examples=120, deadline=None)
        @given(st.dictionaries(st.one_of(st.sampled_from(vestige.FIELDS), TEXTS), TEXTS, max_size=4))
        def arrives(fields: dict[str, Any]) -> None:
            text = as_json(fields)
            with connection.transaction():
                connection.execute(set_local(text))
                row = connection.execute("select vestige.given_fields(current_setting('vestige.context'))").fetchone()
            # A name may be another's after its NUL is gone; then the last one counts, for jsonb as for Python.
            wanted = {repaired(name): repaired(value) for name, value in fields.items()}
            assert row == (wanted or None,)

        arrives()
        with psycopg.ClientCursor(connection) as cursor:
            with connection.transaction():
                cursor.execute(set_local(as_json({"actor": "100% %s %(x)s"})) + "; select %s", ("bound",))
                row = cursor.execute("select current_setting('vestige.context')").fetchone()
            assert row is not None
            assert json.loads(row[0]) == {"actor": "100% %s %(x)s"}


@pytest.mark.parametrize("encoding", ["SJIS", "BIG5", "GB18030", "LATIN1", "SQL_ASCII", "UTF8"])
def test_it_arrives_in_every_encoding_of_a_client(shop: Shop, encoding: str) -> None:
    """Some encodings have a backslash or a quote as the second byte of a character."""
    with psycopg.connect("dbname=clients", autocommit=True) as connection, connection.transaction():
        connection.execute(f"set client_encoding = {encoding}".encode())
        for character in ("表", "ソ", "\xbf'", "\x8c'"):
            connection.execute(set_local(as_json({"actor": character})).encode())
            row = connection.execute(
                b"select pg_catalog.convert_to(vestige.given_fields(current_setting('vestige.context')) ->> 'actor', 'UTF8')"
            ).fetchone()
            assert row == (character.encode(),)


def test_what_cannot_be_written_is_a_text() -> None:
    """As a form or the message of a queue may be: no write fails for it."""
    deep: Any = "bottom"
    for _ in range(5000):
        deep = {"a": [deep]}
    circle: list[Any] = []
    circle.append(circle)
    fields = json.loads(as_json({"deep": deep, "circle": circle, "number": 10**6000, "actor": "ann"}))
    assert '"a":["(nested deeper than 32)"]' in json.dumps(fields["deep"], separators=(",", ":"))
    assert fields["circle"] == [json.loads("[" * 31 + '"(nested deeper than 32)"' + "]" * 31)]
    assert fields["number"] == hex(10**6000)
    assert fields["actor"] == "ann"


def test_what_is_too_large_is_cut_and_said() -> None:
    large = {"actor": "ann", "note": "x" * 20_000, "small": "stays", "body": "☕" * 5_000}
    with pytest.warns(vestige.ContextTooLarge):
        found = json.loads(as_json(large))
    assert found == {"actor": "ann", "small": "stays", "left_out": ["body", "note"]}
    with pytest.warns(vestige.ContextTooLarge):
        text = as_json({name: "𝒳" * 9_000 for name in vestige.FIELDS} | {f"{'n' * 60}{n}": n for n in range(500)})
    found = json.loads(text)
    assert len(text) <= LARGEST
    assert set(found) == {*vestige.FIELDS, "left_out"}
    assert all(found[name] and set(found[name]) == {"𝒳"} for name in vestige.FIELDS)


@pytest.mark.filterwarnings("ignore::vestige.ContextTooLarge")
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(vestige.FIELDS), TEXTS), st.tuples(TEXTS, st.integers(0, 40_000)), max_size=14))
def test_nothing_is_longer_than_it_may_be(fields: dict[str, Any]) -> None:
    text = as_json({name: (text or "x") * (times // len(text or "x")) for name, (text, times) in fields.items()})
    assert len(text) <= LARGEST
    assert not text or isinstance(json.loads(text), dict)


def test_at_16_kib_and_one_byte_more(shop: Shop) -> None:
    exact = "x" * (LARGEST - len('{"actor":""}'))
    assert len(as_json({"actor": exact})) == LARGEST
    with pytest.warns(vestige.ContextTooLarge):
        assert json.loads(as_json({"actor": exact + "x"})) == {"actor": "x" * 1024, "left_out": ["actor"]}
