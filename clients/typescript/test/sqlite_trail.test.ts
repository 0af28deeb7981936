/** The trail of SQLite by the extension, on the application's own connection: the same questions as PostgreSQL's. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import * as vestige from "vestige-audit";
import { type Change, openTrail, type Trail } from "vestige-audit";
import { DRIVERS, loaded, type Sqlite, database } from "./sqlite_drivers.js";

interface Account {
  id: number;
  owner: string;
  balance: number;
  big: bigint;
}

for (const driver of DRIVERS) {
  describe(driver.name, () => {
    let file: string;
    let db: Sqlite;
    let trail: Trail;
    before(() => {
      file = database(driver, ["create table accounts (id integer primary key, owner text, balance, big integer)",
        "create table lines (doc text, line integer, at real, raw blob, what text, primary key (doc, line, at, raw))"], ["accounts"], ["lines"]);
      db = driver.instrument(loaded(driver.open(file)));
      trail = openTrail(db);
    });
    after(() => db.close());
    const as = <T>(actor: string, work: () => T): T => vestige.run({ actor, reason: "deposit" }, work);

    test("a row's history, newest first, with values that are the columns' own", async () => {
      as("ann", () => db.prepare("insert into accounts values (1, 'ann', 1000.5, ?)").run(9007199254740993n));
      db.exec("update accounts set balance = 2000, id = 7");
      const [update, insert] = await trail.history<Account>("accounts", 7).toArray();
      assert.ok(update?.op === "UPDATE" && update.erased === null && insert?.op === "INSERT" && insert.erased === null);
      assert.deepEqual([update.old, update.new, update.changed, update.key, update.newKey],
        [{ id: 1, balance: 1000.5 }, { id: 7, balance: 2000 }, ["id", "balance"], { id: 1 }, { id: 7 }]);
      assert.deepEqual([insert.old, insert.new, insert.changed, insert.tx], [null, { id: 1, owner: "ann", balance: 1000.5, big: 9007199254740993n }, null, insert.id]);
      assert.deepEqual([insert.context, insert.table, insert.dbUser], [{ actor: "ann", reason: "deposit" }, "accounts", null]);
      assert.match(insert.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(JSON.parse(JSON.stringify(insert)).new.big, "9007199254740993");
    });

    test("a key of several columns, of every class", async () => {
      db.prepare("insert into lines values ('a\"b, c', 2, 1.0, x'00ff', 'x')").run();
      const [insert] = await trail.history("lines", "a\"b, c", 2, 1, new Uint8Array([0, 255])).toArray();
      assert.deepEqual(insert?.key, { doc: "a\"b, c", line: 2, at: 1, raw: new Uint8Array([0, 255]) });
      assert.equal((await trail.history("lines", "a\"b, c", 2n, "1.0", new Uint8Array([0, 255])).toArray()).length, 1);
      assert.equal((await trail.history("lines", "a\"b, c", 2n, "1.0", "x'00ff'").toArray()).length, 0);
    });

    test("a key that is a string is one, whatever it looks like", async () => {
      db.exec("create table words (word primary key, n)");
      await trail.track("words");
      const keys = ["x'00ff'", "null", "'quoted'", "it's", "", "-", new Uint8Array([0, 255]), new Uint8Array()];
      for (const [n, key] of keys.entries()) {
        db.prepare("insert into words values (?, ?)").run(key, n);
      }
      for (const [n, key] of keys.entries()) {
        const found = await trail.history<{ n: number }>("words", key).toArray();
        assert.deepEqual(found.map((one) => one.new!.n), [n], `${String(key)}`);
        const [said] = await trail.blame("words", key);
        assert.deepEqual(said?.value, key);
      }
      as("ann", () => db.exec("delete from words"));
      await trail.erase("words", "x'00ff'", "asked");
      const left = await trail.changes<{ n: number }>({ table: "words", op: "INSERT" }).toArray();
      assert.deepEqual(left.filter((one) => one.erased).map((one) => one.id), left.filter((one) => one.new?.n === undefined).map((one) => one.id));
      assert.deepEqual(left.map((one) => one.new?.n).filter((n) => n !== undefined).sort(), [1, 2, 3, 4, 5, 6, 7]);
    });

    test("changes of a table, an actor, a transaction, a time, in pages and in either order", async () => {
      as("o'brien, \"x\"", () => db.exec("begin; with recursive i(n) as (select 10 union all select n + 1 from i where n < 659)"
        + " insert into accounts select n, 'x', 0, 0 from i; commit"));
      const all = await trail.changes({ table: "accounts", op: "INSERT", actor: "o'brien, \"x\"" }).toArray();
      assert.ok(all.length === 650 && all.every((one, i) => i === 0 || one.id < all[i - 1]!.id));
      const { tx } = all[0]!;
      const oldest = await trail.changes<Account>({ tx: tx!, oldestFirst: true }).toArray();
      assert.deepEqual(oldest.map((one) => one.id), all.map((one) => one.id).reverse());
      assert.deepEqual((await trail.changes({ tx: tx!, most: 201 }).toArray()).map((one) => one.id), all.slice(0, 201).map((one) => one.id));
      assert.deepEqual(await trail.changes({ actor: "ann,o'brien" }).toArray(), []);
      assert.deepEqual(await trail.changes({ actor: "" }).toArray(), [], "nobody's, and not everybody's");
      assert.deepEqual(await trail.changes({ from: new Date(Date.now() + 1e6) }).toArray(), []);
      let seen = 0;
      for await (const one of trail.changes({ upto: new Date(Date.now() + 1e6) })) {
        as("eve", () => db.prepare("update accounts set owner = 'eve' where id = 7").run());   // the connection is free meanwhile
        seen += Number(one.id > 0n);
        if (seen === 3) {
          break;
        }
      }
      assert.equal(seen, 3);
    });

    test("a table as it was, blame, and the undoing of a transaction and of a change, under a context", async () => {
      db.exec("insert into accounts values (1000, 'x', 1.5, 1)");
      const [insert] = await trail.history<Account>("accounts", 1000).toArray();
      as("ann", () => db.exec("update accounts set balance = 9 where id = 1000"));
      const rows = await trail.asOf<Account>("accounts", { change: insert!.id });
      assert.deepEqual(rows.find((one) => one.id === 1000), { id: 1000, owner: "x", balance: 1.5, big: 1 });
      assert.deepEqual(await trail.asOf<Account>("accounts", { change: insert!.id }), rows);
      assert.equal((await trail.asOf<Account>("accounts", new Date())).find((one) => one.id === 1000)!.balance, 9);
      const [update] = await trail.history<Account>("accounts", 1000).toArray();
      const blamed = await trail.blame<Account>("accounts", 1000);
      assert.deepEqual(blamed.map(({ column, value, change, op, who }) => ({ column, value, change, op, who })), [
        { column: "id", value: 1000, change: insert!.id, op: "INSERT", who: null }, { column: "owner", value: "x", change: insert!.id, op: "INSERT", who: null },
        { column: "balance", value: 9, change: update!.id, op: "UPDATE", who: "ann" }, { column: "big", value: 1, change: insert!.id, op: "INSERT", who: null }]);
      // A context cannot force anything by the name of a field.
      const undone = await vestige.run({ actor: "bob", dry_run: "true" }, () => trail.undo(update!.id));
      assert.deepEqual(undone, { done: "applied", conflict: null, columns: [], notes: [] });
      const [last] = await trail.history<Account>("accounts", 1000).toArray();
      assert.deepEqual([last!.new, last!.context["actor"]], [{ balance: 1.5 }, "bob"]);
      db.exec("update accounts set balance = 5 where id = 1000");
      await assert.rejects(trail.revert(update!.tx!), (error) => vestige.isConflict(error) && !vestige.isMissingContext(error));
      const conflict = await trail.undo(update!.id);
      assert.deepEqual([conflict.done, conflict.columns], ["conflict", ["balance"]]);
      assert.match(conflict.conflict!, /balance has changed since/);
      assert.equal(await vestige.run({ actor: "eve" }, () => trail.revert(update!.tx!, { force: true })), 1);
      assert.equal((await trail.history("accounts", 1000).toArray())[0]!.context.actor, "eve");
      assert.equal((await trail.undo(update!.id)).done, "nothing");
      await assert.rejects(trail.revert(10_000_000), (error) => /no such changes/.test(String(error)) && !vestige.isConflict(error));
    });

    test("what was erased is gone, and the change says so", async () => {
      db.exec("insert into lines values ('s', 5, 5, '', 'secret'); delete from lines where doc = 's'");
      const erase = await vestige.run({ actor: "dpo", reason: "another" }, () => trail.erase("lines", ["s", 5n, 5, ""], "request 4711"));
      const [gone] = await trail.history("lines", "s", 5, 5, "").toArray();
      assert.ok(gone?.op === "DELETE");
      assert.deepEqual([gone.old, gone.erased], [null, { values: erase }]);
      const [own] = await trail.changes({ op: "ERASE", most: 1 }).toArray();
      assert.deepEqual([own!.id, own!.context], [erase, { actor: "dpo", reason: "request 4711" }]);
    });

    test("the feed, after it has been sequenced", async () => {
      assert.deepEqual(await trail.feed(-1), []);
      execFileSync(process.env["VESTIGE"]!, ["log", "--consumer", "c"], { env: { ...process.env, VESTIGE_DB: file }, stdio: "ignore" });
      const some = await trail.feed<Account>(-1, 3);
      assert.deepEqual(some.map((one) => one.index), [0n, 1n, 2n]);
      assert.deepEqual((await trail.feed(1n, 1)).map((one) => one.id), [some[2]!.id]);
      assert.deepEqual(some[0]!.new, { id: 1, owner: "ann", balance: 1000.5, big: 9007199254740993n });
      const enough = new AbortController();
      let last = -1n;
      for await (const one of trail.tail(-1, { signal: enough.signal, wait: 1 })) {
        assert.equal(one.index, last += 1n);
        if (last === 600n) {
          enough.abort();
        }
      }
      assert.equal(last, 600n);
    });

    test("a table is tracked, and its policy changed", async () => {
      db.exec("create table later (id integer primary key, \"Note\", secret); insert into later values (1, 'a', 'b')");
      await trail.track("later", { exclude: ["secret"], require: ["actor"], tags: ["GDPR"], classification: "confidential", baseline: true });
      assert.throws(() => db.exec("insert into later values (2, 'a', 'b')"), vestige.isMissingContext);
      const [last] = await trail.changes({ table: "later", most: 1 }).toArray();
      assert.deepEqual([last!.op, last!.new], ["BASELINE", { id: 1, Note: "a" }]);
      await assert.rejects(trail.track("later", { "no such": "x" } as never), /no such/);
    });

    test("what is not committed, in a transaction that goes on, and a database in memory", async () => {
      const memory = driver.instrument(loaded(driver.open(":memory:")));
      memory.exec("select vestige_init(); create table t (id integer primary key, n); select vestige_track('t')");
      const own = openTrail(memory);
      memory.exec("begin");
      as("ann", () => memory.exec("insert into t values (1, 'a'); update t set n = 'b'"));
      const [update] = await own.history<{ n: string }>("t", 1).toArray() as [Change];
      assert.equal((await own.undo(update.id)).done, "applied");
      memory.exec("insert into t values (2, 'c'); commit");
      assert.deepEqual((await own.changes({ oldestFirst: true }).toArray()).map(({ op, context }) => [op, context.actor]),
        [["INSERT", "ann"], ["UPDATE", "ann"], ["UPDATE", undefined], ["INSERT", undefined]]);
      memory.close();
    });

    test("a database without a trail is said to have none, and what makes one", async () => {
      const none = loaded(driver.open(":memory:"));
      none.exec("create table t (id integer primary key)");
      const own = openTrail(none);
      for (const asks of [
        () => own.history("t", 1).toArray(), () => own.changes().toArray(), () => own.feed(-1), () => own.blame("t", 1), () => own.asOf("t", { change: 1 }),
        () => own.track("t"), () => own.revert(1), () => own.undo(1), () => own.erase("t", 1, "asked"),
      ] as (() => Promise<unknown>)[]) {
        await assert.rejects(asks(), /this database has no trail, or an older one: `vestige init` makes it/, String(asks));
      }
      none.close();
    });

    test("a connection without the extension is told how to get it", () => {
      const bare = driver.open(file);
      assert.throws(() => openTrail(bare), /load\(database\) first/);
      bare.close();
    });

    test("what the trail gives equals what the driver reads from the live row, for random values", async () => {
      db.exec("create table live (id integer primary key, a, b, c, d); select vestige_track('live')");
      const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
      const value = fc.oneof(integer, fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(-0, 1e300, -Infinity, 2 ** 53), fc.constant(null),
        fc.string({ unit: "grapheme-composite", maxLength: 8 }), fc.uint8Array({ maxLength: 8 }).map((one) => Buffer.from(one)));
      await fc.assert(fc.asyncProperty(fc.tuple(value, value, value, value), async (given) => {
        const { lastInsertRowid: id } = db.prepare("insert into live (a, b, c, d) values (?, ?, ?, ?)").run(...given);
        const [change] = await trail.history("live", id).toArray();
        assert.ok(change?.op === "INSERT" && change.erased === null);
        for (const name of ["a", "b", "c", "d"]) {
          const live = db.prepare(`select typeof(${name}) as type, cast(${name} as text) as text, case when typeof(${name}) <> 'integer' then ${name} end as v
            from live where id = ?`).get(id) as { type: string; text: string; v: unknown };
          const found: unknown = change.new[name];
          if (live.type === "integer") {
            assert.equal(String(found), live.text);
            assert.equal(typeof found, Number.isSafeInteger(Number(live.text)) ? "number" : "bigint");
          } else if (live.type === "blob") {
            assert.deepEqual(Buffer.from(found as Uint8Array), Buffer.from(live.v as Uint8Array));
          } else {
            assert.ok(Object.is(found, live.v), `${String(found)} ${String(live.v)}`);
          }
        }
      }), { numRuns: 40 });
      db.exec("insert into live (a) values (cast(x'ff41' as text))");
      const [change] = await trail.changes<{ a: unknown }>({ table: "live", most: 1 }).toArray();
      assert.ok(change?.op === "INSERT" && change.erased === null && change.new.a instanceof vestige.InvalidText);
      assert.deepEqual([change.new.a.bytes, JSON.stringify(change.new.a)], [new Uint8Array([255, 65]), "{\"$text\":\"ff41\"}"]);
    });
  });
}
