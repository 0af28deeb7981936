import assert from "node:assert/strict";
import test from "node:test";
import type { FieldPoint } from "../src/answers.ts";
import { Digits, type Json } from "../src/json.ts";
import { steps } from "../src/steps.ts";

const point = (change: number | null, at: string, value: Json, more: Partial<FieldPoint> = {}): FieldPoint =>
  ({ change: change === null ? null : new Digits(String(change)), at, value, there: true, known: true, who: null, reason: null, ...more });
const of = (number: string): Digits => new Digits(number);

test("the time goes from the first change to the last, whatever was before and since", () => {
  const drawn = steps([point(null, "2020-01-01T00:00:00Z", of("0")), point(1, "2026-01-01T00:00:00Z", of("10")), point(2, "2026-01-02T00:00:00Z", of("5"))]);
  assert.equal(drawn?.line(100, 10), "M0.0 10.0H6.0V0.0H94.0V5.0H100");
  assert.deepEqual(drawn?.dots.map((dot) => [dot.x, dot.y].map((one) => one.toFixed(2))), [["0.06", "0.00"], ["0.94", "0.50"]]);
  assert.deepEqual([drawn?.least, drawn?.most, drawn?.from, drawn?.upto], ["0", "10", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]);
});

test("one change stands in the middle, and numbers that are one keep their digits", () => {
  const drawn = steps([point(1, "2026-01-01T00:00:00Z", of("9223372036854775807"))]);
  assert.equal(drawn?.line(100, 10), "M50.0 5.0H100");
  assert.deepEqual([drawn?.least, drawn?.most], ["9223372036854775807", "9223372036854775807"]);
});

test("where nothing is known the line is broken", () => {
  const at = (second: number): string => `2026-01-01T00:00:0${second}Z`;
  const drawn = steps([point(1, at(0), of("1")), point(2, at(1), null), point(3, at(2), of("2")), point(4, at(3), of("2"), { there: false }), point(5, at(4), of("3"), { known: false })]);
  assert.equal(drawn?.line(100, 10), "M6.0 10.0H28.0M50.0 0.0H72.0");
  assert.equal(drawn?.dots.length, 2);
});

test("of no number there is no picture", () => {
  assert.equal(steps([]), null);
  assert.equal(steps([point(null, "2026-01-01T00:00:00Z", of("1"))]), null);
  assert.equal(steps([point(1, "2026-01-01T00:00:00Z", "text"), point(2, "2026-01-02T00:00:00Z", null)]), null);
});

test("numbers beyond what can be measured are a line, and no broken path", () => {
  const drawn = steps([point(1, "2026-01-01T00:00:00Z", of("-1e308")), point(2, "2026-01-02T00:00:00Z", of("1e308")), point(3, "2026-01-03T00:00:00Z", of("1e999"))]);
  assert.doesNotMatch(drawn?.line(100, 10) ?? "NaN", /NaN|Infinity/);
});
