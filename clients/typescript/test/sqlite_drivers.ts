/** The drivers of SQLite that there are here, and databases with a trail. better-sqlite3 is compiled for one Node; node:sqlite is of 22.16 and newer. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { instrument as instrumentBetter, type SqliteOptions } from "vestige-audit/better-sqlite3";
import { instrument as instrumentNode } from "vestige-audit/node-sqlite";

export interface Statement {
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...parameters: unknown[]): unknown;
  all(...parameters: unknown[]): unknown[];
  iterate(...parameters: unknown[]): IterableIterator<unknown>;
}

export interface Sqlite {
  prepare(text: string): Statement;
  exec(text: string): unknown;
  close(): void;
  loadExtension(path: string): unknown;
  enableLoadExtension?(on: boolean): void;
}

export interface Driver {
  name: string;
  open(file: string): Sqlite;
  instrument(database: Sqlite, options?: SqliteOptions): Sqlite;
}

/** The extension, beside the program. */
export const EXTENSION = path.join(path.dirname(process.env["VESTIGE"]!), "../sqlite/vestige0.so");

export function loaded(database: Sqlite): Sqlite {
  database.enableLoadExtension?.(true);
  database.loadExtension(EXTENSION);
  database.enableLoadExtension?.(false);
  return database;
}

async function better(): Promise<Driver | undefined> {
  try {
    const { default: Database } = await import("better-sqlite3");
    new Database(":memory:").close();
    return {
      name: "better-sqlite3", open: (file) => new Database(file) as unknown as Sqlite,
      instrument: (database, options) => instrumentBetter(database as never, options),
    };
  } catch {
    return undefined;
  }
}

async function own(): Promise<Driver | undefined> {
  try {
    // Not by its name: the types are those of the oldest Node.
    const { DatabaseSync } = await import(["node", "sqlite"].join(":")) as { DatabaseSync: new (file: string, options: object) => Sqlite };
    return {
      name: "node:sqlite", open: (file) => {
        const database = new DatabaseSync(file, { allowExtension: true });
        database.exec("pragma busy_timeout = 5000");
        return database;
      },
      instrument: instrumentNode,
    };
  } catch {
    return undefined;
  }
}

/** None, where the extension is not built: there is nothing to look with. */
export const DRIVERS = !fs.existsSync(EXTENSION) ? [] : (await Promise.all([better(), own()])).filter((one) => one !== undefined);

const folder = fs.mkdtempSync(path.join(process.env["VESTIGE_POSTGRES_PLACE"] ?? os.tmpdir(), "vestige-ts-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A file with what the statements make, and a trail; the program tracks tables, each given as `track` takes it. */
export function database(driver: Driver, statements: string[], ...tracked: string[][]): string {
  const file = path.join(folder, `${count += 1}.db`);
  const made = driver.open(file);
  made.exec(statements.join(";"));
  made.close();
  for (const words of [["init"], ...tracked.map((one) => ["track", ...one])]) {
    execFileSync(process.env["VESTIGE"]!, words, { env: { ...process.env, VESTIGE_DB: file }, stdio: ["ignore", "ignore", "pipe"] });
  }
  return file;
}

export interface Recorded {
  op: string;
  tx: number;
  values: Record<string, unknown> | null;
  context: Record<string, unknown>;
}

/** Every change behind this one, oldest first; the connection has the extension. */
export function recorded(database: Sqlite, after = 0): Recorded[] {
  const rows = database.prepare("select op, tx, new_values, context from vestige_changes where id > ? order by id").all(after);
  return (rows as { op: string; tx: number; new_values: string | null; context: string }[]).map(({ op, tx, new_values: values, context }) => ({
    op, tx, values: values === null ? null : JSON.parse(values) as Record<string, unknown>, context: JSON.parse(context) as Record<string, unknown>,
  }));
}
