/**
 * What a web framework's middleware has in common: the fields of a request's context, some of which are only known later.
 * Test: test/web.test.ts.
 */
import { randomUUID } from "node:crypto";
import type { Context, Given } from "./context.js";

/** Each field as it is, or as it is found in the request when the context is said: the user may be known by then. */
export type Fields<Request> = { readonly [name: string]: Given | ((request: Request) => Given) };

export interface Found {
  request_id: string | string[] | undefined;
  ip_address: string | undefined;
  user_agent: string | undefined;
  business_process: () => string | undefined;
}

const LONGEST = 200;   // of what a client may say of itself

/**
 * The context of a request: what the framework knows, under what the application says. A request id that the client sent is
 * taken over, so that logs and trail agree; where it sent none, one is made.
 */
export function contextOf<Request>(request: Request, found: Found, fields: Fields<Request>): Context {
  const sent = [found.request_id].flat()[0];
  return {
    ip_address: found.ip_address, user_agent: found.user_agent?.slice(0, LONGEST), business_process: found.business_process,
    request_id: sent?.slice(0, LONGEST) || randomUUID(), ...own(request, fields),
  };
}

/** The fields that the application says, of this request. */
export function own<Request>(request: Request, fields: Fields<Request>): Record<string, Given> {
  return Object.fromEntries(Object.entries(fields).filter(([, given]) => given !== undefined).map(([name, given]) =>
    [name, typeof given === "function" ? () => (given as (request: Request) => Given)(request) : given as Given]));
}
