/** examples/user_service: compiled, run, and its service asked at once by many. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import pg from "pg";
import { AuditContext, isMissingContext, openTrail } from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";

interface Service {
  updateProfile(userId: number, data: unknown, context: AuditContext): Promise<void>;
}

const top = fileURLToPath(new URL("..", import.meta.url));
const example = path.join(top, "example");
const source = path.join(process.env["SOURCE_DIR"]!, "examples/user_service");
const schema = fs.readFileSync(path.join(source, "users.sql"), "utf8");

before(() => {
  fs.rmSync(example, { recursive: true, force: true });
  fs.cpSync(source, example, { recursive: true });
  fs.mkdirSync(path.join(example, "node_modules"));
  fs.symlinkSync("../..", path.join(example, "node_modules/vestige-audit"));
  execFileSync("node", [path.join(top, "node_modules/typescript/bin/tsc")], { cwd: example, stdio: ["ignore", "inherit", "inherit"] });
});

test("the example prints what its page says", async () => {
  const database = await Database.create(schema);
  const printed = execFileSync("node", ["main.js"], { cwd: example, encoding: "utf8", env: { ...process.env, DATABASE_URL: database.url() } });
  assert.equal(printed, /^```text\n(.*?)^```/ms.exec(fs.readFileSync(path.join(source, "README.md"), "utf8"))![1]);
  await database.drop();
});

test("each profile is changed by whoever changed it, with process, request and method, and the columns that audits ask for", async () => {
  const database = await Database.create(schema, "set vestige.context = '{\"actor\":\"1\",\"business_process\":\"set up\"}'",
    "insert into users select i, 'old' || i || '@example.com' from generate_series(1, 200) i");
  const pool = instrument(new pg.Pool(database.config({ max: 5 })));
  after(async () => {
    await pool.end();
    await database.drop();
  });
  const { UserService } = await import(pathToFileURL(path.join(example, "user_service.js")).href) as { UserService: new (db: pg.Pool) => Service };
  const service = new UserService(pool);
  await Promise.all(Array.from({ length: 200 }, (_, i) => service.updateProfile(i + 1, { email: `new${i + 1}@example.com` },
    new AuditContext(100 + i, "profile_update", `r-${i}`, "oauth"))));
  const rows = await database.rows("select * from user_audit_log where operation_type = 'UPDATE' order by user_id");
  assert.deepEqual(rows.map(({ audit_id: _id, event_timestamp: _at, ...rest }) => rest), Array.from({ length: 200 }, (_, i) => ({
    user_id: String(i + 1), operation_type: "UPDATE", table_name: "users", initiated_by_user_id: String(100 + i), business_process: "profile_update",
    request_id: `r-${i}`, session_id: null, authorization_method: "oauth", authorized_by_role: null, ip_address: null, user_agent: null,
    old_values: { email: `old${i + 1}@example.com` }, new_values: { email: `new${i + 1}@example.com` }, changed_fields: ["email"],
    data_classification: "confidential", retention_category: "7 years", compliance_tags: ["GDPR"],
  })));
  const [change] = await openTrail(pool).history<{ id: bigint; email: string }>("users", 3).toArray();
  assert.ok(change?.op === "UPDATE" && !change.erased);
  assert.deepEqual([change.key, change.changed, change.context.actor], [{ id: 3n }, ["email"], 102]);
  await assert.rejects(pool.query("UPDATE users SET email = $1 WHERE id = $2", ["x", 1]), isMissingContext);
  await assert.rejects(pool.query("update vestige.change set at = now()"));
  await assert.rejects(pool.query("delete from vestige.change"));
});
