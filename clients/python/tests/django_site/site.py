"""Sets the project up: its databases, its tables, its trail; and what tests ask of it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any
from unittest import mock

import psycopg
from roundtrips import Proxy

PSYCOPG = 2 if os.environ.get("DJANGO_PSYCOPG") == "2" else 3
PIPELINES = tuple(map(int, psycopg.__version__.split(".")[:2])) >= (3, 2)
NAME = f"django_site_{PSYCOPG}"
VESTIGE = os.environ.get("VESTIGE", str(pathlib.Path(__file__).resolve().parents[4] / "build/bin/vestige"))
EXTENSION = pathlib.Path(VESTIGE).resolve().parents[1] / "sqlite/vestige0"


class Site:
    def __init__(self, directory: pathlib.Path) -> None:
        self.lite = directory / "shop.db"
        self.proxy = Proxy(os.environ["PGHOST"], int(os.environ["PGPORT"]))
        given = {"DJANGO_LITE": str(self.lite), "COUNTED_PORT": str(self.proxy.port), "VESTIGE_EXTENSION": str(EXTENSION)}
        with mock.patch.dict(os.environ, given):  # nothing of it is for what other tests start
            from django.conf import settings as project

            from django_site import settings

            project.configure(**{name: value for name, value in vars(settings).items() if name.isupper()})
        self.marks = {"lite": 0, "default": 0}
        with psycopg.connect("dbname=postgres", autocommit=True) as server:
            server.execute(f"drop database if exists {NAME} (force)")
            server.execute(f"create database {NAME}")
        self._setup()

    def _setup(self) -> None:
        import django

        if PSYCOPG == 2:  # Django takes psycopg 3 where there is one
            kept = sys.modules["psycopg"]
            sys.modules["psycopg"] = None  # type: ignore[assignment]
            import django.db.backends.postgresql.base

            sys.modules["psycopg"] = kept
            assert not django.db.backends.postgresql.base.is_psycopg3
        django.setup()
        from django.core.management import call_command

        for alias in ("default", "lite"):
            call_command("migrate", database=alias, verbosity=0)

    def program(self, *words: str, alias: str = "default") -> str:
        url = str(self.lite) if alias == "lite" else f"postgresql:///{NAME}"
        return subprocess.run([VESTIGE, "--db", url, *words], check=True, capture_output=True, text=True).stdout

    def changes(self, alias: str = "default") -> list[dict[str, Any]]:
        """What was recorded since the mark, as the program prints it."""
        lines = [json.loads(line) for line in self.program("log", "--reverse", "--format", "json", alias=_kept(alias)).splitlines()]
        return [line for line in lines if line["id"] > self.marks[_kept(alias)]]

    def contexts(self, alias: str = "default") -> list[dict[str, Any]]:
        return [change["context"] for change in self.changes(alias)]

    def mark(self, alias: str = "default") -> None:
        self.marks[_kept(alias)] = 0
        self.marks[_kept(alias)] = max((change["id"] for change in self.changes(alias)), default=0)

    def user(self, name: str, **fields: Any) -> Any:
        from django.contrib.auth.models import User

        return User.objects.get_or_create(username=name, defaults=fields)[0]

    def close(self) -> None:
        from django.db import connections

        connections.close_all()
        self.proxy.close()


def drop(alias: str, model: Any) -> None:
    """Ends a model that a test has made, and what is recorded of it."""
    from django.db import connections

    from vestige.django.history import table_of
    from vestige.django.reconcile import trail_of

    trail_of(connections[alias]).untrack(table_of(model, alias))
    with connections[alias].schema_editor() as editor:
        editor.delete_model(model)


def _kept(alias: str) -> str:
    return "lite" if alias == "lite" else "default"
