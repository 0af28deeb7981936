import pg from "pg";
import { AuditContext, isMissingContext, openTrail } from "vestige-audit";
import { instrument } from "vestige-audit/pg";
import { UserService } from "./user_service.js";

const db = instrument(new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 5 }));
const service = new UserService(db);

// Who signs up changes nothing yet: a registration, by the user.
await new AuditContext(17, "user_registration", "req-1", "oauth").run(() =>
  db.query("INSERT INTO users SELECT i, 'user' || i || '@example.com' FROM generate_series(1, 40) i"));

// Forty requests at once over five connections, each by somebody else.
await Promise.all(Array.from({ length: 40 }, (_, i) => service.updateProfile(i + 1, { email: `new${i + 1}@example.com` },
  new AuditContext(1000 + i, "profile_update", `req-${100 + i}`, i % 2 ? "oauth" : "api_key"))));

// Whoever forgets to say who it is changes nothing.
await db.query("UPDATE users SET email = 'x'").catch((error) => console.log(isMissingContext(error), error.message));

const { rows } = await db.query(`
  select user_id, operation_type, initiated_by_user_id, business_process, request_id, authorization_method,
    old_values->>'email' as before, new_values->>'email' as after, data_classification, compliance_tags
  from user_audit_log where user_id = 7 order by audit_id`);
for (const row of rows) {
  console.log(Object.values(row).join(" | "));
}
const { rows: [report] } = await db.query(`
  select count(*) as updates, count(*) filter (where initiated_by_user_id = 999 + user_id) as right from user_audit_log where operation_type = 'UPDATE'`);
console.log(`${report.right} of ${report.updates} updates by whoever made them`);

// The same, typed; and a mistake is put back.
interface User { id: bigint; email: string }
const trail = openTrail(db);
for await (const change of trail.history<User>("users", 7)) {
  if (change.op === "UPDATE" && !change.erased) {
    console.log(change.old.email, "->", change.new.email, "by", change.context.actor);
    await new AuditContext(1, "admin_override", "req-200", "admin_override").run(() => trail.undo(change.id));
  }
}
console.log((await db.query("select email from users where id = 7")).rows[0].email);
await db.end();
