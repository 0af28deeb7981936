"""Signed contexts: the cases that every client and both verifiers share, and what was written, by the independent verifier."""

from __future__ import annotations

import base64
import datetime
import json
import pathlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from conftest import SOURCE, VESTIGE, Shop

import vestige
import vestige.psycopg
import vestige.psycopg2
import vestige.sqlite
import vestige.trail
from vestige._signing import Signer

sys.path.append(str(SOURCE / "test/independent"))
from contexts import signed_word  # type: ignore[import-not-found]

CASES = json.loads((SOURCE / "test/vectors/signed_context.json").read_text(encoding="utf-8"))
ORIGIN = "log.example/p"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A key, and a vestige.toml that knows it; this process signs with it."""
    made = subprocess.run(
        [VESTIGE, "keygen", "--origin", "shop-web", "--out", "shop.key"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    (tmp_path / "shop.vkey").write_text(made.stdout.strip())
    vestige.sign_with(tmp_path / "shop.key", origin=ORIGIN)
    yield tmp_path
    vestige.sign_with(None)


def words(folder: pathlib.Path, database: str, after: int) -> list[tuple[str, dict[str, Any]]]:
    """Of the changes behind one, oldest first: what their signatures are worth, by the independent verifier; and the changes."""
    shown = subprocess.run(
        [VESTIGE, "--db", database, "log", "--reverse", "--format", "json"], cwd=folder, check=True, capture_output=True, text=True
    )
    changes = [json.loads(line) for line in shown.stdout.splitlines()]
    key = (folder / "shop.vkey").read_text()
    return [
        (signed_word(one["context"], [key], ORIGIN, datetime.datetime.fromisoformat(one["at"][:-1] + "+00:00").timestamp()), one)
        for one in changes
        if one["id"] > after
    ]


@pytest.mark.parametrize("case", [one for one in CASES if "key" in one], ids=lambda one: one["name"])
def test_signatures_are_those_of_the_cases(case: dict[str, Any]) -> None:
    signer = Signer(case["key"], case["signed_for"], int(case["lifetime"]))
    fields = {name: value for name, value in case["context"].items() if name != "signature"}
    assert signer.field(fields, int(case["issued"]), case["nonce"]) == case["context"]["signature"]


def test_on_postgresql_each_transaction_has_its_own(folder: pathlib.Path, shop: Shop) -> None:
    after = shop.mark()
    hostile = {"actor": "O'Zoë \\ % $1 ; */ 😀", "amount": 1.50, "tags": ["a", {"b": None}], "on": True}
    with vestige.psycopg.Connection.connect(f"dbname={shop.name} user=app") as one, vestige.context.of(hostile):
        for number in (900, 901):
            one.execute("insert into things (id, label) values (%s, %s)", (number, f"signed {number}"))
            with vestige.context(reason="more"):
                one.execute("update things set label = label || '!' where id = %s", (number,))
            one.commit()
    two = vestige.psycopg2.connect(f"dbname={shop.name} user=app")
    with vestige.context(actor="bob"), two, two.cursor() as cursor:
        cursor.execute("delete from things where id in (900, 901)")
    two.close()
    with psycopg.connect(f"dbname={shop.name} user=app") as plain:
        plain.execute("""set local vestige.context = '{"actor": "bob"}'""")
        plain.execute("insert into things (id, label) values (902, 'signed 902')")
        plain.execute("delete from things where id = 902")
    found = words(folder, f"postgresql:///{shop.name}", after)
    assert [word for word, _ in found] == ["signed"] * 6 + ["unsigned"] * 2
    assert len({one["context"]["signature"] for word, one in found if word == "signed"}) == 5
    said = found[0][1]["context"]
    assert (said["actor"], said["amount"], said["tags"], said["on"]) == (hostile["actor"], "1.5", '["a",{"b":null}]', "true")


def test_on_sqlite_each_transaction_has_its_own(folder: pathlib.Path) -> None:
    file = str(folder / "shop.db")
    db = vestige.sqlite.connect(file)
    db.execute("create table t (id integer primary key, n)")
    subprocess.run([VESTIGE, "--db", file, "init"], check=True, capture_output=True)
    subprocess.run([VESTIGE, "--db", file, "track", "t"], check=True, capture_output=True)
    with vestige.context(actor="Zoë", extra={"a": [1, "é"]}):
        with db:
            db.execute("insert into t (n) values (1)")
        with db:
            db.execute("insert into t (n) values (2)")
        db.executescript("insert into t (n) values (3)")
    vestige.sign_with(None)
    with db, vestige.context(actor="Zoë"):
        db.execute("insert into t (n) values (4)")
    found = words(folder, file, 0)
    assert [(word, one["context"]["actor"]) for word, one in found] == [("signed", "Zoë")] * 3 + [("unsigned", "Zoë")]
    assert len({one["context"]["signature"] for _, one in found[:3]}) == 3
    assert found[0][1]["context"]["extra"] == '{"a":[1,"\\u00e9"]}'
    # Somebody else says the same as he saw it.
    signature = found[0][1]["context"] | {"actor": "mallory"}
    db.execute("insert into vestige_session (actor, extra) values (?, ?)", (signature["actor"], json.dumps(signature)))
    db.execute("insert into t (n) values (5)")
    db.execute("delete from vestige_session")
    db.commit()
    assert words(folder, file, 4)[0][0] == "bad"
    db.close()


def test_a_read_that_is_reported_is_signed(folder: pathlib.Path) -> None:
    file = str(folder / "ward.db")
    db = sqlite3.connect(file)
    db.execute("create table ward (id integer primary key)")
    for verb in (["init"], ["access", "--prepare"]):
        subprocess.run([VESTIGE, "--db", file, *verb], check=True, capture_output=True)
    after = len(words(folder, file, 0))
    with vestige.context(actor="nurse", bed=7):
        vestige.trail.Trail(db, program=VESTIGE).access("ward", 1)
    [(word, change)] = words(folder, file, after)
    assert (word, change["context"]["actor"], change["context"]["bed"]) == ("signed", "nurse", "7")
    db.close()


def test_what_is_no_key_and_no_origin(folder: pathlib.Path) -> None:
    key = (folder / "shop.key").read_text()
    secret = key.split("+", 4)[4]  # which may have a "+" itself
    for wrong in ("", "x", key.replace("PRIVATE", "PUBLIC"), key.replace(secret[:4], "!!!!"), key[:-10]):
        with pytest.raises(ValueError, match="no private key of vestige keygen") as refused:
            Signer(wrong, ORIGIN)
        assert secret[5:20] not in str(refused.value)
    cosigner = "PRIVATE+KEY+w+00000000+" + base64.b64encode(b"\4" + bytes(32)).decode()
    with pytest.raises(ValueError, match="no private key"):
        Signer(cosigner, ORIGIN)
    for origin in ("", "a b", "a+b"):
        with pytest.raises(ValueError, match="an origin is the name of a log"):
            Signer(key, origin)
    for lifetime in (0, 86401):
        with pytest.raises(ValueError, match="a signature lasts"):
            Signer(key, ORIGIN, lifetime)
