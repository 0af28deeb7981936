import assert from "node:assert/strict";
import test from "node:test";
import { isOwn, withoutOwn } from "../src/own.ts";

test("the trail's own tables are known by their names, and nobody else's", () => {
  for (const table of ["vestige_alert", "vestige.recipient", "vestige_policy_change"]) assert.ok(isOwn(table), table);
  for (const table of ["products", "vestige", "vestige_notes", "my.vestige_alert", "vestige_alerts", ""]) assert.ok(!isOwn(table), table);
});

test("they are left out by a condition, where they are among what is shown", () => {
  assert.equal(withoutOwn("since:30d", ["products", "vestige_alert"]), "-table:vestige_*");
  assert.equal(withoutOwn("", ["vestige.hold"]), "-table:vestige.*");
  assert.equal(withoutOwn("", ["products"]), "");
  assert.equal(withoutOwn("table:vestige_hold", ["vestige_hold"]), "");
  assert.equal(withoutOwn("-table:vestige_*", ["vestige_hold"]), "");
});
