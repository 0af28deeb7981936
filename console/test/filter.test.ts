import assert from "node:assert/strict";
import test from "node:test";
import { asksFor, completed, completing, condition, conditions, knownOffers, placed, quoted, toggled, within, withCondition, without } from "../src/filter.ts";

const seen = (filter: string): string[] => conditions(filter).map((one) => `${one.negated ? "-" : ""}${one.field}${one.name === "" ? "" : `.${one.name}`}${one.sign}${one.words.map((word) => word.text).join("|")}`);

test("a filter is taken apart as docs/filter.md has it", () => {
  assert.deepEqual(seen('table:products op:update,delete who:ann -reason:"price list" since:7d old.price>100 refund'),
    ["table:products", "op:update|delete", "who:ann", "-reason:price list", "since:7d", "old.price>100", "textrefund"]);
  assert.deepEqual(seen('who:"Smith, Ann" old."unit price">=5 new.note!=null -"a b" context.tenant:acme'),
    ["who:Smith, Ann", "old.unit price>=5", "new.note!=null", "-texta b", "context.tenant:acme"]);
  assert.deepEqual(seen('who:"a ""b"" c" who:\'x\''), ['who:a "b" c', "who:'x'"]);
});

test("whatever is typed is some list of conditions, each where it stands", () => {
  for (const filter of ["", " ", "-", '"', 'who:"', "who:", "::", "a.b.c:d", "old.", "old.:", "-who:", ",", 'a"b"c', "who:a,,b", "\u202e:\u0000", "old.x>", "\t who:a\n", "constructor:x", "__proto__:", "toString.a:b"]) {
    for (const one of conditions(filter)) assert.equal(filter.slice(one.from, one.to), one.text);
    for (let caret = 0; caret <= filter.length; ++caret) completing(filter, caret);
  }
});

test("a value that would mean something else stands in quotes, and means itself", () => {
  for (const value of ["ann", "a b", "a,b", 'a"b', "*", "null", "", "-x", "x:y", "שרה לוי", "10.0.0.1", "<img>", "a\nb", "it's"]) {
    const [one] = conditions(`who:${quoted(value)}`);
    assert.deepEqual(one?.words.map((word) => word.text), [value], value);
    assert.equal(conditions(`who:${quoted(value)} tx:1`).length, 2);
  }
  assert.equal(quoted("null"), '"null"');
  assert.equal(quoted("*"), '"*"');
  assert.equal(condition("key", "7", "order id"), 'key."order id":7');
});

test("conditions come and go", () => {
  assert.equal(withCondition("since:30d", "who:ann"), "since:30d who:ann");
  assert.equal(withCondition("since:30d who:ann", "who:ann"), "since:30d who:ann");
  const filter = "a:1 who:ann since:30d";
  assert.equal(without(filter, conditions(filter)[1]!), "a:1 since:30d");
  assert.equal(toggled("", "who", "ann"), "who:ann");
  assert.equal(toggled("who:ann since:7d", "who", "bob"), "who:ann,bob since:7d");
  assert.equal(toggled("who:ann,bob since:7d", "who", "ann"), "who:bob since:7d");
  assert.equal(toggled("who:ann since:7d", "who", "ann"), "since:7d");
  assert.equal(toggled("-who:ann", "who", "ann"), "-who:ann who:ann");
  assert.equal(toggled("who:a*", "who", "x y"), 'who:a*,"x y"');
  assert.ok(asksFor("op:insert,update", "op", "update"));
  assert.ok(!asksFor("-op:update", "op", "update"));
  assert.equal(within("since:30d who:ann until:1d", "2026-11-01", "2026-11-03"), "who:ann since:2026-11-01 until:2026-11-03");
  assert.equal(within("", "2026-11-01", ""), "since:2026-11-01");
});

test("fields and words are completed where the caret is", () => {
  const texts = (filter: string, caret = filter.length): string[] => completing(filter, caret).offers.map((offer) => offer.text);
  assert.deepEqual(texts("ta"), ["table:", "tag:"]);
  assert.deepEqual(texts("-wh"), ["-who:"]);
  assert.deepEqual(texts("op:up"), ["op:update"]);
  assert.deepEqual(texts("op:insert,d"), ["op:insert,delete"]);
  assert.ok(texts("who:ann ").includes("table:"));
  assert.deepEqual(texts("ta who:ann", 2), ["table:", "tag:"]);
  assert.deepEqual(texts("old.price:u"), []);
});

test("an offer takes the place of what was typed, and the caret stands behind it", () => {
  const at = completing("since:7d ta", 11);
  assert.deepEqual(completed("since:7d ta", at, { text: "table:", kind: "" }), { filter: "since:7d table:", caret: 15 });
  const word = completing("table:pro since:7d", 9);
  assert.equal(word.prefix, "table:pro");
  assert.deepEqual(completed("table:pro since:7d", word, { text: "table:products", kind: "" }), { filter: "table:products since:7d", caret: 15 });
  const second = completing("-who:ann,b", 10);
  assert.equal(second.prefix, "who:b");
  assert.equal(placed("-who:ann,b", second, { text: "who:bob", kind: "who" }).text, "-who:ann,bob");
  const bare = completing("pri", 3);
  assert.equal(placed("pri", bare, { text: "column:price", kind: "column" }).text, "column:price");
});

test("a bare word is completed to the tables and columns that begin so", () => {
  const tables = [{ table: "products", columns: ["id", "price"] }, { table: "sales.prices", columns: ["price", "Prix fixe"] }];
  assert.deepEqual(knownOffers("pri", tables).map((offer) => offer.text), ["column:price", 'column:"Prix fixe"']);
  assert.deepEqual(knownOffers("P", tables).map((offer) => offer.text), ["table:products", "column:price", 'column:"Prix fixe"']);
  assert.deepEqual(knownOffers("table:p", tables), []);
  assert.deepEqual(knownOffers("", tables), []);
});
