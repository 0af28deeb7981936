#!/usr/bin/python3
"""A Django bank on PostgreSQL behind a real PgBouncer in transaction mode: whatever its requests write is in the trail
under the name of who sent them, nothing of one request's context is found in another's, and undoing a request undoes
exactly that request. Runs inside build/bin/postgres_server. KEEP=1 leaves the files of a failure."""
import collections
import json
import os
import pathlib
import pwd
import subprocess
import sys
import time

import session
from session import SOURCE, check

PROJECT = SOURCE / "test/real/bank_project"
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
TABLES = ("bank_account", "bank_transfer", "django_admin_log", "auth_user")


class Bank(session.Session):
    def __init__(self, directory):
        super().__init__(directory, "unused")
        self.server = {name: os.environ[name] for name in ("PGHOST", "PGPORT", "PGUSER")} | {"PGDATABASE": "bank"}
        self.environment |= self.server | {
            "VESTIGE_DB": "postgresql:///bank", "BANK_DB": "bank", "BANK_USER": "app", "BANK_HOST": str(self.directory),
            "BANK_PORT": "6432", "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1"}
        self.bouncer = None

    def psql(self, sql):
        return self.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1"], sql).stdout.decode()

    def start_bouncer(self):
        """Two server connections for all: every transaction may get another one."""
        settings = self.directory / "pgbouncer.ini"
        (self.directory / "users.txt").write_text('"app" ""\n')
        settings.write_text(f"""[databases]
bank = host={os.environ["PGHOST"]} port={os.environ["PGPORT"]}
[pgbouncer]
listen_port = 6432
unix_socket_dir = {self.directory}
auth_type = trust
auth_file = {self.directory}/users.txt
pool_mode = transaction
default_pool_size = 2
logfile = {self.directory}/pgbouncer.log
""")
        command = ["/usr/sbin/pgbouncer", "-q", str(settings)]
        user = None
        if os.geteuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            for path in (self.directory, settings, self.directory / "users.txt"):
                os.chown(path, user.pw_uid, user.pw_gid)
        said = (self.directory / "said").open("w+")
        self.bouncer = subprocess.Popen(command, user=user and user.pw_uid, group=user and user.pw_gid,
                                        extra_groups=[] if user else None, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        for _ in range(100_000):
            if (self.directory / ".s.PGSQL.6432").exists():
                return
            check(self.bouncer.poll() is None, "pgbouncer ended: " + (self.directory / "said").read_text())
            time.sleep(0.02)
        check(False, "pgbouncer does not answer")

    def django(self, *words):
        return self.run([PYTHON, "-m", "django", *words]).stdout.decode()

    def request(self, what):
        return self.run([PYTHON, str(PROJECT / "traffic.py"), what]).stdout.decode()

    def rows(self):
        """Every row of the application, by table; nobody's last login."""
        return {table: sorted(self.psql(f"select to_jsonb(t) - 'last_login' from {table} t").splitlines()) for table in TABLES}

    def transactions(self):
        """What each transaction changed: request id -> {tx}, and tx -> its changes."""
        changes = collections.defaultdict(list)
        for change in self.objects("log", "--reverse"):
            changes[change["tx"]].append(change)
        requests = collections.defaultdict(set)
        for tx, own in changes.items():
            said = {json.dumps({k: v for k, v in c["context"].items() if k in ("actor", "reason", "request_id")}, sort_keys=True) for c in own}
            check(len(said) == 1, f"transaction {tx} has {len(said)} contexts: {said}")
            requests[own[0]["context"].get("request_id")].add(tx)
        return requests, changes


def test_busy(bank):
    before = bank.rows()
    expected = dict(line.split() for line in bank.request("busy").splitlines())
    requests, changes = bank.transactions()
    check(len(expected) > 60, f"only {len(expected)} requests went through")
    for request, name in expected.items():
        check(len(requests[request]) == 1, f"request {request} has transactions {requests[request]}")
        own = changes[next(iter(requests[request]))]
        check({c["context"]["actor"] for c in own} == {name}, f"request {request} of {name}: {own}")
        check([(c["op"], c["table"]) for c in own] == [("UPDATE", "bank_account")] * 2 + [("INSERT", "bank_transfer")],
              f"request {request}: {own}")
        check(all(c["context"]["reason"] == "POST /transfer/" and c["context"]["user_agent"] == "test client" and c["db_user"] == "app"
                  for c in own), f"request {request}: {own}")
    extra = set(requests) - set(expected) - {None}
    check(not extra, f"requests that were rolled back left changes: {extra}")
    silent = [c for tx in requests[None] for c in changes[tx]]
    check(all(c["new_values"].get("note", "").startswith("turn") for c in silent) and len(silent) >= 10,
          f"changes of nobody: {silent}")
    return before, requests, changes


def test_one_request_undone(bank, requests, changes):
    """The last request that moved money between two accounts: undone, and nothing else."""
    tx = max(tx for request, own in requests.items() if request for tx in own)
    before = bank.rows()
    undone = changes[tx]
    [outcome] = bank.objects("revert", "--tx", str(tx), "--by", "auditor", "--reason", "a mistake")
    check(outcome["applied"] == 3 and not outcome["conflicts"], f"revert of {tx}: {outcome}")
    after = bank.rows()
    check(len(set(before["bank_transfer"]) ^ set(after["bank_transfer"])) == 1, "not exactly one transfer is gone")
    check(len(set(before["bank_account"]) ^ set(after["bank_account"])) == 4, "not exactly two accounts are as they were")
    check(before["auth_user"] == after["auth_user"] and before["django_admin_log"] == after["django_admin_log"], "more was touched")
    for change in undone[:2]:
        [value] = bank.psql(f"select balance from bank_account where id = {change['key']['id']}").split()
        check(float(value) == change["old_values"]["balance"], f"{value} for {change}")


def test_admin(bank):
    bank.request("admin")
    requests, changes = bank.transactions()
    wanted = {"admin-add": [("INSERT", "bank_account"), ("INSERT", "django_admin_log")],
              "admin-change": [("UPDATE", "bank_account"), ("INSERT", "django_admin_log")],
              "admin-delete": [("INSERT", "django_admin_log"), ("DELETE", "bank_account")]}
    for request, shape in wanted.items():
        own = [c for tx in requests[request] for c in changes[tx]]
        check(sorted((c["op"], c["table"]) for c in own) == sorted(shape), f"{request}: {own}")
        check({c["context"]["actor"] for c in own} == {"root"}, f"{request}: {own}")
    closed = [c for tx in requests["close"] for c in changes[tx]]
    check({(c["op"], c["table"]) for c in closed} == {("DELETE", "bank_account"), ("DELETE", "bank_transfer")}, f"close: {closed}")
    [paid] = requests["interest"]
    check(len(changes[paid]) == 13, f"interest: {changes[paid]}")
    before = bank.rows()
    # The account that was closed comes back with its transfers; only the account that was changed since is a conflict.
    [close] = requests["close"]
    [outcome] = bank.objects("revert", "--tx", str(close), "--reason", "the wrong one")
    check(outcome["applied"] == len(closed), f"revert of close: {outcome}")
    check(len(bank.rows()["bank_transfer"]) == len(before["bank_transfer"]) + len(closed) - 1, "transfers did not come back")


def test_everything_undone(bank, before):
    requests, changes = bank.transactions()
    for tx in sorted(changes, reverse=True):
        [outcome] = bank.objects("revert", "--tx", str(tx))
        check(not outcome["conflicts"], f"revert of tx {tx}: {outcome}")
    after = bank.rows()
    for table in TABLES:
        check(before[table] == after[table], f"{table}: {set(before[table]) ^ set(after[table])}")
    return len(changes)


def test(directory):
    say = session.Progress()
    bank = Bank(directory)
    bank.psql("")
    try:
        bank.psql("create role app login; grant create on schema public to app")
        bank.start_bouncer()
        bank.django("migrate")
        bank.request("people")
        bank.vestige("init")
        bank.vestige("track", *(table for table in TABLES if table != "auth_user"))
        bank.vestige("track", "auth_user", "--exclude", "last_login")
        say("a bank of Django's, behind PgBouncer; tracked")
        before, requests, changes = test_busy(bank)
        say(f"{len(changes)} transactions by six clients over two connections: each under its own name")
        test_one_request_undone(bank, requests, changes)
        say("one request undone, nothing else touched")
        test_admin(bank)
        say("the admin's pages, a cascade undone")
        bank.request("anonymous")
        requests, changes = bank.transactions()
        last = changes[max(changes)]
        check(len(last) == 3 and all("actor" not in c["context"] for c in last), f"a context leaked into {last}")
        say(f"{test_everything_undone(bank, before)} transactions undone: every row as it was")
    finally:
        if bank.bouncer is not None:
            bank.bouncer.terminate()
            bank.bouncer.wait()


if __name__ == "__main__":
    sys.exit(session.main(test))
