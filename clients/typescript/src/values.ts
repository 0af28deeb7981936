/**
 * What the trail recorded, as values of JavaScript, by the types of the columns: a text that reads "NaN" and a number that is
 * none look alike in JSON. What JavaScript has no value for stays the text that PostgreSQL prints.
 * Test: test/trail.test.ts, clients/contract/values.json.
 */
import { document, isWithheld, mapped, NumberText, type Parsed, parsed } from "./json.js";

/** Stands for a value that was too large to be recorded. */
export const UNRECORDED = Symbol.for("vestige.unrecorded");

/** Stands for a value that the policy keeps out of the trail. */
export const REDACTED = Symbol.for("vestige.redacted");

/** A value that only a private key opens: the token that is recorded. It is empty where SQLite has yet to make it. */
export class Encrypted {
  constructor(readonly token: string) {}

  toString(): string {
    return "(encrypted)";
  }

  toJSON(): unknown {
    return { $encrypted: this.token };
  }
}

export interface Decoding {
  /** What to make of a numeric; its text unless something is given: `(text) => new Decimal(text)`. */
  decimal?: (text: string) => unknown;
}

export type Types = ReadonlyMap<string, string>;

/** A type without its modifiers: of numeric(12,2)[] numeric[], of timestamp(3) with time zone the type without the 3. */
export function bare(type: string): string {
  return type.replace(/\([^)]*\)/g, "").replace(/ {2,}/g, " ").trim();
}

/** A row as JSON, as an object of values. */
export function row(text: string | null, types: Types, how: Decoding): { [name: string]: unknown } | null {
  if (text === null) {
    return null;
  }
  const given = parsed(text);
  if (typeof given !== "object" || given === null || Array.isArray(given) || given instanceof NumberText) {
    throw new TypeError("vestige: a row is not an object");
  }
  return mapped(given, (value, name) => decoded(value, types.get(name) ?? "", how));
}

export function decoded(value: Parsed, type: string, how: Decoding): unknown {
  if (value === null && type !== "jsonb") {
    return null;
  }
  const mark = withheld(value);
  if (mark !== undefined) {
    return mark;
  }
  if (Array.isArray(value) && type.endsWith("[]")) {
    return value.map((one) => Array.isArray(one) ? decoded(one, type, how) : decoded(one, type.replace(/(\[\])+$/, ""), how));
  }
  const text = value instanceof NumberText ? value.text : value;
  switch (type) {
    case "smallint":
    case "integer":
    case "oid":
    case "real":
    case "double precision":
      return typeof text === "string" ? Number(text) : document(value);
    case "bigint":
      return typeof text === "string" ? BigInt(text) : document(value);
    case "numeric":
      return typeof text === "string" ? (how.decimal ?? String)(text) : document(value);
    case "bytea":
      return typeof text === "string" && text.startsWith("\\x") ? new Uint8Array(Buffer.from(text.slice(2), "hex")) : text;
    case "json":
      // json is kept as the text that it is; jsonb as a part of the row's own JSON
      return document(typeof value === "string" ? parsed(value) : value);
    default:
      return document(value);
  }
}

/** What stands for a value that the trail does not give, if that is it. */
export function withheld(value: Parsed): typeof UNRECORDED | typeof REDACTED | Encrypted | undefined {
  if (!isWithheld(value)) {
    return undefined;
  }
  const { $encrypted: token, $redacted: redacted } = value as { $encrypted?: string; $redacted?: boolean };
  return typeof token === "string" ? new Encrypted(token) : redacted ? REDACTED : UNRECORDED;
}

/** A value as JSON takes it: a bigint as its digits, bytes in hex as docs/json.md says. */
export function jsonable(value: unknown): unknown {
  if (typeof value === "bigint") {
    return value.toString();
  }
  if (value === UNRECORDED) {
    return { $unrecorded: true };
  }
  if (value === REDACTED) {
    return { $redacted: true };
  }
  if (value instanceof Uint8Array) {
    return { $blob: Buffer.from(value).toString("hex") };
  }
  if ((typeof value === "number" || value instanceof Number) && !Number.isFinite(Number(value))) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return value.map(jsonable);
  }
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonable(one)]));
  }
  return value;
}
