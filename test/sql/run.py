#!/usr/bin/python3
"""Runs SQL with a trail beside it, and compares what psql prints.

    run.py [--rewrite]      on the server of PGHOST and PGUSER (see test/scripts/sql.sh)

test/sql/NAME.sql prints test/sql/NAME.out. In docs/sql.md and docs/runbooks/dba.md each block marked `sql` prints the
block marked `text` that follows it, or nothing. Each file has a database of its own, with the trail installed; each block
of a page is a session of its own.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
PAGES = [SOURCE / "docs" / "sql.md", SOURCE / "docs" / "runbooks" / "dba.md"]
BLOCK = re.compile(r"^```sql\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
PARTITION = re.compile(r"vestige\.change_\w+(?= is refused)")


def psql(database, text, *options):
    environment = {**os.environ, "PGDATABASE": database, "PGTZ": "UTC", "LC_ALL": "C.UTF-8",
                   "PGOPTIONS": "-c client_min_messages=warning -c intervalstyle=postgres"}
    done = subprocess.run(["psql", "-X", "-q", "-v", "SHOW_CONTEXT=never", *options], input=text, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = PARTITION.sub("vestige.change_…", done.stdout).splitlines()
    return "".join(line.rstrip() + "\n" for line in lines).rstrip("\n") + "\n" if lines else ""


def make_database(name):
    subprocess.run(["createdb", name], check=True)
    problem = psql(name, f"begin;\n\\i {SOURCE}/sql/postgres/install.sql\ncommit;", "-v", "ON_ERROR_STOP=1")
    if problem:
        sys.exit(f"the trail cannot be installed:\n{problem}")


def told(path):
    """The page with what its blocks print now."""
    database = "page_" + path.stem
    make_database(database)

    def block(match):
        printed = psql(database, match[1])
        return f"```sql\n{match[1]}```\n" + (f"\n```text\n{printed}```\n" if printed else "")

    return BLOCK.sub(block, path.read_text())


def main():
    wanted = {path.with_suffix(".out"): None for path in sorted(HERE.glob("*.sql"))}
    for path in wanted:
        make_database(path.stem)
        wanted[path] = psql(path.stem, path.with_suffix(".sql").read_text(), "-a")
    for page in PAGES:
        wanted[page] = told(page)
    good = True
    for path, now in wanted.items():
        if "--rewrite" in sys.argv[1:]:
            path.write_text(now)
            continue
        before = path.read_text() if path.exists() else ""
        name = str(path.relative_to(SOURCE))
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), now.splitlines(True),
                                                   f"{name}, expected", f"{name}, now"))
        good = good and before == now
    if not good:
        print("\nIf the new output is right: test/scripts/sql.sh --rewrite, and read the difference.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
