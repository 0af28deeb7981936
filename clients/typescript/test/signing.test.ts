/** Signed contexts: the cases that every client and both verifiers share, and what was written. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import postgres from "postgres";
import { run, signWith } from "vestige-audit";
import { instrument as instrumentPg } from "vestige-audit/pg";
import { instrument as instrumentPostgres } from "vestige-audit/postgres";
import { Signer } from "../dist/esm/signing.js";
import { Database } from "./database.js";
import { database as sqliteFile, DRIVERS } from "./sqlite_drivers.js";

interface Case {
  name: string;
  key?: string;
  signed_for: string;
  issued: string;
  lifetime: string;
  nonce: string;
  context: Record<string, string>;
}

const VESTIGE = process.env["VESTIGE"]!;
const ORIGIN = "log.example/p";
const CASES = JSON.parse(fs.readFileSync(path.join(process.env["SOURCE_DIR"]!, "test/vectors/signed_context.json"), "utf8")) as Case[];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "signing-"));
const key = path.join(folder, "shop.key");

before(() => {
  execFileSync(VESTIGE, ["keygen", "--origin", "shop-web", "--out", key], { stdio: "ignore" });
  signWith(key, { origin: ORIGIN });
});
after(() => {
  signWith(null);
  fs.rmSync(folder, { recursive: true });
});

/** An Ed25519 signature is the same each time that the same is signed. */
function word({ signature, ...fields }: Record<string, string>): string {
  if (signature === undefined) {
    return "unsigned";
  }
  const [, , issued, , nonce] = signature.split(" ");
  return new Signer(fs.readFileSync(key, "utf8"), { origin: ORIGIN }).field(fields, Number(issued), nonce) === signature ? "signed" : "bad";
}

/** What the signatures of the changes are worth, oldest first, and their contexts. */
function seen(database: string): [string, Record<string, string>][] {
  const text = execFileSync(VESTIGE, ["--db", database, "log", "--reverse", "--format", "json"], { cwd: folder, encoding: "utf8" });
  return text.trim().split("\n").map((line) => (JSON.parse(line) as { context: Record<string, string> }).context)
    .map((context) => [word(context), context]);
}

const HOSTILE = { actor: "O'Zoë \\ % $1 ; */ 😀", amount: 1.5, tags: ["a", { b: null }], on: true, "\u{10000}": "1", "\uffff": "2" };

test("signatures are those of the cases", () => {
  let tried = 0;
  for (const one of CASES) {
    if (one.key !== undefined) {
      const { signature, ...fields } = one.context;
      const signer = new Signer(one.key, { origin: one.signed_for, lifetime: Number(one.lifetime) });
      assert.equal(signer.field(fields, Number(one.issued), one.nonce), signature, one.name);
      tried += 1;
    }
  }
  assert.ok(tried >= 20);
});

describe("on PostgreSQL", () => {
  let database: Database;
  before(async () => {
    database = await Database.create("create table t (id int primary key, n int)", "select vestige.track('t')");
  });
  after(() => database.drop());

  test("each transaction has its own, whatever it says", async () => {
    const client = instrumentPg(new pg.Client(database.config()));
    await client.connect();
    await run(HOSTILE, async () => {
      await client.query("insert into t values (1, 0)");
      await client.query("begin");
      await client.query("update t set n = $1", [1]);
      await run({ reason: "more" }, () => client.query("update t set n = $1", [2]));
      await client.query("commit");
    });
    await client.end();
    const sql = instrumentPostgres(postgres({ ...database.config(), username: database.user, max: 1 } as object));
    await run({ actor: "bob" }, () => sql.begin((tx) => tx`update t set n = 3`));
    await sql.end();
    await database.run(`set vestige.context = '{"actor": "bob"}'; update t set n = 4`);
    const found = seen(database.url());
    assert.deepEqual(found.map(([word]) => word), ["signed", "signed", "signed", "signed", "unsigned"]);
    assert.equal(new Set(found.slice(0, 4).map(([, context]) => context["signature"])).size, 4);
    const [, said] = found[0]!;
    assert.deepEqual([said["actor"], said["amount"], said["tags"], said["on"]], [HOSTILE.actor, "1.5", '["a",{"b":null}]', "true"]);
  });
});

for (const driver of DRIVERS) {
  test(`${driver.name}: each transaction has its own, and nobody else can say the same`, () => {
    const file = sqliteFile(driver, ["create table t (id integer primary key, n)"], ["t"]);
    const db = driver.instrument(driver.open(file));
    run(HOSTILE, () => {
      db.prepare("insert into t (n) values (1)").run();
      db.exec("insert into t (n) values (2)");
    });
    db.close();
    const plain = driver.open(file);
    const [, said] = seen(file)[0]!;
    plain.prepare("insert into vestige_session (actor, extra) values ('mallory', ?)").run(JSON.stringify({ ...said, actor: undefined }));
    plain.exec("insert into t (n) values (3); delete from vestige_session");
    plain.close();
    assert.deepEqual(seen(file).map(([word]) => word), ["signed", "signed", "bad"]);
  });
}

test("what is no key, no origin and no lifetime", () => {
  const text = fs.readFileSync(key, "utf8");
  for (const wrong of ["", "x", text.replace("PRIVATE", "PUBLIC"), text.slice(0, -10)]) {
    assert.throws(() => new Signer(wrong, { origin: ORIGIN }), /no private key of vestige keygen/);
  }
  for (const origin of ["", "a b", "a+b"]) {
    assert.throws(() => new Signer(text, { origin }), /an origin is the name of a log/);
  }
  for (const lifetime of [0, 86401, 1.5]) {
    assert.throws(() => new Signer(text, { origin: ORIGIN, lifetime }), /a signature lasts/);
  }
});
