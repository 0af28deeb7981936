/** What stands on better-sqlite3 says the context, too: each does a single statement, a transaction, and one that fails. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type BetterSqlite3 from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import knex from "knex";
import { Kysely, SqliteDialect } from "kysely";
import "reflect-metadata";
import { DataSource, EntitySchema } from "typeorm";
import * as vestige from "vestige-audit";
import { instrument } from "vestige-audit/better-sqlite3";
import { database, DRIVERS, loaded, recorded, type Sqlite } from "./sqlite_drivers.js";

interface Mapper {
  single(n: string): Promise<unknown>;
  together(first: string, second: string, back?: boolean): Promise<unknown>;
  close?(): Promise<unknown>;
}

const things = sqliteTable("things", { id: integer("id").primaryKey(), n: text("n") });
const Thing = new EntitySchema<{ id: number; n: string }>({ name: "things", columns: { id: { type: Number, primary: true, generated: true }, n: { type: String } } });

const MAPPERS: Record<string, (db: BetterSqlite3.Database, file: string) => Promise<Mapper>> = {
  async drizzle(db) {
    const orm = drizzle(db);
    return {
      single: async (n) => orm.insert(things).values({ n }).returning(),
      together: async (first, second, back) => orm.transaction((inner) => {
        inner.insert(things).values({ n: first }).run();
        inner.insert(things).values({ n: second }).run();
        if (back) {
          inner.rollback();
        }
      }),
    };
  },
  async kysely(db) {
    const orm = new Kysely<{ things: { id?: number; n: string } }>({ dialect: new SqliteDialect({ database: db }) });
    return {
      single: (n) => orm.insertInto("things").values({ n }).returning("id").execute(),
      together: (first, second, back) => orm.transaction().execute(async (inner) => {
        await inner.insertInto("things").values({ n: first }).execute();
        await inner.insertInto("things").values({ n: second }).execute();
        if (back) {
          throw new Error("back");
        }
      }),
    };
  },
  async knex(_db, filename) {
    const orm = knex({
      client: "better-sqlite3", connection: { filename }, useNullAsDefault: true,
      pool: { afterCreate: (made: BetterSqlite3.Database, done: (error: null, made: unknown) => void) => done(null, instrument(made)) },
    });
    return {
      single: (n) => orm("things").insert({ n }).returning("id").then((rows) => rows),
      together: (first, second, back) => orm.transaction(async (inner) => {
        await inner("things").insert({ n: first });
        await inner("things").insert({ n: second });
        if (back) {
          throw new Error("back");
        }
      }),
      close: () => orm.destroy(),
    };
  },
  async typeorm(_db, file) {
    const source = await new DataSource({
      type: "better-sqlite3", database: file, entities: [Thing], prepareDatabase: (made) => void instrument(made as BetterSqlite3.Database),
    }).initialize();
    return {
      single: (n) => source.getRepository(Thing).insert({ n }),
      together: (first, second, back) => source.transaction(async (inner) => {
        await inner.getRepository(Thing).save([{ n: first }, { n: second }]);
        if (back) {
          throw new Error("back");
        }
      }),
      close: () => source.destroy(),
    };
  },
};

const driver = DRIVERS.find((one) => one.name === "better-sqlite3");
for (const [name, open] of driver ? Object.entries(MAPPERS) : []) {
  describe(name, () => {
    let plain: Sqlite;
    let db: Sqlite;
    let mapper: Mapper;
    before(async () => {
      const file = database(driver!, ["create table things (id integer primary key autoincrement, n text)"], ["things"]);
      plain = loaded(driver!.open(file));
      db = driver!.instrument(driver!.open(file));
      mapper = await open(db as never, file);
    });
    after(async () => {
      await mapper.close?.();
      plain.close();
      db.close();
    });

    test("says it for each statement and transaction, and nobody else's", async () => {
      await vestige.run({ actor: "ann" }, () => mapper.single("a"));
      await mapper.single("b");
      await vestige.run({ actor: "bob" }, () => mapper.together("c", "d"));
      await mapper.together("e", "f");
      await assert.rejects(async () => vestige.run({ actor: "eve" }, () => mapper.together("gone", "gone", true)));
      await Promise.all(["g", "h", "i"].map((n) => vestige.run({ actor: n }, () => mapper.single(n))));
      assert.deepEqual(recorded(plain).map(({ values, context }) => [values!["n"], context["actor"] ?? null]), [
        ["a", "ann"], ["b", null], ["c", "bob"], ["d", "bob"], ["e", null], ["f", null], ["g", "g"], ["h", "h"], ["i", "i"]]);
      assert.deepEqual(plain.prepare("select * from vestige_session").all(), []);
    });
  });
}
