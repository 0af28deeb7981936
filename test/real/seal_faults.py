#!/usr/bin/python3
"""The sealer dies or fails at each of its steps, and at any moment: it goes on, what it sealed is verified, and it never signs
two trees of one size. `seal_faults.py sqlite` or, beside a server, `seal_faults.py postgres`."""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
VESTIGE = os.environ["VESTIGE"]
ORIGIN = "log.example/p"
DIED = 99
SIGNED = re.compile(re.escape(ORIGIN) + r"\n(\d+)\n([A-Za-z0-9+/]{43}=)\n")
NOTE = re.compile(SIGNED.pattern + r"\n(— \S+ \S+\n)+")
KILLS = int(os.environ.get("FAULT_KILLS", "60"))  # at random


def check(good, what):
    if not good:
        raise SystemExit(f"seal_faults: {what}")


class Trail:
    """A tracked table, a key, and every checkpoint that was ever seen."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.roots = {}
        self.kept = []
        self.rows = 0
        self.script("create table p (id integer primary key, name text, price integer)")
        self.run("init")
        self.run("track", "p")
        made = self.run("keygen", "--origin", ORIGIN, "--out", self.directory / "key")
        (self.directory / "vkey").write_text(made.stdout)
        self.command = ["seal", "--key", self.directory / "key", "--out", self.directory / "out",
                        "--tiles", self.directory / "log"]

    def start(self, *words, **more):
        return subprocess.Popen([VESTIGE, "--db", self.url, *map(str, words)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def run(self, *words, code=0):
        process = self.start(*words)
        out, error = process.communicate()
        check(code is None or process.returncode == code, f"{words} ended with {process.returncode}: {out}{error}")
        return subprocess.CompletedProcess(words, process.returncode, out, error)

    def write(self, count):
        """`count` changes in one transaction."""
        first, self.rows = self.rows, self.rows + count
        self.script("".join(f"insert into p values ({i}, 'n{i}', {i});" for i in range(first, first + count)))

    def saw(self, size, root, where):
        before = self.roots.setdefault(size, root)
        check(before == root, f"two checkpoints of {size} entries: {before}, and {root} in {where}")

    def collect(self, printed=""):
        """Every checkpoint that can be seen now, by whomever."""
        for size, root in SIGNED.findall(printed):
            self.saw(int(size), root, "what was printed")
        for name, form in (("out", NOTE), ("log/checkpoint", NOTE), ("key.state", SIGNED)):
            with contextlib.suppress(FileNotFoundError):
                text = (self.directory / name).read_text()
                whole = form.fullmatch(text)
                check(whole, f"{name} is not whole: {text!r}")
                self.saw(int(whole[1]), whole[2], name)
        state = self.directory / "key.state"
        highest = int(state.read_text().split("\n")[1]) if state.exists() else 0
        for note in self.notes():
            whole = NOTE.fullmatch(note)
            check(whole, f"the trail's checkpoint is not whole: {note!r}")
            self.saw(int(whole[1]), whole[2], "the trail")
            check(int(whole[1]) <= highest, f"{whole[1]} entries are signed, and the state says {highest}")
        if printed and (found := [m for m in NOTE.finditer(printed)]):
            self.keep(found[-1][0])

    def keep(self, note):
        if note in self.kept:
            return
        self.kept = (self.kept[:1] + self.kept[1:][-2:] + [note]) if self.kept else [note]
        for i, text in enumerate(self.kept):
            (self.directory / f"kept{i}").write_text(text)

    def verify(self, everything=True):
        words = ["verify", "--format", "json", "--vkey", self.directory / "vkey"]
        for i in range(len(self.kept)):
            words += ["--checkpoint", self.directory / f"kept{i}"]
        done = self.run(*words, code=None)
        check(done.returncode == 0, f"verify: {done.stdout}{done.stderr}")
        verdict = json.loads(done.stdout.splitlines()[-1])
        check(verdict["signature"] and not verdict["discrepancies"], f"verify: {done.stdout}")
        check(len(verdict["kept"]) == len(self.kept), f"a kept checkpoint was not met: {done.stdout}")
        if everything:
            check(verdict["verified"] == verdict["size"] == self.rows and verdict["unsealed"] == 0
                  and verdict["unsigned"] == 0, f"{self.rows} changes, and verify says {done.stdout}")

    def again(self):
        """A sealer without faults: it goes on from whatever there is."""
        self.settle()
        done = self.run(*self.command, code=None)
        check(done.returncode == 0, f"a restarted sealer said: {done.stderr}")
        self.collect(done.stdout)
        check(SIGNED.search(done.stdout)[1] == str(self.rows), f"it sealed {done.stdout!r}, of {self.rows}")
        for name in ("out", "log/checkpoint"):
            check((self.directory / name).read_text() == done.stdout, f"{name} is not what was printed")

    def prepare(self):
        """What stands before a run with a fault."""

    def settle(self):
        """Until nothing of a run that died is under way any more."""

    def fault(self, shim, at, mode, count):
        """A run whose at-th step is faulty; what that step was, or None when there are not so many."""
        self.prepare()
        self.write(count)
        mark = self.directory / "mark"
        mark.unlink(missing_ok=True)
        process = self.start(*self.command, env=os.environ | {
            "LD_PRELOAD": str(shim), "FAULT_AT": str(at), "FAULT_MODE": mode, "FAULT_MARK": str(mark)})
        out, error = process.communicate()
        step = mark.read_text().strip() if mark.exists() else None
        if step is None:
            check(process.returncode == 0, f"without a fault: {error}")
        elif mode == "fail":
            check(process.returncode in (0, 3), f"{step} failed, and it ended with {process.returncode}: {error}")
            check(process.returncode == 0 or "vestige: " in error, f"{step} failed without a word: {error!r}")
            # What fails without harm is passed over; then everything else is done.
            check(process.returncode == 3 or NOTE.fullmatch(out), f"{step} failed, and it printed {out!r}")
        else:
            check(process.returncode == DIED, f"{step} should have killed it: {process.returncode}")
        self.collect(out)
        self.again()
        if step is None or at % self.verified == 0:
            self.verify()
        return step

    def every_step(self, shim, mode, count):
        steps = {}
        at = untouched = 0
        # How many steps a run has depends on what is there: several runs without a fault, and all were met.
        while untouched < self.enough:
            at += 1
            step = self.fault(shim, at, mode, count)
            untouched = 0 if step else untouched + 1
            if step:
                steps[step.split()[0]] = steps.get(step.split()[0], 0) + 1
        print(f"{self.name}, {mode}: {sum(steps.values())} steps, {steps}", flush=True)
        for needed in self.steps:
            check(steps.get(needed), f"no {needed} was met")

    def kills(self, least):
        """--follow, killed at any moment while others write: so often, and until some came after a checkpoint."""
        stop = threading.Event()
        counting = threading.Lock()

        def writer():
            with self.connection() as send:
                while not stop.is_set():
                    with counting:
                        row, self.rows = self.rows, self.rows + 1
                    if self.overlapping:
                        send("begin")
                    send(f"insert into p values ({row}, 'w', 1)")
                    time.sleep(random.random() * 0.004)
                    if self.overlapping:
                        send("commit")

        threads = [threading.Thread(target=writer) for _ in range(4 if self.overlapping else 1)]
        for thread in threads:
            thread.start()
        rounds = sealed = 0
        try:
            reach = 0.2  # seconds; longer where the machine is slow
            while rounds < least or sealed <= 5:
                process = self.start(*self.command, "--follow", "--every", "0.01")
                time.sleep(random.uniform(0.005, reach))
                process.kill()
                out, error = process.communicate()
                check(process.returncode == -9, f"it ended with {process.returncode}: {error}")
                self.collect(out)
                rounds += 1
                sealed += bool(out)
                reach *= 1 if out else 1.05
                if rounds % 10 == 0:
                    self.verify(everything=False)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.again()
        self.verify()
        print(f"{self.name}: killed {rounds} times, {sealed} of them after a checkpoint; {len(self.roots)} checkpoints,"
              f" {self.rows} changes", flush=True)


class SqliteTrail(Trail):
    steps = ("write", "pwrite64", "fsync", "fdatasync", "rename", "open", "unlink")
    overlapping = False
    enough = 1
    verified = 1  # after every run: each begins anew

    def __init__(self, directory, journal):
        self.name = f"sqlite {journal}"
        self.file = pathlib.Path(directory) / "shop.db"
        self.url = f"sqlite:{self.file}"
        self.script(f"pragma journal_mode = {journal}")
        if journal == "wal":
            self.steps = ("write", "pwrite64", "fsync", "fdatasync", "rename", "open")
        super().__init__(directory)
        self.write(3)
        self.again()
        self.before = self.rows, dict(self.roots), list(self.kept)
        shutil.copytree(self.directory, f"{self.directory}.before")

    def prepare(self):
        """The same state before each run, so that each has the same steps."""
        shutil.rmtree(self.directory)
        shutil.copytree(f"{self.directory}.before", self.directory)
        self.rows, self.roots, self.kept = self.before[0], dict(self.before[1]), list(self.before[2])

    def script(self, sql):
        with contextlib.closing(sqlite3.connect(self.file, timeout=3600, isolation_level=None)) as db:
            db.executescript(f"begin immediate; {sql}; commit" if sql.startswith("insert") else sql)

    @contextlib.contextmanager
    def connection(self):
        with contextlib.closing(sqlite3.connect(self.file, timeout=3600, isolation_level=None)) as db:
            yield db.execute

    def notes(self):
        with contextlib.closing(sqlite3.connect(self.file, timeout=3600)) as db:
            return [note for note, in db.execute("select note from vestige_checkpoint order by size desc limit 40")]


class PostgresTrail(Trail):
    steps = ("write", "send", "recv", "fsync", "rename", "open")
    overlapping = True  # transactions of several writers
    enough = 4
    verified = 6  # after every sixth: what was wrong before it still is
    name = "postgres"

    def __init__(self, directory):
        self.url = os.environ["VESTIGE_TEST_POSTGRES"]
        super().__init__(directory)

    @contextlib.contextmanager
    def connection(self):
        import psycopg2
        with contextlib.closing(psycopg2.connect("")) as db:
            db.autocommit = True
            yield db.cursor().execute

    def script(self, sql):
        with self.connection() as send:
            send(sql)

    def settle(self):
        # A server learns of a client's death when it has the time; until then its transaction stands, and later changes wait.
        import psycopg2
        with contextlib.closing(psycopg2.connect("")) as db, db.cursor() as cursor:
            db.autocommit = True
            others = 1
            while others:
                cursor.execute("select count(*) from pg_stat_activity where datname = current_database()"
                               " and pid <> pg_backend_pid() and backend_type = 'client backend'")
                others, = cursor.fetchone()
                time.sleep(0.01 * bool(others))

    def notes(self):
        import psycopg2
        with contextlib.closing(psycopg2.connect("")) as db, db.cursor() as cursor:
            cursor.execute("select note from vestige.checkpoint order by size desc limit 40")
            return [note for note, in cursor.fetchall()]


def main():
    random.seed(int(os.environ.get("FAULT_SEED", "4")))
    with tempfile.TemporaryDirectory(prefix="vestige-faults-") as top:
        shim = pathlib.Path(top) / "shim.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-Wall", "-Werror", "-Wno-nonnull", "-fPIC", "-O1", "-o", shim, HERE / "fault_shim.c", "-ldl"],
                       check=True)

        def place(name):
            made = pathlib.Path(top) / name
            made.mkdir()
            return made

        if sys.argv[1] == "sqlite":
            for journal in ("delete", "wal"):
                trail = SqliteTrail(place(journal), journal)
                trail.every_step(shim, "fail", 3)
                trail.every_step(shim, "half", 3)
                trail.every_step(shim, "late", 3)
            trail.kills(KILLS)
        else:
            trail = PostgresTrail(place("postgres"))
            for mode, count in (("fail", 3), ("half", 10)):
                trail.every_step(shim, mode, count)
            trail.kills(KILLS)


if __name__ == "__main__":
    main()
