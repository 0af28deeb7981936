/** BullMQ over a real Redis: what a job writes is recorded under the request that queued it. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import * as vestige from "vestige-audit";
import { attached, instrument as instrumentQueue } from "vestige-audit/bullmq";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";

const skip = !there();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vestige-redis-"));
const socket = path.join(folder, "redis");
const clients: Redis[] = [];

let redis: ChildProcess;
let database: Database;
let pool: pg.Pool;
let worker: Worker;
let queue: Queue;
let events: QueueEvents;
const afterwards: unknown[] = [];

function connected(): Redis {
  const client = new Redis({ path: socket, maxRetriesPerRequest: null });
  clients.push(client);
  return client;
}

function there(): boolean {
  try {
    execFileSync("redis-server", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

async function answering(): Promise<void> {
  for (let i = 0; i < 500; i += 1) {
    const ok = await new Promise((resolve) => {
      const one = net.connect(socket, () => {
        one.destroy();
        resolve(true);
      }).on("error", () => resolve(false));
    });
    if (ok) {
      return;
    }
    await pause(20);
  }
  throw new Error("redis-server does not answer");
}

before(async () => {
  if (skip) {
    return;
  }
  redis = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], { stdio: "ignore" });
  database = await Database.create("create table t (id int primary key, n int)", "insert into t select i, 0 from generate_series(1, 100) i", "select vestige.track('t')");
  pool = instrument(new pg.Pool(database.config({ max: 4 })));
  await answering();
  queue = instrumentQueue(new Queue("jobs", { connection: connected() }));
  events = new QueueEvents("jobs", { connection: connected() });
  worker = new Worker("jobs", attached(async (job: Job<{ id: number; fails?: number } | number>) => {
    const { id, fails = 0 } = typeof job.data === "number" ? { id: job.data } : job.data;
    await pause(Math.random() * 10);
    await pool.query("update t set n = n + 1 where id = $1", [id]);
    if (job.attemptsMade < fails) {
      throw new Error("not yet");
    }
    return id;
  }, { tenant: (job: Job) => job.queueName }), { connection: connected(), concurrency: 8 });
  // Listeners are called where the job was done, and none of its context is left there.
  worker.on("completed", () => afterwards.push({ ...vestige.current() }));
  await events.waitUntilReady();
});
after(async () => {
  if (!skip) {
    await worker.close();
    await queue.close();
    await events.close();
    for (const client of clients) {
      client.disconnect();
    }
    redis.kill();
    await new Promise((resolve) => redis.once("exit", resolve));
    await pool.end();
    await database.drop();
  }
  fs.rmSync(folder, { recursive: true, force: true });
});

async function said(ids: number[]): Promise<Map<number, Record<string, unknown>[]>> {
  const rows = await database.rows(`select (key ->> 'id')::int as id, context from vestige.changes where op = 'UPDATE' order by id`) as { id: number; context: Record<string, unknown> }[];
  return new Map(ids.map((id) => [id, rows.filter((row) => row.id === id).map(({ context }) => context)]));
}

test("jobs of 40 requests at once, half of them without a context", { skip }, async () => {
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  const jobs = await Promise.all(ids.map((id) => id % 2
    ? vestige.run({ actor: `u-${id}`, request_id: `r-${id}`, user_agent: "left out" }, () => queue.add("invoice", { id })) : queue.add("invoice", id)));
  await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
  for (const [id, contexts] of await said(ids)) {
    assert.deepEqual(contexts, [{ ...(id % 2 ? { actor: `u-${id}`, request_id: `r-${id}` } : {}), business_process: "invoice", job_id: jobs[id - 1]!.id, tenant: "jobs" }]);
  }
  assert.deepEqual({ ...vestige.current() }, {});
  assert.deepEqual(afterwards, ids.map(() => ({})));
});

test("a job that is tried again, many jobs at once, and a flow", { skip }, async () => {
  const flow = instrumentQueue(new FlowProducer({ connection: connected() }));
  await vestige.run({ actor: "ann" }, async () => {
    const again = await queue.add("retry", { id: 50, fails: 2 }, { attempts: 3 });
    const [one, two] = await queue.addBulk([{ name: "bulk", data: { id: 51 } }, { name: "bulk", data: { id: 52 }, opts: { priority: 1 } }]);
    const { job } = await flow.add({ name: "parent", queueName: "jobs", data: { id: 53 }, children: [{ name: "child", queueName: "jobs", data: { id: 54 } }] });
    await Promise.all([again, one!, two!, job].map((each) => each.waitUntilFinished(events)));
  });
  await flow.close();
  for (const [id, contexts] of await said([50, 51, 52, 53, 54])) {
    assert.deepEqual(contexts.map(({ actor }) => actor), id === 50 ? ["ann", "ann", "ann"] : ["ann"]);
  }
});

test("a job that is repeated is nobody's, and one that brings a context of its own keeps it", { skip }, async () => {
  const schedules = typeof queue.upsertJobScheduler === "function";
  await vestige.run({ actor: "ann" }, async () => {
    // BullMQ 5.0 has no schedulers yet, and a job of its own that says how often.
    await (schedules ? queue.upsertJobScheduler("tick", { every: 3_600_000 }, { name: "tick", data: { id: 60 } })
      : queue.add("tick", { id: 60 }, { repeat: { every: 3_600_000, immediately: true } } as object));
    const own = await queue.add("own", { id: 61 }, { ...vestige.run({ actor: "bob" }, () => vestige.carrier()) } as object);
    await own.waitUntilFinished(events);
  });
  for (let i = 0; i < 500 && (await said([60])).get(60)!.length === 0; i += 1) {
    await pause(20);
  }
  await (schedules ? queue.removeJobScheduler("tick")
    : (queue as unknown as { removeRepeatable(name: string, how: object): Promise<unknown> }).removeRepeatable("tick", { every: 3_600_000 }));
  const found = await said([60, 61]);
  assert.deepEqual([found.get(60)!.map(({ actor }) => actor), found.get(61)!.map(({ actor }) => actor)], [[undefined], ["bob"]]);
});

test("what is asked for is otherwise as it was, and BullMQ 5's repeated jobs carry nothing", () => {
  const asked = instrumentQueue({ add: (...args: unknown[]) => args, addBulk: (...args: unknown[]) => args });
  assert.equal(instrumentQueue(asked), asked);
  vestige.run({ actor: "ann" }, () => {
    const sent = vestige.carrier();
    assert.deepEqual(asked.add("a", 1), ["a", 1, sent]);
    assert.deepEqual(asked.add("a", 1, { repeat: { every: 1 } }), ["a", 1, { repeat: { every: 1 } }]);
    assert.deepEqual(asked.add("a", 1, { delay: 2, vestige: "{}" }), ["a", 1, { delay: 2, vestige: "{}" }]);
    assert.deepEqual(asked.addBulk([{ name: "a", opts: { delay: 2 } }, { name: "b", children: [{ name: "c" }] }]),
      [[{ name: "a", opts: { delay: 2, ...sent } }, { name: "b", opts: sent, children: [{ name: "c", opts: sent }] }]]);
  });
});
