/** Nest. Test: frameworks/nest.test.ts. */
import { bind, run } from "./context.js";
import { contextOf, type Fields } from "./web.js";

interface Request {
  readonly id?: unknown;
  readonly method?: string;
  readonly ip?: string;
  readonly headers?: { readonly [name: string]: string | string[] | undefined };
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };           // Express
  readonly routeOptions?: { readonly url?: string };      // Fastify
}

interface Execution {
  getType(): string;
  getArgs(): unknown[];
  getClass(): { readonly name: string };
  getHandler(): { readonly name: string };
}

interface Observable {
  subscribe(subscriber: unknown): unknown;
  readonly constructor: unknown;
}

interface Interceptor {
  intercept<O extends object>(execution: Execution, next: { handle(): O }): O;
}

/**
 * An interceptor under which a handler has a context: `app.useGlobalInterceptors(contexts({ actor: (request) => request.user?.id }))`.
 * Each field is asked with the request of HTTP or GraphQL, and what comes first in any other call.
 */
export function contexts<R = Request>(fields: Fields<R> = {}): Interceptor {
  return {
    intercept<O extends object>(execution: Execution, next: { handle(): O }): O {
      const request = requestOf(execution);
      const header = (name: string): string | undefined => [request?.headers?.[name]].flat()[0];
      return run(contextOf(request as R, {
        request_id: header("x-request-id") ?? (typeof request?.id === "string" ? request.id : undefined),
        ip_address: request?.ip,
        user_agent: header("user-agent"),
        business_process: () => routeOf(request) ?? `${execution.getClass().name}.${execution.getHandler().name}`,
      }, fields), () => within(next.handle()));
    },
  };
}

/** What is handled starts when somebody subscribes: under the context that is there now. */
function within<O extends object>(source: O): O {
  const { subscribe, constructor } = source as Observable;
  const made = constructor as new (subscribe: (subscriber: unknown) => unknown) => O;
  return new made(bind((subscriber: unknown) => subscribe.call(source, subscriber)));
}

function requestOf(execution: Execution): Request | undefined {
  const args = execution.getArgs();
  const graphql = args[2] as { req?: Request } | undefined;
  return (execution.getType() === "graphql" ? graphql?.req : args[0]) as Request | undefined;
}

function routeOf(request: Request | undefined): string | undefined {
  const path = typeof request?.route?.path === "string" ? `${request.baseUrl ?? ""}${request.route.path}` : request?.routeOptions?.url;
  return path === undefined ? undefined : `${request?.method} ${path}`;
}

/** The same for an application: `imports: [VestigeModule.forRoot({ actor: … })]`. */
export class VestigeModule {
  static forRoot<R = Request>(fields: Fields<R> = {}): { module: typeof VestigeModule; global: true; providers: { provide: string; useValue: Interceptor }[] } {
    return { module: VestigeModule, global: true, providers: [{ provide: "APP_INTERCEPTOR", useValue: contexts(fields) }] };
  }
}
