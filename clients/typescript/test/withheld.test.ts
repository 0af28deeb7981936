/** What the trail does not give: redacted and encrypted values of both databases, and changes that have expired. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { Encrypted, openTrail, REDACTED, type Trail } from "vestige-audit";
import { Database } from "./database.js";
import { DRIVERS, database as fileOf, loaded } from "./sqlite_drivers.js";

function program(url: string, ...words: string[]): string {
  return execFileSync(process.env["VESTIGE"]!, words, { env: { ...process.env, VESTIGE_DB: url }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vestige-"));
const recipient = program("", "keys", "generate", "--class", "phi", "--out", path.join(folder, "phi.key"));
after(() => fs.rmSync(folder, { recursive: true }));

const POLICY = { redact: ["card"], encrypt: { ssn: "phi", doc: "phi" } };
const INSERT = "insert into patients values (1, '078-05-1120', '4111', '{\"a\": 1}', '{\"$redacted\": true}')";
const UPDATE = "update patients set ssn = null, card = '4242'";

async function isWithheld(trail: Trail, plain: unknown): Promise<void> {
  const [changed, made] = await trail.history("patients", 1).toArray();
  assert.ok(changed?.op === "UPDATE" && changed.erased === null && made?.op === "INSERT" && made.erased === null);
  assert.ok(made.new["ssn"] instanceof Encrypted && made.new["doc"] instanceof Encrypted && changed.old["ssn"] instanceof Encrypted);
  assert.deepEqual([made.new["card"], changed.old["card"], changed.new["card"], changed.new["ssn"]], [REDACTED, REDACTED, REDACTED, null]);
  assert.deepEqual(made.new["plain"], plain, "a document of the application's own that is like a mark is none");
  const json = JSON.stringify(made);
  assert.deepEqual(JSON.parse(json).new.card, { $redacted: true });
  assert.deepEqual(JSON.parse(json).new.ssn, { $encrypted: made.new["ssn"].token });
  assert.equal(`${made.new["ssn"]}`, "(encrypted)");
  assert.equal((await trail.blame("patients", 1)).find((one) => one.column === "plain")!.change, made.id);
  const undone = await trail.undo(changed.id, { force: true });
  assert.equal(undone.done, "nothing");
  assert.match(undone.notes.join(), /ssn.*(encrypted|key)/);
}

describe("PostgreSQL", () => {
  let database: Database;
  let pool: pg.Pool;
  before(async () => {
    database = await Database.create("create table patients (id int primary key, ssn text, card text, doc jsonb, plain jsonb)",
      "create table gone (id int primary key); select vestige.track('gone')");
    pool = new pg.Pool(database.config({ max: 1 }));
  });
  after(async () => {
    await pool.end();
    await database.drop();
  });

  test("a history says what it does not give", async () => {
    const trail = openTrail(pool);
    await database.run("create extension pgcrypto", `select vestige.add_recipient('phi', '${recipient}')`);
    await trail.track("patients", POLICY);
    await database.run(INSERT, UPDATE);
    await isWithheld(trail, { $redacted: true });
  });

  test("the feed goes on behind changes that are gone", async () => {
    const trail = openTrail(pool);
    await database.run("insert into gone select generate_series(1, 5)");
    program(database.url(), "log", "--consumer", "all");
    const all = await trail.feed(-1, 100);
    const five = all.filter((one) => one.table === "gone").map((one) => one.id);
    await database.run("alter table vestige.change disable trigger user", `delete from vestige.change where id = any ('{${five.slice(0, 4).join(",")}}')`);
    const before = all.find((one) => one.id === five[0])!.index! - 1n;
    assert.deepEqual((await trail.feed(before, 2)).map((one) => one.id), [five[4]]);
    assert.deepEqual(await trail.feed(before + 5n, 2).then((found) => found.filter((one) => five.includes(one.id))), []);
  });
});

for (const driver of DRIVERS) {
  test(`${driver.name}: a history says what it does not give`, async () => {
    const file = fileOf(driver, ["create table patients (id integer primary key, ssn text, card text, doc text, plain text)"]);
    program(`sqlite:${file}`, "keys", "add", "phi", recipient.split(" ")[0]!);
    const db = driver.instrument(loaded(driver.open(file)));
    const trail = openTrail(db);
    await trail.track("patients", POLICY);
    db.exec(INSERT);
    db.exec(UPDATE);
    await isWithheld(trail, "{\"$redacted\": true}");
    db.close();
  });
}

