/** What is reported of reads, on SQLite: a row of vestige_access, under the context in force. Test: test/access.test.ts. */
import type { Reported } from "./access.js";
import { current } from "./context.js";
import { DONE } from "./done.js";
import { encoded } from "./literal.js";
import { CLEAR, SAY, sessionRow, STOOD } from "./sqlite_session.js";

interface Database {
  prepare(text: string): { run(...parameters: unknown[]): unknown };
}

type Ask = (text: string, parameters: (string | null)[]) => { readonly [column: string]: string | null }[];

/** All of it or nothing; the id of the row. A database that is instrumented says the context by itself. */
export function report(database: Database, ask: Ask, typed: string, what: Reported): bigint {
  const table = named(ask, typed);
  const run = (text: string, parameters: unknown[] = []): unknown => database.prepare(text).run(...parameters);
  const context = (database as { [DONE]?: true })[DONE] ? "" : encoded(current());
  // Where none is in force, what stands is left, as plain SQL has said it; else it stands again afterwards.
  const stood = context === "" ? [] : ask(STOOD, []);
  run("savepoint vestige_report");
  try {
    if (context !== "") {
      run(CLEAR);
      run(SAY, sessionRow(context));
    }
    const [row] = ask(`insert into main.vestige_access (kind, subject_table, subject_key, purpose, recipient, recipient_address, description,
        request_ref, suspended_until, entries) values (?, ?, ?, ?, ?, ?, ?, ?, ?, cast(? as integer)) returning cast(id as text) as id`,
      [what.kind, table, what.key.length > 0 ? JSON.stringify(what.key) : null, ...what.texts, what.suspendedUntil, what.entries]);
    if (context !== "") {
      run(CLEAR);
      stood.forEach(({ again }) => run(again!));
    }
    run("release vestige_report");
    return BigInt(row!["id"]!);
  } catch (error) {
    takenBack(run);
    throw error;
  }
}

/** An error may have ended the whole transaction, the savepoint with it. */
function takenBack(run: (text: string) => unknown): void {
  try {
    run("rollback to vestige_report");
    run("release vestige_report");
  } catch (error) {
    if (!/no such savepoint/.test(String(error))) {
      throw error;
    }
  }
}

/** The table under the name that the trail shows, which is how reads of it are found. */
function named(ask: Ask, typed: string): string {
  const own = ask("select name from main.sqlite_schema where name in ('vestige_change', 'vestige_access')", []);
  if (own.length === 0) {
    ask("select 1 from main.vestige_change", []);   // whose error says what to do
  }
  if (own.length < 2) {
    throw new Error("vestige: no read can be reported yet: `vestige access --prepare` makes the table vestige_access");
  }
  const bare = /^".+"$/s.test(typed) ? typed.slice(1, -1).replaceAll("\"\"", "\"") : typed;
  const [found] = ask(`select name from main.sqlite_schema where type in ('table', 'view') and name collate nocase in (?, ?)
    order by name = ? desc, name = ? desc`, [typed, bare, typed, bare]);
  if (!found) {
    throw new Error(`vestige: access: the table ${typed} is missing`);
  }
  return found["name"]!;
}
