/**
 * postgres.js: an `sql` whose transactions say who acts. Its `begin` takes no text, so the context is sent behind it in the
 * same breath as the first statement, and is waited for by nobody. The store is read when `sql` or `begin` is called.
 * What comes back is the driver's own Query, so that `.values()`, `.simple()` and fragments are as ever.
 * Test: test/postgres.test.ts, test/contract.test.ts.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import fs from "node:fs";
import { current } from "./context.js";
import { DONE } from "./done.js";
import { encoded, setLocal } from "./literal.js";
import { repaired } from "./results.js";
import { type Options, type Plan, Session } from "./session.js";
import { sound } from "./sound.js";
import { statements } from "./statement.js";

export type { Options } from "./session.js";

type Callable = (...args: never[]) => unknown;

interface Query extends Promise<unknown> {
  strings: string[];
  args: unknown[];
  tagged: boolean;
  executed: boolean;
  handler(query: Query): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  options: { simple?: boolean; prepare?: boolean };
  cursorFn?: (rows: unknown) => unknown;
  forEachFn?: (row: unknown, result: unknown) => unknown;
  onlyDescribe?: boolean;
}

/** What there is of postgres.js: the outermost one, a reserved connection, or the inside of a transaction. */
interface Sql {
  (...args: unknown[]): unknown;
  unsafe(text: string, ...rest: unknown[]): Query;
  begin(...args: unknown[]): Promise<unknown>;
  savepoint(...args: unknown[]): Promise<unknown>;
  reserve(): Promise<Sql>;
  release(): void;
}

/** An `sql` that says the context and is otherwise the one that was given. Twice is once. */
export function instrument<T extends Callable & { begin: Callable; unsafe: Callable; reserve: Callable }>(sql: T, options: Options = {}): T {
  if ((sql as { [DONE]?: true })[DONE]) {
    return sql;
  }
  if (typeof sql !== "function" || typeof sql.unsafe !== "function") {
    throw new TypeError("vestige: this is no sql of postgres.js; node-postgres has vestige-audit/pg");
  }
  const target = sql as unknown as Sql;
  return over(target, (query, wanted) => alone(target, query, wanted, options), {
    begin: (...args: unknown[]) => begun(target, args, options),
    reserve: async () => {
      const reserved = await target.reserve();
      const session = new Session(options);
      return over(reserved, (query, wanted) => told(reserved, query, wanted, session));
    },
  }) as unknown as T;
}

/**
 * The same `sql`, each query of which goes through `handle` when it is executed, with the context that was there when it
 * was made.
 */
function over(target: Sql, handle: (query: Query, wanted: string) => void, other: Record<string, unknown> = {}): Sql {
  const own: Record<PropertyKey, unknown> = {
    [DONE]: true,
    unsafe: (...args: [string, ...unknown[]]) => taken(target.unsafe(...args), handle),
    file: (path: string, ...rest: unknown[]) => {
      const options = Array.isArray(rest[0]) ? rest[1] as object | undefined : rest[0] as object | undefined;
      const args = Array.isArray(rest[0]) ? rest[0] : [];
      return taken(target.unsafe("", args, { simple: args.length === 0, prepare: true, ...options }), (query, wanted) => {
        fs.readFile(path, "utf8", (error, text) => {
          if (error) {
            return query.reject(error);
          }
          query.strings = [text];
          handle(query, wanted);
        });
      });
    },
    ...other,
  };
  return new Proxy(target, {
    apply: (sql, self, args: unknown[]) => taken(Reflect.apply(sql, self, args), handle),
    get: (sql, name) => name in own ? own[name] : Reflect.get(sql, name) as unknown,
  });
}

function isQuery(value: unknown): value is Query {
  const query = value as Partial<Query> | null;
  return typeof value === "object" && query !== null && typeof query.handler === "function" && Array.isArray(query.strings);
}

const SENDERS = new WeakMap<Query, (query: Query) => void>();

/** The query itself, or whatever else was made (a name, a list of values), which is a part of one. */
function taken<T>(made: T, handle: (query: Query, wanted: string) => void): T {
  if (isQuery(made)) {
    const wanted = encoded(current());
    SENDERS.set(made, made.handler.bind(made));
    made.handler = (query) => {
      if (query.cursorFn) {
        query.cursorFn = AsyncLocalStorage.bind(query.cursorFn);
      }
      if (query.forEachFn) {
        query.forEachFn = AsyncLocalStorage.bind(query.forEachFn);
      }
      try {
        handle(query, wanted);
      } catch (error) {
        query.reject(error);
      }
    };
  }
  return made;
}

function send(query: Query): void {
  SENDERS.get(query)!(query);
}

/** Sends a statement of our own before anything else is. */
function tell(target: Sql, text: string): Query {
  const query = target.unsafe(text);
  query.executed = true;
  query.catch(() => undefined);   // what follows fails, too, and says so
  query.handler(query);
  return query;
}

/** What a connection was told last. */
const TOLD = new WeakMap<Session, Query>();

/** Sends a query behind one of our own: in the same breath, if it is one that can be sent. */
function behind(own: Query | undefined, query: Query, send: () => void): void {
  if (!own || sound(query)) {
    send();
  } else {
    own.then(send, send);
  }
}

/** The text, with something in the place of each value: enough to know what it does. */
function textOf(query: Query): string {
  return query.strings.map((text, at) => at === 0 ? text : part(query.args[at - 1]) + text).join("");
}

function part(value: unknown): string {
  return isQuery(value) ? textOf(value) : " $1 ";
}

/**
 * What to do for a query. Statements of our own go before it on the same connection, which costs nothing; they stand in its
 * text where it is several itself, and where nothing may follow it at once, as with COPY.
 */
function planned(query: Query, session: Session, wanted: string): Plan {
  const text = textOf(query);
  const all = statements(text);
  const simple = query.options.simple === true
    && (all.length > 1 ? query.args.length === 0 : !session.inTransaction && all[0]?.kind === "write");
  // What is prepared under a name would keep its first comment.
  return session.plan(text, simple, wanted, query.tagged || query.options.prepare === true);
}

/** Sends a query with what stands in its text. */
function sendAs(query: Query, plan: Plan): void {
  const [first] = plan.inserted;
  if (!query.tagged || query.args.length === 0) {
    query.strings = [plan.text];
  } else if (first) {
    query.strings = [plan.text.slice(0, first.length) + query.strings[0]!, ...query.strings.slice(1)];
  }
  if (first) {
    const { resolve, reject } = query;
    query.resolve = (result) => resolve(first.statement === 0 ? behindSet(result) : result);
    query.reject = (error) => reject(repaired(error, plan.inserted));
  }
  send(query);
}

/** The results behind our own first statement. postgres.js makes a result of its own only where rows begin. */
function behindSet(result: unknown): unknown {
  if (!isResults(result) || result[0]?.command !== "SET") {
    return result;
  }
  return result.length === 2 ? result[1] : result.slice(1);
}

function isResults(result: unknown): result is { command?: string }[] {
  return Array.isArray(result) && !("command" in result);
}

/** A query outside any transaction. */
function alone(target: Sql, query: Query, wanted: string, options: Options): void {
  const plan = planned(query, new Session(options), wanted);
  if (plan.alone && !query.onlyDescribe) {
    void between(target, query, wanted);
  } else {
    sendAs(query, plan);
  }
}

/** A transaction for one query, which is answered when that has ended. (`reserve` hangs where it is the first that a pool does.) */
async function between(target: Sql, query: Query, wanted: string): Promise<void> {
  const { resolve, reject } = query;
  let result: unknown;
  try {
    refuseCursor(query);
    await target.begin((inner: Sql) => new Promise((keep, fail) => {
      query.resolve = (found) => keep(result = found);
      query.reject = fail;
      behind(tell(inner, setLocal(wanted)), query, () => inner.unsafe("").handler(query));
    }));
    resolve(result);
  } catch (error) {
    reject(error);
  }
}

function refuseCursor(query: Query): void {
  if (query.cursorFn) {
    throw new Error("vestige: a cursor over a statement that writes needs a transaction: sql.begin");
  }
}

/** A query of a connection that is one's own: what it needs goes before it, and nobody waits for that. */
function told(target: Sql, query: Query, wanted: string, session: Session): void {
  const before = session.inTransaction;
  const plan = planned(query, session, wanted);
  if (!before && session.inTransaction) {
    const { reject } = query;
    query.reject = (error) => {
      session.end();   // it did not begin
      reject(error);
    };
  }
  if (plan.alone && !query.onlyDescribe) {
    wrapped(target, query, plan).catch((error: unknown) => query.reject(error));
    return;
  }
  if (plan.before !== undefined && !query.onlyDescribe) {
    TOLD.set(session, tell(target, plan.before));
  }
  behind(TOLD.get(session), query, () => sendAs(query, plan));
}

/** BEGIN, the query and COMMIT in one breath; it is done when all of them are. COMMIT ends what failed, too. */
async function wrapped(target: Sql, query: Query, plan: Plan): Promise<void> {
  refuseCursor(query);
  const { resolve, reject } = query;
  const answer = new Promise((keep, fail) => {
    query.resolve = keep;
    query.reject = fail;
  });
  const begin = tell(target, plan.before!);
  if (!sound(query)) {
    await begin;
  }
  send(query);
  const [, outcome, end] = await Promise.allSettled([begin, answer, tell(target, "commit")]);
  if (outcome.status === "rejected") {
    reject(outcome.reason);
  } else if (end.status === "rejected") {
    reject(end.reason);
  } else {
    resolve(outcome.value);
  }
}

/** `sql.begin`, with or without options. */
function begun(target: Sql, args: unknown[], options: Options): Promise<unknown> {
  const wanted = encoded(current());
  const work = AsyncLocalStorage.bind(args.at(-1) as (sql: Sql) => unknown);
  return target.begin(...args.slice(0, -1), (inner: Sql) => {
    const session = new Session(options);
    session.start(undefined);
    if (session.untold(wanted)) {
      session.start(wanted);
      TOLD.set(session, tell(inner, setLocal(wanted)));
    }
    return work(inside(inner, session, { next: 1 }));
  });
}

/** The `sql` inside a transaction, and inside its savepoints. */
function inside(target: Sql, session: Session, count: { next: number }): Sql {
  return over(target, (query, wanted) => told(target, query, wanted, session), {
    savepoint: async (...args: unknown[]) => {
      const name = String(count.next);
      count.next += 1;
      const work = AsyncLocalStorage.bind(args.at(-1) as (sql: Sql) => unknown);
      let open = false;
      try {
        return await target.savepoint(...args.slice(0, -1), (inner: Sql) => {
          session.savepoint(name);
          open = true;
          return work(inside(inner, session, count));
        });
      } catch (error) {
        if (open) {
          session.rollbackTo(name);
        }
        throw error;
      }
    },
  });
}
