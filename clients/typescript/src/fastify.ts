/** Fastify. Test: test/web.test.ts. */
import { run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

interface Request {
  id: string;
  ip: string;
  method: string;
  headers: { readonly [name: string]: string | string[] | undefined };
  routeOptions?: { url?: string | undefined };
}

/** Fastify's own type has an addHook for each hook that there is. */
interface Instance {
  addHook: (...args: never[]) => unknown;
}

/** A plugin under which a request has a context: `await app.register(contexts({ actor: (request) => request.user?.id }))`. */
export function contexts<R extends Request>(fields: Fields<R> = {}): (app: Instance, options: unknown, done: () => void) => void {
  const plugin = (app: Instance, _options: unknown, done: () => void): void => {
    const hook = (request: R, _reply: unknown, next: () => void): void => run(contextOf(request, {
      request_id: request.headers["x-request-id"] ?? request.id,
      ip_address: request.ip,
      user_agent: request.headers["user-agent"] as string | undefined,
      business_process: () => request.routeOptions?.url && `${request.method} ${request.routeOptions.url}`,
    }, fields), next);
    (app as { addHook: (name: string, listener: typeof hook) => unknown }).addHook("onRequest", hook);
    done();
  };
  // Hooks of a plugin are of its own routes only, unless it says so.
  return Object.assign(plugin, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "vestige-audit" });
}
