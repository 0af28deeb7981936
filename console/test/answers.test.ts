import assert from "node:assert/strict";
import test from "node:test";
import { type Change, who, whoErased } from "../src/answers.ts";
import { parse } from "../src/json.ts";

const change = (more: string): Change => parse(`{"id":1,"db_user":"app",${more}}`) as unknown as Change;

test("who did it is the actor, or the database's user, and nobody where it was erased", () => {
  assert.equal(who(change('"context":{"actor":"ann"}')), "ann");
  assert.equal(who(change('"context":{"reason":"sale"}')), "app");
  assert.equal(who(change('"context":{"reason":"sale"},"erased":{"values":3,"key":4}')), "app");
  const gone = change('"context":{},"erased":{"values":3,"context":4}');
  assert.equal(who(gone), null);
  assert.ok(whoErased(gone));
  const said = change('"context":{"actor":"ann"},"erased":{"context":4}');
  assert.equal(who(said), "ann");
  assert.ok(!whoErased(said));
});
