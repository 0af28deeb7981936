/**
 * Filters as people type them (docs/filter.md): taken apart to show and to complete them, never to understand them, which the server
 * does. Whatever is typed is some list of conditions. Test: test/filter.test.ts.
 */

/** What `/` shows when its address says nothing. */
export const USUAL = "since:30d";

export const FIELDS: readonly (readonly [string, string])[] = [
  ["table", "of that table"],
  ["who", "by that actor or database user"],
  ["op", "insert, update, delete, …"],
  ["column", "in which the column changed"],
  ["key", "of a row with that value in its key"],
  ["since", "at or after a moment: 7d, yesterday, 2026-11-01"],
  ["until", "before a moment"],
  ["reason", "whose reason contains that"],
  ["actor", "whose context names that actor"],
  ["db_user", "by that user of the database"],
  ["tx", "of that transaction"],
  ["id", "that change"],
  ["tag", "of a table with that tag"],
  ["class", "of a table with that classification"],
  ["signed", "whose context is signed so"],
  ["value", "by which that text came or went"],
  ["text", "that contains that text anywhere"],
  ["old.", "whose value before compares so: old.price>100"],
  ["new.", "whose value after compares so: new.status:paid"],
  ["key.", "whose key compares so in that column"],
  ["context.", "of any other field of the context"],
  ["on_behalf_of", "of the context"],
  ["business_process", "of the context"],
  ["request_id", "of the context"],
  ["session_id", "of the context"],
  ["ip_address", "of the context"],
  ["user_agent", "of the context"],
  ["auth_method", "of the context"],
  ["auth_role", "of the context"],
  ["traceparent", "of the context"],
];

const WORDS: { readonly [field: string]: readonly string[] } = {
  op: ["insert", "update", "delete", "truncate", "baseline", "erase", "expire"],
  signed: ["yes", "no", "bad", "replayed", "expired", "foreign", "unknown-signer", "*"],
  since: ["1h", "24h", "7d", "30d", "90d", "today", "yesterday", "monday"],
  until: ["1h", "24h", "7d", "30d", "today", "yesterday"],
};

export interface Word {
  text: string;
  quoted: boolean;
}

export interface Condition {
  from: number;  // its place in the filter
  to: number;
  negated: boolean;
  field: string;  // "text" where only a word was typed
  name: string;   // behind the point of old., new., key. and context.
  sign: string;   // ":", "=", "!=", "<", …; "" where only a word was typed
  words: Word[];
  text: string;
}

const HEAD = /^(-?)([A-Za-z0-9_]+)(?:\.("(?:[^"]|"")*"?|[^\s:=<>!"]*))?(:|=|!=|<=|>=|<|>)/;
const DOTTED = new Set(["old", "new", "key", "context"]);

function wordsOf(text: string): Word[] {
  return (text.match(/"(?:[^"]|"")*"?|[^,"]+|(?<=^|,)(?=,|$)/g) ?? []).map((one) =>
    one.startsWith('"') ? { text: one.slice(1).replace(/"$/, "").replaceAll('""', '"'), quoted: true } : { text: one, quoted: false });
}

/** The conditions of a filter, each with its place. */
export function conditions(filter: string): Condition[] {
  const all: Condition[] = [];
  for (const found of filter.matchAll(/(?:"(?:[^"]|"")*"?|[^\s"])+/g)) {
    const text = found[0];
    const head = HEAD.exec(text);
    const field = (head?.[2] ?? "").toLowerCase();
    const dotted = head?.[3] !== undefined;
    const named = head !== null && (!dotted || DOTTED.has(field));
    const negated = text.startsWith("-") && text.length > 1;
    all.push({
      from: found.index,
      to: found.index + text.length,
      negated,
      field: named ? field : "text",
      name: named && dotted ? wordsOf(head[3] ?? "")[0]?.text ?? "" : "",
      sign: named ? head[4] ?? "" : "",
      words: wordsOf(named ? text.slice(head[0].length) : negated ? text.slice(1) : text),
      text,
    });
  }
  return all;
}

/** A value as a filter takes it: in quotes where it would mean something else. */
export function quoted(value: string): string {
  return /^[\p{L}\p{N}_.@/+][\p{L}\p{N}_.@/+:-]*$/u.test(value) && value !== "null" ? value : `"${value.replaceAll('"', '""')}"`;
}

/** A name behind a point: letters only, or in quotes. */
function named(name: string): string {
  return /^[\p{L}\p{N}_$]+$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function condition(field: string, value: string, name = ""): string {
  return `${field}${name === "" ? "" : `.${named(name)}`}:${quoted(value)}`;
}

function joined(parts: string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

/** The filter without one of its conditions. */
export function without(filter: string, one: Condition): string {
  return joined([filter.slice(0, one.from).trim(), filter.slice(one.to).trim()]);
}

/** The filter with one more condition, unless it has it. */
export function withCondition(filter: string, text: string): string {
  return conditions(filter).some((one) => one.text === text) ? filter.trim() : joined([filter.trim(), text]);
}

/** Whether a filter asks for this value of a field. */
export function asksFor(filter: string, field: string, value: string): boolean {
  return conditions(filter).some((one) => !one.negated && one.field === field && one.name === "" && one.words.some((word) => word.text === value));
}

/** The filter with this value of a field chosen, or not chosen any more where it was. */
export function toggled(filter: string, field: string, value: string): string {
  const one = conditions(filter).find((each) => !each.negated && each.field === field && each.name === "" && each.sign === ":");
  if (one === undefined) return withCondition(filter, condition(field, value));
  const kept = one.words.filter((word) => word.text !== value);
  if (kept.length === one.words.length) kept.push({ text: value, quoted: true });
  if (kept.length === 0) return without(filter, one);
  const words = kept.map((word) => (word.text.includes("*") && !word.quoted ? word.text : quoted(word.text))).join(",");
  return joined([filter.slice(0, one.from).trim(), `${field}:${words}`, filter.slice(one.to).trim()]);
}

/** The filter within other times. */
export function within(filter: string, since: string, until: string): string {
  let rest = filter;
  for (;;) {
    const one = conditions(rest).find((each) => each.field === "since" || each.field === "until");
    if (one === undefined) break;
    rest = without(rest, one);
  }
  return joined([rest.trim(), `since:${since}`, until === "" ? "" : `until:${until}`]);
}

export interface Offer {
  text: string;  // what stands there when it is chosen
  kind: string;
}

export interface Completing {
  from: number;    // what is replaced
  to: number;
  prefix: string;  // what the server is asked for
  offers: Offer[];
}

/** What could stand at the caret. */
export function completing(filter: string, caret: number): Completing {
  const one = conditions(filter).find((each) => each.from < caret && caret <= each.to);
  if (one === undefined) {
    return { from: caret, to: caret, prefix: "", offers: FIELDS.slice(0, 9).map(([name, kind]) => ({ text: `${name}:`, kind })) };
  }
  const typed = filter.slice(one.from, caret);
  const minus = one.negated ? "-" : "";
  const bare = typed.slice(minus.length).toLowerCase();
  if (one.sign === "" || !HEAD.test(typed)) {
    const offers = FIELDS.filter(([name]) => name.startsWith(bare) && name !== bare)
      .map(([name, kind]) => ({ text: `${minus}${name}${name.endsWith(".") ? "" : ":"}`, kind }));
    return { from: one.from, to: caret, prefix: typed.slice(minus.length), offers };
  }
  const head = HEAD.exec(typed)?.[0] ?? "";
  const before = typed.slice(head.length);
  const last = before.slice(before.lastIndexOf(",") + 1);
  const kept = typed.slice(0, typed.length - last.length);
  const offers = (one.name === "" && Object.hasOwn(WORDS, one.field) ? WORDS[one.field] ?? [] : []).filter((word) => word.startsWith(last) && word !== last)
    .map((word) => ({ text: `${kept}${word}`, kind: one.field }));
  return { from: one.from, to: caret, prefix: `${head.slice(minus.length)}${last}`, offers };
}

export interface Known {
  table: string;
  columns: string[];
}

/** Tables and columns that begin as a bare word: nobody needs to know first which of them it is. */
export function knownOffers(prefix: string, tables: readonly Known[]): Offer[] {
  if (prefix === "" || /[:=<>!."]/.test(prefix)) return [];
  const bare = prefix.toLowerCase();
  const begins = (name: string): boolean => name.toLowerCase().startsWith(bare);
  const columns = new Set(tables.flatMap((one) => one.columns).filter(begins));
  return [
    ...tables.filter((one) => begins(one.table)).map((one) => ({ text: condition("table", one.table), kind: "a table" })),
    ...[...columns].map((name) => ({ text: condition("column", name), kind: "a column" })),
  ].slice(0, 6);
}

/** What the server offers for a prefix, in place of what was typed: behind what stands before the last comma. */
export function placed(filter: string, at: Completing, offer: Offer): Offer {
  const typed = filter.slice(at.from, at.to);
  const minus = typed.startsWith("-") ? "-" : "";
  const comma = typed.lastIndexOf(",");
  const head = HEAD.exec(offer.text)?.[0];
  if (comma < 0 || head === undefined || !typed.slice(minus.length).startsWith(head)) return { text: `${minus}${offer.text}`, kind: offer.kind };
  return { text: `${typed.slice(0, comma + 1)}${offer.text.slice(head.length)}`, kind: offer.kind };
}

/** The filter with an offer in its place, and where the caret goes. */
export function completed(filter: string, at: Completing, offer: Offer): { filter: string; caret: number } {
  const open = /[:.]$/.test(offer.text);
  const rest = filter.slice(at.to);
  const text = filter.slice(0, at.from) + offer.text + (open || rest.startsWith(" ") ? "" : " ");
  return { filter: text + rest, caret: text.length + (rest.startsWith(" ") && !open ? 1 : 0) };
}
