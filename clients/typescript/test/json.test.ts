import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Digits, parseJson } from "vestige-audit";

test("what JSON.parse reads is read alike, and what it refuses is refused", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, space) => {
    const text = JSON.stringify(value, null, space);
    assert.deepEqual(JSON.parse(JSON.stringify(parseJson(text))), JSON.parse(text));
  }), { numRuns: 1000 });
  fc.assert(fc.property(fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", "\"a\"", "1", "-", ".5", "e3", "0", "true", "nul", " ", "\\", "\""), { maxLength: 8 }), (pieces) => {
    const text = pieces.join("");
    let accepted = true;
    try {
      JSON.parse(text);
    } catch {
      accepted = false;
    }
    if (accepted) {
      parseJson(text);
    } else {
      assert.throws(() => parseJson(text), SyntaxError, text);
    }
  }), { numRuns: 3000 });
});

test("a string may have megabytes", () => {
  for (const piece of ["x", "\\n", "é"]) {
    const text = `"${piece.repeat(9e6)}"`;
    assert.ok(parseJson(text) === JSON.parse(text));
  }
  for (const wrong of ["\"\\\"", "\"\\x\"", "\"a\nb\"", "\"\\u12g4\"", "\"", "\"a", "\"\\", "{a\":1}"]) {
    assert.throws(() => parseJson(wrong), SyntaxError, wrong);
  }
});

test("no digit is lost", () => {
  assert.equal(parseJson("9007199254740993"), 9007199254740993n);
  assert.equal(parseJson("-12"), -12);
  for (const text of ["1.10", "1e400", "-0", "12345678901234567890.5", "1E2"]) {
    const found = parseJson(text);
    assert.ok(found instanceof Digits);
    assert.equal(found.toString(), text);
  }
  assert.equal((parseJson("[1.10]") as [number])[0] * 2, 2.2);
  assert.equal(JSON.stringify(parseJson("{\"a\":1.10}")), "{\"a\":1.1}");
});

test("a member named __proto__ is a member, and depth has an end", () => {
  const found = parseJson("{\"__proto__\":{\"a\":1}}") as object;
  assert.deepEqual(Object.keys(found), ["__proto__"]);
  assert.equal((found as { a?: unknown }).a, undefined);
  assert.throws(() => parseJson("[".repeat(10000)), /too deep/);
});
