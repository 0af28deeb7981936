import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import pg from "pg";
import { current, type Context, run } from "vestige-audit";
import { comment, encoded, MOST, quoted, setLocal } from "../dist/esm/literal.js";
import { statements } from "../dist/esm/statement.js";
import { Database } from "./database.js";

let database: Database;
let client: pg.Client;
before(async () => {
  database = await Database.create("create table t (id int primary key, n int)", "insert into t values (1, 0)", "select vestige.track('t')");
  client = new pg.Client(database.config());
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

const hostile = fc.array(fc.oneof(
  fc.constantFrom("'", "\\", "\\'", "*/", "/*", "--", "$$", "$1", "%", "%s", "?", ";", "\n", "\0", "\u007f", "\ud800", "\udc00", "é", "😀", "\"", "E'", "\\u0000", "{", "commit"),
  fc.string({ maxLength: 4, unit: "binary" })), { maxLength: 12 }).map((pieces) => pieces.join(""));
const contexts = fc.dictionary(hostile, fc.oneof(hostile, fc.double(), fc.bigInt(), fc.boolean(), fc.array(hostile, { maxLength: 3 })), { maxKeys: 4 });

test("whatever is said arrives as it was meant, and nothing of it is SQL, whatever standard_conforming_strings is", async () => {
  await fc.assert(fc.asyncProperty(contexts, fc.boolean(), async (context, conforming) => {
    const said = run(context as Context, () => current());
    const text = encoded(said);
    assert.match(text, /^[ -~]*$/);
    const statement = setLocal(text);
    assert.equal(statements(statement, !conforming).length, 1);
    await client.query(`set standard_conforming_strings = ${conforming ? "on" : "off"}; begin; ${statement}`);
    const { rows } = await client.query("select current_setting('vestige.context') as raw, vestige.given_fields(current_setting('vestige.context'))::text as seen");
    await client.query("rollback");
    assert.equal(rows[0].raw, text);
    assert.deepEqual(JSON.parse(rows[0].seen ?? "{}"), JSON.parse(JSON.stringify(said)));
  }), { numRuns: 150 });
});

test("the comment says the same, for statements that cannot be told otherwise", async () => {
  await client.query("set vestige.sqlcommenter = on");
  await fc.assert(fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), hostile, { minKeys: 1, maxKeys: 3 }), async (context) => {
    const said = run(context, () => current());
    await client.query(`update t set n = n + 1\n${comment(encoded(said))}`);
    const { rows } = await client.query("select context from vestige.changes order by id desc limit 1");
    assert.deepEqual(rows[0].context, JSON.parse(JSON.stringify(said)));
  }), { numRuns: 40 });
});

test("a context that says nothing is an empty setting", () => {
  assert.equal(encoded({}), "");
  assert.equal(setLocal(""), "set local vestige.context = ''");
  assert.equal(quoted("{\"a\":\"\\u0027\"}"), "E'{\"a\":\"\\\\u0027\"}'");
});

test("of more than 16 KiB other fields are left out, the largest first, then known ones are cut", async () => {
  const warned: string[] = [];
  process.on("warning", (warning) => warned.push(warning.message));
  const big = (size: number): string => "x".repeat(size);
  const cutTo = (context: Context): Record<string, string> => JSON.parse(run(context, () => encoded(current()))) as Record<string, string>;
  const one = cutTo({ actor: "ann", small: "s", huge: big(MOST), large: big(MOST - 20) });
  assert.deepEqual(one, { actor: "ann", small: "s", left_out: ["huge", "large"] });
  const two = cutTo({ actor: "ann", reason: "é'".repeat(MOST), note: big(10) });
  assert.deepEqual(two["left_out"], ["note", "reason"]);
  assert.ok(two["reason"]!.length >= 80 && "é'".repeat(MOST).startsWith(two["reason"]!));
  fc.assert(fc.property(fc.dictionary(fc.oneof(fc.constantFrom("actor", "reason", "user_agent"), hostile.map((name) => name.repeat(900))),
    hostile.map((value) => value.repeat(3000)), { maxKeys: 40 }), (context) => {
    assert.ok(run(context, () => encoded(current())).length <= MOST);
  }), { numRuns: 10 });
  await new Promise(setImmediate);
  assert.ok(warned.some((message) => message.includes("was cut: [\"huge\",\"large\"]") && !message.includes("xxx")));
});
