/** Which trail it is, and what its errors are: the one place that asks which database. Test: test/trail.test.ts, test/sqlite_trail.test.ts. */
import { PostgresTrail } from "./postgres_trail.js";
import type { Given as PostgresGiven } from "./source.js";
import { type Given as SqliteGiven, SqliteTrail } from "./sqlite_trail.js";
import type { Trail } from "./trail.js";
import type { Decoding } from "./values.js";

/** A pool or client of node-postgres, an `sql` of postgres.js; a database of better-sqlite3 or node:sqlite. */
export type Given = PostgresGiven | SqliteGiven;

/** Opens the trail over a connection; one of SQLite has the extension loaded: `load` of the package vestige-sqlite. */
export function openTrail(given: Given, how: Decoding = {}): Trail {
  return "prepare" in given ? new SqliteTrail(given as SqliteGiven) : new PostgresTrail(given as PostgresGiven, how);
}

/** What an error of SQLite says, where it is one of Vestige's. */
function saidBySqlite(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === "string" && /^(?:ERR_)?SQLITE_/.test(code) && typeof message === "string" && message.startsWith("vestige: ") ? message : "";
}

/** Whether an error is that something has changed since: nothing was undone. */
export function isConflict(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "VS002" || /^vestige: vestige_(?:revert|undo): .* cannot be undone, nothing was changed/.test(saidBySqlite(error));
}

/** Whether an error is that a table requires a context that was not said. */
export function isMissingContext(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "VS001" || / requires .* in the context of every change$/.test(saidBySqlite(error));
}
