/** A context as a row of SQLite: docs/sqlite.md, "Context". Test: test/sqlite.test.ts, test/access.test.ts. */
import { KNOWN } from "./context.js";
import { ascii } from "./literal.js";
import type { Plain } from "./plain.js";
import { signed } from "./signing.js";

const SECONDS = 3600;   // that a context lasts, should somebody end its transaction behind our back
const COLUMNS = [...KNOWN, "extra", "seconds"];

export const CLEAR = "delete from main.vestige_session";
export const SAY = `insert into main.vestige_session (${COLUMNS.join(", ")}) values (${KNOWN.map(() => "?").join(", ")}, ?, ${SECONDS})`;
/** What stands, as the statement that says the same again: no driver reads the values, which may be of any type. */
export const STOOD = `select 'insert into main.vestige_session (${COLUMNS.join(", ")}) values ('
  || ${COLUMNS.map((name) => `quote(${name})`).join(" || ', ' || ")} || ')' as again from main.vestige_session`;

/** What SAY takes: known fields as text, and an object of the others. It is signed anew each time. */
export function sessionRow(text: string): (string | null)[] {
  const { ...extra } = JSON.parse(signed(text, ascii)) as { [name: string]: Plain };
  const known = KNOWN.map((name) => {
    const value = extra[name];
    delete extra[name];
    return value === undefined ? null : typeof value === "string" ? value : ascii(value);
  });
  return [...known, Object.keys(extra).length > 0 ? ascii(extra) : null];
}
