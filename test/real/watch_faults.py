#!/usr/bin/python3
"""Whoever watches dies or fails at its steps, and is killed at any moment: it goes on, and what it raised is what it would have raised
undisturbed, each once, by its id. `watch_faults.py sqlite` or, beside a server, `watch_faults.py postgres`."""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
VESTIGE = os.environ["VESTIGE"]
CHANGES = int(os.environ.get("WATCH_CHANGES", "600"))
EVERY = int(os.environ.get("WATCH_EVERY", "31"))  # of the steps at which it dies
KILLS = int(os.environ.get("WATCH_KILLS", "4"))  # at random
DIED = 99
MODES = ["die", "half", "late", "fail"]
RULES = """
[[rule]]
id = "large"
select = "table:accounts op:update"
when = "abs(new.balance - old.balance) > 45"
message = "{key}: {delta.balance}"
[[rule]]
id = "often"
kind = "frequency"
select = "table:accounts"
group_by = ["key"]
count = 9
within = "1h"
[[rule]]
id = "much"
kind = "sum"
select = "table:accounts op:update"
value = "new.balance"
above = 2000
within = "1h"
message = "{sum}"
[[rule]]
id = "bulk"
kind = "bulk"
select = "table:accounts"
rows = 20
[[rule]]
id = "stranger"
kind = "new"
of = ["key", "new.balance"]
[[rule]]
id = "whole"
kind = "continuity"
select = "table:accounts"
field = "balance"
"""


def check(good, what):
    if not good:
        raise SystemExit(f"watch_faults: {what}")


class Sqlite:
    """A trail in a file: each life begins with a copy of it."""

    def __init__(self, directory):
        self.first = directory / "first.db"
        self.file = directory / "bank.db"
        self.url = f"sqlite:{self.first}"

    def script(self, sql):
        db = sqlite3.connect(self.first, isolation_level=None)
        db.executescript(f"begin; {sql}; commit")
        db.close()

    def fresh(self):
        for name in self.file.parent.glob("bank.db*"):
            name.unlink()
        shutil.copy(self.first, self.file)
        self.url = f"sqlite:{self.file}"


class Postgres:
    """A database: each life begins with a copy of a template."""

    def __init__(self, _directory):
        self.psql("postgres", "drop database if exists watch_first; create database watch_first")
        self.url = "postgresql:///watch_first"

    @staticmethod
    def psql(database, sql):
        for one in sql.split(";") if database == "postgres" else [sql]:
            done = subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", one], capture_output=True, text=True,
                                  check=False)
            check(done.returncode == 0, done.stderr)

    def script(self, sql):
        self.psql("watch_first", sql)

    def fresh(self):
        self.psql("postgres", "drop database if exists watch_bank with (force); create database watch_bank template watch_first")
        self.url = "postgresql:///watch_bank"


class Bank:
    def __init__(self, directory, trail):
        self.directory, self.trail = directory, trail
        (directory / "vestige.toml").write_text(RULES)
        self.shim = directory / "shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.shim, HERE / "fault_shim.c", "-ldl"], check=True)
        trail.script("create table accounts (id integer primary key, balance integer)")
        self.run("init")
        self.run("track", "accounts")
        chance = random.Random(20261130)
        trail.script("".join(f"insert into accounts values ({i}, {i});" for i in range(100)))
        left = CHANGES
        while left > 0:
            count = min(left, chance.choice([1, 1, 2, 5, 30]))
            left -= count
            trail.script("".join(f"update accounts set balance = {chance.randrange(1, 99)} where id = {chance.randrange(100)};"
                                 for _ in range(count)))
        self.run("log", "--consumer", "nobody", "--format", "json")  # everything has its place

    def start(self, *words, **more):
        return subprocess.Popen([VESTIGE, "--db", self.trail.url, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=self.directory, **more)

    def run(self, *words, codes=(0,), **more):
        process = self.start(*words, **more)
        out, error = process.communicate()
        check(process.returncode in codes, f"{words} ended with {process.returncode}: {error}")
        return out

    def raised(self):
        """What is kept: the id, the title and the changes of each."""
        kept = [json.loads(line) for line in self.run("alert", "list", "--limit", "1000000", "--format", "json").splitlines()]
        return sorted((one["id"], one["title"], one["changes"]) for one in kept)

    def would_be(self):
        told = [json.loads(line) for line in self.run("rules", "test", "--format", "json").splitlines()]
        return sorted((one["id"], one["title"], one["changes"]) for one in told if one["code"] == "alert")

    def at_a_step(self, step, mode):
        """False: there is no such step any more."""
        mark = self.directory / "mark"
        mark.unlink(missing_ok=True)
        self.trail.fresh()
        self.run("watch", "--once", "--backfill", codes=(0, 3, DIED),
                 env={**os.environ, "LD_PRELOAD": str(self.shim), "FAULT_AT": str(step), "FAULT_MODE": mode, "FAULT_MARK": str(mark)})
        return mark.exists()

    def at_any_moment(self, chance):
        self.trail.fresh()
        for _ in range(3):
            process = self.start("watch", "--backfill")
            time.sleep(chance.uniform(0.005, 0.4))  # a moment at random, and nothing hangs on which
            process.kill()
            process.communicate()

    def end(self, wanted, when):
        """It goes on, as if nothing had been."""
        self.run("watch", "--once", "--backfill")
        found = self.raised()
        check(len({one[0] for one in found}) == len(found), f"{when}: an alert is doubled")
        check(found == wanted, f"{when}: {len(found)} alerts and not {len(wanted)}: {set(map(str, found)) ^ set(map(str, wanted))}")


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        bank = Bank(directory, {"sqlite": Sqlite, "postgres": Postgres}[sys.argv[1]](directory))
        bank.trail.fresh()
        wanted = bank.would_be()
        check(len(wanted) > 100, f"only {len(wanted)} alerts")
        bank.end(wanted, "undisturbed")
        step, lives = 1, 0
        while True:
            mode = MODES[lives % len(MODES)]
            if not bank.at_a_step(step, mode):
                break
            bank.end(wanted, f"{mode} at step {step}")
            step += EVERY
            lives += 1
        check(lives >= 5, f"it has {step} steps")
        chance = random.Random()
        for number in range(KILLS):
            bank.at_any_moment(chance)
            bank.end(wanted, f"kill {number}")
        print(f"{len(wanted)} alerts of {CHANGES} changes, the same after {lives} deaths at its steps and {3 * KILLS} kills")


if __name__ == "__main__":
    main()
