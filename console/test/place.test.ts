import assert from "node:assert/strict";
import test from "node:test";
import type { Position, RowAnswer } from "../src/answers.ts";
import { Digits } from "../src/json.ts";
import { included, momentOf } from "../src/place.ts";

const AT = ["2026-11-30T18:40:58.203000Z", "2026-11-30T18:40:58.203001Z", "2026-11-30T18:40:59.000000Z"];
const positions = ["5", "17", "9223372036854775807"].map((id, i): Position => ({ change: new Digits(id), at: AT[i] ?? "", op: "UPDATE", who: null }));
const was = (at: string, changed: string[] = ["price"]): RowAnswer => ({ table: "t", key: {}, exists: true, at, row: null, positions, changed });

test("a change of another row stands behind the last of this one before it", () => {
  for (const [moment, place] of [["0", 0], ["4", 0], ["5", 1], ["05", 1], ["16", 1], ["17", 2], ["20", 2], ["9223372036854775806", 2], ["9223372036854775807", 3]] as const)
    assert.equal(included(positions, moment, null), place, moment);
});

test("just before a change is behind the ones before it", () => {
  for (const [moment, place] of [["5~", 0], ["6~", 1], ["17~", 1], ["17~1", 1], ["18~", 2]] as const) assert.equal(included(positions, moment, null), place, moment);
});

test("any other moment is where the server says that it is, to the microsecond", () => {
  assert.equal(included(positions, "tx:44", null), null);
  assert.equal(included(positions, "17~2", null), null);
  assert.equal(included(positions, "tx:44", was("2026-11-30T18:40:58.202999Z")), 0);
  assert.equal(included(positions, "tx:44", was("2026-11-30T18:40:58.203000Z")), 1);
  assert.equal(included(positions, "~3", was("2026-11-30T18:40:58.203Z")), 1);
  assert.equal(included(positions, "~3", was("2026-11-30T18:40:58.203001Z")), 2);
  assert.equal(included(positions, "yesterday", was("2026-11-30T18:40:58Z")), 0);
});

test("before the first change of all is not now, though the server has no other time for it", () => {
  assert.equal(included(positions, "~500", was("2027-01-01T00:00:00Z")), 0);
  assert.equal(included(positions, "1s", was("2027-01-01T00:00:00Z", [])), 3);
});

test("each place has a moment, which has that place", () => {
  for (let place = 0; place <= positions.length; ++place) assert.equal(included(positions, momentOf(positions, place), null), place);
  assert.equal(momentOf(positions, positions.length + 1), "");
});
