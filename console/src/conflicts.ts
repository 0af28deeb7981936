/** Of what a revert meets: the conflicts, and what is not in the trail and so cannot be put back. Test: test/conflicts.test.ts. */
import type { Revert, RevertRow } from "./answers.ts";
import { count } from "./json.ts";
import { shownValue } from "./values.ts";

/** As the server says it of what is redacted or encrypted, behind the columns. */
const LEFT = /: (?:encrypted|redacted|encrypted or redacted), so (?:it|the row) is left as it is$/;

/** How the server says that it has compared the rows, and has tried no statement: its own count of conflicts holds. */
const COMPARED = "the rows were compared";

export interface Met {
  tried: boolean;       // it is known whether there are conflicts
  conflicts: number;    // rows that were changed since, and what else is in the way
  left: number;         // changes of which something is left as it is
  reasons: string[];    // what the server said of the conflicts
}

export function met(revert: Revert): Met {
  const all = count(revert.conflicts);
  if (revert.said.some((word) => word.startsWith(COMPARED)))
    return {
      tried: true, conflicts: all, left: revert.said.filter((word) => LEFT.test(word)).length,
      reasons: revert.said.filter((word) => !LEFT.test(word) && !word.startsWith(COMPARED)),
    };
  const told = revert.said.slice(0, all);
  const reasons = told.filter((word) => !LEFT.test(word));
  const left = told.length - reasons.length;
  return { tried: revert.sql !== null, conflicts: all - left, left, reasons };
}

/** What stands beside a column: that it was changed since, or that it is left as it is, or nothing. */
export function mark(row: RevertRow, column: RevertRow["columns"][number], of: Met): "" | "changed" | "left" {
  if (shownValue(column.then).kind === "withheld") return "left";
  if (!column.conflict || (of.tried && of.conflicts === 0)) return "";
  // Of a row that came, what is redacted differs from what it is, and is no conflict: those that are say which columns, or that the whole row is.
  const mine = of.reasons.filter((reason) => reason.startsWith(`${row.table} `));
  const names = (reason: string): boolean => row.columns.some((one) => reason.includes(one.column));
  return mine.length === 0 || mine.some((reason) => reason.includes(column.column) || !names(reason)) ? "changed" : "";
}
