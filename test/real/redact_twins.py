"""Two tables live the same random life, one of them with redacted columns: what is recorded of both is the same but for the
values of these, and nowhere in the trail stands one of them. On PostgreSQL and SQLite.

redact_twins.py [SEED]     VESTIGE names the program; PGHOST and PGUSER a server
"""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

VESTIGE = os.environ["VESTIGE"]
GAMES = 6
SECRET = "k9-"
NUMBERS = ["null", "0", "0.0", "1", "1.0", "'q'", "-9223372036854775808", "2.5"]


def vestige(database, *words):
    return subprocess.run([VESTIGE, "--db", database, *words], check=True, capture_output=True, text=True).stdout


def recorded(database, table, redacted):
    """The table's changes without their ids; of a redacted column only where it stands."""
    changes = []
    for line in vestige(database, "log", table, "--format", "json").splitlines():
        change = json.loads(line)
        for side in ("old_values", "new_values"):
            for column in ("s", "u"):
                if column in (change[side] or {}):
                    if redacted and change[side][column] != {"$redacted": True}:
                        sys.exit(f"redacted, and recorded all the same: {line}")
                    change[side][column] = "a value"
        if change["op"] != "UPDATE" or change["changed_fields"]:
            changes.append({k: change.get(k) for k in ("op", "key", "new_key", "row_id", "old_values", "new_values", "changed_fields")})
    return changes


def compare(what, plain, redacted):
    if plain != redacted:
        first = next((pair for pair in zip(plain, redacted, strict=False) if pair[0] != pair[1]), (len(plain), len(redacted)))
        sys.exit(f"{what}: what is recorded differs:\n  plain    {first[0]}\n  redacted {first[1]}")


def sqlite_life(dice, others):
    def value(column):
        return dice.choice([*NUMBERS, f"'{SECRET}a'", f"'{SECRET}b'"] if column in "su" else NUMBERS)

    row, one, two = dice.choice("1234"), dice.choice([*"absu", *others]), dice.choice("absu")
    values = ", ".join(value(column) for column in "absu")
    return dice.choice([
        f"insert or replace into t (id, a, b, s, u) values ({row}, {values})",
        f"insert into t (id, a, b, s, u) values ({row}, {values}) on conflict do update set s = excluded.s",
        f"update or replace t set {one} = {value(one)}" + (f", {two} = {value(two)}" if two != one else "") + f" where id = {row}",
        f"update or replace t set s = {value('s')}", "update t set s = s, a = a",
        f"delete from t where id = {row}", f"update or replace t set id = {dice.choice('1234')} where id = {row}"])


def on_sqlite(seed, directory):
    dice = random.Random(seed)
    others = [f"x{i}" for i in range(dice.choice([0, 0, 14, 40]))]
    kind = dice.choice(["", "text", "integer", "real", "numeric"])
    full, trigger, rowid = dice.random() < 0.3, dice.random() < 0.4, dice.random() < 0.7
    columns = ["id integer primary key", "a", "b", f"s {kind}", f"u {kind} unique", *others]
    life = [sqlite_life(dice, others) for _ in range(30)]
    lives = []
    for redacted in (False, True):
        file = pathlib.Path(directory, f"{seed}-{redacted}.db")
        with sqlite3.connect(file, isolation_level=None) as db:
            db.execute(f"create table t ({', '.join(columns)})" + ("" if rowid else " without rowid"))
            vestige(f"sqlite:{file}", "init")
            vestige(f"sqlite:{file}", "track", "t", "--capture", "full" if full else "changes", "--redact", "s,u" if redacted else "")
            if trigger:
                db.execute(f"create trigger again after update on t when new.b is not 9 begin"
                           f" update t set b = 9, s = '{SECRET}c' where id = new.id; end")
            refused = 0
            for statement in life:
                try:
                    db.execute(statement)
                except sqlite3.IntegrityError:
                    refused += 1
        lives.append([refused, *recorded(f"sqlite:{file}", "t", redacted)])
    compare(f"SQLite, game {seed}", *lives)
    with sqlite3.connect(file, isolation_level=None) as db:
        db.execute("drop table t")
        db.execute("vacuum")
    if SECRET.encode() in file.read_bytes():
        sys.exit(f"SQLite, game {seed}: a redacted value stands in {file}")


def psql(script):
    return subprocess.run(["psql", "-qX", "postgres"], input=script, check=True, capture_output=True, text=True)


def postgres_life(dice, values):
    row, number, value = dice.choice("1234"), dice.choice(["1", "2", "3", "null"]), dice.choice(values)
    return dice.choice([
        f"insert into $ values ({row}, {number}, {value}, 'h')",
        f"insert into $ select g, {number}, {value}, 'x' from generate_series(1, 4) g on conflict do nothing",
        f"update $ set s = {value} where id = {row}", f"update $ set s = {value}, n = {number}", f"update $ set n = {number} where id = {row}",
        "update $ set s = s", f"update $ set id = id + 10 where id = {row}", "update $ set id = id - 10 where id > 10",
        f"delete from $ where id = {row}", "begin", "commit", "truncate $", f"update $ set h = repeat('h', 3000) where id = {row}"])


def on_postgres(seed):
    dice = random.Random(seed)
    kind, values = dice.choice([
        ("text", [f"'{SECRET}a'", f"'{SECRET}b'", "''", "null"]), ("jsonb", [f"'{{\"{SECRET}\": 1}}'", "'null'", "null"]),
        ("char(6)", [f"'{SECRET}'", f"'{SECRET} '", "null"]), ("numeric", ["1", "1.0", "null"]), ("float8", ["'-0.0'", "0", "'NaN'", "null"])])
    policy = ", capture => 'full'" if dice.random() < 0.3 else ""
    key, trigger, large = dice.random() < 0.8, dice.random() < 0.5, dice.random() < 0.3
    life = ";\n".join(postgres_life(dice, values) for _ in range(25)) + ";\ncommit;\n"
    lives = []
    if large:
        psql("insert into vestige.meta values ('large_row', '2500'); select vestige.mend();")
    for table, redacted in ((f"plain_{abs(seed)}", False), (f"redacted_{abs(seed)}", True)):
        script = f"create table {table} (id int{' primary key' if key else ''}, n int, s {kind}, h text);\n"
        script += f"select vestige.track('{table}'{policy}{', redact => ' + repr('{s}') if redacted else ''});\n"
        if trigger:
            script += (f"create function again_{table}() returns trigger language plpgsql as $f$ begin if new.n < 3 then"
                       f" update {table} set n = n + 1, s = {values[0]} where id = new.id; end if; return null; end $f$;\n"
                       f"create trigger {'z' if seed % 2 else 'a'}_again after update on {table} for each row execute function again_{table}();\n")
        errors = psql(script + life.replace("$", table)).stderr.count("ERROR")
        lives.append([errors, *recorded("postgresql:///postgres", table, redacted)])
    if large:
        psql("delete from vestige.meta where name = 'large_row'; select vestige.mend();")
    compare(f"PostgreSQL, game {seed}", *lives)
    stored = psql(f"copy (select c from vestige.change c join vestige.tracked t on t.id = c.tracked where t.table_name = '{table}') to stdout")
    if SECRET in stored.stdout:
        sys.exit(f"PostgreSQL, game {seed}: a redacted value stands in vestige.change")


def main():
    first = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 30)
    print(f"games {first} to {first + GAMES - 1}", flush=True)
    vestige("postgresql:///postgres", "init")
    with tempfile.TemporaryDirectory() as directory:
        for seed in range(first, first + GAMES):
            on_sqlite(seed, directory)
            on_postgres(seed)


if __name__ == "__main__":
    main()
