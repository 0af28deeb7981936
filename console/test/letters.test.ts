import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { FORMING, isUnseen, pieces, printable, UNSEEN } from "../src/letters.ts";

test("the tables are those of vestige/base/letter.cc", () => {
  const source = readFileSync(process.env["LETTERS"] ?? "", "utf8");
  const table = (name: string): number[][] => {
    const body = new RegExp(`${name} = \\{\\s*\\{(.*?)\\}\\};`, "s").exec(source)?.[1] ?? "";
    return [...body.matchAll(/\{(0x[0-9A-F]+),\s*(0x[0-9A-F]+)\}/g)].map((found) => [Number(found[1]), Number(found[2])]);
  };
  assert.deepEqual(table("kUnseen"), UNSEEN);
  assert.deepEqual(table("kForming"), FORMING);
});

test("what nobody sees, and what moves letters, is shown as its number", () => {
  assert.equal(printable("a\u202eb"), "a\\u202eb");
  assert.equal(printable("a\u0000b\u001b[31m"), "a\\u0000b\\u001b[31m");
  assert.equal(printable("\u{e0041}"), "\\u{e0041}");
  assert.equal(printable("a\u200db"), "a\\u200db");
  assert.equal(printable("\ud800"), "\\ud800");
  assert.equal(printable("x\ufe0f"), "x\\ufe0f");
  assert.equal(printable("\u007f\u0085\u2066\ufeff"), "\\u007f\\u0085\\u2066\\ufeff");
});

test("letters of every script stay, with what joins them", () => {
  for (const text of ["שרה לוי", "Zoë & Söhne", "ن‌ها", "क्‍ष", "👩‍👩‍👧", "1️⃣", "™", "©️", "line\nline\ttab", "日本語", "é"]) assert.equal(printable(text), text);
});

test("pieces put together are the text, but for what is not seen", () => {
  const text = "<b>\u202e\u202da\u0000é😀\u200b";
  assert.deepEqual(pieces(text), [
    { text: "<b>", unseen: false }, { text: "\\u202e\\u202d", unseen: true }, { text: "a", unseen: false }, { text: "\\u0000", unseen: true },
    { text: "é😀", unseen: false }, { text: "\\u200b", unseen: true },
  ]);
  assert.deepEqual(pieces(""), []);
});

test("every code point is either kept or shown as ASCII", () => {
  for (let code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 7) {
    const text = String.fromCodePoint(code);
    assert.equal(printable(text) === text, !isUnseen(text, 0), code.toString(16));
    if (isUnseen(text, 0)) assert.match(printable(text), /^\\u(\{[0-9a-f]{5,6}\}|[0-9a-f]{4})$/);
  }
});
