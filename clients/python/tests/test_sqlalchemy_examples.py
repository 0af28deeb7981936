"""examples/sqlalchemy_shop: each program prints what its page says, on both databases."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import psycopg
import pytest
import sqlalchemy
from conftest import SOURCE
from sqlalchemy_models import marks
from test_docs import installed_extension

EXAMPLE = SOURCE / "examples/sqlalchemy_shop"
PAGE = (EXAMPLE / "README.md").read_text(encoding="utf-8")
TIME = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
pytestmark = [*marks, pytest.mark.skipif(sqlalchemy.__version__ < "2", reason="programs of today")]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("program", ["shop", "hospital", "bank"])
def test_the_program_prints_what_its_page_says(program: str, kind: str, tmp_path: pathlib.Path) -> None:
    if program == "hospital":
        pytest.importorskip("cryptography")
    installed_extension(tmp_path)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{SOURCE / 'clients/python/src'}"}
    if kind == "postgresql":
        with psycopg.connect("dbname=postgres", autocommit=True) as server:
            server.execute("drop database if exists example (force)")
            server.execute("create database example")
        environment["DATABASE_URL"] = "postgresql+psycopg2:///example"
    command = [sys.executable, str(EXAMPLE / f"{program}.py")]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = re.search(rf"^`{program}\.py`:.*?^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert TIME.sub("then", ran.stdout) == TIME.sub("then", found[1])
    assert ran.stderr == ""
