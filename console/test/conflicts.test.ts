import assert from "node:assert/strict";
import test from "node:test";
import type { Revert } from "../src/answers.ts";
import { mark, met } from "../src/conflicts.ts";
import { parse } from "../src/json.ts";

test("of rows that were compared the server's count holds", () => {
  const revert = parse(`{"rows":[],"conflicts":0,"said":["p id=1: encrypted, so it is left as it is","the rows were compared as they stand"],"sql":null}`) as unknown as Revert;
  assert.deepEqual(met(revert), { tried: true, conflicts: 0, left: 1, reasons: [] });
});

const of = (rows: string, conflicts: number, said: string[], sql = "[]"): string => {
  const revert = parse(`{"rows":${rows},"conflicts":${conflicts},"said":${JSON.stringify(said)},"sql":${sql}}`) as unknown as Revert;
  const all = met(revert);
  return [all.conflicts, all.left, ...revert.rows.flatMap((row) => row.columns.map((column) => mark(row, column, all)))].join(",");
};
const row = (op: string, columns: string): string => `{"table":"t","key":{"id":1},"op":"${op}","columns":[${columns}]}`;
const PHONE = '{"column":"phone","now":"1","then":{"$redacted":true},"conflict":true}';
const STOCK = '{"column":"stock","now":2,"then":1,"conflict":true}';
const NAME = '{"column":"name","now":"b","then":"a","conflict":false}';

test("what is redacted or encrypted is left, and no conflict", () => {
  assert.equal(of(`[${row("UPDATE", `${PHONE},${NAME}`)}]`, 1, ["t id=1: phone: redacted, so it is left as it is"]), "0,1,left,");
  assert.equal(of(`[${row("UPDATE", PHONE)}]`, 1, ["t id=1: phone, ssn: encrypted or redacted, so it is left as it is"]), "0,1,left");
  assert.equal(of(`[${row("UPDATE", PHONE)}]`, 0, ["run sql: the table wants an actor"]), "0,0,left");
  assert.equal(of(`[${row("UPDATE", `${PHONE},${STOCK}`)}]`, 0, ["run sql: the table wants an actor"], "null"), "0,0,left,changed");
});

test("what was changed since is a conflict", () => {
  assert.equal(of(`[${row("UPDATE", `${STOCK},${PHONE},${NAME}`)}]`, 2, ["t id=1: stock has changed since: 1 expected, 2 found", "t id=1: phone: redacted, so it is left as it is"]), "1,1,changed,left,");
  assert.equal(of(`[${row("UPDATE", `${STOCK},${PHONE}`)}]`, 1, ["t id=1: the row is gone"]), "1,0,changed,left");
  assert.equal(of(`[${row("DELETE", '{"column":"phone","now":"1","then":null,"conflict":true},{"column":"stock","now":2,"then":null,"conflict":true}')}]`, 1, ["t id=1: stock changed since the row was inserted"]), "1,0,,changed");
});
