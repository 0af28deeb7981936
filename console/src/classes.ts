/** Under which class a column is encrypted, as the policies of the tables say today: asked once, and only where something encrypted is shown. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { List, TableAnswer } from "./answers.ts";
import { ask } from "./ask.ts";
import { isObject, type Json } from "./json.ts";
import { api } from "./route.ts";

type Classes = ReadonlyMap<string, Json>;

const known = signal<Classes>(new Map());
let asked = false;

function look(): void {
  if (asked) return;
  asked = true;
  ask<List<TableAnswer>>(api("/tables", { limit: "1000" })).then(
    ({ items }) => { known.value = new Map(items.map((one) => [one.table, one.policy["encrypt"] ?? null])); },
    () => { asked = false; });  // it is shown without
}

/** Of a column of the table: the class, or "" where none is known. */
export function useClasses(table: string, wanted: boolean): (column: string) => string {
  useEffect(() => { if (wanted) look(); }, [wanted]);
  const of = known.value.get(table);
  return (column) => {
    const name = isObject(of) ? of[column] : undefined;
    return typeof name === "string" ? name : "";
  };
}
