import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { Decimal } from "decimal.js";
import fc from "fast-check";
import pg from "pg";
import postgres from "postgres";
import * as vestige from "vestige-audit";
import { type Change, openTrail, type Trail } from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";
import { written } from "./written.js";

interface Account {
  id: number;
  owner: string;
  balance: string;
  big: bigint;
}

let database: Database;
let pool: pg.Pool;
let sql: postgres.Sql;
before(async () => {
  database = await Database.create(
    "create table accounts (id int primary key, owner text, balance numeric(12,2), big bigint)",
    "create table lines (doc bigint, line int, what text, primary key (doc, line))",
    "select vestige.track('accounts')", "select vestige.track('lines')");
  pool = new pg.Pool(database.config({ max: 2 }));
  sql = postgres({ host: database.host, port: database.port, user: database.user, database: database.name, max: 2, fetch_types: false });
});
after(async () => {
  await pool.end();
  await sql.end();
  await database.drop();
});

const ANN = { actor: "ann", reason: "deposit" };

for (const [name, opened] of [["node-postgres", () => openTrail(pool)], ["postgres.js", () => openTrail(sql)]] as const) {
  describe(name, () => {
    let trail: Trail;
    before(async () => {
      trail = opened();
      await database.run("delete from accounts", "delete from lines");
    });

    test("a row's history, newest first, with values that are the columns' own", async () => {
      await vestige.run(ANN, () => instrument(pool).query("insert into accounts values (1, 'ann', 1000.10, 9007199254740993)"));
      await database.run("update accounts set balance = 2000.20, id = 7");
      const [update, insert] = await trail.history<Account>("accounts", 7).toArray();
      assert.ok(update?.op === "UPDATE" && update.erased === null && insert?.op === "INSERT" && insert.erased === null);
      assert.deepEqual([update.old, update.new, update.changed, update.key, update.newKey],
        [{ id: 1, balance: "1000.10" }, { id: 7, balance: "2000.20" }, ["id", "balance"], { id: 1 }, { id: 7 }]);
      assert.deepEqual([insert.old, insert.new, insert.changed], [null, { id: 1, owner: "ann", balance: "1000.10", big: 9007199254740993n }, null]);
      assert.deepEqual([insert.context, insert.table, insert.dbUser], [ANN, "accounts", database.user]);
      assert.match(insert.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
      assert.equal(typeof insert.id, "bigint");
      assert.deepEqual(JSON.parse(JSON.stringify(insert)).new.big, "9007199254740993");
    });

    test("changes of a table, an actor, a transaction, a time, in pages and in either order", async () => {
      await database.run("insert into lines select 1, i, 'x' from generate_series(1, 450) i");
      const all = await trail.changes({ table: "lines", op: "INSERT" }).toArray();
      const newest = all.slice(0, 450);
      assert.ok(newest.length === 450 && newest.every((one, i) => i === 0 || one.id < newest[i - 1]!.id));
      const { tx } = newest[0]!;
      assert.equal((await trail.changes({ tx: tx! }).toArray()).length, 450);
      assert.deepEqual((await trail.changes({ tx: tx!, oldestFirst: true, most: 2 }).toArray()).map((one) => one.key), [{ doc: 1n, line: 1 }, { doc: 1n, line: 2 }]);
      assert.deepEqual(await trail.changes({ actor: "" }).toArray(), [], "nobody's, and not everybody's");
      assert.deepEqual((await trail.changes({ actor: "ann", most: 1 }).toArray()).map((one) => one.context.actor), ["ann"]);
      assert.deepEqual(await trail.changes({ from: new Date(Date.now() + 1e6) }).toArray(), []);
      let seen = 0;
      for await (const one of trail.changes({ upto: new Date(Date.now() + 1e6) })) {
        seen += Number(one.id > 0n);
        if (seen === 3) {
          break;
        }
      }
      assert.equal(seen, 3);
      assert.equal((await trail.history("lines", 1, 450).toArray()).length, name === "node-postgres" ? 1 : 3);
    });

    test("a table as it was, blame, and the undoing of a transaction and of a change, under a context", async () => {
      await database.run("insert into accounts values (100, 'x', 1.50, 1)");
      const [insert] = await trail.history<Account>("accounts", 100).toArray();
      const [moment] = await database.rows("select clock_timestamp()::text as t") as [{ t: string }];
      await database.run("update accounts set balance = 9 where id = 100");
      for (const when of [moment.t, { change: insert!.id }]) {
        const rows = await trail.asOf<Account>("accounts", when);
        assert.deepEqual(rows.find((one) => one.id === 100), { id: 100, owner: "x", balance: "1.50", big: 1n });
      }
      const [update] = await trail.history<Account>("accounts", 100).toArray();
      const blamed = await trail.blame<Account>("accounts", 100);
      assert.deepEqual(blamed.map(({ column, value, change }) => ({ column, value, change })), [
        { column: "id", value: 100, change: insert!.id }, { column: "owner", value: "x", change: insert!.id },
        { column: "balance", value: "9.00", change: update!.id }, { column: "big", value: 1n, change: insert!.id }]);
      const undone = await vestige.run({ actor: "bob" }, () => trail.undo(update!.id));
      assert.deepEqual(undone, { done: "applied", conflict: null, columns: [], notes: [] });
      const [last] = await trail.history<Account>("accounts", 100).toArray();
      assert.deepEqual([last!.new, last!.context["actor"]], [{ balance: "1.50" }, "bob"]);
      await database.run("update accounts set balance = 5 where id = 100");
      await assert.rejects(trail.revert(update!.tx!), vestige.isConflict);
      assert.equal(await vestige.run({ actor: "eve" }, () => trail.revert(update!.tx!, { force: true })), 1);
      assert.equal((await trail.history("accounts", 100).toArray())[0]!.context.actor, "eve");
      assert.equal((await trail.undo(update!.id)).done, "nothing");
    });

    test("what was erased is gone, and the change says so", async () => {
      await database.run("insert into lines values (5, 5, 'secret')", "delete from lines where doc = 5");
      const erase = await vestige.run({ actor: "dpo" }, () => trail.erase("lines", [5n, 5], "request 4711"));
      const [gone] = await trail.history("lines", "5", "5").toArray();
      assert.ok(gone?.op === "DELETE");
      assert.deepEqual([gone.old, gone.erased], [null, { values: erase }]);
      const [own] = await trail.changes({ op: "ERASE", most: 1 }).toArray();
      assert.deepEqual([own!.id, own!.context], [erase, { actor: "dpo", reason: "request 4711" }]);
    });

    test("the feed, after it has been sequenced", async () => {
      execFileSync(process.env["VESTIGE"]!, ["log", "--consumer", name], { env: { ...process.env, VESTIGE_DB: database.url() }, stdio: "ignore" });
      const some = await trail.feed<Account>(-1, 3);
      assert.deepEqual(some.map((one) => one.index), [0n, 1n, 2n]);
      assert.deepEqual((await trail.feed(1, 1)).map((one) => one.id), [some[2]!.id]);
      const insert = some.find((one) => one.op === "INSERT" && one.table === "accounts");
      assert.deepEqual(insert?.new, { id: 1, owner: "ann", balance: "1000.10", big: 9007199254740993n });
    });

    test("a table is tracked, and its policy changed", async () => {
      await database.run("create table if not exists later (id int primary key, \"Note\" text, secret text); truncate later");
      await trail.track("later");
      await database.run("insert into later values (1, 'a', 'b')");
      await trail.track("later", { exclude: ["secret"], require: ["actor"], tags: ["GDPR", "it's"], classification: "confidential", baseline: true });
      await assert.rejects(database.run("insert into later values (2, 'a', 'b')"), vestige.isMissingContext);
      const [last] = await trail.changes({ table: "later", most: 1 }).toArray();
      assert.deepEqual([last!.op, last!.new], ["BASELINE", { id: 1, Note: "a" }]);
      await assert.rejects(trail.track("later", { "no such": "x" } as never), /does not exist/);
      await trail.track("later", { include: ["id", "Note"], when: "new.id > 1", capture: "full", key: ["id"] });
      await database.run("insert into later values (0, 'a', 'b'), (3, 'c', 'd')");
      assert.deepEqual((await trail.changes({ table: "later", most: 1 }).toArray())[0]!.new, { id: 3, Note: "c" });
    });

    test("the feed is followed until the signal says that it is enough", async () => {
      const sequenced = (): void => void execFileSync(process.env["VESTIGE"]!, ["log", "--consumer", name], { env: { ...process.env, VESTIGE_DB: database.url() }, stdio: "ignore" });
      sequenced();
      const there = await trail.feed(-1, 100_000);
      const enough = new AbortController();
      const seen: bigint[] = [];
      for await (const one of trail.tail(there.at(-3)!.index!, { wait: 10, signal: enough.signal })) {
        seen.push(one.id);
        if (seen.length === 2) {
          await database.run("insert into lines select 2, i, 'later' from generate_series(1, 3) i on conflict do nothing", "delete from lines where doc = 2");
          sequenced();
        }
        if (seen.length === 4) {
          enough.abort();
        }
      }
      assert.deepEqual(seen, (await trail.feed(-1, 100_000)).map((one) => one.id).slice(there.length - 2, there.length + 2));
      assert.deepEqual(await trail.tail(-1, { signal: AbortSignal.abort() }).toArray(), []);
      const waiting = new AbortController();
      setTimeout(() => waiting.abort(), 20);
      assert.deepEqual(await trail.tail(10_000_000, { signal: waiting.signal, wait: 3_600_000 }).toArray(), []);
    });
  });
}

test("a client that does not say whether it is in a transaction is asked only what needs none", async () => {
  const client = await pool.connect();
  Object.defineProperty(client, "getTransactionStatus", { value: undefined, configurable: true });
  const trail = openTrail(client);
  assert.ok((await trail.changes({ most: 1 }).toArray()).length === 1);
  await assert.rejects(trail.asOf("accounts", new Date()), /give the reader a pool/);
  client.release(true);
});

test("a client in a transaction of its own sees what that wrote, and keeps its settings", async () => {
  const client = await pool.connect();
  await client.query("begin; set local timezone = 'Asia/Kolkata'; insert into accounts values (200, 'y', 2, 2)");
  const trail = openTrail(client);
  assert.equal((await trail.history("accounts", 200).toArray()).length, 1);
  assert.equal((await trail.asOf<Account>("accounts", new Date(Date.now() + 60_000))).filter((one) => one.id === 200).length, 1);
  const [{ id }] = (await trail.history("accounts", 200).toArray()) as [Change];
  assert.equal((await trail.undo(id)).done, "applied");
  assert.deepEqual((await client.query("show timezone")).rows, [{ TimeZone: "Asia/Kolkata" }]);
  await client.query("rollback");
  client.release();
});

test("what the trail gives equals what the driver reads from the live row, for random values", async () => {
  await database.run(`create table live (id serial primary key, i2 smallint, i4 int, i8 bigint, n numeric, f8 float8, b boolean, t text,
    bytes bytea, j jsonb, list int[], texts text[], at timestamptz, d date)`, "select vestige.track('live')");
  const trail = openTrail(pool, { decimal: (text) => new Decimal(text) });
  const text = fc.string({ unit: "grapheme-composite", maxLength: 8 }).map((one) => one.replaceAll("\0", ""));
  const values = fc.record({
    i2: fc.integer({ min: -32768, max: 32767 }), i4: fc.integer(), i8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    n: fc.tuple(fc.bigInt(), fc.nat(20)).map(([digits, scale]) => `${digits}e-${scale}`), f8: fc.double(), b: fc.boolean(), t: text,
    bytes: fc.uint8Array({ maxLength: 8 }).map((one) => Buffer.from(one)),
    j: fc.jsonValue({ maxDepth: 2, stringUnit: "grapheme-composite" }).map((one) => JSON.stringify(one).replaceAll("\\u0000", "")),
    list: fc.array(fc.option(fc.integer()), { maxLength: 4 }), texts: fc.array(fc.option(text), { maxLength: 4 }),
    at: fc.date({ min: new Date("0100-01-01"), max: new Date("9999-01-01"), noInvalidDate: true }), d: fc.constantFrom("2024-02-29", "0044-03-15 BC", "infinity"),
  });
  const raw = { getTypeParser: () => (found: string) => found };
  await fc.assert(fc.asyncProperty(values, async (given) => {
    const names = Object.keys(given);
    const { rows: [{ id }] } = await pool.query(`insert into live (${names.join(", ")}) values (${names.map((_, i) => `$${i + 1}`).join(", ")}) returning id`, Object.values(given));
    const { rows: [as] } = await pool.query({ text: "select i8, n, f8, d, at at time zone 'UTC' as at, j from live where id = $1", values: [id], types: raw as never });
    const { rows: [live] } = await pool.query("select i2, i4, b, t, bytes, list, texts from live where id = $1", [id]);
    const [change] = await trail.history<Record<string, unknown>>("live", id as number).toArray();
    assert.ok(change?.op === "INSERT" && change.erased === null);
    const found = change.new;
    for (const name of ["i2", "i4", "b", "t", "list", "texts"]) {
      assert.deepEqual(found[name], live[name], name);
    }
    assert.deepEqual(Buffer.from(found["bytes"] as Uint8Array), live.bytes);
    assert.equal(String(found["i8"]), as.i8);
    assert.ok(found["n"] instanceof Decimal && found["n"].equals(new Decimal(as.n)));
    assert.ok(Object.is(found["f8"], given.f8) || Object.is(found["f8"], Number(as.f8)), `${String(found["f8"])} ${String(given.f8)}`);
    assert.equal(found["d"], as.d);
    assert.equal((found["at"] as string).replace(/\+00:00$/, "").replace("T", " "), as.at);
    assert.equal(written(found["j"]), written(vestige.parseJson(as.j as string)));
  }), { numRuns: 60 });
});

test("a database without a trail is said to have none, and what makes one", async () => {
  const bare = await Database.bare("create table t (id int primary key)");
  const own = new pg.Pool(bare.config({ max: 1 }));
  const other = postgres({ host: bare.host, port: bare.port, username: bare.user, database: bare.name, max: 1, onnotice: () => undefined });
  for (const trail of [openTrail(own), openTrail(other)]) {
    for (const asks of [
      () => trail.history("t", 1).toArray(), () => trail.changes().toArray(), () => trail.feed(-1), () => trail.blame("t", 1), () => trail.asOf("t", { change: 1 }),
      () => trail.track("t"), () => trail.revert(1), () => trail.undo(1), () => trail.erase("t", 1, "asked"),
    ] as (() => Promise<unknown>)[]) {
      await assert.rejects(asks(), /this database has no trail, or an older one: `vestige init` makes it/, String(asks));
    }
    await assert.rejects(trail.asOf("nowhere", { change: 1 }), /relation "nowhere" does not exist/);
  }
  await assert.rejects(openTrail(own).revert(1), /has no trail/);
  assert.equal(own.totalCount, 1);   // that was an answer: the session is none the worse
  await own.end();
  await other.end();
  await bare.drop();
});
