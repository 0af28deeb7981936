/** clients/contract/cases.json, over each driver of SQLite: by prepared statements, and by exec() where there are no parameters. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { between, type Connection, each, type Outer, type Row } from "./adapters.js";
import { casesOf, Runner, setup } from "./contract.js";
import { database, type Driver, DRIVERS, EXTENSION, loaded, recorded, type Sqlite } from "./sqlite_drivers.js";

class OfSqlite implements Outer {
  private depth = 0;

  constructor(private readonly database: Sqlite, private readonly scripts: boolean) {}

  execute(text: string, parameters: unknown[]): Promise<Row[]> {
    if (this.scripts && parameters.length === 0 && !/^(select|with)|returning/.test(text)) {
      this.database.exec(text);
      return Promise.resolve([]);
    }
    const statement = this.database.prepare(text.replace(/\$\d+/g, "?"));
    const values = [...text.matchAll(/\$(\d+)/g)].map((found) => parameters[Number(found[1]) - 1]);
    if (!/^(select|with)|returning/.test(text)) {
      statement.run(...values);
      return Promise.resolve([]);
    }
    return Promise.resolve(statement.all(...values).map((row) => Object.values(row as object)));
  }

  async many(text: string, rows: Row[]): Promise<void> {
    await (this.within ? each(this, text, rows) : this.transaction((inner) => each(inner, text, rows)));
  }

  private within = false;

  copy(): Promise<void> {
    return Promise.reject(new Error("SQLite has no COPY"));
  }

  async transaction(work: (inner: Connection) => Promise<void>): Promise<void> {
    this.within = true;
    try {
      await between(this, "begin", "commit", "rollback", work);
    } finally {
      this.within = false;
    }
  }

  async savepoint(work: (inner: Connection) => Promise<void>): Promise<void> {
    const name = `s${this.depth += 1}`;
    await between(this, `savepoint ${name}`, `release ${name}`, `rollback to ${name}`, work);
  }

  behind(): Promise<void> {
    return Promise.reject(new Error("SQLite has no setting of a session"));
  }

  close(): Promise<void> {
    this.database.close();
    return Promise.resolve();
  }
}

const KINDS: Record<string, object> = {
  "23505": { message: /UNIQUE constraint failed/ }, "VS001": { message: /^vestige: strict requires .* in the context of every change$/ },
};

/** SQLite keeps what a context says as text. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

test("there is a driver", { skip: !fs.existsSync(EXTENSION) }, () => assert.ok(DRIVERS.length > 0));

const ways: [Driver, boolean][] = DRIVERS.flatMap((driver): [Driver, boolean][] => [[driver, false], [driver, true]]);
for (const [driver, scripts] of ways) {
  describe(`${driver.name}${scripts ? ", exec" : ""}`, () => {
    let file: string;
    let outer: Record<"a" | "b", OfSqlite>;
    let plain: Sqlite;
    before(() => {
      file = database(driver, setup.sqlite, ["things"], ["strict", "--require", "actor,reason"]);
      plain = loaded(driver.open(file));
      const one = (): OfSqlite => new OfSqlite(driver.instrument(driver.open(file)), scripts);
      outer = { a: one(), b: one() };
    });
    after(() => {
      for (const one of [outer.a, outer.b, plain]) {
        void one.close();
      }
    });
    for (const one of casesOf("sqlite")) {
      test(one.name, async () => {
        plain.exec(`begin; insert into vestige_session (actor, reason) values ('test', 'empty'); delete from things; delete from strict;
          delete from vestige_session; commit`);
        const { last } = plain.prepare("select max(seq) as last from sqlite_sequence where name = 'vestige_change'").get() as { last: number | null };
        await new Runner(outer, (state) => KINDS[state]!).steps(one.steps, outer);
        assert.deepEqual(recorded(plain, last ?? 0).map(({ values, context }) => [values!["label"] ?? values!["note"], context]),
          one.changes.map(([label, context]) => [label, Object.fromEntries(Object.entries(context).map(([name, value]) => [name, asText(value)]))]));
        assert.deepEqual(plain.prepare("select * from vestige_session").all(), []);
      });
    }
  });
}
