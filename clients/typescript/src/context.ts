/**
 * Who acts, why and from where: a chain of frames that an AsyncLocalStorage carries, so that everything started inside
 * `run` sees it, and nothing else. A frame is plain data under a well-known symbol: what CommonJS code sets, code in ES
 * modules reads, though each has a copy of this file. Test: test/context.test.ts.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { clean, type Plain, plain } from "./plain.js";

/** What a field may be given: a function is called each time that the context is said. `null` takes an outer one away. */
export type Given =
  | string | number | bigint | boolean | Date | null | undefined
  | readonly Given[] | { readonly [name: string]: Given } | (() => Given);

/** The fields that the trail knows; any other is kept as well. */
export const KNOWN = [
  "actor", "on_behalf_of", "reason", "business_process", "request_id", "session_id", "ip_address", "user_agent",
  "auth_method", "auth_role", "traceparent",
] as const;
export type Known = (typeof KNOWN)[number];

export type Context = { readonly [name in Known]?: Given } & { readonly [name: string]: Given };

/** A context with every function called and every value plain: what is said. */
export type Said = { readonly [name in Known]?: Plain } & { readonly [name: string]: Plain };

type Field = Plain | (() => Given);
interface Frame {
  fields: Record<string, Field>;
  readonly outer: Frame | undefined;
}

const PLACE = Symbol.for("vestige.context.v1");
const shared = globalThis as { [PLACE]?: AsyncLocalStorage<Frame | undefined> };
const storage = (shared[PLACE] ??= new AsyncLocalStorage<Frame | undefined>());

function taken(context: Context): Record<string, Field> {
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw new TypeError('vestige: a context is an object of fields, { actor: "ann" }');
  }
  const fields: Record<string, Field> = Object.create(null);
  for (const [name, value] of Object.entries(context)) {
    if (value !== undefined) {
      fields[clean(name)] = typeof value === "function" ? value : plain(value);
    }
  }
  return fields;
}

/**
 * Runs `fn` under the context, over what is around it. What it gives back is given back; the context ends with it. A query
 * that only starts when it is awaited (Prisma's, Drizzle's, Knex's) is started here.
 */
export function run<T>(context: Context, fn: () => T): T {
  return within({ fields: taken(context), outer: storage.getStore() }, fn);
}

function within<T>(frame: Frame | undefined, fn: () => T): T {
  return storage.run(frame, () => {
    const result: unknown = fn();
    return (isLazy(result) ? new Promise((resolve, reject) => result.then(resolve, reject)) : result) as T;
  });
}

/** Whether it is awaited like a promise and is none, so that `then` is what starts it. */
function isLazy(result: unknown): result is PromiseLike<unknown> {
  return typeof result === "object" && result !== null && !(result instanceof Promise)
    && typeof (result as { then?: unknown }).then === "function";
}

/**
 * Adds to the innermost context: who the user is, once that is known. Everything that was started inside it sees it.
 * Gives false, and does nothing, where there is none.
 */
export function annotate(context: Context): boolean {
  const frame = storage.getStore();
  if (!frame) {
    return false;
  }
  Object.assign(frame.fields, taken(context));
  return true;
}

/** The context as it would be said now. */
export function current(): Said {
  const said: Record<string, Plain> = Object.create(null);
  const frames: Frame[] = [];
  for (let frame = storage.getStore(); frame; frame = frame.outer) {
    frames.push(frame);
  }
  for (const frame of frames.reverse()) {
    for (const [name, field] of Object.entries(frame.fields)) {
      const value = typeof field === "function" ? plain(field()) : field;
      if (value === null) {
        delete said[name];
      } else if (value !== undefined) {
        said[name] = value;
      }
    }
  }
  return said as Said;
}

/** Runs `fn` without any context. */
export function without<T>(fn: () => T): T {
  return within(undefined, fn);
}

/** `fn`, to be called under the context that is there now, whoever calls it. */
export function bind<A extends unknown[], T>(fn: (...args: A) => T): (...args: A) => T {
  const frame = storage.getStore();
  return (...args) => within(frame, () => fn(...args));
}

/** `fn`, to be called without any context: for timers and listeners that outlive the request that set them. */
export function detach<A extends unknown[], T>(fn: (...args: A) => T): (...args: A) => T {
  return (...args) => within(undefined, () => fn(...args));
}

/** The context as text, for a job that somebody else does later: put it in the job's data or headers. */
export interface Carrier {
  vestige: string;
}

/** The context to send along with a job: the named fields, or all but the user agent, since a queue keeps them. */
export function carrier(fields?: readonly string[]): Carrier {
  const said: { [name: string]: Plain } = current();
  const sent: Record<string, Plain> = Object.create(null);
  for (const name of fields ?? Object.keys(said).filter((one) => one !== "user_agent")) {
    if (said[name] !== undefined) {
      sent[name] = said[name];
    }
  }
  return { vestige: JSON.stringify(sent) };
}

/**
 * Runs `fn` under the context that a carrier brings and no other. One that is missing, or is no such text, brings none.
 * It is believed: take carriers from your own queues, never from a request.
 */
export function attach<T>(from: unknown, fn: () => T): T {
  return within({ fields: brought(from), outer: undefined }, fn);
}

function brought(from: unknown): Record<string, Field> {
  const text = typeof from === "object" && from !== null ? (from as { vestige?: unknown }).vestige : undefined;
  try {
    const given: unknown = typeof text === "string" ? JSON.parse(text) : undefined;
    if (typeof given === "object" && given !== null && !Array.isArray(given)) {
      return taken(given as Context);
    }
  } catch {
    // no JSON: nothing is said
  }
  return Object.create(null);
}
