"""examples/finance_tracker, run on a server by a role that owns its database and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
from conftest import SOURCE, Shop

EXAMPLE = SOURCE / "examples/finance_tracker"


def test_the_finance_tracker(shop: Shop) -> None:
    shop.run(
        "drop database if exists finance_tracker (force)", "drop role if exists finance_user", "create role finance_user login"
    )
    shop.run("create database finance_tracker owner finance_user")
    where = "dbname=finance_tracker user=finance_user"
    with psycopg.connect(where) as connection:
        connection.execute("create schema if not exists public")
        connection.execute((EXAMPLE / "accounts.sql").read_text())
    url = f"postgresql://finance_user@/finance_tracker?host={shop.host}&port={shop.port}"
    run = [sys.executable, str(EXAMPLE / "main.py")]
    for time in (1, 2):  # what is set up already is not set up again
        done = subprocess.run(run, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == PRINTED[time]
    with psycopg.connect(where) as connection:
        entries = connection.execute(
            """select action, record_id, changed_fields, changed_by, host(ip_address), user_agent, reason
               from vestige.audit_log order by id limit 2"""
        ).fetchall()
    assert entries == [
        ("UPDATE", "1", ["balance"], "7", "10.0.0.7", "Mozilla/5.0", "salary"),
        ("UPDATE", "1", ["balance"], "auditor", None, None, "posted twice"),
    ]
    shop.run("drop database finance_tracker (force)", "drop role finance_user")


END = """
By 7 from 10.0.0.7, for salary
  id is 1, by nobody since the trail began
  name is checking, by nobody since the trail began
  balance is 1100.00, by 7
Undone: balance 1000.00
"""
PRINTED = {
    1: f"""Audit system created!

Recent audit entries:
  UPDATE: balance 1000.00 -> 1100.00
{END}""",
    2: f"""Audit system created!

Recent audit entries:
  UPDATE: balance 1000.00 -> 1100.00
  UPDATE: balance 1100.00 -> 1000.00
  UPDATE: balance 1000.00 -> 1100.00
{END}""",
}
