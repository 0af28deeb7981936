/** What an application reports that it read: the same call, the same row, on both databases. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import postgres from "postgres";
import * as vestige from "vestige-audit";
import { type Access, openTrail, type ReportedKey, type Trail } from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";
import { type Driver, DRIVERS, loaded, type Sqlite, database as sqliteFile } from "./sqlite_drivers.js";

const VESTIGE = process.env["VESTIGE"]!;

interface Listed {
  change: number;
  kind: string;
  table: string;
  key: string[] | null;
  who: string | null;
  entries: number | null;
  suspended_until: string | null;
  context: Record<string, unknown>;
}

function program(place: string, ...words: string[]): string {
  return execFileSync(VESTIGE, words, { env: { ...process.env, VESTIGE_DB: place }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function listed(place: string): (Listed & Record<string, unknown>)[] {
  return program(place, "access", "--reverse", "--format", "json").trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as never);
}

const REFUSED: [RegExp, ReportedKey | ReportedKey[], Access][] = [
  [/a disclosure has a recipient/, 1, { kind: "disclosure" }],
  [/kind is trail: it is read or disclosure/, 1, { kind: "trail" as never }],
  [/a text of 8193 bytes is too long/, 1, { purpose: "x".repeat(8193) }],
  [/a text of 8194 bytes is too long/, 1, { requestRef: "é".repeat(4097) }],
  [/a text of 8201 bytes is too long/, ["x".repeat(8192), "a\\b"], {}],
  [/a text has a NUL in it/, 1, { purpose: "a\0b" }],
  [/entries is -1/, 1, { entries: -1 }],
  [/entries is 0.5/, 1, { entries: 0.5 }],
  [/entries is 9223372036854775808/, 1, { entries: 2n ** 63n }],
  [/true in a key: give the text/, true as never, {}],
  [/Date in a key: give the text/, [1, new Date() as never], {}],
  [/Uint8Array in a key: give the text/, new Uint8Array() as never, {}],
  [/null in a key: give the text/, null as never, {}],
  [/Invalid time value/, 1, { suspendedUntil: new Date(NaN) }],
  [/nothing_there/, 1, {}],
];

async function reportsTheSame(trail: Trail, place: string, nobody: string | null, shown: string): Promise<void> {
  await vestige.run({ actor: "nurse", reason: "round", bed: 7 }, () => trail.access('"Wa.rd"', [7, 'a"b, \\é\n'], { purpose: "it's due" }));
  await trail.access('"Wa.rd"', [], { entries: 40 });
  const told = { kind: "disclosure", recipient: "Acme", recipientAddress: "Main Street 1", description: "bill", requestRef: "C-1" } as const;
  const id = await vestige.run({ actor: "billing" }, () => trail.access('"Wa.rd"', 17n, { ...told, suspendedUntil: new Date("2099-01-01T12:30:00.005Z") }));
  assert.equal(typeof id, "bigint");
  for (const [why, key, what] of REFUSED) {
    await assert.rejects(trail.access(why.source === "nothing_there" ? "nothing_there" : '"Wa.rd"', key, what), why);
  }
  const rows = listed(place).slice(-3);
  assert.deepEqual(rows.map(({ kind, table, key, who, entries }) => [kind, table, key, who, entries]), [
    ["read", shown, ["7", 'a"b, \\é\n'], "nurse", null], ["read", shown, null, nobody, 40], ["disclosure", shown, ["17"], "billing", null]]);
  const [asked, counted, disclosed] = rows;
  assert.deepEqual([asked!["purpose"], asked!.context["reason"], String(asked!.context["bed"]), counted!.context], ["it's due", "round", "7", {}]);
  assert.deepEqual(["recipient", "recipient_address", "description", "request_ref"].map((name) => disclosed![name]), ["Acme", "Main Street 1", "bill", "C-1"]);
  assert.match(disclosed!.suspended_until!, /^2099-01-01T12:30:00\.0050*Z$/);
}

test("PostgreSQL, by each driver: the same call gives the same row", async () => {
  const database = await Database.create('create table "Wa.rd" (id int, part text, primary key (id, part))');
  const pool = new pg.Pool(database.config({ max: 1 }));
  const sql = postgres({ host: database.host, port: database.port, user: database.user, database: database.name, max: 1, fetch_types: false });
  for (const given of [pool, sql, instrument(new pg.Pool(database.config({ max: 1 })))]) {
    await reportsTheSame(openTrail(given), database.url(), database.user, '"Wa.rd"');
    await given.end();
  }
  assert.equal(listed(database.url()).length, 9);
  await database.drop();
});

function ward(driver: Driver, how: { instrumented: boolean; autocommit?: "off" | "error" }): [Sqlite, string] {
  const file = sqliteFile(driver, ['create table "Wa.rd" (id integer, part text, primary key (id, part))']);
  program(file, "access", "--prepare");
  const plain = loaded(driver.open(file));
  return [how.instrumented ? driver.instrument(plain, how.autocommit ? { autocommit: how.autocommit } : {}) : plain, file];
}

for (const driver of DRIVERS) {
  for (const how of [{ instrumented: false }, { instrumented: true }, { instrumented: true, autocommit: "error" }, { instrumented: true, autocommit: "off" }] as const) {
    test(`${driver.name}, ${JSON.stringify(how)}: the same call gives the same row`, async () => {
      const [db, file] = ward(driver, how);
      await reportsTheSame(openTrail(db), file, null, "Wa.rd");
      db.close();
    });
  }

  test(`${driver.name}: it goes with the transaction, and what plain SQL said stands again after it`, async () => {
    const [db, file] = ward(driver, { instrumented: false });
    const trail = openTrail(db);
    db.exec("begin");
    await trail.access("wa.RD", 1);
    db.exec("rollback");
    assert.deepEqual(listed(file), []);
    db.exec("begin; insert into vestige_session (actor, reason, extra) values ('ann', 'it''s due', '{\"bed\":7}')");
    await trail.access("wa.RD", 1);
    await vestige.run({ actor: "bob" }, () => trail.access("Wa.rd", 2));
    for (const way of ["abort", "rollback"]) {
      if (way === "rollback") {
        db.exec("commit; begin; insert into vestige_session (actor) values ('eve')");
      }
      db.exec(`create temp trigger full before insert on main.vestige_access begin select raise(${way}, 'disk full'); end`);
      await assert.rejects(vestige.run({ actor: "bob" }, () => trail.access("Wa.rd", 3)), /disk full/);
      db.exec("drop trigger if exists full");
      await trail.access("Wa.rd", 4);
    }
    assert.deepEqual(listed(file).map(({ who, key, context }) => [who, key, context["reason"], context["bed"]]), [
      ["ann", ["1"], "it's due", "7"], ["bob", ["2"], undefined, undefined], ["ann", ["4"], "it's due", "7"], ["ann", ["4"], "it's due", "7"]]);
    db.close();
  });

  test(`${driver.name}: an instrumented connection says what is in force, before and after`, async () => {
    const [db, file] = ward(driver, { instrumented: true });
    const trail = openTrail(db);
    db.exec("select vestige_track('Wa.rd')");
    await vestige.run({ actor: "ann" }, async () => {
      db.exec("begin; insert into \"Wa.rd\" values (1, 'a')");
      await vestige.run({ actor: "bob" }, () => trail.access("Wa.rd", [1, "a"]));
      db.exec("update \"Wa.rd\" set part = 'b'; commit");
    });
    const who = (await trail.changes({ oldestFirst: true }).toArray()).map(({ table, context }) => [table, context.actor]);
    assert.deepEqual(who.filter(([table]) => table !== "vestige_access"), [["Wa.rd", "ann"], ["Wa.rd", "ann"]]);
    assert.deepEqual(listed(file).map((one) => one.who), ["bob"]);
    db.close();
  });

  test(`${driver.name}: what is not there is said`, async () => {
    const memory = loaded(driver.open(":memory:"));
    memory.exec("create table ward (id integer primary key)");
    const trail = openTrail(memory);
    await assert.rejects(trail.access("ward", 1), /this database has no trail/);
    memory.exec("select vestige_init()");
    await assert.rejects(trail.access("ward", 1), /`vestige access --prepare` makes the table vestige_access/);
    memory.close();
  });

  test(`${driver.name}: it is signed where the process signs`, async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "access-"));
    const key = path.join(folder, "ward.key");
    execFileSync(VESTIGE, ["keygen", "--origin", "ward", "--out", key], { stdio: "ignore" });
    vestige.signWith(key, { origin: "log.example/p" });
    after(() => {
      vestige.signWith(null);
      fs.rmSync(folder, { recursive: true });
    });
    for (const instrumented of [false, true]) {
      const [db, file] = ward(driver, { instrumented });
      await vestige.run({ actor: "nurse" }, () => openTrail(db).access("Wa.rd", 1));
      assert.match(String(listed(file)[0]!.context["signature"]), /^ward log\.example\/p \d+ \d+ [0-9a-f]{32} /);
      db.close();
    }
  });
}
