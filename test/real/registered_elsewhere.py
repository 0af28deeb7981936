#!/usr/bin/python3
"""Collations and functions that only the application registers: the table is tracked and recorded, every verb does its work or
says what it needs, of which table, and nothing is lost."""
import contextlib
import re
import shutil
import sqlite3
import sys
import tempfile

from session import Session, check

WITH_ID = "create table t (id integer primary key, name text, n)"
KINDS = {
    "collation of the key": "create table t (id text primary key collate unicase, name text, n)",
    "collation of the key, WITHOUT ROWID":
        "create table t (id text primary key collate unicase, name text, n) without rowid",
    "collation of a part of the key":
        "create table t (id text collate unicase, name text, n, primary key (id, n))",
    "collation of a column": "create table t (id integer primary key, name text collate unicase, n)",
    "collation of a unique column":
        "create table t (id integer primary key, name text collate unicase unique, n)",
    "collation of a column, WITHOUT ROWID":
        "create table t (id integer, n, name text collate unicase, primary key (id)) without rowid;"
        "create unique index i on t (name, id)",
    "collation of an index": f"{WITH_ID}; create index i on t (name collate unicase)",
    "collation of a unique index": f"{WITH_ID}; create unique index i on t (name collate unicase)",
    "function of a partial index": f"{WITH_ID}; create index i on t (n) where app_fn(name) > 0",
    "function of a unique partial index": f"{WITH_ID}; create unique index i on t (n) where app_fn(name) > 0",
    "function of an index": f"{WITH_ID}; create index i on t (app_fn(name))",
    "function of a unique index": f"{WITH_ID}; create unique index i on t (app_fn(name), name)",
    "function of a CHECK": "create table t (id integer primary key, name text check (app_fn(name) > 0), n)",
    "function of a virtual column":
        "create table t (id integer primary key, name text, n, g as (app_fn(name)))",
    "function of a virtual column in a unique index":
        "create table t (id integer primary key, name text, n, g as (app_fn(name) || name) unique)",
    "function of a stored column":
        "create table t (id integer primary key, name text, n, g as (app_fn(name)) stored)",
    "function of a trigger":
        f"{WITH_ID}; create table seen (x); create trigger app after update on t"
        " begin insert into seen values (app_fn(NEW.name)); end",
    "collation of a trigger":
        f"{WITH_ID}; create table seen (x); create trigger app after update on t"
        " begin insert into seen select 1 where NEW.name = 'a' collate unicase; end",
}
ONLY_HERE = "only the application registers the (collation unicase|function app_fn)"
RAW = re.compile("no such collation|no such function|unknown function|no query solution|run sql")

# What needs neither a collation nor a function, of no kind: the trail alone, or the schema.
ALWAYS = [
    ["init"], ["status"], ["doctor"], ["doctor", "--fix"], ["track", "t", "--tags", "x"], ["untrack", "t"],
    ["plan"], ["apply"], ["log"], ["log", "t"], ["log", "t", "{key}"], ["log", "-q", "table:t ink"], ["show", "1"],
    ["show", "--tx", "1"], ["ddl", "alter table t add column more"],
    ["exec", "--actor", "ann", "insert into other values (1)"], ["seal", "--key", "seal.key"],
    ["verify", "--vkey", "seal.vkey"], ["metrics"], ["serve", "--help"], ["notify", "--help"], ["export"], ["export", "--format", "ocsf"], ["tiles", "--out", "tiles"], ["prove", "1"], ["mark", "then", "1"], ["access"], ["review"], ["hold"], ["expire"], ["archive", "--out", "archive"],
    ["rules", "test"], ["watch", "--once"], ["alert", "list"],
    ["check", "receipt", "--vkey", "seal.vkey"], ["keygen", "--origin", "a.example/b", "--out", "new.key"], ["keys", "generate", "--class", "phi", "--out", "phi.key"],
    ["witness", "--help"], ["report", "changes"],
    ["help", "log"], ["completion", "bash"],
]
# What reads the row, or the table, or writes it.
MAYBE = [
    ["erase", "t", "{key}", "--reason", "request 1"], ["blame", "t", "{key}"], ["field", "t", "{key}", "n"], ["diff", "t", "{key}", "--from", "1", "--to", "now"], ["at", "t", "--change", "1"],
    ["at", "t", "{key}", "--change", "1"], ["verify", "--live"], ["restore", "t", "{key}", "--to", "1"],
    ["restore", "t", "{key}", "--to", "1", "--dry-run"], ["revert", "--tx", "{tx}"], ["revert", "--tx", "{tx}", "--dry-run"],
    ["undo", "--dry-run"], ["revert", "--change", "{gone}"], ["track", "t", "--baseline"], ["exec", "--actor", "ann", "update t set n = 7"],
    ["exec", "--actor", "ann", "update t set name = 'x'"], ["exec", "--actor", "ann", "insert into t (id, name, n) values (9, 'y', 9)"],
    ["exec", "--actor", "ann", "delete from t where n = 3"],
    ["exec", "--actor", "ann", "select * from t where id = 1 collate binary"],
    ["ddl", "create table u (id, name, n); insert into u select id, name, n from t; drop table t; alter table u rename to t"],
]
READERS = {"blame", "field", "diff", "at", "erase"}
# Of these alone SQLite lets nobody read a row without.
UNREADABLE = {"collation of the key, WITHOUT ROWID", "function of a virtual column",
              "function of a virtual column in a unique index"}


def application(path):
    """A connection of the application's."""
    db = sqlite3.connect(path, isolation_level=None)
    db.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    db.create_function("app_fn", 1, lambda name: None if name is None else len(name), deterministic=True)
    return db


def stands(path):
    """All rows of the table and of the history."""
    with contextlib.closing(application(path)) as db:
        return [db.execute(f"select * from {table} order by 1, 2, 3").fetchall() for table in ("t", "vestige_change")]


def every_verb(session):
    listed = session.vestige("help").stdout.decode()
    verbs = {match[1] for match in re.finditer(r"^  ([a-z]+)  +\S", listed.split("In 60 seconds")[0], re.MULTILINE)}
    tried = {words[0] for words in ALWAYS + MAYBE}
    check(verbs == tried, f"verbs that are not tried, or are none: {verbs ^ tried}")


def answers(session, kind, words, key):
    """Runs a verb on a copy; whether it did its work."""
    before = stands(session.path)
    kept = f"{session.path}.kept"
    shutil.copy(session.path, kept)
    filled = []
    for word in words:
        filled += key if word == "{key}" else [word.format(tx=3, gone=4)]
    done = session.vestige(*filled, codes=(0, 1, 3))
    said = done.stdout.decode() + done.stderr.decode()
    check(not RAW.search(said), f"{kind}: {filled}: a raw error\n{said}")
    refused = re.search(ONLY_HERE, said)
    if refused:
        check(done.returncode == 3 and re.search(rf"use t\b.*: {ONLY_HERE}", said)
              and "a program that registers it" in said, f"{kind}: {filled}: {done.returncode} {said}")
        check(refused[1].split()[0] in kind, f"{kind}: {filled}: names another\n{said}")
        check(stands(session.path) == before, f"{kind}: {filled}: refused, and half done")
    else:
        check(done.returncode == (1 if words[0] == "plan" else 0), f"{kind}: {filled}: {done.returncode}\n{said}")
    shutil.copy(kept, session.path)
    return not refused


def plain_client(path, statement):
    """Whether a client that registers nothing can write this."""
    db = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(db):
        try:
            db.execute(statement)
            return True
        except sqlite3.OperationalError:
            return False


WRITES = ["update t set n = 7", "update t set name = 'x'", "insert into t (id, name, n) values (9, 'y', 9)",
          "replace into t (id, name, n) values (9, 'y', 9)", "delete from t where n = 1", "update or replace t set n = 7"]


def harmed(kind, schema, directory):
    """What a client without the application's collations and functions can write, it can write when the table is tracked: where
    a virtual column needs one, if that is not recorded."""
    policy = ["--exclude", "g"] if "virtual" in kind else []
    for number, statement in enumerate(WRITES):
        session = Session(directory, f"plain{number}.db")
        with contextlib.closing(application(session.path)) as db:
            db.executescript(schema)
            db.execute("insert into t (id, name, n) values (1, 'Ink', 1)")
        kept = f"{session.path}.kept"
        shutil.copy(session.path, kept)
        could = plain_client(session.path, statement)
        shutil.copy(kept, session.path)
        session.vestige("init")
        session.vestige("track", "t", *policy)
        check(plain_client(session.path, statement) or not could, f"{kind}: {statement} is not possible any more")


def recorded(session, kind, schema):
    """The application's writes are recorded, whatever they need."""
    key = "Ink" if schema.startswith("create table t (id text") else 1
    with contextlib.closing(application(session.path)) as db:
        db.executescript(schema + "; create table other (x)")
        db.execute("insert into t (id, name, n) values (?, 'Ink', 1)", [key])
        session.vestige("init")
        session.vestige("track", "t")
        db.execute("update t set n = 2")
        db.execute("insert into t (id, name, n) values (2, 'Pen', 5)")
        db.execute("update t set name = 'INK!', n = 3 where id = ?", [key])
        db.execute("delete from t where n = 5")
        db.execute("replace into t (id, name, n) values (3, 'nib', 6)")
        db.execute("replace into t (id, name, n) values (3, 'nib', 6)")
    ops = [change["op"] for change in session.objects("log")]
    session.vestige("seal", "--key", "seal.key")
    (session.directory / "receipt").write_bytes(session.vestige("prove", "1").stdout)
    check(ops == ["INSERT", "DELETE", "INSERT", "DELETE", "UPDATE", "INSERT", "UPDATE"], f"{kind}: recorded {ops}")
    return [str(key), "3"] if "primary key (id, n)" in schema else [str(key)]


def conditions_are_refused(directory):
    """A condition that needs what the table does not would make each write fail."""
    for schema in (WITH_ID, KINDS["function of a virtual column"], KINDS["function of a CHECK"]):
        session = Session(directory, "condition.db")
        session.path.unlink(missing_ok=True)
        with contextlib.closing(application(session.path)) as db:
            db.executescript(schema)
        session.vestige("init")
        said = session.vestige("track", "t", "--when", "lenght(NEW.name) > 1", codes=(2,)).stderr.decode()
        check("no such function or collation: lenght" in said, said)
        session.vestige("track", "t", "--when", "NEW.name = 'x'")


def every_kind(directory):
    for kind, schema in KINDS.items():
        if sys.argv[1:] and kind not in sys.argv[1:]:
            continue
        harmed(kind, schema, tempfile.mkdtemp(dir=directory))
        session = Session(tempfile.mkdtemp(dir=directory), "shop.db")
        (session.directory / "vestige.toml").write_text("[tables.t]\ntags = ['y']\n[[rule]]\nid = 'every'\n")
        (session.directory / "seal.vkey").write_bytes(
            session.vestige("keygen", "--origin", "a.example/b", "--out", "seal.key").stdout)
        key = recorded(session, kind, schema)
        for words in ALWAYS:
            check(answers(session, kind, words, key), f"{kind}: {words} needs nothing of the application")
        for words in MAYBE:
            did = answers(session, kind, words, key)
            check(did or words[0] not in READERS or kind in UNREADABLE, f"{kind}: {words} could be read")


def main():
    with tempfile.TemporaryDirectory() as directory:
        every_verb(Session(directory, "none.db"))
        conditions_are_refused(directory)
        every_kind(directory)


main()
