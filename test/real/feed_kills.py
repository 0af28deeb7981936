#!/usr/bin/python3
"""Whoever follows is killed at any moment, and whoever seals, while others write: a consumer gets every change, in one order that has
no gap, and what comes twice is the same. On PostgreSQL the server crashes, too, and a standby is promoted in its place.
`feed_kills.py sqlite` or `feed_kills.py postgres`."""
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time

import psycopg2

from clusters import VESTIGE, Cluster, check, folder

KILLS = int(os.environ.get("FEED_KILLS", "50"))
CONSUMER = "search index"
AHEAD = 5000  # rows, some of which are rolled back


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
    moves = {}
    turns = 0
    lost = ()

    def close(self):
        pass


class Postgres:
    late = True  # a transaction stays open, and a prepared one for the whole run
    writers = 8
    pause = 0.002
    lost = (psycopg2.Error,)

    def __init__(self, directory):
        self.server = Cluster(directory, "first", 5801).init(fsync="off", wal_level="replica").start()
        self.server.sql("create database shop", "postgres")
        self.moves = {KILLS // 3: self.crash, 2 * KILLS // 3: self.promote}
        self.turns = 0  # odd: it is away

    @property
    def url(self):
        return self.server.url

    def close(self):
        self.server.stop("immediate")

    @contextlib.contextmanager
    def move(self):
        self.turns += 1
        yield
        self.turns += 1

    def crash(self):
        with self.move():
            self.server.stop("immediate")
            self.server.start()

    def promote(self):
        first, second = self.server, self.server.standby("second", 5802).start()
        first.sql("alter system set synchronous_standby_names = '*'", "postgres")
        first.sql("select pg_reload_conf()")
        while first.sql("select count(*) from pg_stat_replication where sync_state = 'sync'") != "1":
            time.sleep(0.05)
        first.sql("create table waited ()")  # until all that was committed before it is on the standby; others wait from now on, too
        with self.move():
            first.stop("immediate")
            second.promote()
            self.server = second

    @contextlib.contextmanager
    def connection(self):
        with contextlib.closing(psycopg2.connect(self.server.place)) as db:
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

    def forgiven(self, turns):
        """The server was away, or has gone since."""
        return turns % 2 == 1 or self.database.turns > turns

    def write(self, number):
        while not self.stop.is_set():
            turns = self.database.turns
            try:
                with self.database.connection() as send:
                    self.write_on(number, send)
            except self.database.lost as error:
                if not self.forgiven(turns):
                    self.failed.append(f"writer {number}: {error}")
                    return
                time.sleep(0.05)
            except Exception as error:  # noqa: BLE001
                self.failed.append(f"writer {number}: {error}")
                return

    def write_on(self, number, send):
        while not self.stop.is_set():
            send("begin immediate" if isinstance(self.database, Sqlite) else "begin")
            for _ in range(random.choice((1, 1, 1, 3, 40))):
                self.rows[number] += 1  # never the same, whatever became of it
                send(f"insert into p values ({self.rows[number] * self.database.writers + number}, 'w')")
            send(random.choice(("commit", "commit", "commit", "rollback")))
            # Followers may be slow, and what they have not had is not to grow without end.
            while True:
                time.sleep(self.database.pause)
                if self.stop.is_set() or sum(self.rows) < 2 * len(self.given.ids) + AHEAD:
                    break

    def seal(self):
        """Sealers, each killed after a moment."""
        while not self.stop.is_set():
            turns = self.database.turns
            process = subprocess.Popen([VESTIGE, "--db", self.database.url, "seal", "--key", self.directory / "key",
                                        "--follow", "--every", "0.01"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0.01, 0.3))
            process.kill()
            error = process.communicate()[1]
            # On a slow machine it may have waited in vain for others.
            if process.returncode != -9 and not self.forgiven(turns) and not any(why in error for why in ("locked", "is under way")):
                self.failed.append(f"the sealer ended with {process.returncode}: {error}")
                return

    def follow(self, lines, move):
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
        if move is None:
            process.kill()
        else:  # while there is somebody to lose the server; the pipe may be full
            reader = threading.Thread(target=lambda: rest.append(process.stdout.read()))
            rest = []
            reader.start()
            move()
            process.kill()
            reader.join()
        for line in (process.stdout.read() if move is None else rest[0]).splitlines(keepends=True):
            if line.endswith("\n"):
                self.given.take(line)
        process.stdout.close()
        status = process.wait()
        check(status == -9 or status == 3 and move is not None, f"the follower ended with {status}: {said.read_text()}")

    def open_late(self, stack):
        """A transaction that stays open."""
        send = stack.enter_context(self.database.connection())
        send("begin")
        send("insert into p values (-1, 'late')")
        return send

    def go(self):
        with contextlib.ExitStack() as stack:
            if self.database.late:
                with self.database.connection() as send:
                    send("begin")
                    send("insert into p values (-2, 'late')")
                    send("prepare transaction 'late'")
                stays = self.open_late(stack)
            threads = [threading.Thread(target=self.write, args=(i,)) for i in range(self.database.writers)]
            threads.append(threading.Thread(target=self.seal))
            for thread in threads:
                thread.start()
            try:
                for kill in range(KILLS):
                    move = self.database.moves.get(kill)
                    self.follow(random.choice((1, 1, 2, 10, 100, 500)), move)
                    check(not self.failed, "; ".join(self.failed))
                    if move is not None:
                        stays = self.open_late(stack)
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
        print(f"{KILLS} kills, {self.database.turns // 2} moves, {count} changes, {before} of them while others wrote; {self.given.again} came twice")

    def drain(self):
        for line in self.vestige("log", "--consumer", CONSUMER, "--format", "json").stdout.splitlines():
            self.given.take(line)


def main():
    random.seed(int(os.environ.get("FEED_SEED", "7")))
    with folder("vestige-feed-") as directory:
        database = {"sqlite": Sqlite, "postgres": Postgres}[sys.argv[1]](directory)
        try:
            Run(database, directory).go()
        finally:
            database.close()


if __name__ == "__main__":
    main()
