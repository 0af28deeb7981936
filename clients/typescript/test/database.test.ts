/** The databases of the tests go without a word to those who have left them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Database } from "./database.js";

test("a database is dropped when a session that was ended is closed, however slow its server is: it is sent no error", async () => {
  const database = await Database.create();
  const client = new pg.Client(database.config());
  const errors: string[] = [];
  client.on("error", (error) => errors.push(error.message));
  await client.connect();
  const pid = (await client.query("select pg_backend_pid() as pid")).rows[0].pid as number;
  process.kill(pid, "SIGSTOP");
  const ended = once(client, "end");
  void client.end();   // as a pool does: its goodbye is sent, and not awaited
  const dropped = database.drop();
  await pause(300);
  process.kill(pid, "SIGCONT");
  await dropped;
  await ended;
  assert.deepEqual(errors, []);
});
