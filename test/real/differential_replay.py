#!/usr/bin/python3
"""What vestige says against what SQLite says: changes made by the stock shell and by nothing else, the JSON
of the log folded forward, and `at` every change against snapshots taken between the statements; bit by bit.

    differential_replay.py          SEED=N another history; KEEP=1 leaves the files of a failure
"""
import collections
import os
import random
import sys

import replay
import session
from session import Session, check

SEED = int(os.environ.get("SEED", "20260108"))
CHANGES = 200

# Literals of every storage class, to the ends of it.
INTEGERS = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775806", "4611686018427387905",
            "9007199254740993", "-9007199254740993", "127", "-32769", "1 << 40"]
REALS = ["0.1", "-0.1", "1e300 * 10", "1.7976931348623157e308", "5e-324", "-5e-324", "2.2250738585072014e-308", "9e999", "-9e999",
         "0.0", "-0.0", "0.0 * -1", "1.0", "2.0", "9007199254740993.0", "9223372036854775807.0", "1e15", "123456789012345680.0",
         "0.1 + 0.2", "1.0 / 3", "3.141592653589793"]
TEXTS = ["''", "'a'", "'O''Neil \"q\" \\ / \\n'", "'é北京🌍'", "cast(x'00' as text)", "'a' || char(0) || 'b'", "char(1, 8, 9, 10, 12, 13, 31, 127)",
         "cast(x'ff' as text)", "cast(x'61ff62' as text)", "cast(x'c0af' as text)", "cast(x'eda080' as text)", "cast(x'f4908080' as text)",
         "cast(x'e4b8' as text)", "char(0xfffe, 0xffff, 0x10ffff, 0x2028)", "'1'", "'1.0'", "'1e5'", "' 7'", "'NaN'", "'null'",
         "'{\"$blob\":\"00\"}'", "printf('%.*c', 5000, 'x')", "'Ω' || x'00' || 'Ω'"]
BLOBS = ["x''", "x'00'", "x'00ff'", "x'7b7d'", "zeroblob(300)", "cast('text' as blob)", "x'ff41'"]
VALUES = [INTEGERS, REALS, TEXTS, BLOBS, ["null"]]

# name: (DDL, key columns with how to make one from a number, other columns)
KEY_LITERALS = ["{n}", "'k{n}'", "{n}.5", "x'{n:04x}'", "'{n}'", "-{n}", "cast(x'ff{n:04x}' as text)", "9223372036854775807 - {n}", "'é{n}'"]
SCHEMAS = {
    "rowid_key": ("create table t (id integer primary key, a, b text, c real, d integer, e blob, f numeric)",
                  {"id": ["{n}", "-{n}", "9223372036854775807 - {n}"]}, "abcdef"),
    "text_key": ("create table t (k text primary key not null, a, b text, c real) without rowid",
                 {"k": ["'k{n}'", "'é{n}'", "'{n}'", "cast(x'ff{n:04x}' as text)", "'{n}' || char(0)"]}, "abc"),
    "any_key": ("create table t (k not null, l not null, a, b int, c real, primary key (l, k)) without rowid",
                {"k": KEY_LITERALS, "l": KEY_LITERALS}, "abc"),
    "rowid_with_key": ("create table t (k primary key not null, a, b varchar(9), c double)", {"k": KEY_LITERALS}, "abc"),
    "no_key": ("create table t (a, b text, c real, d int)", {}, "abcd"),
    "generated": ("create table t (id integer primary key, a, b text, len integer generated always as (length(a)) stored,"
                  " up generated always as (upper(b)) virtual)", {"id": ["{n}"]}, "ab"),
    "strict": ("create table t (k text primary key, a any, b text, c real, d integer, e blob) strict", {"k": ["'k{n}'"]}, "abcde"),
    "wide": ("create table t (id integer primary key, " + ", ".join(f"c{n}" for n in range(70)) + ")",
             {"id": ["{n}"]}, [f"c{n}" for n in range(70)]),
    "odd_names": ('create table t (id integer primary key, "select" text, "a b" real, "it\'s ""q""", "Ünï" blob)',
                  {"id": ["{n}"]}, ['"select"', '"a b"', '"it\'s ""q"""', '"Ünï"']),
}
STRICT = {"b": TEXTS + ["null"], "c": [text for text in REALS + INTEGERS if "9223372036854775807.0" not in text] + ["null"],
          "d": INTEGERS + ["null"], "e": BLOBS + ["null"]}
COLUMNS_AT_ONCE = 5


class History:
    """Statements of one row or several, over a small set of keys."""

    def __init__(self, schema, seed):
        self.schema = schema
        _, self.keys, columns = SCHEMAS[schema]
        self.columns = list(columns)
        self.random = random.Random(f"{seed} {schema}")

    def value(self, column):
        if self.schema == "strict" and column in STRICT:
            return self.random.choice(STRICT[column])
        return self.random.choice(self.random.choice(VALUES))

    def key(self):
        return [self.random.choice(forms).format(n=self.random.randrange(1, 25)) for forms in self.keys.values()]

    def row(self):
        return "(" + ", ".join(self.key() + [self.value(column) for column in self.columns]) + ")"

    def where(self):
        names = list(self.keys)
        made = self.random.randrange(3)
        if not names or made == 0:
            return self.some()
        if made == 1:
            return " and ".join(f"{name} = {key}" for name, key in zip(names, self.key()))
        return f"{names[0]} >= {self.key()[0]}"

    def some(self):
        column = self.random.choice(self.columns)
        return f"typeof({column}) = '{self.random.choice(['integer', 'real', 'text', 'blob', 'null'])}'"

    def assignments(self):
        some = self.random.sample(self.columns, min(len(self.columns), self.random.randint(1, COLUMNS_AT_ONCE)))
        return ", ".join(f"{column} = {self.value(column)}" for column in some)

    def statement(self):
        into = f"into t ({', '.join([*self.keys, *self.columns])}) values"
        made = self.random.choice(["insert"] * 5 + ["or"] * 3 + ["update"] * 6 + ["key"] * 2 + ["delete"] * 2 + ["rollback", "same"])
        if made == "insert":
            return f"insert or ignore {into} {self.row()}, {self.row()}"
        if made == "or":
            return f"replace {into} {self.row()}" + (f", {self.row()}" if self.random.randrange(2) else "")
        if made == "update":
            return f"update t set {self.assignments()} where {self.where()}"
        if made == "key" and self.keys:
            name = self.random.choice(list(self.keys))
            value = self.key()[list(self.keys).index(name)]
            how = self.random.choice(["or ignore", "or replace"])
            return f"update {how} t set {name} = {value}, {self.assignments()} where {' and '.join(f'{n} = {k}' for n, k in zip(self.keys, self.key()))}"
        if made == "delete":
            return f"delete from t where {self.where()}"
        if made == "rollback":
            return f"begin; delete from t; insert {into} {self.row()}; rollback"
        return f"update t set {self.columns[0]} = {self.columns[0]}"


def last_change(db):
    return db.execute("select coalesce(max(id), 0) from vestige_change").fetchone()[0]


def fold_and_compare(here, schema, start, snapshots):
    """The log, oldest first; wherever a statement ended, the fold is the snapshot."""
    changes = here.objects("log", "t", "--reverse")
    with here.reader() as db:
        row_ids = replay.recorded_row_ids(db)
    folded = start
    for change in changes:
        replay.check_shape(change)
        folded.apply(change, row_ids[change["id"]])
        if change["id"] in snapshots:
            differs = folded.differs(snapshots[change["id"]])
            check(differs is None, f"{schema}: folded to change {change['id']} it is not what it was\n{differs}")
    check(changes and changes[-1]["id"] in snapshots, f"{schema}: the log does not end with the last change")
    return changes


def at_every_change(here, schema, changes, snapshots, start):
    """`at` after every change: the snapshot where a statement ended, and the fold everywhere."""
    for change in changes:
        start.apply(change)
        bag = snapshots.get(change["id"], start)
        rows = here.objects("at", "t", "--change", str(change["id"]))
        differs = bag.others(collections.Counter(replay.frozen(replay.row_of_json(row)) for row in rows))
        check(differs is None, f"{schema}: at change {change['id']} it is not what it was\n{differs}")


def test_schema(directory, schema, say):
    here = Session(directory, schema + ".db")
    history = History(schema, SEED)
    create = SCHEMAS[schema][0]
    rows = ", ".join(history.row() for _ in range(9))
    names = ", ".join([*history.keys, *history.columns])
    here.shell(f"{create};\ninsert or ignore into t ({names}) values {rows};")
    with here.reader() as db:
        first, second = replay.table_at(db, "t"), replay.table_at(db, "t")
    here.vestige("init")
    here.vestige("track", "t")
    script, snapshots, classes = [], {}, collections.Counter()
    reached = statements = 0
    while reached < CHANGES:
        script.append(history.statement() + ";")
        statements += 1
        check(statements < 1000, f"{schema}: {statements} statements made {reached} changes only")
        here.keep(schema + ".sql", "\n".join(script).encode())
        here.shell(script[-1])
        with here.reader() as db:
            reached = last_change(db)
            snapshots[reached] = replay.table_at(db, "t")
    for bag in snapshots.values():
        for row in bag.rows.values():
            classes.update(value[0] if value else "null" for value in row.values())
    snapshots.pop(0, None)
    changes = fold_and_compare(here, schema, first, snapshots)
    if not history.keys:
        done = here.vestige("at", "t", "--change", "1", codes=(2, 3))
        check(b"tracked without a key" in done.stderr, f"at without a key: {done.stderr}")
    else:
        at_every_change(here, schema, changes, snapshots, second)
    check(len(classes) == 5, f"{schema}: the history has no values of some storage class: {classes}")
    ops = collections.Counter(change["op"] for change in changes)
    moved = sum("new_key" in change for change in changes)
    say(f"{schema}: {statements} statements, {len(changes)} changes {dict(ops)}, {moved} keys moved")
    return moved


def test(directory):
    print(f"seed {SEED}", flush=True)
    say = session.Progress()
    wanted = os.environ.get("SCHEMA", " ".join(SCHEMAS)).split()
    moved = sum(test_schema(directory, schema, say) for schema in wanted)
    check(moved > 10 or len(wanted) < len(SCHEMAS), f"{moved} keys moved only")


if __name__ == "__main__":
    sys.exit(session.main(test))
