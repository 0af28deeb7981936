"""Two SQLite tables live the same random life, one of them with encrypted columns: with the private key the same is read of both, before
and after it was sealed; verify accepts it with and without the key; and nowhere in the file or its log stands a value that was there.

encrypt_twins.py [SEED]     VESTIGE names the program
"""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

from redact_twins import SECRET, compare, sqlite_life

VESTIGE = os.environ["VESTIGE"]
GAMES = 6


def vestige(database, *words):
    done = subprocess.run([VESTIGE, "--db", f"sqlite:{database}", *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"vestige {' '.join(words)}: {done.stderr}")
    return done.stdout


def recorded(database, key=None):
    words = ["log", "t", "--format", "json"] + (["--identity", str(key)] if key else [])
    changes = []
    for line in vestige(database, *words).splitlines():
        change = json.loads(line)
        changes.append({k: change.get(k) for k in ("op", "key", "new_key", "row_id", "old_values", "new_values", "changed_fields")})
    return changes


def hidden(changes):
    """The same without the values of encrypted columns: only whether there is one."""
    for change in changes:
        for side in ("old_values", "new_values"):
            for column in ("s", "u"):
                if (change[side] or {}).get(column) is not None:
                    change[side][column] = "a value"
    return changes


def forget(seed, file, key):
    """One of the subjects ends: nothing of it is read any more, and everything of the others."""
    before = recorded(file, key)
    whose = next(change["key"]["id"] for change in before if change["op"] == "INSERT")
    vestige(file, "keys", "destroy", "t", "--subject", str(whose), "--by", "dpo", "--reason", "forgotten")
    for was, now in zip(before, recorded(file, key), strict=True):
        ids = {"old_values": was["key"]["id"], "new_values": (was["new_key"] or was["key"])["id"]}
        for side, owner in ids.items():
            for column in ("s", "u"):
                value = (was[side] or {}).get(column)
                if value is None:
                    continue
                if owner != whose:
                    compare(f"game {seed}, what is another's", value, now[side][column])
                elif not isinstance(now[side][column], dict) or "$encrypted" not in now[side][column]:
                    sys.exit(f"game {seed}: {column} of subject {whose} is read")


def game(seed, directory, recipient):
    dice = random.Random(seed)
    others = [f"x{i}" for i in range(dice.choice([0, 0, 14, 40]))]
    kind = dice.choice(["", "text", "integer", "real", "numeric"])
    full, trigger, rowid, wal = dice.random() < 0.3, dice.random() < 0.4, dice.random() < 0.7, dice.random() < 0.5
    subject = dice.choice([None, "id", "id", "a"])
    full = full or subject == "a"  # whose an UPDATE is has to be recorded
    columns = ["id integer primary key", "a integer", "b", f"s {kind}", f"u {kind} unique", *others]
    life = [sqlite_life(dice, others) for _ in range(30)]
    sealed_after = dice.randrange(30)
    key, seal_key = pathlib.Path(directory, "phi.key"), pathlib.Path(directory, f"{seed}.seal")
    vkey = subprocess.run([VESTIGE, "keygen", "--origin", "test", "--out", seal_key], check=True, capture_output=True, text=True)
    files = []
    for encrypted in (False, True):
        file = pathlib.Path(directory, f"{seed}-{encrypted}.db")
        files.append(file)
        with sqlite3.connect(file, isolation_level=None) as db:
            db.execute("pragma secure_delete = on")
            if wal:
                db.execute("pragma journal_mode = wal")
            db.execute(f"create table t ({', '.join(columns)})" + ("" if rowid else " without rowid"))
            vestige(file, "init")
            if encrypted:
                vestige(file, "keys", "add", "phi", recipient)
            vestige(file, "track", "t", "--capture", "full" if full else "changes", *(["--encrypt", "s=phi,u=phi"] if encrypted else []),
                    *(["--subject", subject] if encrypted and subject else []))
            if trigger:
                db.execute(f"create trigger again after update on t when new.b is not 9 begin"
                           f" update t set b = 9, s = '{SECRET}c' where id = new.id; end")
            for place, statement in enumerate(life):
                try:
                    db.execute(statement)
                except sqlite3.IntegrityError:
                    pass
                if encrypted and place == sealed_after:
                    vestige(file, "seal", "--key", str(seal_key))
        db.close()
    compare(f"game {seed}, what waits", hidden(recorded(files[0])), hidden(recorded(files[1])))
    vestige(files[1], "seal", "--key", str(seal_key))
    compare(f"game {seed}, without the key", hidden(recorded(files[0])), hidden(recorded(files[1])))
    compare(f"game {seed}, with the key", recorded(files[0]), recorded(files[1], key))
    vestige(files[1], "verify", "--vkey", vkey.stdout.strip())
    if subject == "id":
        forget(seed, files[1], key)
        vestige(files[1], "seal", "--key", str(seal_key))
        vestige(files[1], "verify", "--vkey", vkey.stdout.strip())
    with sqlite3.connect(files[1], isolation_level=None) as db:
        db.execute("pragma secure_delete = on")
        db.execute("drop table t")
        db.execute("pragma wal_checkpoint(truncate)")
        for name in (files[1], pathlib.Path(f"{files[1]}-wal")):
            if name.exists() and SECRET.encode() in name.read_bytes():
                sys.exit(f"game {seed}: a value stands in {name}")
    db.close()


def main():
    first = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 30)
    print(f"games {first} to {first + GAMES - 1}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        made = subprocess.run([VESTIGE, "keys", "generate", "--class", "phi", "--out", f"{directory}/phi.key"], check=True,
                              capture_output=True, text=True)
        for seed in range(first, first + GAMES):
            game(seed, directory, made.stdout.strip())


main()
