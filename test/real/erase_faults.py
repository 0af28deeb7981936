#!/usr/bin/python3
"""An erasure on SQLite dies or fails at each of its steps: it is done wholly or not at all, the trail verifies, and it can be
done again; then nothing of it stands in the file."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from seal_faults import DIED, HERE, SqliteTrail, check

SECRET = b"Smithers"


class ErasingTrail(SqliteTrail):
    def __init__(self, directory, journal):
        super().__init__(directory, journal)
        self.script("insert into p values (77, 'Smithers', 1)")
        self.script("update p set price = 2 where id = 77; delete from p where id = 77")
        self.rows += 3
        self.again()
        self.before = self.rows, dict(self.roots), list(self.kept)
        shutil.rmtree(f"{self.directory}.before")
        shutil.copytree(self.directory, f"{self.directory}.before")
        self.command = ["erase", "p", "77", "--keys", "--reason", "request 4711"]

    def erased(self):
        """Whether it is done; half is neither."""
        changes = [json.loads(line) for line in self.run("log", "--format", "json").stdout.splitlines()]
        gone = [one for one in changes if "erased" in one]
        check(len(gone) in (0, 3) and all({"values", "key"} <= one["erased"].keys() for one in gone), f"half erased: {gone}")
        erases = [one["erases"] for one in changes if one["op"] == "ERASE"]
        check(erases == ([3] if gone else []), f"{len(gone)} changes were erased, by {erases}")
        return bool(gone)

    def fault(self, shim, at, mode, count):
        self.prepare()
        mark = self.directory / "mark"
        mark.unlink(missing_ok=True)
        process = self.start(*self.command, env=os.environ | {
            "LD_PRELOAD": str(shim), "FAULT_AT": str(at), "FAULT_MODE": mode, "FAULT_MARK": str(mark)})
        error = process.communicate()[1]
        step = mark.read_text().strip() if mark.exists() else None
        if step is None or mode == "fail":
            check(process.returncode in ((0,) if step is None else (0, 3)), f"{step}: it ended with {process.returncode}: {error}")
        else:
            check(process.returncode == DIED, f"{step} should have killed it: {process.returncode}")
        done = self.erased()
        check(done or process.returncode != 0, f"{step}: it said that it was done, and was not")
        self.verify(everything=False)
        if not done:
            self.run(*self.command)
            check(self.erased(), f"{step}: it could not be done again")
        self.verify(everything=False)
        self.run("seal", "--key", self.directory / "key", "--out", self.directory / "out")
        self.verify(everything=False)
        if process.returncode == 0 or not done:
            for file in self.directory.glob("shop.db*"):
                check(SECRET not in file.read_bytes(), f"{step}: the value stands in {file.name}")
        return step


def main():
    with tempfile.TemporaryDirectory(prefix="vestige-faults-") as top:
        shim = pathlib.Path(top) / "shim.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-Wall", "-Werror", "-Wno-nonnull", "-fPIC", "-O1", "-o", shim,
                        HERE / "fault_shim.c", "-ldl"], check=True)
        for journal in ("delete", "wal"):
            made = pathlib.Path(top) / journal
            made.mkdir()
            trail = ErasingTrail(made, journal)
            trail.steps = ("pwrite64",)
            for mode in ("fail", "half"):
                trail.every_step(shim, mode, 0)


if __name__ == "__main__":
    main()
