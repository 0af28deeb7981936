/** The ways to a database that the contract is run over: each says how its driver does what a step asks for. */
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import postgres from "postgres";
import { instrument } from "vestige-audit/pg";
import { instrument as instrumentSql } from "vestige-audit/postgres";

export type Row = unknown[];

export async function each(on: Connection, text: string, rows: Row[]): Promise<void> {
  for (const row of rows) {
    await on.execute(text, row);
  }
}

/** What a transaction or a savepoint that is to be rolled back ends with. */
export class Back extends Error {}

export async function between(on: Connection, begin: string, end: string, back: string, work: (inner: Connection) => Promise<void>): Promise<void> {
  await on.execute(begin, []);
  try {
    await work(on);
  } catch (error) {
    await on.execute(back, []);
    throw error;
  }
  await on.execute(end, []);
}

export interface Connection {
  execute(text: string, parameters: unknown[]): Promise<Row[]>;
  /** One statement for many rows: one after the other, in one transaction, since neither driver has a better way. */
  many(text: string, rows: Row[]): Promise<void>;
  copy(table: string, columns: string[], rows: Row[]): Promise<void>;
  transaction(work: (inner: Connection) => Promise<void>): Promise<void>;
  savepoint(work: (inner: Connection) => Promise<void>): Promise<void>;
}

export interface Outer extends Connection {
  /** A statement of which the client learns nothing. */
  behind(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface Adapter {
  name: string;
  ways: ("direct" | "bouncer")[];
  connect(config: pg.PoolConfig, instrumented: boolean): Promise<Outer>;
}

export function copied(rows: Row[]): string {
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}

/** Past whatever has been done to the client. */
async function beside(client: pg.ClientBase, text: string): Promise<void> {
  await (pg.Client.prototype.query as (text: string) => Promise<unknown>).call(client, text);
}

/** node-postgres: one client, with promises or with callbacks. */
class OfClient implements Connection {
  private depth = 0;
  private within = false;

  constructor(readonly client: pg.ClientBase, private readonly callbacks: boolean) {}

  async execute(text: string, parameters: unknown[]): Promise<Row[]> {
    const query = { text, rowMode: "array", ...(parameters.length > 0 ? { values: parameters } : {}) };
    const result = await (this.callbacks
      ? new Promise<pg.QueryResult>((resolve, reject) => {
        this.client.query(query, (error: Error, found: pg.QueryResult) => error ? reject(error) : resolve(found));
      })
      : this.client.query(query));
    return (result.rows ?? []) as Row[];
  }

  many(text: string, rows: Row[]): Promise<void> {
    return this.within ? each(this, text, rows) : this.transaction((inner) => each(inner, text, rows));
  }

  async copy(table: string, columns: string[], rows: Row[]): Promise<void> {
    const stream = this.client.query(copyFrom(`copy ${table} (${columns.join(", ")}) from stdin`));
    await pipeline(Readable.from([copied(rows)]), stream as unknown as Writable);
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
    await between(this, `savepoint ${name}`, `release savepoint ${name}`, `rollback to savepoint ${name}`, work);
  }
}

class OuterClient extends OfClient implements Outer {
  async behind(text: string): Promise<void> {
    await beside(this.client, text);
  }

  async close(): Promise<void> {
    await (this.client as pg.Client).end();
  }
}

function client(callbacks: boolean): Adapter["connect"] {
  return async (config, instrumented) => {
    const made = new pg.Client(config);
    await made.connect();
    return new OuterClient(instrumented ? instrument(made) : made, callbacks);
  };
}

/** node-postgres: a pool, from which each statement or transaction takes a client. */
class OfPool implements Outer {
  constructor(private readonly pool: pg.Pool) {}

  private async borrowed<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const one = await this.pool.connect();
    try {
      return await work(one);
    } finally {
      one.release();
    }
  }

  async execute(text: string, parameters: unknown[]): Promise<Row[]> {
    return ((await this.pool.query({ text, values: parameters, rowMode: "array" })).rows ?? []) as Row[];
  }

  many(text: string, rows: Row[]): Promise<void> {
    return this.borrowed((one) => new OfClient(one, false).many(text, rows));
  }

  copy(table: string, columns: string[], rows: Row[]): Promise<void> {
    return this.borrowed((one) => new OfClient(one, false).copy(table, columns, rows));
  }

  transaction(work: (inner: Connection) => Promise<void>): Promise<void> {
    return this.borrowed((one) => new OfClient(one, false).transaction(work));
  }

  savepoint(): Promise<void> {
    return Promise.reject(new Error("a savepoint outside a transaction"));
  }

  async behind(text: string): Promise<void> {
    await this.borrowed((one) => beside(one, text));
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

/** postgres.js: the outermost `sql`, or that of a transaction or savepoint. */
class OfSql implements Connection {
  constructor(readonly sql: postgres.Sql | postgres.TransactionSql, private readonly tagged: boolean) {}

  async execute(text: string, parameters: unknown[]): Promise<Row[]> {
    if (!this.tagged || parameters.length === 0) {
      return await this.sql.unsafe(text, parameters as never[]).values();
    }
    const parts = text.split(/\$\d+/);
    const order = [...text.matchAll(/\$(\d+)/g)].map((found) => parameters[Number(found[1]) - 1]);
    return await this.sql(Object.assign(parts, { raw: parts }) as unknown as TemplateStringsArray, ...order as never[]).values();
  }

  many(text: string, rows: Row[]): Promise<void> {
    return "savepoint" in this.sql ? each(this, text, rows) : this.transaction((inner) => each(inner, text, rows));
  }

  async copy(table: string, columns: string[], rows: Row[]): Promise<void> {
    const stream = await this.sql`copy ${this.sql(table)} ${this.sql.unsafe(`(${columns.join(", ")})`)} from stdin`.writable();
    await pipeline(Readable.from([copied(rows)]), stream);
  }

  async transaction(work: (inner: Connection) => Promise<void>): Promise<void> {
    await (this.sql as postgres.Sql).begin((inner) => work(new OfSql(inner, this.tagged)));
  }

  async savepoint(work: (inner: Connection) => Promise<void>): Promise<void> {
    await (this.sql as postgres.TransactionSql).savepoint((inner) => work(new OfSql(inner, this.tagged)));
  }
}

class OuterSql extends OfSql implements Outer {
  constructor(sql: postgres.Sql, tagged: boolean, private readonly own: postgres.Sql) {
    super(sql, tagged);
  }

  async behind(text: string): Promise<void> {
    await this.own.unsafe(text);
  }

  close(): Promise<void> {
    return this.own.end();
  }
}

function sql(tagged: boolean): Adapter["connect"] {
  return async (config, instrumented) => {
    const own = postgres({
      host: config.host!, port: config.port!, user: config.user!, database: config.database!, max: 1, prepare: false, fetch_types: false,
    });
    await own`select 1`;
    return new OuterSql(instrumented ? instrumentSql(own) : own, tagged, own);
  };
}

export const ADAPTERS: Adapter[] = [
  { name: "pg client", ways: ["direct", "bouncer"], connect: client(false) },
  { name: "pg client with callbacks", ways: ["direct"], connect: client(true) },
  {
    name: "pg pool",
    ways: ["direct", "bouncer"],
    connect: async (config, instrumented) => {
      const pool = new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0 });
      return new OfPool(instrumented ? instrument(pool) : pool);
    },
  },
  { name: "postgres.js", ways: ["direct", "bouncer"], connect: sql(true) },
  { name: "postgres.js, unsafe", ways: ["direct"], connect: sql(false) },
];
