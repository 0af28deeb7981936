/**
 * What stands on the drivers: Drizzle, Kysely, Knex, Prisma, Sequelize and TypeORM, none of which is touched. Each does the same, with
 * and without a client underneath: no round trip is added in a transaction, and every change is its author's.
 */
import "reflect-metadata";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EntitySchema as MikroSchema, MikroORM } from "@mikro-orm/postgresql";
import { PrismaPg } from "@prisma/adapter-pg";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { eq } from "drizzle-orm";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { DataTypes, Sequelize } from "sequelize";
import { DataSource, EntitySchema } from "typeorm";
import * as vestige from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { instrument as instrumentSql } from "vestige-audit/postgres";
import { instrument as instrumentPrisma } from "vestige-audit/prisma";
import { PrismaClient } from "./generated/client.js";
import { Database } from "./database.js";
import { Proxy } from "./proxy.js";

/** What an application does with its mapper. */
interface Application {
  /** One transaction: inserts the row, and gives it another label. */
  transaction(id: number): PromiseLike<unknown>;
  /** One transaction that inserts the row, and throws. */
  failing(id: number): Promise<unknown>;
  /** Some have another way to put statements into a transaction: one that inserts two rows. */
  together?(id: number, other: number): PromiseLike<unknown>;
  /** One statement in no transaction that inserts the row. */
  single(id: number): PromiseLike<unknown>;
  close(): Promise<unknown>;
}

type Start = (config: pg.PoolConfig, instrumented: boolean) => Promise<Application>;
class Thrown extends Error {}

const things = pgTable("things", { id: integer("id").primaryKey(), label: text("label") });

function ofDrizzle(db: ReturnType<typeof drizzlePg>, close: () => Promise<unknown>): Application {
  const insert = (on: Pick<typeof db, "insert">, id: number): Promise<unknown> => on.insert(things).values({ id, label: "a" });
  return {
    transaction: (id) => db.transaction(async (tx) => {
      await insert(tx, id);
      await tx.transaction((inner) => inner.update(things).set({ label: "b" }).where(eq(things.id, id)).execute());
    }),
    failing: (id) => db.transaction(async (tx) => {
      await insert(tx, id);
      throw new Thrown();
    }),
    single: (id) => insert(db, id),
    close,
  };
}

const APPLICATIONS: Record<string, Start> = {
  async "Drizzle on node-postgres"(config, instrumented) {
    const pool = new pg.Pool(config);
    const db = drizzlePg(instrumented ? instrument(pool) : pool);
    await db.execute(drizzleSql`select 1`);
    return ofDrizzle(db, () => pool.end());
  },
  async "Drizzle on postgres.js"(config, instrumented) {
    const sql = postgres({ host: config.host!, port: config.port!, user: config.user!, database: config.database!, max: 1, fetch_types: false });
    const db = drizzlePostgres(instrumented ? instrumentSql(sql) : sql);
    await db.execute(drizzleSql`select 1`);
    return ofDrizzle(db as unknown as ReturnType<typeof drizzlePg>, () => sql.end());
  },
  async Kysely(config, instrumented) {
    const pool = new pg.Pool(config);
    const db = new Kysely<{ things: { id: number; label: string } }>({ dialect: new PostgresDialect({ pool: instrumented ? instrument(pool) : pool }) });
    await db.selectFrom("things").selectAll().execute();
    const insert = (on: typeof db, id: number): Promise<unknown> => on.insertInto("things").values({ id, label: "a" }).execute();
    return {
      transaction: (id) => db.transaction().execute(async (tx) => {
        await insert(tx, id);
        await tx.updateTable("things").set({ label: "b" }).where("id", "=", id).execute();
      }),
      failing: (id) => db.transaction().execute(async (tx) => {
        await insert(tx, id);
        throw new Thrown();
      }),
      single: (id) => insert(db, id),
      close: () => db.destroy(),
    };
  },
  async Knex(config, instrumented) {
    // Knex makes its clients itself, and says when it has one.
    const db = knex({
      client: "pg", connection: { host: config.host!, port: config.port!, user: config.user!, database: config.database! },
      pool: { min: 1, max: 1, afterCreate: (client: pg.Client, done: (error: unknown, client: pg.Client) => void) => done(null, instrumented ? instrument(client) : client) },
    });
    await db("things").select();
    return {
      transaction: (id) => db.transaction(async (tx) => {
        await tx("things").insert({ id, label: "a" });
        await tx.transaction((inner) => inner("things").where({ id }).update({ label: "b" }));
      }),
      failing: (id) => db.transaction(async (tx) => {
        await tx("things").insert({ id, label: "a" });
        throw new Thrown();
      }),
      single: (id) => db("things").insert({ id, label: "a" }) as unknown as Promise<unknown>,
      close: () => db.destroy(),
    };
  },
  async MikroORM(config, instrumented) {
    const entity = new MikroSchema<{ id: number; label: string }>({ name: "Thing", tableName: "things", properties: { id: { type: "number", primary: true }, label: { type: "string" } } });
    const orm = await MikroORM.init({
      entities: [entity], host: config.host!, port: config.port!, user: config.user!, dbName: config.database!, ensureDatabase: false,
      pool: { min: 1, max: 1, afterCreate: (client: pg.Client, done: (error: unknown, client: pg.Client) => void) => done(null, instrumented ? instrument(client) : client) },
    });
    await orm.em.fork().find(entity, {});
    const insert = (em: typeof orm.em, id: number): void => void em.persist(em.create(entity, { id, label: "a" }));
    return {
      transaction: (id) => orm.em.fork().transactional(async (em) => {
        insert(em, id);
        await em.flush();
        await em.transactional(async (inner) => {
          (await inner.findOneOrFail(entity, { id })).label = "b";
        });
      }),
      failing: (id) => orm.em.fork().transactional(async (em) => {
        insert(em, id);
        await em.flush();
        throw new Thrown();
      }),
      single: (id) => orm.em.fork().insert(entity, { id, label: "a" }),
      close: () => orm.close(),
    };
  },
  async "Prisma's adapter-pg"(config, instrumented) {
    const pool = new pg.Pool(config);
    const made = new PrismaClient({ adapter: new PrismaPg(instrumented ? instrument(pool) : pool) });
    const db = instrumented ? instrumentPrisma(made) : made;
    await db.things.findMany();
    return {
      transaction: (id) => db.$transaction(async (tx) => {
        await tx.things.create({ data: { id, label: "a" } });
        await tx.things.update({ where: { id }, data: { label: "b" } });
      }),
      failing: (id) => db.$transaction(async (tx) => {
        await tx.things.create({ data: { id, label: "a" } });
        throw new Thrown();
      }),
      together: (id, other) => db.$transaction([db.things.create({ data: { id, label: "a" } }), db.things.create({ data: { id: other, label: "a" } })]),
      single: (id) => db.things.create({ data: { id, label: "a" } }),
      close: async () => {
        await db.$disconnect();
        await pool.end();
      },
    };
  },
  async Sequelize(config, instrumented) {
    const db = new Sequelize({
      dialect: "postgres", dialectModule: pg, host: config.host!, port: config.port!, username: config.user!, database: config.database!,
      logging: false, pool: { max: 1 },
      hooks: { afterConnect: (client) => void (instrumented && instrument(client as pg.Client)) },
    });
    const model = db.define("things", { id: { type: DataTypes.INTEGER, primaryKey: true }, label: DataTypes.TEXT }, { timestamps: false });
    await model.findAll();
    return {
      transaction: (id) => db.transaction(async (transaction) => {
        await model.create({ id, label: "a" }, { transaction });
        await model.update({ label: "b" }, { where: { id }, transaction });
      }),
      failing: (id) => db.transaction(async (transaction) => {
        await model.create({ id, label: "a" }, { transaction });
        throw new Thrown();
      }),
      single: (id) => model.create({ id, label: "a" }),
      close: () => db.close(),
    };
  },
  async TypeORM(config, instrumented) {
    const entity = new EntitySchema<{ id: number; label: string }>({
      name: "things", columns: { id: { type: Number, primary: true }, label: { type: String } },
    });
    const db = await new DataSource({
      type: "postgres", driver: pg, host: config.host!, port: config.port!, username: config.user!, database: config.database!,
      entities: [entity], poolSize: 1,
    }).initialize();
    if (instrumented) {
      instrument((db.driver as unknown as { master: pg.Pool }).master);
    }
    await db.manager.find(entity);
    return {
      transaction: (id) => db.transaction(async (tx) => {
        await tx.insert(entity, { id, label: "a" });
        await tx.update(entity, id, { label: "b" });
      }),
      failing: (id) => db.transaction("SERIALIZABLE", async (tx) => {
        await tx.insert(entity, { id, label: "a" });
        throw new Thrown();
      }),
      single: (id) => db.manager.insert(entity, { id, label: "a" }),
      close: () => db.destroy(),
    };
  },
};

let database: Database;
let proxy: Proxy;
before(async () => {
  database = await Database.create("create table things (id int primary key, label text)", "select vestige.track('things')");
  proxy = await Proxy.before(database.host, database.port);
});
after(async () => {
  await proxy.close();
  await database.drop();
});

let next = 0;

/** Does all of it; what each part cost, and what of it was recorded. */
async function used(start: Start, instrumented: boolean): Promise<{ turns: number[]; changes: unknown[] }> {
  const application = await start(database.config({ host: "127.0.0.1", port: proxy.port, max: 1 }), instrumented);
  const [{ id: from }] = await database.rows("select coalesce(max(id), 0) as id from vestige.change") as [{ id: string }];
  const turns: number[] = [];
  const counted = async (work: () => PromiseLike<unknown>): Promise<void> => {
    proxy.turns = 0;
    await work();
    turns.push(proxy.turns);
  };
  const first = next;
  next += 10;
  await counted(() => vestige.run({ actor: "ann" }, () => application.transaction(first)));
  await counted(() => vestige.run({ actor: "eve" }, () => assert.rejects(application.failing(first + 1), Thrown)));
  await counted(() => application.transaction(first + 2));
  await vestige.run({ actor: "bob" }, () => application.single(first + 3));   // some only start when they are awaited
  await application.single(first + 4);
  await application.close();
  const rows = await database.rows(`select (key ->> 'id')::int - ${first} as row, op, context ->> 'actor' as actor from vestige.changes where id > ${from} order by id`);
  return { turns, changes: rows.map(({ row, op, actor }) => `${String(row)} ${String(op)} ${String(actor)}`) };
}

for (const [name, start] of Object.entries(APPLICATIONS)) {
  test(name, async () => {
    const plain = await used(start, false);
    const told = await used(start, true);
    assert.deepEqual(told.changes, ["0 INSERT ann", "0 UPDATE ann", "2 INSERT null", "2 UPDATE null", "3 INSERT bob", "4 INSERT null"]);
    assert.deepEqual(told.turns, plain.turns);
    assert.deepEqual(plain.changes, told.changes.map((one) => one.replace(/\w+$/, "null")));
  });
}

for (const [name, start] of Object.entries(APPLICATIONS)) {
  test(`${name}: what is asked for in one tick is each under its own`, async () => {
    const application = await start(database.config({ max: 4 }), true);
    const first = next;
    next += 100;
    const [{ id: from }] = await database.rows("select coalesce(max(id), 0) as id from vestige.change") as [{ id: string }];
    await Promise.all(Array.from({ length: 40 }, (_, i) => vestige.run({ actor: `u${i}` }, async () => {
      switch (i % 4) {
        case 0:
          return application.transaction(first + i);
        case 1:
          return application.single(first + i);
        case 2:
          return (application.together ?? application.single)(first + i, first + i + 50);
        default:
          return assert.rejects(application.failing(first + i), Thrown);
      }
    })));
    await application.close();
    const rows = await database.rows(`select ((key ->> 'id')::int - ${first}) % 50 as row, context ->> 'actor' as actor from vestige.changes where id > ${from}`);
    assert.deepEqual(rows.filter(({ row, actor }) => actor !== `u${String(row)}`), []);
    assert.equal(rows.length, 10 * 2 + 10 + 10 * (application.together ? 2 : 1));
  });
}

test("a client whose inside is another than Prisma 7's is refused", () => {
  assert.throws(() => instrumentPrisma({ _requestHandler: { dataloader: { request: () => 1, options: {} } } }), /as Prisma 7 does/);
  assert.throws(() => instrumentPrisma({}), /as Prisma 7 does/);
});
