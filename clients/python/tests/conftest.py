"""A database with a trail, a proxy that counts before it, and PgBouncer; inside build/bin/postgres_server (tests/run.sh)."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from roundtrips import Proxy

SOURCE = pathlib.Path(__file__).resolve().parents[3]
VESTIGE = os.environ.get("VESTIGE", str(SOURCE / "build/bin/vestige"))
CONTRACT = json.loads((SOURCE / "clients/contract/cases.json").read_text(encoding="utf-8"))


class Shop:
    """The database of a test: whoever looks at it is its owner, whoever is looked at is the role `app`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host, self.port = os.environ["PGHOST"], int(os.environ["PGPORT"])
        self.owner = psycopg.connect(f"dbname={name}", autocommit=True, prepare_threshold=None)
        self.owner.execute("""set vestige.context = '{"actor": "owner", "reason": "test"}'""")
        self.proxy = Proxy(self.host, self.port)
        self.bouncer: Bouncer | None = None

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.owner.execute(statement)

    def mark(self) -> int:
        row = self.owner.execute("select coalesce(max(id), 0) from vestige.change").fetchone()
        assert row is not None
        return int(row[0])

    def changes(self, after: int) -> list[tuple[str, dict[str, Any]]]:
        rows = self.owner.execute(
            """select coalesce(new_values ->> 'label', new_values ->> 'note', old_values ->> 'label'), coalesce(context, '{}')
               from vestige.changes where id = any (array(select id from vestige.change where id > %s)) order by id""",
            (after,),
        )
        return [(label, context) for label, context in rows]

    def close(self) -> None:
        if self.bouncer is not None:
            self.bouncer.close()
        self.proxy.close()
        self.owner.close()


class Bouncer:
    """PgBouncer in transaction mode, with two connections for all; and a proxy that counts before it."""

    def __init__(self, directory: pathlib.Path, shop: Shop, size: int = 2) -> None:
        self.directory = directory
        directory.chmod(0o755)
        (directory / "users.txt").write_text('"app" ""\n')
        (directory / "pgbouncer.ini").write_text(f"""[databases]
{shop.name} = host={shop.host} port={shop.port}
[pgbouncer]
listen_port = 6432
unix_socket_dir = {directory}
auth_type = trust
auth_file = {directory}/users.txt
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
logfile = {directory}/pgbouncer.log
""")
        account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # it refuses to run as root
        for path in (directory, directory / "users.txt", directory / "pgbouncer.ini"):
            if account is not None:
                os.chown(path, account.pw_uid, account.pw_gid)
        self.process = subprocess.Popen(
            ["/usr/sbin/pgbouncer", "-q", str(directory / "pgbouncer.ini")],
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not (directory / ".s.PGSQL.6432").exists():
            assert self.process.poll() is None, (directory / "pgbouncer.log").read_text()
            time.sleep(0.01)
        self.proxy = Proxy(str(directory), 6432)

    def close(self) -> None:
        self.proxy.close()
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """A database with the contract's tables, and the role `app` that writes to them."""
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists clients (force)")
        server.execute("create database clients")
        if not server.execute("select from pg_roles where rolname = 'app'").fetchone():
            server.execute("create role app login")
    subprocess.run([VESTIGE, "init"], env=os.environ | {"VESTIGE_DB": "postgresql:///clients"}, check=True, capture_output=True)
    made = Shop("clients")
    made.run(*CONTRACT["setup"]["postgresql"], "grant all on schema public to app", "grant all on things, strict to app")
    with tempfile.TemporaryDirectory() as directory:
        made.bouncer = Bouncer(pathlib.Path(directory), made)
        yield made
        made.close()


def vestige_program(url: str, *words: str) -> str:
    """What the program prints of a database."""
    done = subprocess.run([VESTIGE, *words], env=os.environ | {"VESTIGE_DB": url}, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def recipient(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The public half of a key of the class phi, for both databases."""
    return vestige_program("", "keys", "generate", "--class", "phi", "--out", str(tmp_path_factory.mktemp("keys") / "phi.key"))


@pytest.fixture(scope="session")
def shop_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The Django project of tests/django_site."""
    from django_site.site import Site

    site = Site(tmp_path_factory.mktemp("django"))
    yield site
    site.close()


@pytest.fixture
def settings(shop_site: Any) -> Iterator[Any]:
    """settings(NAME=value) sets it for the length of a test."""
    from django.test import override_settings

    given: list[Any] = []

    def override(**named: Any) -> None:
        given.append(override_settings(**named))
        given[-1].enable()

    yield override
    while given:
        given.pop().disable()
