import assert from "node:assert/strict";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import * as vestige from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";

let database: Database;
const open: { end(): Promise<void> }[] = [];
before(async () => {
  database = await Database.create("create table t (id int primary key, n int)", "select vestige.track('t')");
});
beforeEach(() => database.run("delete from t", "insert into t values (1, 0)"));
after(async () => {
  await Promise.all(open.map((one) => one.end()));
  await database.drop();
});

async function client(options = {}): Promise<pg.Client> {
  const made = new pg.Client(database.config());
  await made.connect();
  open.push(made);
  return instrument(made, options);
}

function pool(over: pg.PoolConfig = {}): pg.Pool {
  const made = instrument(new pg.Pool(database.config(over)));
  open.push(made);
  return made;
}

async function last(): Promise<object> {
  return (await database.rows("select context from vestige.changes order by id desc limit 1"))[0]!["context"] as object;
}

type Done = (error: Error, result: pg.QueryResult) => void;
const Query = pg.Query as unknown as new (...args: unknown[]) => object;

const ANN = { actor: "ann" };

test("results are what they are without a client: one, or those of a text's own statements", async () => {
  const own = await client();
  await vestige.run(ANN, async () => {
    const begun = await own.query("begin");
    assert.equal(begun.command, "BEGIN");
    const many = await own.query("update t set n = 1; select 1 as one; commit; begin; rollback") as unknown as pg.QueryResult[];
    assert.deepEqual(many.map((one) => one.command), ["UPDATE", "SELECT", "COMMIT", "BEGIN", "ROLLBACK"]);
    assert.deepEqual(many[1]!.rows, [{ one: 1 }]);
    const single = await own.query("insert into t values (2, 2) returning id");
    assert.deepEqual([single.command, single.rowCount, single.rows], ["INSERT", 1, [{ id: 2 }]]);
    const withValues = await own.query<{ n: number }>("update t set n = $1 where id = 2 returning n", [7]);
    assert.deepEqual(withValues.rows, [{ n: 7 }]);
  });
  assert.deepEqual(await last(), ANN);
});

test("each form of query says the context: a text, an object, a name, callbacks, a Query", async () => {
  const own = await client();
  await vestige.run(ANN, async () => {
    await own.query({ text: "begin" });
    await own.query({ text: "update t set n = n + 1", name: "bump" });
    await own.query("commit", []);
    await own.query({ name: "bump", text: "update t set n = n + 1" });
    assert.deepEqual(await last(), ANN);
    for (const ask of [
      (done: Done) => own.query("update t set n = n + 1", done),
      (done: Done) => own.query("update t set n = n + $1", [1], done),
      (done: Done) => own.query({ text: "update t set n = n + $1", values: [1], callback: done } as never),
      (done: Done) => own.query(new Query("update t set n = n + 1", done) as never),
      (done: Done) => own.query(new Query("update t set n = n + $1", [1], done) as never),
    ]) {
      const result = await new Promise<pg.QueryResult>((resolve, reject) => {
        ask((error, found) => error ? reject(error) : resolve(found));
      });
      assert.equal(result.command, "UPDATE");
      assert.equal(result.rowCount, 1);
      assert.deepEqual(await last(), ANN);
    }
  });
  const named = (await own.query("select count(*) from pg_prepared_statements where name = 'bump'")).rows[0];
  assert.deepEqual(named, { count: "1" });
});

test("an error is the driver's own, its place that of the text, and nothing of the statement stays", async () => {
  const own = await client();
  await vestige.run(ANN, async () => {
    await assert.rejects(own.query("update t set nonsense = 1"), { code: "42703", position: "14" });
    await assert.rejects(own.query("update t set nonsense = $1", [1]), { code: "42703", position: "14" });
    await own.query("begin");
    await assert.rejects(vestige.run({ reason: "r" }, () => own.query("update t set nonsense = 1")), { position: "14" });
    await assert.rejects(own.query("update t set n = $1", [1]), { code: "25P02" });
    await own.query("rollback");
    await assert.rejects(own.query("begin isolation level nonsense"), { code: "42601" });
    await own.query("update t set n = $1", [9]);
    assert.deepEqual(await last(), ANN);
    const failing = own.query("begin isolation level nonsense").catch(() => own.query("update t set n = $1", [10]));
    await Promise.all([failing, own.query("select 1")]);
  });
  assert.deepEqual(await last(), ANN);
});

/** A socket whose last six bytes come later: an error, and then, apart, what it made of the transaction. */
class Slow extends net.Socket {
  override emit(event: string, ...args: unknown[]): boolean {
    const [chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk) || chunk.length <= 6) {
      return super.emit(event, ...args as never[]);
    }
    setImmediate(() => super.emit("data", chunk.subarray(-6)));
    return super.emit("data", chunk.subarray(0, -6));
  }
}

test("what follows an error waits until the server has said what that made of the transaction", async () => {
  const slow = new pg.Client({ ...database.config(), stream: () => new Slow() });
  await slow.connect();
  open.push(slow);
  const own = instrument(slow);
  await vestige.run(ANN, async () => {
    await assert.rejects(own.query("begin isolation level nonsense"), { code: "42601" });
    await own.query("update t set n = $1", [41]);
  });
  assert.deepEqual(await last(), ANN);
});

test("COPY outside a transaction is done when it is committed, and fails if that does", async () => {
  const own = await client();
  await database.run("create table c (id int, other int unique deferrable initially deferred)", "insert into c values (1, 1)");
  const copy = (rows: string): Promise<void> => pipeline(Readable.from([rows]), own.query(copyFrom("copy c from stdin")));
  await copy("2\t2\n");
  assert.equal((await database.rows("select from c")).length, 2);
  await assert.rejects(copy("3\t1\n"), { code: "23505" });
  await assert.rejects(copy("x\n"), { code: "22P02" });
  assert.equal((await own.query("select from c")).rowCount, 2);
});

test("what waits for a connection that ends is told so", async () => {
  const own = await client();
  own.on("error", () => undefined);
  await assert.rejects(own.query("update t set n = $1 where pg_terminate_backend(pg_backend_pid())", [1])
    .catch((error: Error) => Promise.all([own.query("update t set n = $1", [2]), own.query("select 1")]).catch(() => Promise.reject(error))),
  // Which comes first is for the server's last words and the end of the connection to find out.
  (error: { code?: string; message: string }) => error.code === "57P01" || error.message === "Connection terminated unexpectedly");
});

test("a constraint that is checked at the end fails the statement, not nobody", async () => {
  await database.run("create table d (id int, other int unique deferrable initially deferred)");
  const own = await client();
  await own.query("insert into d values (1, 1)");
  await assert.rejects(own.query("insert into d values ($1, $2)", [2, 1]), { code: "23505" });
  assert.deepEqual((await own.query("select count(*) from d")).rows, [{ count: "1" }]);
});

test("isolation levels can be set as ever", async () => {
  const own = await client();
  await vestige.run(ANN, async () => {
    await own.query("START TRANSACTION");
    await own.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    assert.deepEqual((await own.query("show transaction_isolation")).rows, [{ transaction_isolation: "serializable" }]);
    await own.query("update t set n = 5");
    await own.query("COMMIT AND CHAIN");
    await own.query("update t set n = 6");
    assert.deepEqual((await own.query("show transaction_isolation")).rows, [{ transaction_isolation: "serializable" }]);
    await own.query("commit");
    await own.query("begin read only");
    await own.query("select 1");
    await own.query("commit");
  });
  assert.deepEqual((await database.changes()).slice(-2).map((one) => one.context), [ANN, ANN]);
});

test("queries that are sent before others are answered stay in order, and each under its own", async () => {
  const own = await client();
  const asked = ["a", "b", "c"].map((actor, i) => vestige.run({ actor }, () => own.query("update t set n = $1", [i + 1])));
  const read = own.query<{ n: number }>("select n from t");
  await Promise.all(asked);
  assert.deepEqual((await read).rows, [{ n: 3 }]);
  assert.deepEqual((await database.changes()).slice(-3).map((one) => one.context["actor"]), ["a", "b", "c"]);
});

test("callbacks run under the context of whoever asked, also when they had to wait for a client", async () => {
  const own = pool({ max: 1 });
  const seen: string[] = [];
  await Promise.all(["ann", "bob", "eve"].map((actor) => vestige.run({ actor }, () => new Promise<void>((resolve, reject) => {
    own.connect((error, one, release) => {
      if (error || !one) {
        return reject(error!);
      }
      one.query("begin", () => one.query("update t set n = n + 1", () => one.query("commit", () => {
        seen.push(`${actor} ${String(vestige.current().actor)}`);
        release();
        resolve();
      })));
    });
  }))));
  await Promise.all(["ann", "bob", "eve"].map((actor) => vestige.run({ actor }, () => new Promise<void>((resolve) => {
    own.query("update t set n = n + $1", [1], () => {
      seen.push(`${actor} ${String(vestige.current().actor)}`);
      resolve();
    });
  }))));
  assert.deepEqual(seen.sort(), ["ann ann", "ann ann", "bob bob", "bob bob", "eve eve", "eve eve"]);
  const actors = (await database.changes()).slice(-6).map((one) => one.context["actor"]).sort();
  assert.deepEqual(actors, ["ann", "ann", "bob", "bob", "eve", "eve"]);
});

test("a client that comes back inside a transaction is told whose the next statement is", async () => {
  const own = pool({ max: 1 });
  await vestige.run(ANN, async () => {
    const one = await own.connect();
    await one.query("begin");
    one.release();
  });
  await vestige.run({ actor: "bob" }, () => own.query("update t set n = $1", [3]));
  await own.query("commit");
  assert.deepEqual(await last(), { actor: "bob" });
});

test("clients that a pool had before, and twice instrumented ones, say it once", async () => {
  const early = new pg.Pool(database.config({ max: 1 }));
  open.push(early);
  await early.query("select 1");
  assert.equal(instrument(instrument(early)), early);
  await vestige.run(ANN, () => early.query("update t set n = n + 1"));
  assert.deepEqual(await last(), ANN);
});

test("the policies for single statements: a comment, nothing, refused", async () => {
  const commenting = await client({ autocommit: "comment" });
  await commenting.query("set vestige.sqlcommenter = on");
  await vestige.run({ actor: "o'neil", reason: "100 % */" }, () => commenting.query("update t set n = $1", [4]));
  assert.deepEqual(await last(), { actor: "o'neil", reason: "100 % */" });
  const off = await client({ autocommit: "off" });
  await vestige.run(ANN, () => off.query("update t set n = $1", [5]));
  assert.deepEqual(await last(), {});
  const strict = await client({ autocommit: "error" });
  await vestige.run(ANN, async () => {
    assert.throws(() => strict.query("update t set n = 6"), /outside a transaction/);
    await strict.query("select 1");
  });
});

test("empty: keep leaves the session's own context where there is none", async () => {
  const keeping = await client({ empty: "keep" });
  await keeping.query("select set_config('vestige.context', '{\"actor\":\"cron\"}', false)");
  await keeping.query("update t set n = $1", [7]);
  assert.deepEqual(await last(), { actor: "cron" });
  await vestige.run(ANN, () => keeping.query("update t set n = $1", [8]));
  assert.deepEqual(await last(), ANN);
});

test("of a client that has query() and nothing else, what its texts say is enough", async () => {
  const real = new pg.Client(database.config());
  await real.connect();
  open.push(real);
  const own = instrument({ query: (...args: unknown[]) => (real.query as (...args: unknown[]) => Promise<pg.QueryResult>)(...args) });
  await vestige.run(ANN, async () => {
    await own.query("begin");
    await own.query("update t set n = $1", [51]);
    await vestige.run({ actor: "bob" }, () => own.query("update t set n = $1", [52]));
    await assert.rejects(own.query("nonsense"), { code: "42601" });
    await own.query("rollback");
    await own.query("update t set n = $1", [53]);
    await assert.rejects(own.query("insert into t values ($1, 1)", [1]), { code: "23505" });
  });
  assert.deepEqual(await last(), ANN);
  await own.query("update t set n = $1", [54]);
  assert.deepEqual(await last(), {});
  assert.deepEqual((await database.rows("select n from t")), [{ n: 54 }]);
});

test("what is no pool and no client is refused, for it would say nothing", () => {
  for (const wrong of [{}, { query: {} }, { raw() {} }, () => {}]) {
    assert.throws(() => instrument(wrong as never), /no pool and no client of node-postgres/);
    assert.throws(() => vestige.openTrail(wrong as never), /a trail is opened over/);
  }
});
