/** Next. Its middleware runs elsewhere, so each handler and action is wrapped. Test: frameworks/next.test.ts. */
import { type Context, run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

/**
 * A route handler or a server action that has a context: of request_id, and of a route handler user_agent and business_process
 * (method and path), and of the fields given, each of which is asked with the first argument; or of what a function gives, which may wait for
 * `headers()`, `cookies()` and whoever knows the user: `withVestige(save, async () => ({ actor: (await auth())?.user?.id }))`.
 */
export function withVestige<A extends unknown[], T>(
  handler: (...args: A) => T | Promise<T>, fields: Fields<A[0]> | ((...args: A) => Context | Promise<Context>) = {},
): (...args: A) => Promise<T> {
  return async (...args) => {
    const [request] = args;
    const given = typeof fields === "function" ? await fields(...args) as Fields<A[0]> : fields;
    const found = request instanceof Request ? request : undefined;
    return run(contextOf(request as A[0], {
      request_id: found?.headers.get("x-request-id") ?? undefined,
      ip_address: undefined,   // who sent x-forwarded-for, only the application knows
      user_agent: found?.headers.get("user-agent") ?? undefined,
      business_process: () => found ? `${found.method} ${new URL(found.url).pathname}` : handler.name || undefined,
    }, given), async () => handler(...args));
  };
}
