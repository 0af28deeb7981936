/**
 * What a web framework's middleware has in common: the fields of a request's context, some of which are only known later.
 * Test: test/web.test.ts.
 */
import { randomUUID } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import type { Context, Given } from "./context.js";

/** Each field as it is, or as it is found in the request when the context is said: the user may be known by then. */
export type Fields<Request> = { readonly [name: string]: Given | ((request: Request) => Given) };

export interface Found {
  request_id: string | string[] | undefined;
  ip_address: string | undefined;
  user_agent: string | undefined;
  business_process: () => string | undefined;
}

const LONGEST_USER_AGENT = 512;   // a client says of itself what it likes
const REQUEST_ID = /^[!-~]{1,128}$/;
const ZONE = /^[0-9A-Za-z._-]{1,15}$/;   // of an address of IPv6, which may be any text
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * The context of a request: what the framework knows, under what the application says. A request id that the client sent is
 * taken over if it is a word, so that logs and trail agree; where it sent none, one is made.
 */
export function contextOf<Request>(request: Request, found: Found, fields: Fields<Request>): Context {
  const sent = [found.request_id].flat()[0];
  return {
    ip_address: addressOf(found.ip_address), user_agent: found.user_agent?.slice(0, LONGEST_USER_AGENT),
    business_process: found.business_process, request_id: sent !== undefined && REQUEST_ID.test(sent) ? sent : randomUUID(),
    ...own(request, fields),
  };
}

/** An address in its one spelling (clients/contract/requests.json), that of IPv4 where a socket of IPv6 met it. Undefined: it is no address. */
function addressOf(given: string | undefined): string | undefined {
  const [address, zone] = (given ?? "").split(/%(.*)/s, 2) as [string, string?];
  if (isIPv4(address) && zone === undefined) {
    return address;
  }
  if (!isIPv6(address)) {
    return undefined;
  }
  const spelled = new URL(`http://[${address}]`).hostname.slice(1, -1);   // without the brackets
  const mapped = MAPPED.exec(spelled);
  if (mapped) {
    return [mapped[1], mapped[2]].flatMap((half) => [parseInt(half!, 16) >> 8, parseInt(half!, 16) & 255]).join(".");
  }
  return zone !== undefined && ZONE.test(zone) ? `${spelled}%${zone}` : spelled;
}

/** The fields that the application says, of this request. */
export function own<Request>(request: Request, fields: Fields<Request>): Record<string, Given> {
  return Object.fromEntries(Object.entries(fields).filter(([, given]) => given !== undefined).map(([name, given]) =>
    [name, typeof given === "function" ? () => (given as (request: Request) => Given)(request) : given as Given]));
}
