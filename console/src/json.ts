/**
 * JSON that loses nothing: a number keeps its digits (2 is an INTEGER, 2.0 a REAL, and 9223372036854775807 itself), and an object the
 * order of its members, whatever their names are ("1", "__proto__"). Test: test/json.test.ts.
 */

/** A number as it was written. */
export class Digits {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): unknown {
    throw new TypeError("a number is written by write()");
  }
}

export type Json = null | boolean | string | Digits | Json[] | Members;
export type Members = { [name: string]: Json };

const ORDER = Symbol("order");

/** The members of an object, in the order in which they were written. */
export function members(object: object): [string, Json][] {
  return (object as { [ORDER]?: [string, Json][] })[ORDER] ?? (Object.entries(object) as [string, Json][]);
}

/** An object with these members, as a text would have given it. */
export function object(of: [string, Json][]): Members {
  const made = Object.create(null) as Members;
  for (const [name, value] of of) made[name] = value;
  Object.defineProperty(made, ORDER, { value: of });
  return made;
}

export function isObject(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Digits);
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const DEEPEST = 512;

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): Json {
    const value = this.value(0);
    if (this.next() !== "") throw this.wrong();
    return value;
  }

  private wrong(): SyntaxError {
    return new SyntaxError(`no JSON at character ${this.at}`);
  }

  private matched(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private next(): string {
    this.matched(SPACE);
    return this.text.charAt(this.at);
  }

  private take(letter: string): boolean {
    if (this.next() !== letter) return false;
    ++this.at;
    return true;
  }

  private demand(letter: string): void {
    if (!this.take(letter)) throw this.wrong();
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.wrong();
    this.at += word.length;
    return value;
  }

  private value(depth: number): Json {
    if (depth > DEEPEST) throw this.wrong();
    switch (this.next()) {
      case "{": return this.object(depth);
      case "[": return this.array(depth);
      case '"': return this.string();
      case "t": return this.word("true", true);
      case "f": return this.word("false", false);
      case "n": return this.word("null", null);
      default: {
        const digits = this.matched(NUMBER);
        if (digits === "") throw this.wrong();
        return new Digits(digits);
      }
    }
  }

  private string(): string {
    const start = this.at++;
    this.matched(PLAIN);
    if (this.text[this.at] === '"') return this.text.slice(start + 1, this.at++);
    while (this.text[this.at] === "\\") {
      this.at += 2;
      this.matched(PLAIN);
    }
    if (this.text[this.at] !== '"') throw this.wrong();
    ++this.at;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private array(depth: number): Json[] {
    this.demand("[");
    const all: Json[] = [];
    if (this.take("]")) return all;
    do all.push(this.value(depth + 1));
    while (this.take(","));
    this.demand("]");
    return all;
  }

  private object(depth: number): Members {
    this.demand("{");
    const all: [string, Json][] = [];
    if (this.take("}")) return object(all);
    do {
      if (this.next() !== '"') throw this.wrong();
      const name = this.string();
      this.demand(":");
      all.push([name, this.value(depth + 1)]);
    } while (this.take(","));
    this.demand("}");
    return object(all);
  }
}

export function parse(text: string): Json {
  return new Reader(text).document();
}

/** The value as text again, on one line; with `indent`, on many. */
export function write(value: Json, indent = "", before = ""): string {
  if (value instanceof Digits) return value.text;
  const inner = before + indent;
  const [open, between, close] = indent === "" ? ["", ",", ""] : [`\n${inner}`, `,\n${inner}`, `\n${before}`];
  if (Array.isArray(value)) {
    return value.length === 0 ? "[]" : `[${open}${value.map((one) => write(one, indent, inner)).join(between)}${close}]`;
  }
  if (isObject(value)) {
    const all = members(value).map(([name, one]) => `${JSON.stringify(name)}:${indent === "" ? "" : " "}${write(one, indent, inner)}`);
    return all.length === 0 ? "{}" : `{${open}${all.join(between)}${close}}`;
  }
  return JSON.stringify(value);
}

/** A number of which no digit matters: a count, a percentage. */
export function count(value: Json | undefined): number {
  return value instanceof Digits ? Number(value.text) : 0;
}
