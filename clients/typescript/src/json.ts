/**
 * JSON with every digit. JSON.parse makes doubles of numbers, and so loses digits of what the trail kept. Here a number stays
 * text until its type is known. Test: test/json.test.ts.
 */

/** A number that JavaScript would print otherwise than it was written: `1.10`, `1e400`. It counts as the nearest number. */
export class Digits extends Number {
  constructor(readonly text: string) {
    super(text);
  }

  override toString(): string {
    return this.text;
  }
}

/** A number of JSON, as it is written. */
export class NumberText {
  constructor(readonly text: string) {}
}

/** Objects that stand, as they are written, where the trail gives no value. One of a document that is like them has a space. */
const WITHHELD = new WeakSet<object>();
const WRITTEN = /^\{"(?:\$(?:unrecorded|redacted)":true|\$encrypted":"[A-Za-z0-9+\/=]*")\}$/;

export function isWithheld(value: Parsed): boolean {
  return typeof value === "object" && value !== null && WITHHELD.has(value);
}

/** What a text of JSON is, numbers as NumberText. */
export type Parsed = null | boolean | string | NumberText | Parsed[] | { [name: string]: Parsed };

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS: [string, null | boolean][] = [["null", null], ["true", true], ["false", false]];
const DEEPEST = 1000;
const QUOTE = 34;
const BACKSLASH = 92;

export function parsed(text: string): Parsed {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): Parsed {
    if (depth > DEEPEST) {
      throw new SyntaxError("JSON is nested too deep");
    }
    this.match(SPACE);
    const first = this.text[this.at];
    let value: Parsed;
    if (first === "{") {
      value = this.members(depth);
    } else if (first === "[") {
      value = this.items(depth);
    } else if (first === "\"") {
      value = this.string();
    } else {
      value = this.scalar();
    }
    this.match(SPACE);
    return value;
  }

  end(): void {
    if (this.at < this.text.length) {
      this.fail();
    }
  }

  private scalar(): Parsed {
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const number = this.match(NUMBER);
    return number ? new NumberText(number) : this.fail();
  }

  private string(): string {
    // By no pattern: one with a choice in a loop needs room for each turn, and a string may have megabytes.
    let end = this.text[this.at] === "\"" ? this.at + 1 : this.fail();
    let escapes = false;
    for (let code = this.text.charCodeAt(end); code !== QUOTE; code = this.text.charCodeAt(end)) {
      if (!(code >= 0x20)) {   // a control character, or none: the end
        this.fail();
      }
      escapes ||= code === BACKSLASH;
      end += code === BACKSLASH ? 2 : 1;
    }
    const token = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return escapes ? JSON.parse(token) as string : token.slice(1, -1);
  }

  private items(depth: number): Parsed[] {
    const items: Parsed[] = [];
    this.list("]", () => items.push(this.value(depth + 1)));
    return items;
  }

  private members(depth: number): { [name: string]: Parsed } {
    const members: { [name: string]: Parsed } = {};
    const begun = this.at;
    this.list("}", () => {
      this.match(SPACE);
      const name = this.string();
      this.match(SPACE);
      this.skip(":");
      // A name is data: __proto__ is a member like any other.
      Object.defineProperty(members, name, { value: this.value(depth + 1), configurable: true, enumerable: true, writable: true });
    });
    if (("$encrypted" in members || "$redacted" in members || "$unrecorded" in members) && WRITTEN.test(this.text.slice(begun, this.at))) {
      WITHHELD.add(members);
    }
    return members;
  }

  private list(close: string, item: () => void): void {
    this.at += 1;
    this.match(SPACE);
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      if (this.text[this.at] === close) {
        this.at += 1;
        return;
      }
      this.skip(",");
    }
  }

  private skip(character: string): void {
    if (this.text[this.at] !== character) {
      this.fail();
    }
    this.at += 1;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private fail(): never {
    throw new SyntaxError(`not JSON at ${this.at}`);
  }
}

/** A number of a document: a number where that prints the same, else a bigint, else Digits. */
export function plainNumber(text: string): number | bigint | Digits {
  const number = Number(text);
  if (String(number) === text) {
    return number;
  }
  return /^-?[0-9]+$/.test(text) && text !== "-0" ? BigInt(text) : new Digits(text);
}

/** A document, as values of JavaScript. */
export function document(value: Parsed): unknown {
  if (value instanceof NumberText) {
    return plainNumber(value.text);
  }
  if (Array.isArray(value)) {
    return value.map(document);
  }
  return typeof value === "object" && value !== null ? mapped(value, document) : value;
}

/** The same object, each value made by `make`. */
export function mapped<T>(value: { [name: string]: Parsed }, make: (value: Parsed, name: string) => T): { [name: string]: T } {
  const made: { [name: string]: T } = {};
  for (const [name, one] of Object.entries(value)) {
    Object.defineProperty(made, name, { value: make(one, name), configurable: true, enumerable: true, writable: true });
  }
  return made;
}

/** A text of JSON, as values of JavaScript, with every digit: numbers, or bigints and Digits where a number would not do. */
export function parseJson(text: string): unknown {
  return document(parsed(text));
}
