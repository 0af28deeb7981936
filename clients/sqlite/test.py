#!/usr/bin/python3
"""The loadable extension, in Python's own SQLite: test.py FILE [unittest's arguments]. What it says is held against what the program
says of the same database."""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

VESTIGE = os.environ["VESTIGE"]
SHOP = """create table products (id integer primary key, name text, price integer, updated_at text);
create table notes (a text, b integer, body, primary key (a, b)) without rowid;
insert into products values (1, 'Teapot', 99900, 'x'), (2, 'Cup', 1200, 'x');"""


def connect(file):
    db = sqlite3.connect(file, isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(EXTENSION)
    db.enable_load_extension(False)
    return db


def told(db, sql, *given):
    """One value, from JSON."""
    return json.loads(db.execute(sql, given).fetchone()[0])


class Extension(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix="vestige-extension-")
        self.addCleanup(self.top.cleanup)
        self.file = pathlib.Path(self.top.name) / "shop.db"
        self.db = connect(self.file)
        self.addCleanup(lambda: self.db.close())
        self.db.executescript(SHOP)

    def tracked(self, db=None):
        db = db or self.db
        self.assertEqual(db.execute("select vestige_init()").fetchone(), (1,))
        self.assertEqual(db.execute("""select vestige_track('products', '{"exclude":["updated_at"]}')""").fetchone(), (3,))
        return db

    def refused(self, sql, *given):
        with self.assertRaises(sqlite3.OperationalError) as caught:
            self.db.execute(sql, given).fetchall()
        return str(caught.exception)

    def program(self, *words):
        done = subprocess.run([VESTIGE, "--db", self.file, *map(str, words)], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_records_shows_and_undoes_inside_the_connection(self):
        db = self.tracked()
        db.execute("begin")
        db.execute("select vestige_context(?)", ('{"actor":"ann","reason":"it\\u0027s \\"late\\"","ticket":"A-1"}',))
        db.execute("update products set price = 1300 where id = 2")
        db.execute("select vestige_context(null)")
        db.execute("commit")
        db.execute("delete from products where id = 1")
        rows = db.execute("select id, op, \"table\", key, old_values, new_values, changed_fields, tx, context, actor, reason"
                          " from vestige_changes").fetchall()
        said = self.program("log", "--format", "json")
        self.assertEqual([row[0] for row in rows], [one["id"] for one in said])
        for row, one in zip(rows, said):
            self.assertEqual(row[1:3], (one["op"], one["table"]))
            for place, name in ((3, "key"), (4, "old_values"), (5, "new_values"), (8, "context")):
                self.assertEqual(row[place] and json.loads(row[place]), one[name])
            self.assertEqual(row[6] and json.loads(row[6]), one.get("changed_fields"))
            self.assertEqual(row[7], one["tx"])
            self.assertEqual(row[9], one["context"].get("actor"))
        self.assertEqual(json.loads(rows[1][8]), {"actor": "ann", "reason": "it's \"late\"", "ticket": "A-1"})
        done = told(db, "select vestige_revert(?, ?)", rows[0][7], '{"actor":"eve","reason":"mistake"}')
        self.assertEqual((done["applied"], done["conflicts"]), (1, []))
        self.assertEqual(db.execute("select name, price from products where id = 1").fetchone(), ("Teapot", 99900))
        last = db.execute("select op, actor, reason, tx from vestige_history('products', 1) limit 1").fetchone()
        self.assertEqual(last, ("INSERT", "eve", "mistake", done["tx"]))

    def test_works_in_memory_and_in_an_open_transaction(self):
        db = connect(":memory:")
        db.executescript(SHOP)
        self.tracked(db)
        db.execute("begin")
        db.execute("update products set price = 0")
        tx = db.execute("select tx from vestige_changes limit 1").fetchone()[0]
        self.assertEqual(db.execute("select count(*) from vestige_history('products', '1')").fetchone(), (1,))
        self.assertEqual(told(db, "select vestige_revert(?)", tx)["applied"], 2)
        self.assertTrue(db.in_transaction)
        self.assertEqual(db.execute("select sum(price) from products").fetchone(), (101100,))
        db.execute("rollback")
        self.assertEqual(db.execute("select count(*) from vestige_changes").fetchone(), (0,))
        db.close()

    def test_a_refusal_leaves_the_callers_transaction_as_it_was(self):
        db = self.tracked()
        db.execute("update products set price = 5 where id = 1")
        db.execute("update products set price = 6 where id = 1")
        db.execute("begin")
        db.execute("insert into products values (3, 'Pot', 1, null)")
        self.assertIn("price", self.refused("select vestige_undo(1)"))
        self.assertTrue(db.in_transaction)
        db.execute("commit")
        self.assertEqual(db.execute("select count(*) from products").fetchone(), (3,))
        done = told(db, """select vestige_undo(1, '{"skip_conflicts":true}')""")
        self.assertEqual((done["applied"], done["skipped"]), (0, 1))
        self.assertTrue(told(db, """select vestige_undo(1, '{"force":true,"dry_run":true}')""")["dry_run"])
        self.assertEqual(db.execute("select price from products where id = 1").fetchone(), (6,))

    def test_shows_a_row_a_table_and_who_touched_what(self):
        db = self.tracked()
        db.execute("select vestige_context('{\"actor\":\"ann\"}')")
        db.execute("update products set price = 5 where id = 1")
        db.execute("select vestige_context(null)")
        db.execute("delete from products where id = 2")
        self.assertEqual(db.execute("select \"column\", value, change, actor from vestige_blame('products', 1)").fetchall(),
                         [("id", "1", None, None), ("name", '"Teapot"', None, None), ("price", "5", 1, "ann")])
        self.assertEqual([json.loads(row) for row, in db.execute("select row from vestige_at('products', '~2')")],
                         [{"id": 1, "name": "Teapot", "price": 99900}, {"id": 2, "name": "Cup", "price": 1200}])
        self.assertEqual([json.loads(row) for row, in db.execute("select row from vestige_at('products', 'now')")],
                         [{"id": 1, "name": "Teapot", "price": 5}])
        self.assertEqual(db.execute("select id from vestige_changes('who:ann')").fetchall(), [(1,)])
        self.assertEqual(db.execute("select p.id, count(c.id) from products p left join vestige_history('products', p.id) c"
                                    " group by p.id").fetchall(), [(1, 1)])

    def test_tables_with_keys_of_several_columns_are_seen_while_others_are_read(self):
        db = self.db
        db.execute("select vestige_init()")
        db.execute("select vestige_track('notes')")
        db.execute("insert into notes values ('x', 1, 'one'), ('x', 2, 'two')")
        db.execute("update notes set body = 'three' where b = 1")
        db.execute("delete from notes where b = 2")
        seen = "select json_extract(row, '$.body') from vestige_at('notes', '{}')"
        for _ in range(3):
            self.assertEqual(db.execute(seen.format("~2")).fetchall(), [("one",), ("two",)])
            self.assertEqual(db.execute(f"select * from ({seen.format('~2')}) a, ({seen.format('~1')}) b").fetchall(),
                             [("one", "three"), ("one", "two"), ("two", "three"), ("two", "two")])
        self.assertEqual(db.execute("select count(*) from temp.vestige_touched_2").fetchone(), (0,))

    def test_keys_of_several_columns_and_values_of_every_class(self):
        db = self.db
        db.execute("select vestige_init()")
        db.execute("select vestige_track('notes')")
        for body in (None, 2 ** 63 - 1, -0.0, 1e300, float("inf"), "a\0b", "größe", b"\0\xff"):
            db.execute("insert or replace into notes values ('x\"y', 1, ?)", (body,))
        said = self.program("log", "notes", 'x"y', 1, "--format", "json")
        rows = db.execute("select id, old_values, new_values from vestige_history('notes', 'x\"y', 1)").fetchall()
        self.assertEqual([(row[0], row[1] and json.loads(row[1]), row[2] and json.loads(row[2])) for row in rows],
                         [(one["id"], one["old_values"], one["new_values"]) for one in said])
        self.assertEqual(len(rows), 15)

    def test_follows_the_feed_by_index(self):
        db = self.tracked()
        for price in range(600):
            db.execute("update products set price = ? where id = 1", (price,))
        self.assertEqual(db.execute("select count(*) from vestige_feed").fetchone(), (0,))  # nothing has its place yet
        self.program("log", "--consumer", "search", "--format", "json")
        given = db.execute('select "index", id from vestige_feed').fetchall()
        self.assertEqual(given, [(place, place + 1) for place in range(600)])
        self.assertEqual(db.execute('select "index" from vestige_feed(597)').fetchall(), [(598,), (599,)])
        self.assertIn("a whole number", self.refused("select * from vestige_feed('x')"))

    def test_erases(self):
        db = self.tracked()
        db.execute("update products set name = 'Ann''s pot' where id = 1")
        db.execute("delete from products where id = 1")
        self.assertIn("reason", self.refused("select vestige_erase('products', 1, '{}')"))
        done = told(db, """select vestige_erase('products', 1, '{"reason":"GDPR 4711","actor":"dpo"}')""")
        self.assertEqual(done["values"], 2)
        rows = db.execute("select op, old_values, reason from vestige_changes").fetchall()
        self.assertEqual(rows[0], ("ERASE", None, "GDPR 4711"))
        self.assertTrue(all(row[1] is None for row in rows))

    def test_leaves_the_connection_as_it_was(self):
        db = self.db
        db.executescript("create table lines (id integer primary key, product references products on delete cascade)")
        self.tracked()
        db.execute("select vestige_track('lines')")
        db.execute("pragma secure_delete = off")
        for foreign_keys in (0, 1):
            db.execute(f"pragma foreign_keys = {foreign_keys}")
            db.execute("insert into products values (9, 'Jug', 1, null)")
            tx, = db.execute("select tx from vestige_changes limit 1").fetchone()
            db.execute("insert into lines values (1, 9)")
            db.execute("begin")
            self.assertIn("foreign keys of lines act on what is undone, and SQLite cannot switch them off inside a transaction"
                          if foreign_keys else "a foreign key would be broken", self.refused("select vestige_revert(?)", tx))
            self.assertTrue(db.in_transaction)
            db.execute("rollback")
            self.assertEqual(db.execute("select count(*) from lines").fetchone(), (1,))
            db.execute("delete from lines")
            self.assertEqual(told(db, "select vestige_revert(?)", tx)["applied"], 1)
            told(db, """select vestige_erase('lines', 1, '{"reason":"a test"}')""")
            self.assertEqual(db.execute("pragma foreign_keys").fetchone(), (foreign_keys,))
            self.assertEqual(db.execute("pragma secure_delete").fetchone(), (0,))
            db.execute("create trigger mine after insert on products begin insert into lines values (7, new.id); end")
            db.execute("insert into products values (8, 'x', 1, null)")
            self.assertEqual(db.execute("select count(*) from lines where id = 7").fetchone(), (1,))
            db.executescript("drop trigger mine; delete from lines; delete from products where id = 8")

    def test_says_what_is_wrong(self):
        self.assertIn("vestige_changes: ", self.refused("select * from vestige_changes"))
        self.tracked()
        for sql, why in (("select vestige_track('nothing')", "nothing"), ("select vestige_track('products', '{')", "json"),
                         ("select vestige_track('products', '{\"includes\":[]}')", "includes"),
                         ("select vestige_track(1)", "which table"), ("select vestige_revert(99)", "99"),
                         ("select vestige_revert('x')", "a whole number"), ("select vestige_revert(1, '{\"force\":1}')", "true or false"),
                         ("select * from vestige_history('products')", "which row"), ("select * from vestige_history", "which table"),
                         ("select * from vestige_at('products')", "which moment"), ("select * from vestige_changes('who:')", "who"),
                         ("select vestige_context('{}')", "says nothing"), ("select vestige_erase('products', '{}')", "which row"),
                         ("create virtual table x using vestige_changes", "no such module")):
            self.assertIn(why, self.refused(sql), sql)
        def faults(sql):
            return [one for one in told(self.db, sql) if one["severity"] != "note"]
        self.assertEqual(faults("select vestige_doctor()"), [])
        self.db.execute("drop trigger vestige_1_update")
        self.assertEqual([one["code"] for one in faults("select vestige_doctor()")], ["triggers-missing"])
        self.assertTrue(faults("select vestige_doctor('{\"fix\":true}')")[0]["fixed"])

    def test_nothing_in_the_database_can_call_it(self):
        self.tracked()
        self.db.execute("create view spy as select vestige_erase('products', 1, '{\"reason\":\"x\"}') as x")
        self.db.execute("create view look as select * from vestige_changes")
        self.db.execute("create trigger sly after update on products begin select vestige_untrack('products'); end")
        self.assertIn("unsafe use", self.refused("select * from spy"))
        self.assertIn("unsafe use", self.refused("select * from look"))
        self.assertIn("unsafe use", self.refused("update products set price = 1"))

    def test_the_connection_closes_and_others_are_not_disturbed(self):
        db = self.tracked()
        rows = db.execute("select * from vestige_changes")
        other = sqlite3.connect(self.file, timeout=0, isolation_level=None)
        other.execute("update products set price = 7 where id = 1")
        other.close()
        self.assertEqual(len(db.execute("select * from vestige_changes").fetchall()), 1)
        rows.close()
        db.execute("select vestige_untrack('products')")
        db.execute("update products set price = 8 where id = 1")
        self.assertEqual(db.execute("select count(*) from vestige_changes").fetchone(), (1,))


def test_needs_nothing():
    """No library but C's, no symbol but its entry, and it is small."""
    needed = subprocess.run(["readelf", "-d", EXTENSION], capture_output=True, text=True, check=True).stdout
    needed = {line.split("[")[1].rstrip("]") for line in needed.splitlines() if "(NEEDED)" in line}
    shown = subprocess.run(["nm", "-D", "--defined-only", EXTENSION], capture_output=True, text=True, check=True).stdout
    shown = {line.split()[-1] for line in shown.splitlines()}
    size = os.path.getsize(EXTENSION)
    if not needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"} or shown != {"sqlite3_vestige_init"} or size > 2 << 20:
        sys.exit(f"{EXTENSION}: needs {sorted(needed)}, shows {sorted(shown)}, {size} bytes")


if __name__ == "__main__":
    EXTENSION = sys.argv.pop(1)
    test_needs_nothing()
    unittest.main()
