"""One test of a real database: runs vestige and the stock sqlite3 shell, and fails loudly."""
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent))
VESTIGE = os.environ.get("VESTIGE", str(SOURCE / "build/bin/vestige"))


class Failed(Exception):
    """What the test found to be wrong."""


def check(good, message):
    if not good:
        raise Failed(message)


class Session:
    """A database file in a directory of its own."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.path = self.directory / name
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "LC_ALL": "C.UTF-8",
                            "VESTIGE_DB": str(self.path)}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value

    def run(self, command, stdin="", codes=(0,)):
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(command, input=data, capture_output=True, env=self.environment,
                              cwd=self.directory)
        shown = " ".join(str(word) for word in command)
        check(done.returncode in codes, f"{shown}\nexit code {done.returncode}\n"
              f"{done.stderr.decode(errors='replace')}\n--- stdin\n{data[:4000].decode(errors='replace')}")
        return done

    def vestige(self, *words, stdin="", codes=(0,)):
        return self.run([VESTIGE, *(str(word) for word in words)], stdin, codes)

    def objects(self, *words, codes=(0,)):
        """What a verb prints with --format json, one object a line."""
        found = []
        for line in self.vestige(*words, "--format", "json", codes=codes).stdout.split(b"\n"):
            if not line:
                continue
            try:
                found.append(json.loads(line.decode()))
            except ValueError as error:
                raise Failed(f"vestige {words}: not JSON: {error}\n{line!r}") from error
        return found

    def shell(self, sql, refused=0):
        """Runs SQL in the stock shell. `refused`: how many statements are meant to fail."""
        done = self.run(["sqlite3", "-batch", str(self.path)], sql, codes=(0, 1, *range(2, 20)))
        errors = [line for line in done.stderr.decode(errors="replace").splitlines()
                  if "error near line" in line.lower() or line.startswith("Error:")]
        check(len(errors) == refused, f"sqlite3: {len(errors)} statements failed, {refused} were meant to:\n"
              + "\n".join(errors) + "\n--- script\n" + (sql if isinstance(sql, str) else repr(sql)))
        return done.stdout

    def dump(self):
        return self.run(["sqlite3", "-batch", str(self.path), ".dump"]).stdout

    @contextlib.contextmanager
    def reader(self):
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            yield db
        finally:
            db.close()

    def keep(self, name, data):
        """Leaves a file to look at when the test fails."""
        (self.directory / name).write_bytes(data)


def compare_dumps(expected, actual):
    """Byte-identical, or the first lines that are not."""
    if expected == actual:
        return
    was, now = expected.split(b"\n"), actual.split(b"\n")
    missing = set(was) - set(now)
    extra = set(now) - set(was)
    shown = [f"- {line[:300]!r}" for line in was if line in missing][:10]
    shown += [f"+ {line[:300]!r}" for line in now if line in extra][:10]
    if not shown:
        at = next(i for i, (left, right) in enumerate(zip(was, now)) if left != right)
        shown = [f"the same lines in another order, from line {at + 1}", repr(was[at][:300]), repr(now[at][:300])]
    raise Failed("the dump is not what it was:\n" + "\n".join(shown))


class Progress:
    """Says what was done and how long it took."""

    def __init__(self):
        self.since = time.monotonic()

    def __call__(self, text):
        now = time.monotonic()
        print(f"{now - self.since:6.1f} s  {text}", flush=True)
        self.since = now


def main(test):
    """Runs a test in a directory that is removed when it passes; says why it failed."""
    directory = tempfile.mkdtemp(prefix="vestige-")
    try:
        test(directory)
    except Failed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        if os.environ.get("KEEP"):
            print(f"left for inspection: {directory}", file=sys.stderr)
            directory = None
        return 1
    finally:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
    return 0
