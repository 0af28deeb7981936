"""docs/django.md does what it says, on PostgreSQL."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import psycopg
import pytest
from conftest import SOURCE

pytest.importorskip("django")


def test_the_page_does_what_it_says(tmp_path: pathlib.Path) -> None:
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists django_page (force)")
        server.execute("create database django_page")
    run = subprocess.run(
        [
            sys.executable,
            str(pathlib.Path(__file__).with_name("django_page.py")),
            str(SOURCE / "docs/django.md"),
            str(tmp_path),
            "django_page",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) > 5
