/** Express. Test: test/web.test.ts. */
import { run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

interface Request {
  method?: string;
  headers: { readonly [name: string]: string | string[] | undefined };
  ip?: string | undefined;
  baseUrl?: string;
  route?: { path?: unknown } | undefined;
}

/**
 * Middleware under which a request has a context, of request_id, ip_address (as `trust proxy` has it), user_agent and
 * business_process (method and route), and of the fields given: `contexts({ actor: (request) => request.user?.id })`.
 */
export function contexts<R extends Request>(fields: Fields<R> = {}): (request: R, response: unknown, next: () => void) => void {
  return (request, _response, next) => run(contextOf(request, {
    request_id: request.headers["x-request-id"],
    ip_address: request.ip,
    user_agent: request.headers["user-agent"] as string | undefined,
    business_process: () => typeof request.route?.path === "string" ? `${request.method} ${request.baseUrl ?? ""}${request.route.path}` : undefined,
  }, fields), () => next());
}
