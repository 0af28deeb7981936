/** How the reader asks: by node-postgres or postgres.js, everything as text, so that no driver rounds anything. */
import { told } from "./absent.js";
import { current } from "./context.js";
import { encoded, setLocal } from "./literal.js";

export type Row = (string | null)[];

/** Asks one thing, whose columns are all text. */
export type Ask = (text: string, parameters?: (string | null)[]) => Promise<Row[]>;

interface PgClient {
  query(config: object): Promise<{ rows: Row[] }>;
  release?(error?: unknown): void;
  getTransactionStatus?(): string | null;
}

interface PgPool extends PgClient {
  connect(): Promise<PgClient>;
  totalCount: number;
}

interface Sql {
  unsafe(text: string, parameters?: unknown[]): { values(): Promise<Row[]> };
  begin?(work: (inner: Sql) => Promise<unknown>): Promise<unknown>;
  savepoint?(work: (inner: Sql) => Promise<unknown>): Promise<unknown>;
}

/** What a trail is opened over: a pool or a client of node-postgres, an `sql` of postgres.js, instrumented or not. */
export type Given =
  | { query: (...args: never[]) => unknown }
  | (((...args: never[]) => unknown) & { unsafe: (...args: never[]) => unknown });

export interface Source {
  ask: Ask;
  /** Several questions in one transaction, which starts with a statement; it writes under the context that is there. */
  together<T>(first: string, writes: boolean, work: (ask: Ask) => Promise<T>): Promise<T>;
}

export function sourceOf(given: Given): Source {
  if ("unsafe" in given) {
    return new OfSql(given as unknown as Sql);
  }
  if (typeof given.query !== "function") {
    throw new TypeError("vestige: a trail is opened over a pool or a client of node-postgres, an sql of postgres.js, or a database of SQLite");
  }
  return new OfPg(given as unknown as PgClient | PgPool);
}

function opening(first: string, writes: boolean): string {
  return writes ? `${setLocal(encoded(current()))}; ${first}` : first;
}

class OfPg implements Source {
  constructor(private readonly on: PgClient | PgPool) {}

  ask: Ask = (text, parameters) => asked(this.on, text, parameters);

  async together<T>(first: string, writes: boolean, work: (ask: Ask) => Promise<T>): Promise<T> {
    const client = "totalCount" in this.on ? await this.on.connect() : this.on;
    let failure: unknown;
    try {
      return await this.within(client, opening(first, writes), writes, work);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      if (client !== this.on) {
        client.release?.(broken(failure) ? failure : undefined);
      }
    }
  }

  private async within<T>(client: PgClient, first: string, writes: boolean, work: (ask: Ask) => Promise<T>): Promise<T> {
    const inside = client === this.on && inTransaction(client);
    const ask: Ask = (text, parameters) => asked(client, text, parameters);
    await ask(`${inside ? "savepoint vestige_reader" : writes ? "begin" : "begin read only"}; ${first}`);
    try {
      const answer = await work(ask);
      // In a transaction of the caller's, what was read leaves no setting behind, and what was written stays.
      await ask(!inside ? "commit" : writes ? "release savepoint vestige_reader"
        : "rollback to savepoint vestige_reader; release savepoint vestige_reader");
      return answer;
    } catch (error) {
      await ask(inside ? "rollback to savepoint vestige_reader" : "rollback").catch(() => undefined);
      throw error;
    }
  }
}

function inTransaction(client: PgClient): boolean {
  if (typeof client.getTransactionStatus !== "function") {
    throw new Error("vestige: give the reader a pool: this client does not say whether it is in a transaction (pg 8.21 does)");
  }
  return client.getTransactionStatus() === "T";
}

/** Whether an error is of the connection, and not an answer of the server. */
function broken(error: unknown): boolean {
  const answer = (error as Error | undefined)?.cause ?? error;
  return error !== undefined && typeof (answer as { severity?: unknown }).severity !== "string";
}

async function asked(client: PgClient, text: string, parameters?: (string | null)[]): Promise<Row[]> {
  const values = parameters ? { values: parameters } : {};
  try {
    return (await client.query({ text, ...values, rowMode: "array", types: { getTypeParser: () => (value: string) => value } })).rows;
  } catch (error) {
    throw told(error);
  }
}

async function askedOf(sql: Sql, text: string, parameters?: (string | null)[]): Promise<Row[]> {
  try {
    return await sql.unsafe(text, parameters ?? []).values();
  } catch (error) {
    throw told(error);
  }
}

class OfSql implements Source {
  constructor(private readonly on: Sql) {}

  ask: Ask = (text, parameters) => askedOf(this.on, text, parameters);

  async together<T>(first: string, writes: boolean, work: (ask: Ask) => Promise<T>): Promise<T> {
    let answer: T | undefined;
    const back = new Error("the settings of a reader end with it");
    const within = async (inner: Sql): Promise<void> => {
      await inner.unsafe(opening(first, writes)).values();
      answer = await work((text, parameters) => askedOf(inner, text, parameters));
      if (!writes) {
        throw back;
      }
    };
    const begun = this.on.savepoint ? this.on.savepoint(within) : this.on.begin!(within);
    await begun.catch((error: unknown) => {
      if (error !== back) {
        throw error;
      }
    });
    return answer as T;
  }
}
