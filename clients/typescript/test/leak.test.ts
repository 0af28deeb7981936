/**
 * A thousand requests over a small pool, half of them without a context, in sessions that somebody else has spoken for,
 * some of which are killed: no change is attributed to anybody but who made it.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import * as vestige from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Bouncer } from "./bouncer.js";
import { Database } from "./database.js";

const REQUESTS = 1000;
let database: Database;
let bouncer: Bouncer;
before(async () => {
  database = await Database.create("create table t (id int primary key, who text, n int)",
    `insert into t select i, '', 0 from generate_series(1, ${REQUESTS}) i`, "select vestige.track('t')");
  bouncer = await Bouncer.before(database.host, database.port, database.user, 8);
});
after(async () => {
  await bouncer.close();
  await database.drop();
});

/** What one request does: single statements, or a transaction with a savepoint that may go. Writes its own name. */
async function request(pool: pg.Pool, id: number, who: string): Promise<void> {
  await pause(Math.random() * 3);
  if (id % 3 === 0) {
    await pool.query("update t set who = $1, n = n + 1 where id = $2", [who, id]);
    return;
  }
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("begin");
    await client.query("update t set who = $1, n = n + 1 where id = $2", [who, id]);
    if (id % 5 === 0) {
      await client.query("savepoint s");
      await vestige.run({ actor: "inner" }, () => client.query("update t set who = 'inner' where id = $1", [id]));
      await client.query("rollback to s");
    }
    await pause(Math.random() * 2);
    await client.query(id % 7 === 0 ? "rollback" : "commit");
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}

async function storm(config: pg.PoolConfig, size: number): Promise<void> {
  const pool = instrument(new pg.Pool({ ...config, max: size, application_name: "storm" }));
  pool.on("error", () => undefined);   // sessions are killed while they are idle, and
  pool.on("connect", (client) => client.on("error", () => undefined));   // while they are not
  const from = (await database.rows("select coalesce(max(id), 0) as id from vestige.change"))[0]!["id"] as string;
  // Every session has been spoken for, behind the client's back.
  await Promise.all(Array.from({ length: size }, async () => {
    const one = await pool.connect();
    await (pg.Client.prototype.query as (text: string) => Promise<unknown>).call(one, "select set_config('vestige.context', '{\"actor\":\"stranger\"}', false), pg_sleep(0.05)");
    one.release();
  }));
  let failed = 0;
  const killer = (async () => {
    for (let round = 0; round < 5; round += 1) {
      await pause(20);
      await database.run(`select pg_terminate_backend(pid) from (select pid from pg_stat_activity
        where datname = '${database.name}' and application_name = 'storm' and backend_type = 'client backend' order by random() limit 1) x`);
    }
  })();
  await Promise.all(Array.from({ length: REQUESTS }, (_, i) => {
    const id = i + 1;
    const run = id % 2 === 0
      ? vestige.run({ actor: `user ${id}` }, () => request(pool, id, `user ${id}`))
      : request(pool, id, "");
    return run.catch(() => { failed += 1; });
  }));
  await killer;
  await pool.end();
  const [found] = await database.rows(`select count(*) as changes,
      count(*) filter (where coalesce(context ->> 'actor', '') <> coalesce(new_values ->> 'who', (select who from t where id = (key ->> 'id')::int))) as wrong
    from vestige.changes where id > ${from}`);
  assert.ok(failed < REQUESTS / 4, `${failed} requests failed`);
  assert.ok(Number(found!["changes"]) > REQUESTS / 2, `${String(found!["changes"])} changes`);
  assert.equal(found!["wrong"], "0");
}

for (const size of [5, 20]) {
  test(`${REQUESTS} requests over a pool of ${size}`, () => storm(database.config(), size));
  test(`${REQUESTS} requests over a pool of ${size}, through PgBouncer`, () =>
    storm(database.config({ host: "127.0.0.1", port: bouncer.port }), size));
}

test("set_config for the session, on a pool, attributes to others: what the front page says", async () => {
  const pool = new pg.Pool(database.config({ max: 10 }));
  const wrong: Record<number, number> = {};
  for (const atOnce of [1, 2, 4, 8]) {
    const from = (await database.rows("select max(id) as id from vestige.change"))[0]!["id"] as string;
    let next = 0;
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (next < 200) {
        const id = (next += 1);
        await pool.query("select set_config('vestige.context', $1, false)", [JSON.stringify({ actor: `user ${id}` })]);
        await pause(Math.random() * 3);
        await pool.query("update t set who = $1, n = n + 1 where id = $2", [`user ${id}`, id]);
      }
    }));
    const [found] = await database.rows(`select count(*) filter (where context ->> 'actor' is distinct from 'user ' || (key ->> 'id')) as wrong,
      count(*) as all from vestige.changes where id > ${from}`);
    assert.equal(found!["all"], "200");
    wrong[atOnce] = Number(found!["wrong"]);
  }
  await pool.end();
  console.log(`of 200 changes attributed to somebody else, by requests at once: ${JSON.stringify(wrong)}`);
  assert.equal(wrong[1], 0);
  for (const atOnce of [2, 4, 8]) {
    assert.ok(wrong[atOnce]! > 0, `${atOnce} at once: none of 200`);
  }
});
