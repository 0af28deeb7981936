/** What the API answers, as the page reads it: docs/json.md and /api/v1/openapi.json. A name that is not there is undefined. */
import { type Digits, isObject, type Json, type Members } from "./json.ts";

export type Op = "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "BASELINE" | "ERASE" | "EXPIRE";

export interface Change {
  index?: Digits;
  id: Digits;
  at: string;
  op: Op;
  table: string;
  key: Members;
  new_key?: Members;
  old_values: Members | null;
  new_values: Members | null;
  changed_fields?: string[];
  tx: Digits;
  context: Members;
  db_user: string | null;
  erased?: Json;
  signed?: string;
  unreadable?: string;
  erases?: Digits;
}

export interface List<T> {
  items: T[];
  next: string | null;
  count?: Digits;
  more?: boolean;
}

export interface About {
  database: string;
  engine: string;
  version: string;
  user: string | null;
  role: string | null;
  time_zone: string;
  writes: string[];
  record: boolean;
}

export interface FacetValue {
  value: string | null;
  count: Digits;
}

export interface Day {
  day: string;
  counts: Members;
}

export interface Facets {
  facets: { [name: string]: FacetValue[] | Day[] };
  changes: Digits;
  truncated: boolean;
}

export interface ChangeAnswer {
  change: Change;
  sealed: { index: Digits; checkpoint: { size: Digits; at: string; origin: string } | null } | null;
  alerts: Json[];
  policy: Members | null;
}

export interface Check {
  verdict: string;
  said: string[];
}

export interface Transaction {
  tx: Digits;
  from: string;
  upto: string;
  who: (string | null)[];
  reason: (string | null)[];
  context: Members;
  signed?: string | null;
  tables: { table: string; changes: Members; columns: string[] }[];
  changes: Digits;
  neighbours?: Digits[];
}

export interface RevertRow {
  table: string;
  key: Members;
  op: string;
  columns: { column: string; now: Json; then: Json; conflict: boolean }[];
}

export interface Revert {
  rows: RevertRow[];
  conflicts: Digits;
  truncated: boolean;
  command: string;
  sql: string[] | null;
  said: string[];
}

export interface TableAnswer {
  table: string;
  tracked: boolean;
  since: string | null;
  key: string[];
  columns: string[];
  changes: Digits | null;
  last: string | null;
  policy: Members;
}

export interface Rows extends List<Members> {
  at: string;
  columns: string[];
  key: string[];
}

export interface Position {
  change: Digits;
  at: string;
  op: Op;
  who: string | null;
}

export interface RowAnswer {
  table: string;
  key: Members;
  exists: boolean;
  at: string;
  row: Members | null;
  positions: Position[];
  truncated?: boolean;
  changed: string[];
}

export interface Blame {
  exists: boolean;
  column: string;
  value: Json;
  change: Digits | null;
  at?: string;
  op?: Op;
  tx?: Digits;
  who?: string | null;
  reason?: string | null;
}

/** What a field held from a change on, or where that is null from before the first; `there` is whether the row was, `known` whether it is. */
export interface FieldPoint {
  change: Digits | null;
  at: string;
  there: boolean;
  known: boolean;
  value: Json;
  who: string | null;
  reason: string | null;
}

export interface Alert {
  id: Json;
  rule: string;
  kind: string;
  severity: string;
  group: Members;
  title: string;
  at: string;
  changes: Digits[];
  state: string;
  owner: string | null;
  comment: string | null;
  quiet?: boolean;
  why?: string | null;
}

export interface Finding {
  severity: string;
  code: string;
  table: string | null;
  message: string;
  remedy: string | null;
}

/** Its context was erased, so that nobody knows any more who was said. */
export function whoErased(change: Change): boolean {
  return typeof change.context["actor"] !== "string" && isObject(change.erased) && change.erased["context"] !== undefined;
}

/** Who did it: the actor, or where none was said the database's user; null where that is not known, and where it was erased. */
export function who(change: Change): string | null {
  const actor = change.context["actor"];
  return typeof actor === "string" ? actor : whoErased(change) ? null : change.db_user;
}

export function said(change: Change, field: string): string | null {
  const value = change.context[field];
  return typeof value === "string" ? value : null;
}
