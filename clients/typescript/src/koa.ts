/** Koa. Test: test/web.test.ts. */
import { run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

interface Ctx {
  method: string;
  ip: string;
  get(name: string): string;
  _matchedRoute?: unknown;   // @koa/router's
}

/** Middleware under which a request has a context: `contexts({ actor: (ctx) => ctx.state.user?.id })`. */
export function contexts<C extends Ctx>(fields: Fields<C> = {}): (ctx: C, next: () => Promise<unknown>) => Promise<unknown> {
  return (ctx, next) => run(contextOf(ctx, {
    request_id: ctx.get("x-request-id"),
    ip_address: ctx.ip,
    user_agent: ctx.get("user-agent") || undefined,
    business_process: () => typeof ctx._matchedRoute === "string" ? `${ctx.method} ${ctx._matchedRoute}` : undefined,
  }, fields), next);
}
