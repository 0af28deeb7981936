#!/usr/bin/python3
"""A database made by Django's own migrations, written to through its ORM: every transaction can be undone,
not a byte differs; and a later migration that builds tables anew is found, repaired, or goes through
`vestige ddl`. KEEP=1 leaves the files of a failure."""
import collections
import os
import shutil
import sys

import replay
import session
from session import SOURCE, Session, check

PROJECT = SOURCE / "test/real/django_project"
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")


class Site(Session):
    def __init__(self, directory, name):
        super().__init__(directory, name)
        self.environment |= {"DJANGO_DB": str(self.path), "DJANGO_SETTINGS_MODULE": "settings",
                             "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}

    def copy(self, name):
        other = Site(self.directory, name)
        shutil.copy(self.path, other.path)
        return other

    def later(self):
        """From here on the models are those after migration 0002."""
        self.environment["LIBRARY_LATER"] = "1"

    def django(self, *words):
        return self.run([PYTHON, "-m", "django", *words]).stdout.decode()

    def write(self, what):
        return self.run([PYTHON, str(PROJECT / "writes.py"), what]).stdout.decode()

    def application(self):
        """The dump of the application's tables: AUTOINCREMENT's counters are SQLite's own and only grow."""
        lines = self.dump().split(b"\n")
        return b"\n".join(line for line in lines if b"sqlite_sequence" not in line)

    def counters(self):
        with self.reader() as db:
            return dict(db.execute("select name, seq from sqlite_sequence"))

    def tables(self):
        with self.reader() as db:
            names = [name for name, in db.execute("select name from sqlite_schema where type = 'table' and name not like"
                                                  " 'sqlite_%' and name not like 'vestige_%' order by name")]
            return {name: replay.table_at(db, name) for name in names}


def check_record(site, before, after):
    """The log folded forward is the database as it stands."""
    changes = site.objects("log", "--reverse")
    for change in changes:
        replay.check_shape(change)
        before[change["table"]].apply(change)
    for table, bag in after.items():
        differs = before[table].differs(bag)
        check(differs is None, f"{table}: folded forward it is not what it is\n{differs}")
    reasons = collections.Counter(change["context"].get("reason") for change in changes)
    check({"a group for the readers", "new names", "prices of 2026", "left the company", "another key"} < set(reasons),
          f"reasons {reasons}")
    check("never" not in reasons, "a context of a transaction that was rolled back")
    for change in changes:
        check(("actor" in change["context"]) == ("reason" in change["context"]), f"half a context: {change}")
    with site.reader() as db:
        check(db.execute("select count(*) from vestige_session").fetchone() == (0,), "a context was left behind")
    return changes


def test_revert(site, dump, counters, changes):
    transactions = collections.Counter(change["tx"] for change in changes)
    for tx in sorted(transactions, reverse=True):
        [outcome] = site.objects("revert", "--tx", str(tx))
        check(outcome["applied"] == transactions[tx] and not outcome["conflicts"], f"revert of tx {tx}: {outcome}")
    site.vestige("doctor")
    site.vestige("init", "--remove", "--yes")
    session.compare_dumps(dump, site.application())
    grown = site.counters()
    check(all(grown[name] >= counters.get(name, 0) for name in grown) and set(counters) <= set(grown),
          f"AUTOINCREMENT: {counters} became {grown}")
    return len(transactions)


def test_found_and_fixed(site):
    """Django's own migrate drops the triggers; doctor says so and repairs it."""
    site.later()
    before = len(site.objects("log"))
    site.django("migrate", "library", "0002")
    found = site.objects("doctor", codes=(1,))
    errors = {(row["code"], row["table"]) for row in found if row["severity"] == "error"}
    check({("triggers-missing", "library_author"), ("triggers-missing", "library_book")} <= errors, f"doctor: {found}")
    check({table for _, table in errors} == {"library_author", "library_book"}, f"doctor: {found}")
    text = site.vestige("doctor", codes=(1,)).stdout.decode()
    check("library_book" in text and "library_author" in text, f"doctor does not name the tables:\n{text}")
    site.vestige("doctor", "--fix")
    site.vestige("doctor")
    check_recorded_after(site, before)


def test_ddl(site):
    """The same migration as SQL through vestige ddl: nothing is lost."""
    shelf = site.tables()
    last = site.objects("log", "-n", "1")[0]["id"]
    history = site.objects("log", "library_book")
    sql = site.django("sqlmigrate", "library", "0002")
    site.later()
    # sqlmigrate prints BEGIN and COMMIT around it; vestige ddl has a transaction of its own.
    lines = [line for line in sql.split("\n") if line not in ("BEGIN;", "COMMIT;")]
    site.vestige("ddl", "--actor", "deploy", "--reason", "0002", stdin="\n".join(lines))
    site.django("migrate", "--fake", "library", "0002")
    site.vestige("doctor")
    now = site.objects("log", "library_book")
    check([change["id"] for change in now][-len(history):] == [change["id"] for change in history],
          "changes of library_book are lost")
    check(any("name" in (change["new_values"] or {}) for change in now), "the renamed column is not under its new name")
    check_recorded_after(site, len(site.objects("log")))
    rows = site.objects("at", "library_book", "--change", str(last))
    was = {row["id"][1]: row["title"] for row in shelf["library_book"].rows.values()}
    found = {row["id"]: ("t", row["name"].encode()) for row in rows}
    check(was == found, f"at, before the migration: {found}, it was {was}")


def check_recorded_after(site, before):
    """What is written after the migration is recorded, under the new names."""
    book = site.write("after").strip()
    changes = site.objects("log", "--reverse")[before:]
    own = [change for change in changes if change["table"] == "library_book" and change["key"] == {"id": int(book)}]
    check([change["op"] for change in own] == ["INSERT", "UPDATE"], f"after the migration: {changes}")
    check(own[0]["new_values"]["pages"] == 321 and own[1]["new_values"] == {"name": "After it", "pages": 322},
          f"after the migration: {own}")
    author = [change for change in changes if change["table"] == "library_author" and change["key"] == {"id": 2}]
    check(author and author[-1]["new_values"] == {"name": "Renamed later"}, f"after the migration: {changes}")
    [outcome] = site.objects("revert", "--change", str(own[1]["id"]))
    check(outcome["applied"] == 1, f"revert after the migration: {outcome}")


def test(directory):
    say = session.Progress()
    site = Site(directory, "django.db")
    for application in ("contenttypes", "auth", "admin", "sessions"):
        site.django("migrate", application)
    site.django("migrate", "library", "0001")
    dump, counters, before = site.application(), site.counters(), site.tables()
    site.vestige("init")
    site.vestige("track", "--all")
    say(f"{len(before)} tables made by Django's migrations, tracked")
    site.write("main")
    after = site.tables()
    changes = check_record(site, before, after)
    ops = collections.Counter(change["op"] for change in changes)
    check(ops["INSERT"] > 300 and ops["UPDATE"] > 100 and ops["DELETE"] > 50, f"the writes are too tame: {ops}")
    site.vestige("doctor")
    say(f"{len(changes)} changes through the ORM, read and folded: {dict(ops)}")
    test_found_and_fixed(site.copy("fixed.db"))
    say("a migration that dropped the triggers: found, repaired")
    test_ddl(site.copy("ddl.db"))
    say("the same through vestige ddl: nothing lost")
    count = test_revert(site, dump, counters, changes)
    say(f"{count} transactions reverted; the dump, {len(dump)} bytes, is byte-identical")


if __name__ == "__main__":
    sys.exit(session.main(test))
