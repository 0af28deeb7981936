import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../dist/esm/session.js";
import { setLocal } from "../dist/esm/literal.js";

const ANN = "{\"actor\":\"ann\"}";
const BOB = "{\"actor\":\"bob\"}";

test("the context rides in the text of BEGIN, before what is said after it", () => {
  for (const [text, told] of [
    ["begin", `begin; ${setLocal(ANN)}`],
    ["BEGIN;", `BEGIN; ${setLocal(ANN)};`],
    ["start transaction read write -- x", `start transaction read write; ${setLocal(ANN)} -- x`],
    ["begin; update t set a = 1; commit", `begin; ${setLocal(ANN)}; update t set a = 1; commit`],
    ["commit and chain", `commit and chain; ${setLocal(ANN)}`],
  ] as const) {
    assert.equal(new Session().plan(text, true, ANN).text, told);
  }
});

test("what is ours among the statements is known by its place", () => {
  const { inserted, text } = new Session().plan("begin; update t set a = 1; commit; begin", true, ANN);
  assert.deepEqual(inserted.map((one) => one.statement), [1, 5]);
  for (const one of inserted) {
    assert.equal(text.slice(one.at, one.at + one.length), `; ${setLocal(ANN)}`);
  }
});

test("that there is no context is said, too, unless the session's is to be kept", () => {
  assert.equal(new Session().plan("begin", true, "").text, "begin; set local vestige.context = ''");
  const keeping = new Session({ empty: "keep" });
  assert.equal(keeping.plan("begin", true, "").text, "begin");
  assert.equal(keeping.plan("update t set a = 1", false, "").before, undefined);
});

test("a context that changes inside a transaction is said before the next statement, once", () => {
  const session = new Session();
  session.plan("begin", true, ANN);
  assert.equal(session.plan("update t set a = $1", false, ANN).before, undefined);
  assert.equal(session.plan("update t set a = $1", false, BOB).before, setLocal(BOB));
  assert.equal(session.plan("update t set a = $1", false, BOB).before, undefined);
  assert.equal(session.plan("set work_mem = 1", true, ANN).text, "set work_mem = 1");
  assert.equal(session.plan("select f()", true, ANN).text, `${setLocal(ANN)}; select f()`);
  assert.equal(session.plan("select f()", true, "").text, "set local vestige.context = ''; select f()");
});

test("what was said inside a savepoint is forgotten when that is rolled back, and kept when it is released", () => {
  const session = new Session();
  session.plan("begin", true, ANN);
  session.plan("savepoint a", true, ANN);
  session.plan("update t set a = 1", true, BOB);
  assert.equal(session.plan("rollback to a", true, ANN).text, "rollback to a", "ann's is in force again");
  assert.equal(session.plan("update t set a = $1", false, BOB).before, setLocal(BOB));
  session.plan("release a", true, BOB);
  assert.equal(session.plan("update t set a = $1", false, BOB).before, undefined);
  assert.equal(session.plan("rollback to unknown; update t set a = 1", true, BOB).text,
    `rollback to unknown; ${setLocal(BOB)}; update t set a = 1`);
});

test("a write outside a transaction takes the context along in its own text, or gets a transaction", () => {
  assert.deepEqual(new Session().plan("update t set a = 1", true, ANN),
    { text: `${setLocal(ANN)}; update t set a = 1`, inserted: [{ statement: 0, at: 0, length: setLocal(ANN).length + 2 }] });
  assert.deepEqual(new Session().plan("update t set a = $1", false, ANN),
    { text: "update t set a = $1", inserted: [], before: `begin; ${setLocal(ANN)}`, alone: true });
  assert.equal(new Session().plan("select 1; update t set a = 1", false, ANN).alone, true);
  assert.equal(new Session().plan("delete from t; insert into t values (1)", true, ANN).inserted.length, 1);
});

test("nothing is added to what only reads, and to what cannot be in a transaction", () => {
  for (const text of ["select 1", "vacuum t", "create index concurrently i on t (a)", "call p()", "do $$ begin end $$", "show all"]) {
    for (const simple of [true, false]) {
      assert.deepEqual(new Session().plan(text, simple, ANN), { text, inserted: [] });
    }
  }
});

test("the other policies for writes outside a transaction", () => {
  const write = "update t set a = $1";
  assert.deepEqual(new Session({ autocommit: "off" }).plan(write, false, ANN), { text: write, inserted: [] });
  assert.throws(() => new Session({ autocommit: "error" }).plan(write, false, ANN), /outside a transaction/);
  assert.doesNotThrow(() => new Session({ autocommit: "error" }).plan("select 1", false, ANN));
  const commenting = new Session({ autocommit: "comment" });
  assert.equal(commenting.plan(write, false, "{\"reason\":\"*/ '\"}").text, `${write}\n/*reason='%2A%2F%20%27'*/`);
  assert.equal(commenting.plan(write, false, "").text, write);
  assert.equal(commenting.plan(write, false, ANN, true).alone, true, "a prepared statement would keep its first comment");
  const off = new Session({ autocommit: "off" });
  off.plan("begin", true, ANN);
  assert.equal(off.plan(write, false, BOB).before, setLocal(BOB), "a transaction is one, whatever the policy");
});

test("what the server says of the transaction counts", () => {
  const session = new Session();
  session.plan("begin isolation level nonsense", true, ANN);
  session.settle("I");
  assert.equal(session.plan("update t set a = $1", false, ANN).alone, true);
  session.settle("T");
  assert.equal(session.plan("update t set a = $1", false, ANN).before, setLocal(ANN));
});
