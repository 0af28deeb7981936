/** Where among a row's changes a moment stands. Test: test/place.test.ts. */
import type { Position, RowAnswer } from "./answers.ts";

/** Whole numbers of up to 64 bits, without a sign. */
function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Times as the API writes them, to the microsecond. */
function instant(text: string): string {
  const [seconds = "", fraction = ""] = text.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(6, "0")}`;
}

/** How many of the changes, oldest first, are not behind the first one that is. */
function upto(positions: readonly Position[], isBehind: (one: Position) => boolean): number {
  const found = positions.findIndex(isBehind);
  return found < 0 ? positions.length : found;
}

/**
 * How many of a row's changes a moment includes: 0 is before the first. A change says so by itself, any other moment by what the server
 * answers for it; until it has answered, nobody knows.
 */
export function included(positions: readonly Position[], moment: string, was: RowAnswer | null): number | null {
  const change = /^0*(\d+)(~1?)?$/.exec(moment);
  if (change !== null) {
    const [, id = "", before] = change;
    return upto(positions, (one) => compare(one.change.text, id) >= (before === undefined ? 1 : 0));
  }
  if (was === null) return null;
  const at = instant(was.at);
  const found = upto(positions, (one) => instant(one.at) > at);
  // Before the first change of all there is no time: the server says now, and a row that differs from now.
  return found === positions.length && was.changed.length > 0 ? 0 : found;
}

/** The moment of a place: before the first change, after one of them; behind the last is now. */
export function momentOf(positions: readonly Position[], place: number): string {
  if (place > positions.length) return "";
  const first = positions[0]?.change.text ?? "";
  return place === 0 ? `${first}~` : positions[place - 1]?.change.text ?? "";
}
