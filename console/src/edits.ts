/** Which fields a change changed, and from what to what. Test: test/edits.test.ts. */
import type { Change } from "./answers.ts";
import { type Json, members } from "./json.ts";
import { same } from "./values.ts";

export interface Edit {
  column: string;
  old: Json | undefined;
  now: Json | undefined;
}

/**
 * The fields that a change changed, the key's among them; of a row that came or went all but the key. What the trail keeps no value of is
 * the same before and after, and changed all the same where the change says so.
 */
export function edits(change: Change): Edit[] {
  const all: Edit[] = [];
  const { old_values: old, new_values: now, new_key: moved } = change;
  if (moved !== undefined)
    for (const [column, value] of members(moved)) if (!same(change.key[column], value)) all.push({ column, old: change.key[column], now: value });
  if (change.op === "UPDATE") {
    for (const [column, value] of members(old ?? {}))
      if (!all.some((one) => one.column === column) && (!same(value, now?.[column]) || isChanged(change, column))) all.push({ column, old: value, now: now?.[column] });
    return all;
  }
  for (const [column, value] of members(now ?? {})) if (!(column in change.key)) all.push({ column, old: undefined, now: value });
  for (const [column, value] of members(old ?? {})) if (!(column in change.key)) all.push({ column, old: value, now: undefined });
  return all;
}

function isChanged(change: Change, column: string): boolean {
  return change.changed_fields?.includes(column) === true;
}
