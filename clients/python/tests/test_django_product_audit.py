"""examples/django_product_audit: the model, its audit, and what is asked of it."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from conftest import SOURCE

pytest.importorskip("django")


def test_the_example_does_what_it_says() -> None:
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists products (force)")
        server.execute("create database products")

    def manage(*words: str) -> str:
        run = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=SOURCE / "examples/django_product_audit",
            env=os.environ | {"DATABASE": "products", "PYTHONPATH": str(SOURCE / "clients/python/src")},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    manage("makemigrations", "--check")
    manage("migrate")
    assert manage("shell", "-c", "import visit").splitlines()[-4:] == [
        "1 INSERT ann None {'id': 1, 'name': 'Teapot', 'price': Decimal('999.50'), 'stock': 4}",
        "1 UPDATE bob {'price': Decimal('999.50')} {'price': Decimal('899.00')}",
        "1 DELETE postgres {'id': 1, 'name': 'Teapot', 'price': Decimal('899.00'), 'stock': 4} None",
        "Decimal('899.00') summer sale",
    ]
    assert "shop" not in manage("migrate", "myapp", "zero")
    manage("migrate")
