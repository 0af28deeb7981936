#!/usr/bin/python3
"""Whoever follows is killed at any moment, and whoever seals, while others write: a consumer gets every change, in one order that has
no gap, and what comes twice is the same. `feed_kills.py sqlite` or, beside a server, `feed_kills.py postgres`."""
import contextlib
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

VESTIGE = os.environ["VESTIGE"]
KILLS = int(os.environ.get("FEED_KILLS", "50"))
CONSUMER = "search index"
AHEAD = 5000  # rows, some of which are rolled back


def check(good, what):
    if not good:
        raise SystemExit(f"feed_kills: {what}")


class Sqlite:
    late = False
    writers = 3  # who write one at a time, and give others no turn by themselves
    pause = 0.01

    def __init__(self, directory):
        self.file = directory / "shop.db"
        self.url = f"sqlite:{self.file}"
        with self.connection() as send:
            send("pragma journal_mode = wal")

    @contextlib.contextmanager
    def connection(self):
        with contextlib.closing(sqlite3.connect(self.file, timeout=3600, isolation_level=None)) as db:
            yield lambda sql: db.execute(sql).fetchall()

    recorded = "select count(*) from vestige_change"


class Postgres:
    late = True  # a transaction stays open for the whole run, and a prepared one
    writers = 8
    pause = 0.002

    def __init__(self, directory):
        self.url = os.environ["VESTIGE_TEST_POSTGRES"]

    @contextlib.contextmanager
    def connection(self):
        import psycopg2
        with contextlib.closing(psycopg2.connect("")) as db:
            db.autocommit = True
            cursor = db.cursor()

            def send(sql):
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
            yield send

    recorded = "select count(*) from vestige.change"


class Given:
    """What the consumer was given, over all of its lives."""

    def __init__(self):
        self.ids = []  # by index
        self.again = 0

    def take(self, line):
        change = json.loads(line)
        index, known = change["index"], len(self.ids)
        check(index <= known, f"index {index} came, and {known} is the next one")
        if index < known:
            self.again += 1
            check(self.ids[index] == change["id"], f"index {index} was change {self.ids[index]}, and is {change['id']}")
            return
        self.ids.append(change["id"])


class Run:
    def __init__(self, database, directory):
        self.database = database
        self.directory = directory
        self.stop = threading.Event()
        self.given = Given()
        self.failed = []
        self.rows = [0] * database.writers
        with database.connection() as send:
            send("create table p (id integer primary key, name text)")
        for words in (["init"], ["track", "p"]):
            self.vestige(*words)
        (directory / "vkey").write_text(
            self.vestige("keygen", "--origin", "log.example/p", "--out", directory / "key").stdout)

    def vestige(self, *words):
        done = subprocess.run([VESTIGE, "--db", self.database.url, *map(str, words)], capture_output=True, text=True)
        check(done.returncode == 0, f"{words} ended with {done.returncode}: {done.stderr}")
        return done

    def write(self, number):
        try:
            with self.database.connection() as send:
                row = number
                while not self.stop.is_set():
                    send("begin immediate" if isinstance(self.database, Sqlite) else "begin")
                    for _ in range(random.choice((1, 1, 1, 3, 40))):
                        send(f"insert into p values ({row}, 'w')")
                        row += self.database.writers
                    send(random.choice(("commit", "commit", "commit", "rollback")))
                    self.rows[number] = row // self.database.writers
                    # Followers may be slow, and what they have not had is not to grow without end.
                    while True:
                        time.sleep(self.database.pause)
                        if self.stop.is_set() or sum(self.rows) < 2 * len(self.given.ids) + AHEAD:
                            break
        except Exception as error:  # noqa: BLE001
            self.failed.append(f"writer {number}: {error}")

    def seal(self):
        """Sealers, each killed after a moment."""
        while not self.stop.is_set():
            process = subprocess.Popen([VESTIGE, "--db", self.database.url, "seal", "--key", self.directory / "key",
                                        "--follow", "--every", "0.01"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0.01, 0.3))
            process.kill()
            error = process.communicate()[1]
            # On a slow machine it may have waited in vain for others.
            if process.returncode != -9 and not any(why in error for why in ("locked", "is under way")):
                self.failed.append(f"the sealer ended with {process.returncode}: {error}")
                return

    def follow(self, lines):
        """A follower that is killed after so many lines; what it wrote besides was given, too, but for a line that is cut."""
        said = self.directory / "said"
        with said.open("w") as errors:
            process = subprocess.Popen([VESTIGE, "--db", self.database.url, "log", "--follow", "--consumer", CONSUMER,
                                        "--format", "json"], stdout=subprocess.PIPE, stderr=errors, text=True)
        for _ in range(lines):
            line = process.stdout.readline()
            if not line:
                break
            self.given.take(line)
        process.kill()
        rest = process.stdout.read()
        process.stdout.close()
        check(process.wait() == -9, f"the follower ended with {process.returncode}: {said.read_text()}")
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):
                self.given.take(line)

    def go(self):
        with contextlib.ExitStack() as stack:
            if self.database.late:
                for number, end in ((-1, None), (-2, "prepare transaction 'late'")):
                    send = stack.enter_context(self.database.connection())
                    send("begin")
                    send(f"insert into p values ({number}, 'late')")
                    if end:
                        send(end)
                    else:
                        stays = send
            threads = [threading.Thread(target=self.write, args=(i,)) for i in range(self.database.writers)]
            threads.append(threading.Thread(target=self.seal))
            for thread in threads:
                thread.start()
            try:
                for _ in range(KILLS):
                    self.follow(random.choice((1, 1, 2, 10, 100, 500)))
                    check(not self.failed, "; ".join(self.failed))
            finally:
                self.stop.set()
                for thread in threads:
                    thread.join()
            check(not self.failed, "; ".join(self.failed))
            before = len(self.given.ids)
            self.drain()
            if self.database.late:
                known = set(self.given.ids)
                stays("commit")
                with self.database.connection() as send:
                    send("commit prepared 'late'")
                self.drain()
                check(len(set(self.given.ids) - known) == 2, "what was committed at last is not given")
        with self.database.connection() as send:
            count = send(self.database.recorded)[0][0]
        check(len(self.given.ids) == count, f"{count} changes are recorded, and {len(self.given.ids)} were given")
        check(len(set(self.given.ids)) == count, "a change came under two indexes")
        self.vestige("seal", "--key", self.directory / "key")
        verdict = json.loads(self.vestige("verify", "--format", "json", "--vkey", self.directory / "vkey").stdout)
        check(verdict["verified"] == count, f"{count} changes, and verify says {verdict}")
        print(f"{KILLS} kills, {count} changes, {before} of them while others wrote; {self.given.again} came twice")

    def drain(self):
        for line in self.vestige("log", "--consumer", CONSUMER, "--format", "json").stdout.splitlines():
            self.given.take(line)


def main():
    random.seed(int(os.environ.get("FEED_SEED", "7")))
    with tempfile.TemporaryDirectory(prefix="vestige-feed-") as top:
        directory = pathlib.Path(top)
        Run({"sqlite": Sqlite, "postgres": Postgres}[sys.argv[1]](directory), directory).go()


if __name__ == "__main__":
    main()
