/** clients/contract/cases.json, and how a case is run over connections, whatever their driver is. */
import assert from "node:assert/strict";
import fs from "node:fs";
import * as vestige from "vestige-audit";
import { Back, type Connection, type Outer } from "./adapters.js";

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

export interface Case {
  name: string;
  only?: string;
  steps: Step[];
  changes: [string, object][];
  added?: number;
}

export type Engine = "postgresql" | "sqlite";

const contract = JSON.parse(fs.readFileSync(new URL("../contract/cases.json", import.meta.url), "utf8")) as {
  setup: Record<Engine, string[]>; cases: Case[];
};

export const setup = contract.setup;

export function casesOf(engine: Engine): Case[] {
  return contract.cases.filter((one) => one.only === undefined || one.only === engine);
}

type Places = Record<"a" | "b", Connection>;

export class Runner {
  /** failure: what an error looks like that is of this SQLSTATE. */
  constructor(private readonly outer: Record<"a" | "b", Outer>, private readonly failure: (state: string) => object = (code) => ({ code })) {}

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
      await assert.rejects(this.steps(step.steps!, places), this.failure(step.fails));
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
