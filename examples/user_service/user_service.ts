/** A service whose callers say who acts and in which process, by an object that they hand on. */
import type { Pool } from "pg";
import type { AuditContext } from "vestige-audit";

export class UserService {
  constructor(private readonly db: Pool) {}

  async updateProfile(userId: number, data: any, context: AuditContext) {
    await context.run(() => this.db.query("UPDATE users SET email = $1 WHERE id = $2", [
      data.email, userId,
    ]));
  }
}
