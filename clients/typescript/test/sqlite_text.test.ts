import assert from "node:assert/strict";
import { test } from "node:test";
import { statements } from "../dist/esm/sqlite_text.js";

const KINDS: [string, string[]][] = [
  ["", []], [" -- nothing\n ; /* none */ ;", []],
  ["insert into t values (1)", ["write"]], ["REPLACE into t values (1);", ["write"]], ["/* a */ -- b\n update t set a = 1; delete from t", ["write", "write"]],
  ["select replace('a', 'b', 'c')", ["other"]], ["with w as (select replace(a, 'b', 'c') as \"update\" from t) select * from w", ["other"]],
  ["with w as (select 1) insert into t select * from w", ["write"]], ["with w(a) as (select 1) insert or ignore into t select a from w", ["write"]],
  ["with w as (select 1) replace into t select * from w", ["write"]], ["with w as (select 1) delete from t", ["write"]],
  ["with w as (select ' delete from t ', [delete from t], `update`, 1 -- update\n) select 1", ["other"]],
  ["explain insert into t values (1)", ["other"]], ["explain query plan update t set a = 1", ["other"]],
  ["begin; commit; end transaction; rollback; rollback transaction", ["begin", "commit", "commit", "rollback", "rollback"]],
  ["begin immediate transaction; savepoint a; rollback to a; rollback transaction to savepoint a; release a", ["begin", "savepoint", "rollback_to", "rollback_to", "release"]],
  ["create trigger r after insert on t begin update t set a = case when 1 then 2 end; delete from t; end; insert into t values (1)", ["other", "write"]],
  ["create temp trigger if not exists r after insert on t when new.a = ';' begin select 1; end", ["other"]],
  ["create table begin_(a); insert into t values (';', \"a;\"\"b\", [c;d], 'it''s;', `e;f`); select 1", ["other", "write", "other"]],
  ["insert into t values ($a, :b, @c, ?1, #d);delete from t", ["write", "write"]],
  ["insert into t values ('not closed; delete from t", ["write"]], ["select 1 /* not closed; delete from t", ["other"]], ["/* a /* b */ delete from t", ["write"]],
  ["pragma user_version = 3; vacuum; attach 'x' as y; select vestige_revert(1)", ["other", "other", "other", "other"]],
];

for (const [text, kinds] of KINDS) {
  test(`${kinds.join(", ")}: ${text}`, () => {
    const found = statements(text);
    assert.deepEqual(found.map((one) => one.kind), kinds);
    if (kinds.length > 0) {
      assert.ok(text.startsWith(found.map((one) => one.text).join("")), "nothing of the text is lost");
    }
  });
}

test("a text of megabytes has its statements found", () => {
  const most = 8_000_000;
  for (const value of ["x".repeat(most), "''".repeat(most / 2), "\n".repeat(most)]) {
    assert.deepEqual(statements(`insert into t values ('${value}'); select 1`).map((one) => one.kind), ["write", "other"]);
  }
  for (const text of [`/*${"*x".repeat(most / 2)}*/`, `--${"x".repeat(most)}\n`, " ".repeat(most), `/*${"/* ".repeat(most / 4)}*/`]) {
    assert.deepEqual(statements(`${text} delete from t`).map((one) => one.kind), ["write"]);
  }
  assert.equal(statements(`create trigger r after insert on t begin ${"select 1;".repeat(50_000)} end; delete from t`).length, 2);
  assert.equal(statements("insert into t values (1);".repeat(50_000)).length, 50_000);
});
