/** Hono, on Node. Test: test/web.test.ts. */
import { run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

interface Ctx {
  req: { method: string; routePath: string; header(name: string): string | undefined };
  env: unknown;
}

/** Middleware under which a request has a context: `contexts({ actor: (c) => c.get("user")?.id })`. */
export function contexts<C extends Ctx>(fields: Fields<C> = {}): (c: C, next: () => Promise<void>) => Promise<void> {
  return (c, next) => run(contextOf(c, {
    request_id: c.req.header("x-request-id"),
    ip_address: (c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket?.remoteAddress,
    user_agent: c.req.header("user-agent"),
    business_process: () => c.req.routePath === "*" || c.req.routePath === "/*" ? undefined : `${c.req.method} ${c.req.routePath}`,
  }, fields), next);
}
