import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { statements } from "../dist/esm/statement.js";

const kinds = (text: string): string[] => statements(text).map((one) => one.kind);

test("a statement is what its first word says, whatever stands before it", () => {
  for (const [text, kind] of [
    ["begin", "begin"], ["BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE;", "begin"], ["start transaction", "begin"],
    ["/* begin /* nested */ */ -- x\n START TRANSACTION", "begin"],
    ["commit", "end"], ["end", "end"], ["COMMIT WORK", "end"], ["abort", "end"], ["rollback transaction", "end"],
    ["prepare transaction 'x'", "end"], ["commit and chain", "chain"], ["rollback work and chain", "chain"],
    ["commit and no chain", "end"], ["commit prepared 'x'", "other"], ["prepare x as update t set a = 1", "other"],
    ["savepoint a", "savepoint"], ["release a", "release"], ["rollback to savepoint a", "rollback_to"],
    ["rollback work to a", "rollback_to"], ["set transaction isolation level serializable", "setting"],
    ["insert into t values (1)", "write"], ["Update t set a = 1", "write"], ["delete from t", "write"],
    ["merge into t using s on a = b when matched then delete", "write"], ["truncate t", "write"],
    ["with x as (delete from t returning *) select * from x", "write"],
    ["with x as (select 1) select * from x", "other"], ["with x as (select 1) select * from t for update", "other"],
    ["with x as (select 'delete') select \"update\" from x", "other"],
    ["copy t from stdin", "write"], ["copy t (a, b) from stdin", "write"], ["copy (select a from t) to stdout", "other"],
    ["explain analyze update t set a = 1", "write"], ["explain (analyze, buffers) insert into t values (1)", "write"],
    ["explain update t set a = 1", "other"], ["explain analyze select 1", "other"],
    ["select 1", "other"], ["(select 1)", "other"], ["call p()", "other"], ["do $$ begin delete from t; end $$", "other"],
    ["vacuum", "other"], ["create table t (a int)", "other"], ["values (1)", "other"],
  ] as const) {
    assert.deepEqual(kinds(text), [kind], text);
  }
});

test("a text is parted where PostgreSQL parts it", () => {
  assert.deepEqual(kinds("begin; update t set a = ';begin;' where b = $$;commit;$$ ; commit -- ;begin"), ["begin", "write", "end"]);
  assert.deepEqual(kinds("select E'\\';begin;' ; begin"), ["other", "begin"]);
  assert.deepEqual(kinds("select $1$a;begin"), ["other", "begin"]);
  assert.deepEqual(kinds("select a$b$c;begin"), ["other", "begin"], "a dollar inside a name fences nothing");
  assert.deepEqual(kinds("select \"a;\"\"b\", 1;;begin"), ["other", "begin"]);
  assert.deepEqual(kinds("create function f() returns int begin atomic insert into t values (1); select case when true then 1 end; end; begin"),
    ["other", "begin"]);
  assert.deepEqual(kinds("create rule r as on update to t do (delete from a; delete from b); commit"), ["other", "end"]);
  assert.deepEqual(kinds(""), []);
  assert.deepEqual(kinds(" ; -- nothing"), []);
});

test("a backslash escapes in plain strings where standard_conforming_strings is off", () => {
  assert.deepEqual(statements("select '\\';begin;' ; commit", true).map((one) => one.kind), ["other", "end"]);
  assert.deepEqual(kinds("select '\\';begin"), ["other", "begin"]);
});

test("savepoints have the names that they mean", () => {
  const names = (text: string): (string | undefined)[] => statements(text).map((one) => one.name);
  assert.deepEqual(names("savepoint A; savepoint \"A\"; rollback to \"x\"\"y\"; release savepoint B; release b"), ["a", "A", "x\"y", "b", "b"]);
  assert.deepEqual(names("rollback transaction to savepoint s"), ["s"]);
});

test("no text makes the lexer throw or hang, and places are inside it", () => {
  const piece = fc.constantFrom("begin", ";", "'", "\"", "$$", "$a$", "/*", "*/", "--", "\n", "E'", "\\", "(", ")", "update", " ", "1", "é", "create", "atomic", "end");
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
    const text = pieces.join("");
    let last = 0;
    for (const one of statements(text)) {
      assert.ok(last <= one.start && one.start < one.end && one.end <= text.length, text);
      last = one.end;
    }
  }), { numRuns: 2000 });
});
