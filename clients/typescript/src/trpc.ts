/** tRPC. Test: test/web.test.ts. */
import { run } from "./context.js";
import { type Fields, own } from "./web.js";

/**
 * Middleware under which a procedure has a context, over the one around it: business_process (`mutation orders.add`), and the
 * fields given, each of which is asked with the procedure's ctx: `t.procedure.use(contexts({ actor: (ctx) => ctx.user?.id }))`.
 */
export function contexts<C>(fields: Fields<C> = {}): <R>(call: { ctx: C; path: string; type: string; next: () => Promise<R> }) => Promise<R> {
  return ({ ctx, path, type, next }) => run({ business_process: `${type} ${path}`, ...own(ctx, fields) }, () => next());
}
