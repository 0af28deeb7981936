/** clients/contract/cases.json, over each driver, directly and through PgBouncer in transaction mode. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import * as vestige from "vestige-audit";
import { type Adapter, ADAPTERS, Back, type Connection, type Outer } from "./adapters.js";
import { Bouncer } from "./bouncer.js";
import { Database } from "./database.js";
import { Proxy } from "./proxy.js";

interface Step {
  on?: "a" | "b";
  context?: vestige.Context;
  steps?: Step[];
  without?: Step[];
  annotate?: vestige.Context;
  carry?: Step[];
  transaction?: Step[];
  savepoint?: Step[];
  end?: "commit" | "rollback" | "release";
  execute?: string;
  parameters?: unknown[] | unknown[][];
  rows?: unknown[][];
  many?: string;
  copy?: string;
  columns?: string[];
  fails?: string;
  poison?: vestige.Context;
}

interface Case {
  name: string;
  only?: string;
  steps: Step[];
  changes: [string, object][];
  added?: number;
}

const contract = JSON.parse(fs.readFileSync(new URL("../contract/cases.json", import.meta.url), "utf8")) as {
  setup: { postgresql: string[] }; cases: Case[];
};
const cases = contract.cases.filter((one) => one.only === undefined || one.only === "postgresql");
type Places = Record<"a" | "b", Connection>;

class Runner {
  constructor(private readonly outer: Record<"a" | "b", Outer>) {}

  async steps(steps: Step[], places: Places): Promise<void> {
    for (const step of steps) {
      await this.step(step, places);
    }
  }

  private async step(step: Step, places: Places): Promise<void> {
    const on = step.on ?? "a";
    const inside = (steps: Step[]) => async (inner: Connection): Promise<void> => {
      await this.steps(steps, { ...places, [on]: inner });
      if (step.end === "rollback") {
        throw new Back();
      }
    };
    if (step.fails !== undefined) {
      await assert.rejects(this.steps(step.steps!, places), { code: step.fails });
    } else if (step.context !== undefined) {
      await vestige.run(step.context, () => this.steps(step.steps!, places));
    } else if (step.without !== undefined) {
      await vestige.without(() => this.steps(step.without!, places));
    } else if (step.annotate !== undefined) {
      vestige.annotate(step.annotate);
    } else if (step.carry !== undefined) {
      const carrier = JSON.parse(JSON.stringify(vestige.carrier())) as unknown;
      await vestige.run({ actor: "worker" }, () => vestige.attach(carrier, () => this.steps(step.carry!, places)));
    } else if (step.poison !== undefined) {
      const text = JSON.stringify(step.poison).replaceAll("'", "''");
      await this.outer[on].behind(`select set_config('vestige.context', '${text}', false)`);
    } else if (step.transaction !== undefined) {
      await places[on].transaction(inside(step.transaction)).catch(back);
    } else if (step.savepoint !== undefined) {
      await places[on].savepoint(inside(step.savepoint)).catch(back);
    } else if (step.many !== undefined) {
      await places[on].many(step.many, step.parameters as unknown[][]);
    } else if (step.copy !== undefined) {
      await places[on].copy(step.copy, step.columns!, step.rows!);
    } else {
      const rows = await places[on].execute(step.execute!, step.parameters ?? []);
      if (step.rows) {
        assert.deepEqual(rows.map((row) => row.map(String)), step.rows.map((row) => row.map(String)));
      }
    }
  }
}

function back(error: unknown): void {
  if (!(error instanceof Back)) {
    throw error;
  }
}

let database: Database;
let bouncer: Bouncer;
before(async () => {
  database = await Database.create(...contract.setup.postgresql);
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

      for (const one of cases) {
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
