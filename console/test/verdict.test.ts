import assert from "node:assert/strict";
import test from "node:test";
import { type Members, parse } from "../src/json.ts";
import { said } from "../src/verdict.ts";

const of = (json: string, found = 0): string => {
  const { state, title, notes } = said(parse(json) as Members, found);
  return [state, title, ...notes].join("; ");
};

test("verify says what was verified, and no more", () => {
  assert.equal(of('{"size":0,"unsigned":0,"unsealed":0,"signature":false}'), "open; Nothing is sealed yet");
  assert.equal(of('{"size":0,"unsigned":0,"unsealed":3,"signature":false}'), "open; Nothing is sealed yet; nothing proves the 3 changes that are recorded");
  assert.equal(of('{"size":318,"unsigned":0,"unsealed":11,"signature":false}'),
    "open; 318 of 329 changes are sealed, and as they were; 11 changes under no checkpoint yet: nothing proves them; no key was known to check the checkpoint's signature");
  assert.equal(of('{"size":5,"unsigned":0,"unsealed":0,"signature":false}'), "open; All 5 changes are sealed, and as they were; no key was known to check the checkpoint's signature");
  assert.equal(of('{"size":5,"unsigned":0,"unsealed":0,"signature":true}'), "good; All 5 changes are sealed, and as they were; the checkpoint's signature holds");
  assert.equal(of('{"size":1,"unsealed":0,"signature":true}'), "good; The one change that there is is sealed, and as it was; the checkpoint's signature holds");
  assert.equal(of('{"size":1,"unsealed":1,"signature":true}'), "open; 1 of 2 changes is sealed, and as it was; 1 change under no checkpoint yet: nothing proves it; the checkpoint's signature holds");
  assert.match(of('{"size":4,"unsigned":2,"unsealed":0,"signature":true,"expired":1,"erased":2}'), /^open; 4 of 6 changes are .*; 2 changes under no checkpoint yet: nothing proves them; 1 change expired, .*; parts of 2 changes were erased/);
});

test("what verify finds comes before all that holds", () => {
  assert.match(of('{"size":5,"unsealed":0,"signature":true,"discrepancies":2}'), /^bad; 2 findings: the trail is not as it was sealed/);
  assert.match(of('{"size":0,"unsealed":0,"discrepancies":0}', 1), /^bad; 1 finding: /);
});
