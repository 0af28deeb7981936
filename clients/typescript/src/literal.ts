/**
 * A context as SQL: one literal of ASCII, in which nothing of what an application says can end a string, a comment or a
 * dollar quote, whatever standard_conforming_strings is, and whatever a layer above does with `%`, `$1` or `?`.
 * Test: test/literal.test.ts.
 */
import { KNOWN, type Said } from "./context.js";
import type { Plain } from "./plain.js";
import { signed } from "./signing.js";

/** How much a context may say, in bytes of its JSON. */
export const MOST = 16384;
const FIELD = 1024;   // what is left of each known field, where that is needed
const NAME = 64;      // and of each name of what was left out
const NAMES = 32;

// Everything but ASCII, and of ASCII what quotes, comments and placeholders are made of.
const APART = /['%$*\u007f-\uffff]/g;

/** JSON in ASCII: what has a meaning elsewhere is \uXXXX, so that backslashes are all that a literal has to double. */
export function ascii(value: Plain): string {
  return (JSON.stringify(value) ?? "null").replace(APART, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text of the setting: JSON, or nothing for a context that says nothing. */
export function encoded(said: Said): string {
  const text = ascii(said);
  if (text === "{}") {
    return "";
  }
  return text.length <= MOST ? text : ascii(fitted(said));
}

/** The text as a literal. */
export function quoted(text: string): string {
  return text === "" ? "''" : `E'${text.replace(/\\/g, "\\\\")}'`;
}

/** The statement that says it for the rest of the transaction, signed where this process signs: once for each. It gives no rows, so that nobody mistakes them for his. */
export function setLocal(text: string): string {
  return `set local vestige.context = ${quoted(signed(text, ascii))}`;
}

/** The context as a comment in the manner of sqlcommenter. */
export function comment(text: string): string {
  const said = Object.entries(JSON.parse(text) as { [name: string]: Plain }).map(([name, value]) =>
    `${url(name)}='${url(typeof value === "string" ? value : ascii(value))}'`);
  return `/*${said.sort().join(",")}*/`;
}

function url(text: string): string {
  return encodeURIComponent(text).replace(/['()*!~]/g, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What fits of a context that is too large: other fields go first, the largest before the smaller, then known ones are cut. */
function fitted(said: { readonly [name: string]: Plain }): { [name: string]: Plain } {
  const known = new Set<string>(KNOWN);
  const kept: { [name: string]: Plain } = { ...said };
  const left: string[] = [];
  const sized = Object.keys(said).map((name) => ({ name, size: ascii(name).length + ascii(said[name]).length + 2 }));
  let size = sized.reduce((sum, one) => sum + one.size, 1);
  const fits = (): boolean => size + ascii({ left_out: left }).length <= MOST;
  const leave = (name: string): void => {
    if (left.length < NAMES) {
      left.push(cut(name, NAME));
    }
  };
  for (const one of sized.filter(({ name }) => !known.has(name)).sort((a, b) => b.size - a.size)) {
    if (fits()) {
      break;
    }
    delete kept[one.name];
    size -= one.size;
    leave(one.name);
  }
  if (!fits()) {
    for (const { name } of sized.filter((one) => known.has(one.name) && one.size > FIELD)) {
      const value = kept[name];
      kept[name] = cut(typeof value === "string" ? value : ascii(value), FIELD);
      leave(name);
    }
  }
  kept["left_out"] = left;
  warn(ascii(left));
  return kept;
}

const warned = new Set<string>();

/** Says once what was left out of contexts: names, never values. */
function warn(names: string): void {
  if (warned.size < 100 && !warned.has(names)) {
    warned.add(names);
    process.emitWarning(`a context of more than ${MOST} bytes was cut: ${names}`, { type: "VestigeWarning", code: "VESTIGE_CONTEXT_CUT" });
  }
}

/** As much of the beginning of a text as its JSON has room for. */
function cut(text: string, room: number): string {
  let size = 2;
  let end = 0;
  for (const character of text) {
    size += ascii(character).length - 2;
    if (size > room) {
      return text.slice(0, end);
    }
    end += character.length;
  }
  return text;
}
