/** The requests that each framework is given, and what must stand in the trail then. */
import assert from "node:assert/strict";
import { Database } from "../test/database.js";

const COUNT = 60;

export function made(): Promise<Database> {
  return Database.create("create table t (id int primary key, n int)", `insert into t select i, 0 from generate_series(1, ${COUNT}) i`, "select vestige.track('t')");
}

/** 60 requests at once, a third of them without a user, half without a request id. */
export async function asked(database: Database, ask: (id: number, headers: Record<string, string>) => Promise<unknown>, also: object,
  own: (id: number) => object = () => ({})): Promise<void> {
  const [{ id: from }] = await database.rows("select coalesce(max(id), 0) as id from vestige.change") as [{ id: string }];
  const ids = Array.from({ length: COUNT }, (_, i) => i + 1);
  await Promise.all(ids.map((id) => ask(id, { "user-agent": "test", ...(id % 2 ? { "x-request-id": `r-${id}` } : {}), ...(id % 3 ? { "x-user": `u-${id}` } : {}) })));
  const changes = await database.rows(`select (key ->> 'id')::int as id, context from vestige.changes where id > ${from} order by 1`) as
    { id: number; context: Record<string, unknown> }[];
  assert.deepEqual(changes.map((one) => one.id), ids);
  for (const { id, context } of changes) {
    const { request_id: request, ...rest } = context;
    assert.deepEqual(rest, { ...(id % 3 ? { actor: `u-${id}` } : {}), ...also, ...own(id) });
    assert.ok(id % 2 ? request === `r-${id}` : typeof request === "string" && request.length > 0);
  }
  assert.equal(new Set(changes.map((one) => one.context["request_id"])).size, COUNT);
}
