/** What a recorded value looks like to people (docs/json.md, "Values"). Test: test/values.test.ts. */
import { Digits, isObject, type Json, members, write } from "./json.ts";

export type Kind = "null" | "number" | "text" | "bytes" | "withheld" | "other";

export interface Shown {
  kind: Kind;
  text: string;
  title?: string;
}

function bytes(hex: string): string {
  const many = hex.length / 2;
  return `${many.toLocaleString("en")} byte${many === 1 ? "" : "s"}`;
}

const MARKED: { readonly [name: string]: (value: Json) => Shown } = {
  $real: (value) => ({ kind: "number", text: String(value) }),
  $text: (value) => ({ kind: "bytes", text: `x'${String(value)}'`, title: `text that is not UTF-8, ${bytes(String(value))}` }),
  $blob: (value) => ({ kind: "bytes", text: `x'${String(value)}'`, title: bytes(String(value)) }),
  $unrecorded: () => ({ kind: "withheld", text: "too large to be recorded" }),
  $redacted: () => ({ kind: "withheld", text: "redacted", title: "the policy keeps it out of the trail" }),
  $encrypted: (value) => ({
    kind: "withheld", text: "encrypted", title: value === "" ? "it waits for being encrypted" : "only a private key opens it",
  }),
};

export function isEncrypted(value: Json | undefined): boolean {
  return isObject(value) && members(value).length === 1 && members(value)[0]?.[0] === "$encrypted";
}

/** `under`: the class that it is encrypted for, where that is known. */
export function shownValue(value: Json | undefined, under = ""): Shown {
  if (value === undefined) return { kind: "withheld", text: "not recorded" };
  if (value === null) return { kind: "null", text: "NULL" };
  if (value instanceof Digits) return { kind: "number", text: value.text };
  if (typeof value === "string") return { kind: "text", text: value === "" || value === "null" ? `'${value}'` : value };
  if (isObject(value)) {
    const all = members(value);
    const first = all[0];
    const marked = first !== undefined && all.length === 1 && Object.hasOwn(MARKED, first[0]) ? MARKED[first[0]] : undefined;
    if (first !== undefined && marked !== undefined) {
      const shown = marked(first[1]);
      return first[0] === "$encrypted" && under !== "" ? { ...shown, text: `${shown.text} (${under})` } : shown;
    }
  }
  return { kind: "other", text: write(value) };
}

/** Bit by bit the same? */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  return a === undefined || b === undefined ? a === b : write(a) === write(b);
}

/** A text and what else there is of it, cut between letters. */
export function cut(text: string, most: number): { text: string; rest: number } {
  if (text.length <= most) return { text, rest: 0 };
  const last = text.charCodeAt(most - 1);
  const at = last >= 0xd800 && last < 0xdc00 ? most - 1 : most;
  return { text: text.slice(0, at), rest: text.length - at };
}

/** A key's values as the verbs take them: `vestige log TABLE KEY…`. */
export function keyWords(key: object): string[] {
  const all = members(key).map(([name, value]): [string, string] => [name, keyWord(value)]);
  // An address cannot end in these, and a value may look like another one's name: then each says which it is.
  const odd = all.length === 1 && /^\.{0,2}$/.test(all[0]?.[1] ?? "") || all.some(([, word]) => all.some(([name]) => word.startsWith(`${name}=`)));
  return all.map(([name, word]) => (odd ? `${name}=${word}` : word));
}

/** A value of a key as a filter takes it. */
export function keyWord(value: Json): string {
  if (typeof value === "string") return value;
  const shown = shownValue(value);
  return shown.kind === "null" ? "null" : shown.text;
}

/** For a shell: in quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
