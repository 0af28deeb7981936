/** clients/contract/cases.json, over each driver, directly and through PgBouncer in transaction mode. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Adapter, ADAPTERS, type Outer } from "./adapters.js";
import { Bouncer } from "./bouncer.js";
import { type Case, casesOf, Runner, setup } from "./contract.js";
import { Database } from "./database.js";
import { Proxy } from "./proxy.js";

let database: Database;
let bouncer: Bouncer;
before(async () => {
  database = await Database.create(...setup.postgresql);
  bouncer = await Bouncer.before(database.host, database.port, database.user);
});
after(async () => {
  await bouncer.close();
  await database.drop();
});

async function both(adapter: Adapter, port: number, instrumented: boolean): Promise<Record<"a" | "b", Outer>> {
  const config = database.config({ host: "127.0.0.1", port });
  return { a: await adapter.connect(config, instrumented), b: await adapter.connect(config, instrumented) };
}

const WAYS = { direct: "directly", bouncer: "through PgBouncer" } as const;
type Played = { turns: number; changes: unknown[] };

for (const adapter of ADAPTERS) {
  // What a case costs without a client, measured directly: the pooler adds nothing to that.
  const costs = new Map<string, number>();
  for (const way of adapter.ways) {
    describe(`${adapter.name}, ${WAYS[way]}`, () => {
      let proxy: Proxy;
      let plain: Record<"a" | "b", Outer> | undefined;
      let told: Record<"a" | "b", Outer>;
      before(async () => {
        proxy = way === "direct" ? await Proxy.before(database.host, database.port) : await Proxy.before("127.0.0.1", bouncer.port);
        plain = way === "direct" ? await both(adapter, proxy.port, false) : undefined;
        told = await both(adapter, proxy.port, true);
      });
      after(async () => {
        for (const one of [plain?.a, plain?.b, told.a, told.b]) {
          await one?.close();
        }
        await proxy.close();
      });

      const played = async (one: Case, outer: Record<"a" | "b", Outer>): Promise<Played> => {
        await database.run("set local vestige.context = '{\"actor\":\"test\",\"reason\":\"empty\"}'; delete from things; delete from strict");
        await outer.a.execute("select 1", []);
        await outer.b.execute("select 1", []);
        const from = (await database.rows("select coalesce(max(id), 0) as id from vestige.change"))[0]!["id"] as string;
        proxy.turns = 0;
        await new Runner(outer).steps(one.steps, outer);
        const turns = proxy.turns;
        const changes = await database.rows(`select coalesce(new_values ->> 'label', new_values ->> 'note') as label, context
          from vestige.changes where id > ${from} order by id`);
        return { turns, changes: changes.map((change) => [change["label"], change["context"]]) };
      };

      for (const one of casesOf("postgresql")) {
        test(one.name, async () => {
          // A case that asks for a context fails without a client.
          const cost = plain && await played(one, plain).then(({ turns }) => turns, () => undefined);
          if (cost !== undefined) {
            costs.set(one.name, cost);
          }
          const { turns, changes } = await played(one, told);
          assert.deepEqual(changes, one.changes);
          const without = costs.get(one.name) ?? Infinity;
          assert.ok(turns - without <= (one.added ?? 0),
            `${turns} round trips, ${without} without a client, and ${one.added ?? 0} more are allowed`);
        });
      }
    });
  }
}
