"""pg-audit's names and features, over Vestige: its manual's code, with nothing changed but the imports."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from conftest import SOURCE, Shop

import vestige
import vestige.psycopg
from vestige.compat.pg_audit.context import AuditContext, audit_context, with_change_reason, with_context
from vestige.compat.pg_audit.schema import generate_auditlog_partitions_sql, generate_auditlog_table_sql
from vestige.compat.pg_audit.triggers import generate_trigger_sql


@pytest.fixture
def users(shop: Shop) -> Iterator[Any]:
    """A database without a trail."""
    shop.run("drop database if exists pg_audit (force)", "create database pg_audit")
    with vestige.psycopg.Connection.connect("dbname=pg_audit", autocommit=True) as connection:
        connection.execute("create table users (id int primary key, name text, email text, is_active boolean, seen int)")
        yield connection
    shop.run("drop database pg_audit (force)")


def log(connection: Any, columns: str, view: str = "auditlog") -> list[Any]:
    rows: list[Any] = connection.execute(f"select {columns} from {view} order by id").fetchall()
    return rows


def test_without_django(users: Any) -> None:
    with psycopg.connect("dbname=pg_audit") as conn, conn.cursor() as cursor:
        # Create audit table
        cursor.execute(generate_auditlog_table_sql("auditlog"))

        # Create trigger for a table
        sql = generate_trigger_sql(table_name="users", track_only=["name", "email"])
        cursor.execute(sql)
        conn.commit()
    with audit_context.use(user_id=7), audit_context.use_change_reason("sign up"):
        users.execute("insert into users values (1, 'Ann', 'a@x', true, 0)")
    users.execute("update users set seen = 1")
    users.execute("update users set email = 'b@x'")
    users.execute("delete from users")
    whole = {"id": 1, "name": "Ann", "email": "a@x"}
    after = whole | {"email": "b@x"}
    assert log(users, "operation, object_id, table_name, user_id, old_data, new_data, diff, meta ->> 'reason'") == [
        ("INSERT", "1", "users", 7, None, whole, None, "sign up"),
        ("UPDATE", "1", "users", None, whole, after, {"email": {"old": "a@x", "new": "b@x"}}, None),
        ("DELETE", "1", "users", None, after, None, None, None),
    ]
    assert [type(at).__name__ for (at,) in log(users, "changed_at")] == ["datetime"] * 3


def test_once_more_and_otherwise(users: Any) -> None:
    for _ in range(2):
        users.execute(generate_auditlog_table_sql("public.Audit"))
    users.execute(generate_trigger_sql("users", exclude_fields=["seen", "email"]))
    users.execute("insert into users values (1, 'Ann', 'a@x', false, 0)")
    users.execute(generate_trigger_sql("users", log_conditions="NEW.is_active = TRUE"))
    users.execute("update users set name = 'Anne'")
    users.execute("update users set is_active = true, seen = 5")
    [made, activated] = log(users, "new_data, diff", "audit")
    assert made == ({"id": 1, "name": "Ann", "is_active": False}, None)
    assert activated[0] == {"id": 1, "name": "Anne", "email": "a@x", "is_active": True, "seen": 5}
    assert activated[1]["is_active"] == {"old": False, "new": True}
    users.execute(generate_auditlog_partitions_sql("audit", months_ahead=3))
    with pytest.raises(ValueError, match="not both"):
        generate_trigger_sql("users", track_only=["name"], exclude_fields=["email"])
    with pytest.raises(ValueError, match="not a name"):
        generate_auditlog_table_sql("x; drop table users")


def test_names_are_quoted(users: Any) -> None:
    users.execute(generate_auditlog_table_sql())
    users.execute("""create table "O'Brien \\" (id int primary key, "a,'b\\" text, c text)""")
    for strings in ("on", "off"):
        users.execute(f"set standard_conforming_strings = {strings}")
        users.execute(generate_trigger_sql('''"O'Brien \\"''', track_only=["a,'b\\"]))
    users.execute("reset standard_conforming_strings")
    users.execute("""insert into "O'Brien \\" values (1, 'x', 'y')""")
    assert log(users, "table_name, new_data") == [("O'Brien \\", {"id": 1, "a,'b\\": "x"})]


def test_reasons() -> None:
    @with_change_reason("User requested password reset")
    def reset_password(user_id: int) -> Any:
        return audit_context.get_change_reason()

    assert reset_password(1) == "User requested password reset"
    with audit_context.use_change_reason("Bulk update for compliance"):
        assert reset_password(1) == "Bulk update for compliance -> User requested password reset"
        with audit_context.use_change_reason("second"):
            assert vestige.current() == {"reason": "Bulk update for compliance -> second"}
            with vestige.without():
                assert reset_password(1) == "User requested password reset"
        assert audit_context.get("change_reason") == "Bulk update for compliance"
    assert audit_context.get_change_reason() == ""


async def test_reasons_of_coroutines() -> None:
    @with_change_reason("async")
    async def later() -> Any:
        await asyncio.sleep(0)
        return dict(vestige.current())

    with audit_context.use(username="ann"):
        assert await asyncio.gather(later(), later()) == [{"actor": "ann", "username": "ann", "reason": "async"}] * 2


def test_fields() -> None:
    said = {"user_id": 7, "client_ip": "10.0.0.7", "session_key": "s", "request_id": "r", "source": "cron", "change_reason": "x"}
    with AuditContext().use(**said):
        audit_context.set("source", "shell")
        assert vestige.current() == {
            "actor": 7,
            "user_id": 7,
            "ip_address": "10.0.0.7",
            "session_id": "s",
            "request_id": "r",
            "source": "shell",
            "reason": "x",
        }
        assert audit_context.get("client_ip") == "10.0.0.7"

    @with_context(user_id=8, username="bob")
    def acts() -> Any:
        return dict(vestige.current())

    assert acts() == {"actor": "bob", "user_id": 8, "username": "bob"}


PRINTED = {
    "visit": """INSERT shop_user postgres None None None
INSERT shop_product postgres None None None
UPDATE shop_user ann reset User requested password reset ['email']
UPDATE shop_subscription ann activate Bulk update for compliance ['is_active']
UPDATE shop_product ann activate Bulk update for compliance ['price']
""",
    "without": """INSERT None
UPDATE {'email': {'new': 'b@example.com', 'old': 'a@example.com'}}
""",
}


def test_the_example(shop: Shop) -> None:
    """examples/pg_audit: a Django project and a script, which were written for pg-audit."""
    shop.run("drop database if exists pg_audit (force)", "create database pg_audit")
    example = SOURCE / "examples/pg_audit"
    environment = os.environ | {"DATABASE": "pg_audit", "PYTHONPATH": str(SOURCE / "clients/python/src")}
    environment["DJANGO_SETTINGS_MODULE"] = "settings"

    def run(*words: str) -> str:
        done = subprocess.run([sys.executable, *words], cwd=example, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("manage.py", "migrate", "-v", "0")
    assert run("manage.py", "shell", "-v", "0", "-c", "import visit") == PRINTED["visit"]
    assert run("without_django.py") == PRINTED["without"]
    asked = "import django; django.setup(); import asyncio; from django.test import AsyncClient; "
    request_id = run("-c", asked + "print(asyncio.run(AsyncClient().get('/reset/1')).content.decode())").strip()
    with psycopg.connect("dbname=pg_audit") as connection:
        view = "(select * from auditlog where meta ->> 'source' = 'http') h"
        users = log(connection, "user_id, context_id = meta ->> 'request_id', coalesce(new_data ? 'last_seen', false)", view)
        assert users == [(1, True, False)] * 3
        assert request_id not in [found for (found,) in log(connection, "context_id")]  # nothing was changed by it
    assert len(request_id) == 36
    shop.run("drop database pg_audit (force)")
