/** The context of one business process, as an object that services hand on. */
import { type Context, run } from "./context.js";

export class AuditContext {
  constructor(
    public readonly userId: string | number | bigint,
    public readonly businessProcess: string,
    public readonly requestId?: string,
    public readonly authMethod?: string,
  ) {}

  /** The same by the names of the trail. */
  fields(): Context {
    return {
      actor: this.userId, business_process: this.businessProcess, request_id: this.requestId, auth_method: this.authMethod,
    };
  }

  /** Runs `fn` under this context. */
  run<T>(fn: () => T): T {
    return run(this.fields(), fn);
  }
}
