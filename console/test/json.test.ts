import assert from "node:assert/strict";
import test from "node:test";
import { Digits, isObject, type Json, members, parse, write } from "../src/json.ts";

test("numbers keep every digit, and INTEGER and REAL stay apart", () => {
  for (const text of ["9223372036854775807", "-9223372036854775808", "0.1", "2.0", "2", "1e+300", "-0.0", "9007199254740993", "0.10000000000000001"])
    assert.equal((parse(text) as Digits).text, text);
});

test("what is read is written as it was", () => {
  const text = '{"id":9223372036854775807,"a":[1,2.0,{"b":null}],"text":"\\"<b>\\\\ é שרה","none":{},"few":[],"yes":true,"no":false}';
  assert.equal(write(parse(text)), text);
  assert.equal(write(parse(write(parse(text), "  "))), text);
});

test("members keep their order and their names, whatever those are", () => {
  const text = '{"z":1,"10":2,"2":3,"__proto__":{"polluted":true},"constructor":4,"toString":5,"":6}';
  const read = parse(text);
  assert.ok(isObject(read));
  assert.deepEqual(members(read).map(([name]) => name), ["z", "10", "2", "__proto__", "constructor", "toString", ""]);
  assert.equal(String(read["constructor"]), "4");
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(write(read), text);
});

test("every JSON that JSON.parse takes is taken, and nothing else", () => {
  const texts = [
    "null", " true ", "[ ]", "{ }", "[1 , 2]", '"\\u0000\\ud83d\\ude00\\n"', '"\\ud800"', "-1", "1E5", "1e-5", "{\"a\" : [ ] }",
    "", " ", "nul", "tru", "01", "1.", ".5", "+1", "-", "1e", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{a:1}', "'a'", '"a', '"\\x"', '"\\u12"', '"a\nb"', "[1 2]",
    "{\"a\":1,}", "1 2", "[", "]", "{", "}", '"a"b', "NaN", "Infinity", "\u00a01", "[1]]", '{"a":1 "b":2}',
  ];
  for (const text of texts) {
    let right = true;
    try {
      JSON.parse(text);
    } catch {
      right = false;
    }
    if (right) assert.doesNotThrow(() => parse(text), text);
    else assert.throws(() => parse(text), SyntaxError, text);
  }
});

test("every beginning of a text is refused, unless it is one itself", () => {
  const text = '{"a":[1,-2.5e+3,"x\\"\\u00e9",{"b":null,"c":true}],"d":""}';
  for (let end = 0; end < text.length; ++end) assert.throws(() => parse(text.slice(0, end)), SyntaxError, text.slice(0, end));
  assert.doesNotThrow(() => parse(text));
});

test("random documents are what JSON.parse makes of them", () => {
  let seed = 20_261_130;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const letters = ["a", "\"", "\\", "\n", "\u0000", "é", "😀", "\u202e", "<", "/"];
  const make = (depth: number): unknown => {
    switch (random(depth > 3 ? 4 : 6)) {
      case 0: return null;
      case 1: return random(2) === 0;
      case 2: return random(1000) - 500;
      case 3: return Array.from({ length: random(6) }, () => letters[random(letters.length)]).join("");
      case 4: return Array.from({ length: random(4) }, () => make(depth + 1));
      default: return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`${letters[random(letters.length)]}${i}`, make(depth + 1)]));
    }
  };
  const plain = (value: Json): unknown => {
    if (value instanceof Digits) return Number(value.text);
    if (Array.isArray(value)) return value.map(plain);
    return isObject(value) ? Object.fromEntries(members(value).map(([name, one]) => [name, plain(one)])) : value;
  };
  for (let i = 0; i < 2000; ++i) {
    const value = make(0);
    assert.deepEqual(plain(parse(JSON.stringify(value))), value);
    assert.deepEqual(plain(parse(JSON.stringify(value, null, 1))), value);
  }
});

test("a text that is nested without end is refused, not a crash", () => {
  assert.throws(() => parse("[".repeat(100_000)), SyntaxError);
  assert.throws(() => parse('{"a":'.repeat(100_000)), SyntaxError);
});

test("a megabyte of text is read", () => {
  const text = `${"x".repeat(500_000)}\n\"${"é".repeat(500_000)}`;
  assert.equal(parse(JSON.stringify(text)), text);
});
