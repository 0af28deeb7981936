/**
 * better-sqlite3: a database whose changes say who acts. Its prepared statements, exec() and transaction() say the context before
 * what writes; whatever stands on it (Drizzle, Kysely, Knex, TypeORM) does so, too. Test: test/sqlite.test.ts.
 */
import { instrumented, type Method, type SqliteOptions } from "./sqlite_line.js";

export type { SqliteOptions } from "./sqlite_line.js";

interface Database {
  readonly inTransaction: boolean;
  prepare(text: string): { run: Method };
  exec(text: string): unknown;
  transaction(work: Method): unknown;
}

/** Has a database say the context from now on, and gives it back. Twice is once. */
export function instrument<T extends { readonly inTransaction: boolean; prepare: (...args: never[]) => unknown }>(database: T, options: SqliteOptions = {}): T {
  const own = database as unknown as Database;
  const { prepare, exec, transaction } = own;
  return instrumented(database, () => own.inTransaction, (text) => prepare.call(own, text), options, (line) => ({
    prepare: (text: string) => line.statement(prepare.call(own, text), text),
    exec: (text: string) => line.script(text, (one) => exec.call(own, one)),
    transaction: (work: Method) => transaction.call(own, typeof work === "function" ? line.inside(work) : work),
  }));
}
