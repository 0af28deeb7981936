import assert from "node:assert/strict";
import test from "node:test";
import { type Members, parse } from "../src/json.ts";
import { policyWords } from "../src/policy.ts";

const of = (json: string): string => policyWords(parse(json) as Members).map((pair) => pair.join(" ").trim()).join("; ");

test("a policy is said in words", () => {
  assert.equal(of('{"exclude":["updated_at"],"redact":["phone","mail"],"encrypt":{"ssn":"phi","__proto__":"x"},"require":["actor"],"classification":"PHI"}'),
    "exclude updated_at; redact phone, mail; encrypt ssn (phi), __proto__ (x); require actor; classification PHI");
  assert.equal(of('{"on_truncate":"mark","baseline":true,"full":false,"tags":[],"when":"NEW.price > 100","n":3}'), "on truncate mark; baseline; when NEW.price > 100; n 3");
  assert.equal(of("{}"), "");
});
