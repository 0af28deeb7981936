import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import * as vestige from "vestige-audit";
import { instrument, type Options } from "vestige-audit/postgres";
import { Database } from "./database.js";

let database: Database;
const open: postgres.Sql[] = [];
before(async () => {
  database = await Database.create("create table t (id int primary key, n int)", "select vestige.track('t')");
});
beforeEach(() => database.run("delete from t", "insert into t values (1, 0)"));
after(async () => {
  await Promise.all(open.map((one) => one.end()));
  await database.drop();
});

function connect(over: object = {}, options: Options = {}): postgres.Sql {
  const made = postgres({ host: database.host, port: database.port, user: database.user, database: database.name, fetch_types: false, ...over });
  open.push(made);
  return instrument(made, options);
}

async function last(count = 1): Promise<unknown[]> {
  return (await database.changes()).slice(-count).map((one) => one.context);
}

const ANN = { actor: "ann" };

test("what comes back is the driver's own", async () => {
  const sql = connect({ max: 1 });
  await vestige.run(ANN, async () => {
    const rows = await sql`insert into t ${sql({ id: 2, n: 5 })} returning id, n`;
    assert.deepEqual([rows.command, rows.count, [...rows]], ["INSERT", 1, [{ id: 2, n: 5 }]]);
    assert.deepEqual([...await sql`update t set n = ${6} where id = ${2} returning n`.values()], [[6]]);
    assert.deepEqual([...await sql`update t set n = 7 where id = 2 returning n`.simple()], [{ n: 7 }]);
    const none = await sql.unsafe("update t set n = 8 where id = 2");
    assert.deepEqual([none.command, none.count], ["UPDATE", 1]);
    const both = await sql.unsafe("update t set n = 9 where id = 2 returning n; select 1 as one");
    assert.deepEqual(both.map((one: unknown) => [...one as object[]]), [[{ n: 9 }], [{ one: 1 }]]);
    const where = sql`where id = ${2}`;
    assert.equal((await sql`update t set n = ${10} ${where}`).count, 1);
    const seen: unknown[] = [];
    await sql`update t set n = ${11} returning id`.forEach((row) => {
      seen.push(row["id"], vestige.current().actor);
    });
    assert.deepEqual(seen.sort(), [1, 2, "ann", "ann"]);
    assert.deepEqual((await sql`select n from t where id = ${2}`).columns.map((one) => one.name), ["n"]);
    assert.equal((await sql`update t set n = ${12}`.describe()).types.length, 1);
  });
  assert.deepEqual(await last(8), Array.from({ length: 8 }, () => ANN));
});

test("errors are the driver's own, and leave nothing", async () => {
  const sql = connect({ max: 1 });
  await vestige.run(ANN, async () => {
    await assert.rejects(sql`update t set nonsense = ${1}`, { code: "42703", position: "14" });
    await assert.rejects(sql.unsafe("update t set nonsense = 1"), { code: "42703", position: "14" });
    await assert.rejects(async () => sql`update t set n = ${undefined as unknown as number}`, { code: "UNDEFINED_VALUE" });
    for (const nothing of [() => undefined, () => sql({ n: undefined }), () => sql`${undefined as unknown as number}`, () => sql.typed(undefined, 23)]) {
      await assert.rejects(async () => sql`update t set n = ${nothing() as never}`);
      await assert.rejects(sql.begin(async (tx) => {
        vestige.annotate({ reason: "changed" });
        await tx`update t set n = ${nothing() as never}`;
      }));
      const own = await sql.reserve();
      await assert.rejects(async () => own`update t set n = ${nothing() as never}`);
      await own`select 1`;
      own.release();
    }
    await assert.rejects(async () => sql`truncate ${sql([1])}`, TypeError);
    await assert.rejects(async () => sql`truncate ${sql({ a: 1 })}`, TypeError);
    await sql`update t set n = ${3} where id in ${sql([1, 2])}`;
    await assert.rejects(sql.begin(async (tx) => {
      await tx`update t set n = 1`;
      await tx`update t set nonsense = 1`;
    }), { code: "42703" });
  });
  await database.run("create table d (id int, other int unique deferrable initially deferred)");
  await sql`insert into d values (${1}, ${1})`;
  await assert.rejects(sql`insert into d values (${2}, ${1})`, { code: "23505" });
  assert.deepEqual([...await sql`select count(*)::int from d`], [{ count: 1 }]);
  assert.deepEqual([...await sql`select n from t`], [{ n: 3 }]);
});

test("sql.begin: options, savepoints, a list of queries, a reserved connection", async () => {
  const sql = connect({ max: 2 });
  await vestige.run(ANN, async () => {
    await sql.begin("isolation level serializable", async (tx) => {
      assert.deepEqual([...await tx`show transaction_isolation`], [{ transaction_isolation: "serializable" }]);
      await tx`update t set n = 1`;
      await tx.savepoint("named", (inner) => vestige.run({ reason: "r" }, () => inner`update t set n = 2`));
      await tx.savepoint(async (inner) => {
        await vestige.run({ actor: "bob" }, () => inner`update t set n = 3`);
        throw new Error("back");
      }).catch(() => undefined);
      await tx`update t set n = 4`;
    });
    assert.deepEqual(await last(3), [ANN, { actor: "ann", reason: "r" }, ANN]);
    await sql.begin((tx) => [tx`update t set n = 5`, tx`update t set n = 6`]);
    assert.deepEqual(await last(2), [ANN, ANN]);
    const own = await sql.reserve();
    await own`update t set n = ${7}`;
    await own`begin`;
    await own`update t set n = ${8}`;
    await vestige.run({ actor: "bob" }, () => own`update t set n = ${9}`);
    await own`commit`;
    await own.unsafe("begin; update t set n = 10; commit");
    await assert.rejects(own.unsafe("begin isolation level nonsense"));
    await own`update t set n = ${11}`;
    own.release();
  });
  assert.deepEqual(await last(5), [ANN, ANN, { actor: "bob" }, ANN, ANN]);
});

test("a file, a cursor that reads, and a cursor that writes, which is refused outside a transaction", async () => {
  const sql = connect({ max: 1 });
  const file = path.join(os.tmpdir(), `vestige-${process.pid}.sql`);
  fs.writeFileSync(file, "update t set n = 21");
  await vestige.run(ANN, async () => {
    await sql.file(file);
    assert.deepEqual(await last(), [ANN]);
    for await (const rows of sql`select n from t`.cursor(1)) {
      assert.deepEqual([...rows], [{ n: 21 }]);
    }
    await assert.rejects(async () => {
      for await (const rows of sql`update t set n = ${22} returning n`.cursor(1)) {
        assert.fail(JSON.stringify(rows));
      }
    }, /cursor over a statement that writes/);
    await sql.begin(async (tx) => {
      for await (const rows of tx`update t set n = ${23} returning n`.cursor(1)) {
        assert.deepEqual([...rows], [{ n: 23 }]);
      }
    });
  });
  assert.deepEqual(await last(), [ANN]);
  await assert.rejects(sql.file(`${file}.none`), { code: "ENOENT" });
  fs.rmSync(file);
});

test("1000 requests over pools of 5 and 20, half without a context, in sessions that somebody has spoken for", async () => {
  await database.run("insert into t select i, 0 from generate_series(2, 1000) i");
  for (const max of [5, 20]) {
    const sql = connect({ max });
    const [{ id: from }] = await database.rows("select max(id) as id from vestige.change") as [{ id: string }];
    await Promise.all(Array.from({ length: max * 2 }, () => sql`select set_config('vestige.context', '{"actor":"stranger"}', false), pg_sleep(0.02)`));
    await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
      const id = i + 1;
      const work = async (): Promise<unknown> => {
        await pause(Math.random() * 3);
        return id % 3 === 0 ? sql`update t set n = n + 1 where id = ${id}` : sql.begin(async (tx) => {
          await tx`update t set n = n + 1 where id = ${id}`;
          await pause(Math.random() * 2);
          await tx.savepoint(async (inner) => {
            await vestige.run({ actor: "inner" }, () => inner`update t set n = n + 10 where id = ${id}`);
            throw new Error("back");
          }).catch(() => undefined);
          await tx`update t set n = n + 1 where id = ${id}`;
        });
      };
      return id % 2 === 0 ? vestige.run({ actor: `user ${id}` }, work) : work();
    }));
    const [found] = await database.rows(`select count(*)::int as all, count(*) filter (where context ->> 'actor' is distinct from
      case when (key ->> 'id')::int % 2 = 0 then 'user ' || (key ->> 'id') end)::int as wrong from vestige.changes where id > ${from}`);
    assert.deepEqual(found, { all: 333 + 667 * 2, wrong: 0 });
  }
});

test("the policies, and twice instrumented is once", async () => {
  const sql = connect({ max: 1 }, { autocommit: "error" });
  assert.equal(instrument(sql), sql);
  await vestige.run(ANN, async () => {
    await assert.rejects(async () => sql`update t set n = ${1}`, /outside a transaction/);
    await sql.begin((tx) => tx`update t set n = ${30}`);
  });
  assert.deepEqual(await last(), [ANN]);
  const commenting = connect({ max: 1, connection: { "vestige.sqlcommenter": "on" }, prepare: false }, { autocommit: "comment" });
  await vestige.run({ actor: "o'neil */" }, () => commenting.unsafe("update t set n = $1", [31]));
  assert.deepEqual(await last(), [{ actor: "o'neil */" }]);
  const keeping = connect({ max: 1, connection: { "vestige.context": "{\"actor\":\"cron\"}" } }, { empty: "keep" });
  await keeping`update t set n = ${32}`;
  await keeping.begin((tx) => tx`update t set n = ${33}`);
  assert.deepEqual(await last(2), [{ actor: "cron" }, { actor: "cron" }]);
});

test("what is no sql is refused, for it would say nothing", () => {
  for (const wrong of [{}, () => {}, { unsafe() {} }]) {
    assert.throws(() => instrument(wrong as never), /no sql of postgres.js/);
  }
});
