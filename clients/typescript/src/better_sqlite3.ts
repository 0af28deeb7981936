/**
 * better-sqlite3: a database whose changes say who acts. Its prepared statements, exec() and transaction() say the context before
 * what writes; whatever stands on it (Drizzle, Kysely, Knex, TypeORM) does so, too. Test: test/sqlite.test.ts.
 */
import { Line, type Method, type SqliteOptions } from "./sqlite_line.js";

export type { SqliteOptions } from "./sqlite_line.js";

interface Statement {
  run(...parameters: unknown[]): unknown;
}

interface Database {
  readonly inTransaction: boolean;
  prepare(text: string): Statement;
  exec(text: string): unknown;
  transaction(work: Method): unknown;
}

const DONE = Symbol.for("vestige.instrumented.v1");

/** Has a database say the context from now on, and gives it back. Twice is once. */
export function instrument<T extends { readonly inTransaction: boolean; prepare: (...args: never[]) => unknown }>(database: T, options: SqliteOptions = {}): T {
  if ((database as { [DONE]?: true })[DONE]) {
    return database;
  }
  const own = database as unknown as Database;
  const { prepare, exec, transaction } = own;
  const kept = new Map<string, Statement>();
  const line = new Line({
    inTransaction: () => own.inTransaction,
    run(text, parameters = []) {
      const statement = kept.get(text) ?? prepare.call(own, text);
      kept.set(text, statement);
      statement.run(...parameters);
    },
  }, options);
  for (const [name, value] of Object.entries({
    prepare: (text: string) => line.statement(prepare.call(own, text), text),
    exec: (text: string) => line.script(text, (one) => exec.call(own, one)),
    transaction: (work: Method) => transaction.call(own, typeof work === "function" ? line.inside(work) : work),
  })) {
    Object.defineProperty(database, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return Object.defineProperty(database, DONE, { value: true });
}
