/** A service layer that hands an AuditContext on, as rules for audit logs ask for it: the same class and the same service. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { AuditContext, isMissingContext, openTrail } from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { Database } from "./database.js";

class UserService {
  constructor(private readonly db: pg.Pool) {}

  async updateProfile(userId: number, data: { email: string }, context: AuditContext): Promise<void> {
    await context.run(() => this.db.query("UPDATE users SET email = $1 WHERE id = $2", [data.email, userId]));
  }
}

let database: Database;
let pool: pg.Pool;
before(async () => {
  database = await Database.create("create table users (id bigint primary key, email text not null)",
    "insert into users select i, 'old' || i || '@example.com' from generate_series(1, 20) i",
    `select vestige.track('users', require => '{actor,business_process}', tags => '{GDPR}', classification => 'confidential', retention => '7 years')`);
  pool = instrument(new pg.Pool(database.config({ max: 5 })));
});
after(async () => {
  await pool.end();
  await database.drop();
});

test("each profile is changed by whoever changed it, with process, request and method, and the columns that audits ask for", async () => {
  const service = new UserService(pool);
  await Promise.all(Array.from({ length: 20 }, (_, i) => service.updateProfile(i + 1, { email: `new${i + 1}@example.com` },
    new AuditContext(100 + i, "profile_update", `r-${i}`, "oauth"))));
  const rows = await database.rows(`select record_id, action, changed_by, business_process, request_id, auth_method, old_values ->> 'email' as old,
    new_values ->> 'email' as new, changed_fields, data_classification, retention_category, compliance_tags from vestige.audit_log order by record_id::int`);
  assert.deepEqual(rows, Array.from({ length: 20 }, (_, i) => ({
    record_id: String(i + 1), action: "UPDATE", changed_by: String(100 + i), business_process: "profile_update", request_id: `r-${i}`,
    auth_method: "oauth", old: `old${i + 1}@example.com`, new: `new${i + 1}@example.com`, changed_fields: ["email"],
    data_classification: "confidential", retention_category: "7 years", compliance_tags: ["GDPR"],
  })));
  const [change] = await openTrail(pool).history<{ id: bigint; email: string }>("users", 3).toArray();
  assert.ok(change?.op === "UPDATE" && !change.erased);
  assert.deepEqual([change.key, change.changed, change.context.actor], [{ id: 3n }, ["email"], 102]);
});

test("a change without a context is refused, and the history cannot be altered", async () => {
  await assert.rejects(pool.query("UPDATE users SET email = $1 WHERE id = $2", ["x", 1]), isMissingContext);
  await assert.rejects(pool.query("update vestige.change set at = now()"));
  await assert.rejects(pool.query("delete from vestige.change"));
});
