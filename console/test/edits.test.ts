import assert from "node:assert/strict";
import test from "node:test";
import type { Change } from "../src/answers.ts";
import { edits } from "../src/edits.ts";
import { parse, write } from "../src/json.ts";

const of = (json: string): string =>
  edits(parse(`{"id":1,"table":"t","key":{"id":1},${json}}`) as unknown as Change).map(({ column, old, now }) => `${column} ${old === undefined ? "" : write(old)}>${now === undefined ? "" : write(now)}`).join(" ");

test("what is redacted changed where the change says so", () => {
  const both = '{"phone":{"$redacted":true},"mail":{"$redacted":true},"name":"Ada"}';
  assert.equal(of(`"op":"UPDATE","old_values":${both},"new_values":${both},"changed_fields":["phone"]`), 'phone {"$redacted":true}>{"$redacted":true}');
  assert.equal(of(`"op":"UPDATE","old_values":${both},"new_values":${both}`), "");
});

test("an UPDATE shows what differs, once, and its key", () => {
  assert.equal(of('"op":"UPDATE","new_key":{"id":2},"old_values":{"id":1,"a":1,"b":2},"new_values":{"id":2,"a":1.0,"b":2},"changed_fields":["id","a"]'), "id 1>2 a 1>1.0");
  assert.equal(of('"op":"INSERT","old_values":null,"new_values":{"id":1,"a":{"$redacted":true}}'), 'a >{"$redacted":true}');
  assert.equal(of('"op":"DELETE","old_values":{"id":1,"a":null},"new_values":null'), "a null>");
});
