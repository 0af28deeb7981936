import assert from "node:assert/strict";
import test from "node:test";
import { address, api, apiRow, route, rowPath, tablePath, timeline } from "../src/route.ts";

const at = (to: string): ReturnType<typeof route> => {
  const [path = "", search = ""] = to.split(/(?=\?)/);
  return route(path, search);
};

test("an address is a page", () => {
  assert.deepEqual(at("/"), { page: "timeline", filter: null, after: "" });
  assert.deepEqual(at("/?q="), { page: "timeline", filter: "", after: "" });
  assert.deepEqual(at("/?q=who%3Aann+x&after=12"), { page: "timeline", filter: "who:ann x", after: "12" });
  assert.deepEqual(at("/t/products?at=17"), { page: "table", table: "products", at: "17", after: "" });
  assert.deepEqual(at("/c/1207"), { page: "change", id: "1207" });
  assert.deepEqual(at("/tx/44"), { page: "tx", id: "44", after: "" });
  assert.deepEqual(at("/alerts/a%2Fb"), { page: "alert", id: "a/b" });
  assert.deepEqual(at("/alerts?state=closed"), { page: "alerts", state: "closed", after: "" });
  for (const page of ["verify", "holds", "retention", "status"]) assert.deepEqual(at(`/${page}`), { page });
  for (const none of ["/x", "/t", "/t/", "/c/", "/c/1/2", "/t/a/b/c", "/statuses", "//"]) assert.ok(["unknown", "change"].includes(at(none).page), none);
});

test("whatever a table and a key are called, their address leads to them", () => {
  for (const table of ["products", "sales.products", "a/b", "a?b#c", "a,b", "%2C", "שרה", "..", "<script>", "\u0000", "a b+c"])
    for (const key of [["1"], ["a,b", "c"], ["%2C", ","], ["/", "?"], ["", "x"], ["é\n\u202e"], ["x".repeat(1000)]]) {
      const to = new URL(rowPath(table, key).replace("/t/../", "/t/%2e%2e/"), "http://localhost");
      if (table === "..") continue;
      assert.deepEqual(route(to.pathname, to.search), { page: "row", table, key, at: "", after: "" });
      assert.equal(apiRow(table, key).split("/").length, 5);
    }
});

test("an address says what is asked, and leaves out what is not", () => {
  assert.equal(address("/x", { a: "", b: null, c: undefined, d: "1 2&3" }), "/x?d=1+2%263");
  assert.equal(api("/changes", { q: "who:ann" }), "/api/v1/changes?q=who%3Aann");
  assert.equal(timeline(""), "/?q=");
  assert.equal(tablePath("a/b"), "/t/a%2Fb");
});

test("percent signs that stand for nothing do not break the page", () => {
  assert.deepEqual(route("/t/%E0%A4%A/%", ""), { page: "row", table: "%E0%A4%A", key: ["%"], at: "", after: "" });
});
