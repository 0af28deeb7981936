/** better-sqlite3 and node:sqlite beyond the contract: their own transactions, scripts, rows, and requests at once. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as vestige from "vestige-audit";
import { database, DRIVERS, loaded, type Recorded, recorded, type Sqlite, type Statement } from "./sqlite_drivers.js";

type Work = (...args: never[]) => unknown;
type Transactions = Sqlite & { transaction<T extends Work>(work: T): T & { immediate: T } };

for (const driver of DRIVERS) {
  describe(driver.name, () => {
    let file: string;
    let plain: Sqlite;
    let db: Sqlite;
    before(() => {
      file = database(driver, ["create table t (id integer primary key, n)", "create table strict_ (id integer primary key)"],
        ["t"], ["strict_", "--require", "actor"]);
      plain = loaded(driver.open(file));
      db = driver.instrument(driver.open(file));
    });
    after(() => {
      plain.close();
      db.close();
    });

    let last = 0;
    beforeEach(() => {
      last = (plain.prepare("select coalesce(max(id), 0) as id from vestige_change").get() as { id: number }).id;
    });
    /** Who did what since the test began; nothing is left standing. */
    const said = (): unknown[] => {
      assert.deepEqual(plain.prepare("select * from vestige_session").all(), []);
      return recorded(plain, last).map(({ op, values, context }: Recorded) => [op, values?.["n"] ?? null, context["actor"] ?? null]);
    };
    const insert = (n: unknown): Statement => Object.assign(db.prepare(`insert into t (n) values ('${String(n)}')`));
    const as = <T>(actor: string, work: () => T): T => vestige.run({ actor }, work);

    test("twice is once", () => assert.equal(driver.instrument(db), db));

    test("rows and counts are those of the statement, and its transaction waits for nobody", () => {
      as("ann", () => {
        const statement = db.prepare("insert into t (n) values (?), (?) returning n");
        const rows = statement.iterate("a", "b");
        insert("c").run();
        assert.deepEqual([...rows].map((one) => ({ ...one as object })), [{ n: "a" }, { n: "b" }]);
        assert.equal({ ...statement.get("d", "e") as { n: string } }.n, "d");
        assert.equal(statement.all("f", "g").length, 2);
        const update = db.prepare("update t set n = n || '!' where n in ('a', 'b')").run();
        assert.equal(Number(update.changes), 2);
        const { changes, lastInsertRowid } = insert("h").run();
        const [{ id }] = plain.prepare("select max(id) as id from t").all() as [{ id: number }];
        assert.deepEqual([Number(changes), Number(lastInsertRowid)], [1, id]);
      });
      assert.deepEqual(said().map((one) => (one as string[])[1]), ["a", "b", "c", "d", "e", "f", "g", "a!", "b!", "h"]);
      assert.ok(said().every((one) => (one as string[])[2] === "ann"));
    });

    test("a script that begins and ends transactions, and makes a trigger", () => {
      as("ann", () => db.exec(`insert into t (n) values ('one; two'); begin; insert into t (n) values ('three');
        create trigger r after insert on t when new.n = 'fire' begin update t set n = 'fired' where id = new.id; select 1; end;
        insert into t (n) values ('fire'); commit; drop trigger r; -- the end`));
      db.exec("begin; insert into t (n) values ('four'); rollback; insert into t (n) values ('five')");
      assert.deepEqual(said(), [["INSERT", "one; two", "ann"], ["INSERT", "three", "ann"], ["INSERT", "fire", "ann"], ["UPDATE", "fired", "ann"], ["INSERT", "five", null]]);
      assert.throws(() => as("ann", () => db.exec("insert into t (n) values ('six'); insert into nowhere values (1); insert into t (n) values ('seven')")), /nowhere/);
      assert.deepEqual(said().slice(5), [["INSERT", "six", "ann"]]);
    });

    test("what changes inside a transaction, and one that is ended by the outermost savepoint", () => {
      db.exec("savepoint outer");
      as("ann", () => insert("a").run());
      insert("b").run();
      db.exec("savepoint inner");
      as("bob", () => insert("c").run());
      db.exec("rollback to inner; release inner");
      as("bob", () => insert("d").run());
      as("ann", () => insert("e").run());
      db.exec("release outer");
      assert.deepEqual(said(), [["INSERT", "a", "ann"], ["INSERT", "b", null], ["INSERT", "d", "bob"], ["INSERT", "e", "ann"]]);
    });

    test("an error that ends the transaction, and a COMMIT that fails", () => {
      db.exec("pragma foreign_keys = on; create table if not exists parent (id integer primary key);"
        + " create table if not exists child (p references parent deferrable initially deferred)");
      as("ann", () => {
        db.exec("begin");
        insert("gone").run();
        assert.throws(() => db.exec("insert or rollback into t (id) select id from t limit 1"), /UNIQUE/);
        insert("a").run();
        assert.throws(() => db.exec("insert or rollback into t (id) select id from t limit 1"), /UNIQUE/);
        db.exec("begin; insert into child values (17)");
        insert("b").run();
        assert.throws(() => db.exec("commit"), /FOREIGN KEY/);
        as("bob", () => insert("c").run());
        db.exec("delete from child; commit");
      });
      assert.deepEqual(said(), [["INSERT", "a", "ann"], ["INSERT", "b", "ann"], ["INSERT", "c", "bob"]]);
    });

    test("a COMMIT that another's read does not let through leaves nothing behind, and goes through when it is said again", () => {
      db.exec("pragma busy_timeout = 0");
      plain.exec("begin");
      plain.prepare("select count(*) as n from t").get();
      assert.throws(() => as("ann", () => insert("gone").run()), /locked/);
      db.exec("begin");
      as("ann", () => insert("a").run());
      assert.throws(() => db.exec("commit"), /locked/);
      as("bob", () => insert("b").run());
      plain.exec("commit");
      db.exec("commit; pragma busy_timeout = 5000");
      insert("c").run();
      assert.deepEqual(said(), [["INSERT", "a", "ann"], ["INSERT", "b", "bob"], ["INSERT", "c", null]]);
    });

    test("what somebody else left standing is not taken over, unless that is asked for", () => {
      const keeping = driver.instrument(driver.open(file), { empty: "keep" });
      const stranger = (): void => void plain.exec("insert into vestige_session (actor) values ('stranger')");
      stranger();
      insert("a").run();
      stranger();
      db.exec("begin; insert into t (n) values ('b'); commit");
      as("ann", () => keeping.exec("insert into t (n) values ('c')"));
      keeping.exec("begin; insert into vestige_session (actor) values ('batch'); insert into t (n) values ('d')");
      as("ann", () => keeping.exec("insert into t (n) values ('e')"));
      keeping.exec("commit");
      keeping.close();
      assert.deepEqual(said(), [["INSERT", "a", null], ["INSERT", "b", null], ["INSERT", "c", "ann"], ["INSERT", "d", "batch"], ["INSERT", "e", "ann"]]);
    });

    test("autocommit: off, error", () => {
      const off = driver.instrument(driver.open(file), { autocommit: "off" });
      const error = driver.instrument(driver.open(file), { autocommit: "error" });
      as("ann", () => {
        off.exec("insert into t (n) values ('a'); begin; insert into t (n) values ('b'); commit");
        assert.throws(() => error.exec("insert into t (n) values ('c')"), /outside a transaction/);
        error.exec("begin; insert into t (n) values ('d'); commit");
      });
      off.close();
      error.close();
      assert.deepEqual(said(), [["INSERT", "a", null], ["INSERT", "b", "ann"], ["INSERT", "d", "ann"]]);
    });

    test("a required field that is missing", () => {
      assert.throws(() => db.prepare("insert into strict_ values (?)").run(1), (error) => vestige.isMissingContext(error) && !vestige.isConflict(error));
      as("ann", () => db.prepare("insert into strict_ values (?)").run(1));
      assert.throws(() => db.prepare("insert into strict_ values (?)").run(1), (error) => !vestige.isMissingContext(error));
    });

    test("a database without a trail is left alone, and one that gets it later is told", () => {
      const bare = driver.instrument(loaded(driver.open(":memory:")));
      as("ann", () => {
        bare.exec("create table t (n); insert into t values (1); begin; insert into t values (2); commit");
        bare.exec("select vestige_init(); select vestige_track('t')");
        bare.exec("insert into t values (3)");
      });
      assert.deepEqual(recorded(bare).map(({ values, context }) => [values!["n"], context["actor"]]), [[3, "ann"]]);
      bare.close();
    });

    test("odd contexts are data", () => {
      const odd = { actor: "o'brien\\ \"'); drop table t; --", reason: "nul \0 gone", "$$": "?1", n: 7n, list: [1, "x"] };
      vestige.run(odd, () => insert("a").run());
      const [change] = recorded(plain, last);
      assert.deepEqual(change!.context, { actor: odd.actor, reason: "nul  gone", "$$": "?1", n: "7", list: "[1,\"x\"]" });
    });

    test("requests at once over one connection, half of them without a context: none is wrong, none is missing", async () => {
      const request = async (i: number): Promise<void> => {
        await pause(Math.random() * 20);
        insert(`${i} alone`).run();
        await pause(Math.random() * 20);
        db.exec("begin");
        insert(`${i} begun`).run();
        insert(`${i} again`).run();
        if (i % 7 === 0) {
          return void db.exec("rollback");
        }
        db.exec("commit");
      };
      await Promise.all(Array.from({ length: 100 }, (_, i) => i % 2 ? as(`u${i}`, () => request(i)) : request(i)));
      const found = said() as [string, string, string | null][];
      assert.equal(found.length, 100 + 2 * (100 - 15));
      for (const [, label, actor] of found) {
        const i = Number.parseInt(label, 10);
        assert.equal(actor, i % 2 ? `u${i}` : null, label);
      }
    });

    test("a statement while another is read, and one by a function of the application", { skip: driver.name !== "node:sqlite" }, () => {
      const own = db as Sqlite & { function(name: string, work: (given: string) => string): void };
      own.function("kept", (given) => {
        insert(given).run();
        return given;
      });
      as("ann", () => {
        for (const { n } of db.prepare("select 'a' as n union all select 'b'").iterate() as Iterable<{ n: string }>) {
          insert(n).run();
        }
        db.prepare("insert into t (n) values (kept('c') || '!')").run();
      });
      assert.equal((db.prepare("select kept('d') as n").get() as { n: string }).n, "d");
      assert.deepEqual(said(), [["INSERT", "a", "ann"], ["INSERT", "b", "ann"], ["INSERT", "c", "ann"], ["INSERT", "c!", "ann"], ["INSERT", "d", null]]);
    });

    test("a changeset that is applied, and statements of a tag store", { skip: driver.name !== "node:sqlite" }, (t) => {
      type Tags = Record<"run" | "get" | "iterate", (strings: TemplateStringsArray, ...values: unknown[]) => unknown> & { readonly size: number };
      type Session = { changeset(): Uint8Array; close(): void };
      const own = db as Sqlite & { createSession(how: object): Session; applyChangeset(changes: Uint8Array): boolean; createTagStore?(): Tags };
      const session = own.createSession({ table: "t" });
      db.exec("begin; insert into t (n) values ('undone')");
      const changes = session.changeset();
      session.close();
      db.exec("rollback");
      assert.ok(as("ann", () => own.applyChangeset(changes)));
      assert.deepEqual(said(), [["INSERT", "undone", "ann"]]);
      if (!own.createTagStore) {
        return t.skip("no tag store");
      }
      const sql = own.createTagStore();
      as("bob", () => {
        sql.run`insert into t (n) values (${"a"})`;
        assert.deepEqual({ ...sql.get`insert into t (n) values (${"b"}), (${"c"}) returning n` as object }, { n: "b" });
        assert.equal([...sql.iterate`insert into t (n) values (${"d"}) returning n` as Iterable<unknown>].length, 1);
      });
      sql.run`insert into t (n) values (${"e"})`;
      assert.equal(sql.size, 3);
      assert.deepEqual(said().slice(1), [["INSERT", "a", "bob"], ["INSERT", "b", "bob"], ["INSERT", "c", "bob"], ["INSERT", "d", "bob"], ["INSERT", "e", null]]);
    });

    test("transaction(): nested, failing, and of another kind", { skip: driver.name !== "better-sqlite3" }, () => {
      const own = db as Transactions;
      const both = own.transaction((first: string, second: string) => {
        insert(first).run();
        try {
          own.transaction(() => {
            as("bob", () => insert("undone").run());
            throw new Error("back");
          })();
        } catch {
          as("bob", () => insert(second).run());
        }
        insert(`${second}!`).run();
        return first;
      });
      assert.equal(as("ann", () => both.immediate("a", "b")), "a");
      const failing = own.transaction(() => {
        insert("gone").run();
        throw new Error("never mind");
      });
      assert.throws(() => as("ann", failing), /never mind/);
      both("c", "d");
      const { n } = as("ann", () => own.transaction(function (this: { n: number }) {
        insert("e").run();
        return this;
      }).call({ n: 3 } as never)) as unknown as { n: number };
      assert.equal(n, 3);
      assert.deepEqual(said(), [["INSERT", "a", "ann"], ["INSERT", "b", "bob"], ["INSERT", "b!", "ann"],
        ["INSERT", "c", null], ["INSERT", "d", "bob"], ["INSERT", "d!", null], ["INSERT", "e", "ann"]]);
      assert.throws(() => own.transaction("no function" as never), TypeError);
      as("ann", () => {
        db.exec("begin");
        insert("gone").run();
        db.prepare("rollback").run();
        own.transaction(() => insert("f").run())();
      });
      assert.deepEqual(said().slice(7), [["INSERT", "f", "ann"]]);
    });
  });
}
