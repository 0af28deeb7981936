/**
 * What SQLite recorded, as values of JavaScript: docs/json.md, "Values". Integers and reals both become numbers; an integer that
 * a number cannot hold is a bigint. Test: test/sqlite_trail.test.ts.
 */
import { document, mapped, NumberText, type Parsed, parsed } from "./json.js";
import { withheld } from "./values.js";

/** Text that is not UTF-8: its bytes. */
export class InvalidText {
  constructor(readonly bytes: Uint8Array) {}

  toJSON(): unknown {
    return { $text: Buffer.from(this.bytes).toString("hex") };
  }
}

/** A row as JSON, as an object of values. */
export function sqliteRow(text: string | null): { [name: string]: unknown } | null {
  if (text === null) {
    return null;
  }
  const given = parsed(text);
  if (typeof given !== "object" || given === null || Array.isArray(given) || given instanceof NumberText) {
    throw new TypeError("vestige: a row is not an object");
  }
  return mapped(given, sqliteValue);
}

export function sqliteValue(value: Parsed): unknown {
  if (value instanceof NumberText) {
    const number = Number(value.text);
    return /^-?[0-9]+$/.test(value.text) && !Number.isSafeInteger(number) ? BigInt(value.text) : number;
  }
  const mark = withheld(value);
  if (mark !== undefined) {
    return mark;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (typeof value["$blob"] === "string") {
      return bytes(value["$blob"]);
    }
    if (typeof value["$text"] === "string") {
      return new InvalidText(bytes(value["$text"]));
    }
    if (typeof value["$real"] === "string") {
      return value["$real"] === "-Inf" ? -Infinity : Infinity;
    }
  }
  return document(value);
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
