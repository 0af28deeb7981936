#!/usr/bin/python3
"""proj.db of Debian's proj-data under the whole main job: track everything, write to it with the stock
shell for a while, ask what it was, and undo every transaction: not a byte of it may differ.

    proj_db.py          SEED=N another script; STEPS=N its length; KEEP=1 leaves the files of a failure
"""
import collections
import datetime
import json
import os
import re
import shutil
import sys

import replay
import session
from proj_writes import Writes
from session import Session, check

PROJ = "/usr/share/proj/proj.db"
SEED = int(os.environ.get("SEED", "20260107"))
STEPS = int(os.environ.get("STEPS", "100"))


def tables_of(db):
    return [row[0] for row in db.execute(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
        " and name not like 'vestige_%' order by name")]


def row_ids(db, tables):
    """Of every table that has them: rowid and row."""
    found = {}
    for table in tables:
        without = db.execute("select wr from pragma_table_list where name = ? and schema = 'main'", (table,)).fetchone()[0]
        if not without:
            found[table] = db.execute(f"select rowid, * from {replay.quoted(table)} order by rowid").fetchall()
    return found


def schema_of(db):
    return db.execute("select type, name, tbl_name, sql from sqlite_schema where name not like 'vestige_%'"
                      " order by type, name").fetchall()


def tables_now(db, tables):
    return {table: replay.table_at(db, table) for table in tables}


def footprint(db):
    return [db.execute(f"select count(*) from vestige_{table}").fetchone()[0]
            for table in ("change", "context", "current", "replaced", "key", "more")]


def write(here, writes):
    """Runs the script; returns how many statements and steps."""
    statements = 0
    kinds = collections.Counter()
    script = []
    for number in range(STEPS):
        with here.reader() as db:
            db.text_factory = lambda data: data.decode(errors="replace")
            step = writes.step(db)
            before = footprint(db)
        sql = ";\n".join(step.sql) + ";\n"
        script.append(f"-- step {number}: {step.how}\n{sql}")
        here.keep("script.sql", "".join(script).encode())
        if step.how == "shell":
            here.shell(sql, step.refused)
        else:
            here.vestige("exec", "--actor", f"actor {number % 7}", "--reason", f"step {number}", "--context", "ticket=7",
                         stdin=sql, codes=(3,) if step.refused else (0,))
        if step.rolled_back:
            with here.reader() as db:
                after = footprint(db)
            check(before == after, f"step {number} was rolled back; trail before {before}, after {after}:\n{sql}")
        statements += len(step.sql)
        kinds[step.how] += 1
    return statements, kinds


def check_log(here, tables, before, after):
    """Every change is as docs/json.md says, and folded forward they make the table that stands."""
    changes = here.objects("log", "--reverse")
    ids = [change["id"] for change in changes]
    check(ids == list(range(1, len(ids) + 1)), "the ids of the log have gaps or another order")
    ops = collections.Counter()
    folded = before
    with here.reader() as db:
        row_ids = replay.recorded_row_ids(db)
    for change in changes:
        replay.check_shape(change)
        ops[change["op"]] += 1
        folded[change["table"]].apply(change, row_ids[change["id"]])
    for table in tables:
        differs = folded[table].differs(after[table])
        check(differs is None, f"{table}: folded forward it is not what it is\n{differs}")
    last = 0
    for change in changes:
        check(change["tx"] in (last, change["id"]), f"change {change['id']}: tx {change['tx']} comes back after {last}")
        last = change["tx"]
    return changes, ops


def check_contexts(changes):
    for change in changes:
        context = change["context"]
        if "ticket" in context:
            check(context["ticket"] in (7, "7") and "actor" in context and "reason" in context, f"context {context}")
        else:
            check(context == {}, f"change {change['id']} outside every context has {context}")
    check(any(change["context"] for change in changes), "no change has a context")


def check_at(here, tables, keys, start, moment):
    for table in tables:
        if not keys[table] or start[table].by_row_id:
            continue
        rows = here.objects("at", table, *moment)
        found = collections.Counter(replay.frozen(replay.row_of_json(row)) for row in rows)
        differs = start[table].others(found)
        check(differs is None, f"at {table} {' '.join(moment)}: not what it was\n{differs}")


def revert_all(here, changes):
    """Newest first; returns how many, and how many had to be joined with an older one. A view's INSTEAD OF
    triggers write child before parent, and what they do outside a context is recorded as several
    transactions: then the parent cannot go before its child."""
    by_tx = collections.defaultdict(list)
    for change in changes:
        by_tx[change["tx"]].append(change["id"])
    waiting, joined = [], 0
    for tx in sorted(by_tx, reverse=True):
        waiting += by_tx[tx]
        words = [word for change in waiting for word in ("--change", str(change))]
        words = words if len(waiting) > len(by_tx[tx]) else ["--tx", str(tx)]
        done = here.vestige("revert", *words, "--format", "json", codes=(0, 3))
        if done.returncode == 3:
            check(b"a foreign key would be broken" in done.stderr, f"revert {words}: {done.stderr.decode()}")
            joined += 1
            check(len(waiting) < 20, f"revert {words}: {done.stderr.decode()}")
            continue
        outcome = json.loads(done.stdout)
        check(outcome["applied"] == len(waiting) and not outcome["conflicts"] and not outcome["skipped"],
              f"revert {words}: {outcome}, its changes are {len(waiting)}")
        waiting = []
    check(not waiting, f"changes {waiting} could not be reverted")
    return len(by_tx), joined


def test(directory):
    print(f"seed {SEED}, {STEPS} steps", flush=True)
    say = session.Progress()
    here = Session(directory, "proj.db")
    shutil.copy(PROJ, here.path)
    os.chmod(here.path, 0o644)
    dump = here.dump()
    with here.reader() as db:
        tables = tables_of(db)
        keys = {table: replay.columns_of(db, table)[1] for table in tables}
        rows, schema = row_ids(db, tables), schema_of(db)
    check(len(tables) >= 30, f"proj.db has {len(tables)} tables only")

    here.vestige("init")
    here.vestige("track", "--all")
    # A first change, so that there is a moment "just after change 1".
    here.shell("update metadata set value = value || ' (tracked)' where key = 'PROJ.VERSION';")
    with here.reader() as db:
        before = tables_now(db, tables)
        start = tables_now(db, tables)
    row = before["metadata"].rows[(("t", b"PROJ.VERSION"),)]
    row["value"] = ("t", row["value"][1].removesuffix(b" (tracked)"))
    moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    say(f"{len(tables)} tables tracked")

    statements, kinds = write(here, Writes(SEED))
    say(f"{statements} statements in {kinds['shell']} runs of sqlite3 and {kinds['exec']} of vestige exec")
    with here.reader() as db:
        after = tables_now(db, tables)
    changes, ops = check_log(here, tables, before, after)
    check_contexts(changes)
    touched = {change["table"] for change in changes}
    check(len(touched) >= 25 and all(ops[op] > 50 for op in ("INSERT", "UPDATE", "DELETE")),
          f"the script is too tame: {ops}, {len(touched)} tables")
    say(f"{len(changes)} changes in {len(touched)} tables read and folded: {dict(ops)}")

    check_at(here, tables, keys, start, ["--change", "1"])
    check_at(here, sorted(touched), keys, start, ["--time", moment])
    say("at: every table as it was")

    here.vestige("doctor")
    [status] = here.objects("status")
    check(status["changes"] == len(changes) and len(status["tables"]) == len(tables)
          and all(table["intact"] for table in status["tables"]), f"status: {status}")
    here.vestige("status")

    count, joined = revert_all(here, changes)
    check(joined * 5 < count, f"{joined} of {count} transactions could not be reverted for themselves")
    say(f"{count} transactions reverted, {joined} of them with another")
    here.vestige("doctor")
    here.vestige("init", "--remove", "--yes")
    # SQLite makes a table for its counters where somebody counts, and lets nobody drop it: empty, it stays (docs/sqlite.md).
    session.compare_dumps(dump, here.dump().replace(b"DELETE FROM sqlite_sequence;\n", b"", 1))
    with here.reader() as db:
        check([one for one in schema_of(db) if one[1] != "sqlite_sequence"] == schema, "sqlite_schema is not what it was")
        check(db.execute("select count(*) from sqlite_sequence").fetchone() == (0,), "a counter is left")
        check(row_ids(db, tables) == rows, "rowids are not what they were")
        check(db.execute("pragma integrity_check").fetchall() == [("ok",)], "integrity_check")
        check(not re.search(rb"vestige", here.dump()), "vestige left something behind")
    say(f"the dump, {len(dump)} bytes, is byte-identical but for SQLite's own empty table of counters")


if __name__ == "__main__":
    sys.exit(session.main(test))
