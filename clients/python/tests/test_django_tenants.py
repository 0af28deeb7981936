"""Beside django-tenants, which makes a schema for each tenant and migrates them one by one."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import psycopg
import pytest

pytest.importorskip("django_tenants")


def test_each_tenant_has_its_own_history_in_one_trail(tmp_path: pathlib.Path) -> None:
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists django_tenants (force)")
        server.execute("create database django_tenants")
    script = pathlib.Path(__file__).with_name("django_tenants_site.py")
    run = subprocess.run([sys.executable, str(script), str(tmp_path), "django_tenants"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    acme = ["acme [('INSERT', 'acme', None)]", "acme ['open']"]
    globex = ["globex [('UPDATE', None, '10.1.2.3'), ('INSERT', 'globex', None)]", "globex ['paid']"]
    assert run.stdout.splitlines() == ["1", *acme, *globex, *acme]
    with psycopg.connect("dbname=django_tenants") as connection:
        # One tenant is gone by now; what was recorded of it stays.
        recorded = connection.execute(
            """select distinct "table", (coalesce(old_values, '{}')::jsonb || coalesce(new_values, '{}')::jsonb) ? 'number'
               from vestige.changes where "table" like '%bills_invoice'"""
        )
        assert sorted(recorded) == [("acme.bills_invoice", False), ("globex.bills_invoice", False)]
        standing = connection.execute("select schema_name from vestige.tracked where untracked_at is null")
        assert standing.fetchall() == [("acme",)]
