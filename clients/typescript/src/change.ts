/** A change, as the reader gives it: docs/json.md, with values that are the columns' own. */
import type { Said } from "./context.js";
import { jsonable } from "./values.js";

/** Which parts of a change were erased, and the ERASE that took each. */
export type Erased = { readonly [part in "values" | "key" | "context"]?: bigint };

interface Common<T> {
  readonly id: bigint;
  /** The wall clock at the change, in UTC, with microseconds: 2026-01-02T03:04:05.000006Z. */
  readonly at: string;
  readonly table: string;
  readonly key: Partial<T>;
  /** Only where the change changed the key. */
  readonly newKey: Partial<T> | null;
  readonly tx: bigint | null;
  readonly context: Said;
  readonly dbUser: string | null;
  /** Its place in the feed, where it was read from there. */
  readonly index?: bigint;
}

/** The values, or what is left of them. */
type Kept<V> = ({ readonly erased: null } & V) | ({ readonly erased: Erased } & { readonly [part in keyof V]: V[part] | null });

export type Change<T = Record<string, unknown>> = Common<T> & (
  | { readonly op: "INSERT" | "BASELINE"; readonly old: null; readonly changed: null } & Kept<{ readonly new: T }>
  | { readonly op: "UPDATE" } & Kept<{ readonly old: Partial<T>; readonly new: Partial<T>; readonly changed: readonly (keyof T & string)[] }>
  | { readonly op: "DELETE"; readonly new: null; readonly changed: null } & Kept<{ readonly old: T }>
  | { readonly op: "TRUNCATE" | "ERASE" | "EXPIRE"; readonly old: null; readonly new: null; readonly changed: null; readonly erased: Erased | null }
);

/** Which change gave a column its value; null: it is as it was when tracking began. */
export interface Blame<T = Record<string, unknown>> {
  readonly column: keyof T & string;
  readonly value: unknown;
  readonly change: bigint | null;
  readonly at: string | null;
  readonly op: Change["op"] | null;
  readonly who: string | null;
  readonly reason: string | null;
}

/** What became of the undoing of a change. */
export interface Undone {
  readonly done: "applied" | "nothing" | "conflict";
  readonly conflict: string | null;
  readonly columns: readonly string[];
  readonly notes: readonly string[];
}

/** A change that JSON.stringify takes, though it has bigints and bytes. */
export function recorded<T extends object>(fields: T): T {
  return Object.defineProperty(fields, "toJSON", { value: () => jsonable(Object.fromEntries(Object.entries(fields))), enumerable: false });
}
