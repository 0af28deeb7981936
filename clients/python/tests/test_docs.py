"""docs/python.md, docs/sqlalchemy.md, README.md: each block of Python is run, and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from conftest import SOURCE, VESTIGE

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def installed_extension(into: pathlib.Path) -> None:
    """The package vestige-sqlite as its wheel has it."""
    shutil.copytree(SOURCE / "clients/sqlite/python/vestige_sqlite", into / "vestige_sqlite")
    extension = pathlib.Path(VESTIGE).resolve().parent.parent / "sqlite/vestige0.so"
    if extension.exists():  # else it is the program that answers
        (into / "vestige_sqlite/vestige0.so").symlink_to(extension)
    (into / "vestige").symlink_to(VESTIGE)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("docs/python.md", "test_a_sale(connection, recorded); connection.close(); shop.close()"),
        ("docs/sqlalchemy.md", "engine.dispose()"),
    ],
)
def test_the_page_does_what_it_says(
    name: str, ends: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, recorded: Any
) -> None:
    installed_extension(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "vestige_sqlite", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    page = (SOURCE / name).read_text(encoding="utf-8")
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists shop (force)")
        server.execute("create database shop")
    subprocess.run([VESTIGE, "init"], env=os.environ | {"VESTIGE_DB": "postgresql:///shop"}, check=True, capture_output=True)
    names: dict[str, Any] = {"recorded": recorded}
    printed, ran = "", 0
    for kind, text in BLOCK.findall(page):
        if kind == "text":
            assert printed == text
            printed = ""
            continue
        assert printed == "", "what a block prints has to stand below it"
        into = io.StringIO()
        with contextlib.redirect_stdout(into):
            exec(compile(text, name, "exec"), names)
        printed, ran = into.getvalue(), ran + 1
    assert printed == ""
    assert ran > 1
    exec(ends, names)


def test_the_front_page_does_what_it_says() -> None:
    """README.md's block of Python, with a write where it leaves one out: that is of whom the block says."""
    page = (SOURCE / "README.md").read_text(encoding="utf-8")
    [text] = [text for kind, text in BLOCK.findall(page) if kind == "python"]
    assert text.count(": ...\n") == 1
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists shop (force)")
        server.execute("create database shop")
    subprocess.run([VESTIGE, "init"], env=os.environ | {"VESTIGE_DB": "postgresql:///shop"}, check=True, capture_output=True)
    with psycopg.connect("dbname=shop") as shop:
        shop.execute("create table products (id int primary key); select vestige.track('products')")
    write = "connection.execute('insert into products values (1)')"
    names: dict[str, Any] = {}
    command = "import vestige.psycopg\n" + text.replace(": ...\n", f": {write}\n")
    exec(compile(command, "README.md", "exec"), names)
    with names["connection"] as connection:
        connection.commit()
        assert connection.execute("select actor, context ->> 'reason' from vestige.changes").fetchall() == [("ann", "summer sale")]
