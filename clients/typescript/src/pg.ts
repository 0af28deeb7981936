/**
 * node-postgres: a pool or a client whose transactions say who acts. The context rides in the text of BEGIN, so that
 * there is no round trip more; everything above (Drizzle, Knex, Kysely, Prisma's adapter, Sequelize, TypeORM) takes the
 * same way. The store is read when `query` is called, never in a callback. Test: test/pg.test.ts, test/contract.test.ts.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { current } from "./context.js";
import { DONE } from "./done.js";
import { encoded } from "./literal.js";
import { repaired, stripped } from "./results.js";
import { type Options, type Plan, Session } from "./session.js";

export type { Options } from "./session.js";

type Callback = (error: unknown, result?: unknown) => void;
type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Client {
  query: (...args: never[]) => unknown;
  connection?: { prependListener?(event: string, listener: (message: { status?: string } | undefined) => void): unknown };
  getTransactionStatus?(): string | null;
}

interface Pool {
  connect: (...args: never[]) => unknown;
  on(event: "connect", listener: (client: never) => void): unknown;
  totalCount: number;
}

/** Has a pool or a client say the context from now on, and gives it back. Twice is once. */
export function instrument<T extends { query: (...args: never[]) => unknown }>(target: T, options: Options = {}): T {
  const known = target as { [DONE]?: true };
  if (known[DONE]) {
    return target;
  }
  if (typeof target.query !== "function") {
    throw new TypeError("vestige: this is no pool and no client of node-postgres; what stands above it is given an instrumented one, "
      + "and postgres.js has vestige-audit/postgres");
  }
  Object.defineProperty(known, DONE, { value: true });
  if ("totalCount" in target) {
    poolOf(target as unknown as Pool, options);
  } else {
    new Line(target as unknown as Client, options);
  }
  return target;
}

function poolOf(pool: Pool, options: Options): void {
  const connect = pool.connect as unknown as Method;
  // Who waits for a client is called back by whoever gives one back: it has to be under his own context then.
  pool.connect = function (this: unknown, ...args: unknown[]) {
    return connect.apply(this, args.map(bound));
  } as typeof pool.connect;
  pool.on("connect", (client: never) => void instrument(client as Client, options));
  for (const client of (pool as { _clients?: Client[] })._clients ?? []) {
    instrument(client, options);
  }
}

function bound(argument: unknown): unknown {
  return typeof argument === "function" ? AsyncLocalStorage.bind(argument as () => unknown) : argument;
}

/** What a call of `query` asks for, whichever of its forms it has. */
interface Call {
  text: string;
  simple: boolean;
  named: boolean;
  callback: Callback | undefined;
  submitted: boolean;    // an object of its own kind (a cursor, a stream, COPY), which handles what comes
  send(text: string, callback: Callback | undefined): unknown;
}

/** One connection. */
class Line {
  private readonly session: Session;
  private readonly submit: (...args: unknown[]) => unknown;
  private readonly waiting: (() => void)[] = [];
  private busy = false;        // with queries of which several belong together
  private unsettled = false;   // something failed, and what became of the transaction has not been said yet
  private readonly unanswered: boolean[] = [];   // of each query that was sent: whether it begins or ends a transaction
  private turns = false;

  constructor(client: Client, options: Options) {
    this.session = new Session(options);
    const query = client.query as unknown as Method;
    // Where nobody says that a query was answered (pg-native), only what texts say is known.
    const heard = typeof client.connection?.prependListener === "function";
    this.submit = (...args) => {
      if (heard) {
        this.unanswered.push(this.turns);
      }
      return query.apply(client, args);
    };
    client.connection?.prependListener?.("errorMessage", () => { this.unsettled = true; });
    client.connection?.prependListener?.("readyForQuery", (message) => this.answered(message?.status));
    client.connection?.prependListener?.("end", () => this.answered(undefined));
    const status = client.getTransactionStatus?.();
    if (status) {
      this.session.settle(status);
    }
    client.query = ((...args: unknown[]) => this.query(args)) as typeof client.query;
  }

  /** What the server says of the transaction is known better than what texts say, unless one is under way that turns it. */
  private answered(status: string | undefined): void {
    this.unsettled = false;
    this.unanswered.shift();
    if (!this.unanswered.includes(true) && !this.busy && status) {
      this.session.settle(status);
    }
    this.next();
  }

  private query(args: unknown[]): unknown {
    const call = callOf(args, this.submit);
    if (!call) {
      return this.submit(...args);
    }
    const wanted = encoded(current());
    const callback = call.callback && (AsyncLocalStorage.bind(call.callback) as Callback);
    const plan = this.busy || this.unsettled ? undefined : this.plan(call, wanted);
    if (plan && plan.before === undefined) {
      return plain(call, plan, callback);
    }
    if (call.submitted && !call.callback) {
      this.enqueue((done) => this.stream(call, plan ?? this.plan(call, wanted), done));
      return args[0];
    }
    const answer = promised(callback, (reply) => this.enqueue((done) => {
      const end: Callback = (error, result) => {
        done();
        reply(error, result);
      };
      try {
        this.together(call, plan ?? this.plan(call, wanted), end);
      } catch (error) {
        end(error);
      }
    }));
    return call.submitted ? args[0] : answer;
  }

  private plan(call: Call, wanted: string): Plan {
    const before = this.session.inTransaction;
    const plan = this.session.plan(call.text, call.simple, wanted, call.named);
    this.turns = before !== this.session.inTransaction;
    return plan;
  }

  /** Runs what belongs together after what belongs together, in the order of the calls. */
  private enqueue(work: (done: () => void) => void): void {
    this.waiting.push(() => work(() => {
      this.busy = false;
      this.next();
    }));
    this.next();
  }

  private next(): void {
    if (!this.busy && !this.unsettled && this.waiting.length > 0) {
      this.busy = true;
      this.waiting.shift()!();
    }
  }

  private together(call: Call, plan: Plan, answer: Callback): void {
    const own = (): void => void call.send(plan.text, (error, result) => {
      if (!plan.alone) {
        answer(repaired(error, plan.inserted), stripped(result, plan.inserted));
      } else {
        this.submit(error ? "rollback" : "commit", (failure: unknown) => answer(error ?? failure, result));
      }
    });
    if (plan.before === undefined) {
      own();
    } else {
      this.submit(plan.before, (error: unknown) => error && plan.alone ? answer(error) : own());
    }
  }

  /** Cursors, streams and COPY speak with the connection themselves: the transaction ends behind them. */
  private stream(call: Call, plan: Plan, done: () => void): void {
    const own = (): void => {
      const object = call.send(plan.text, undefined) as Stream;
      if (!plan.alone) {
        return done();
      }
      const committed = new Promise<void>((resolve, reject) => {
        this.submit("commit", (error: Error | null) => {
          done();
          return error ? reject(error) : resolve();
        });
      });
      if (!finishesAfter(object, committed)) {
        committed.catch((error: unknown) => object.emit?.("error", error));
      }
    };
    if (plan.before === undefined) {
      own();
    } else {
      this.submit(plan.before, () => own());
    }
  }
}

interface Stream {
  emit?(event: string, error: unknown): void;
  _final?(callback: (error?: Error | null) => void): void;
}

/** Has a stream that is written to finish when the transaction has ended, and fail if that does. */
function finishesAfter(stream: Stream, committed: Promise<void>): boolean {
  const final = stream._final;
  if (typeof final !== "function") {
    return false;
  }
  committed.catch(() => undefined);
  stream._final = (callback) => final.call(stream, (error) =>
    error ? callback(error) : void committed.then(() => callback(), callback));
  return true;
}

/** A query that needs nothing before it: sent as it came, with what is said in its text. */
function plain(call: Call, plan: Plan, callback: Callback | undefined): unknown {
  if (plan.inserted.length === 0) {
    return call.send(plan.text, callback);
  }
  if (callback || call.submitted) {
    return call.send(plan.text, callback && ((error, result) =>
      callback(repaired(error, plan.inserted), stripped(result, plan.inserted))));
  }
  return (call.send(plan.text, undefined) as Promise<unknown>).then(
    (result) => stripped(result, plan.inserted),
    (error: unknown) => { throw repaired(error, plan.inserted); });
}

function promised(callback: Callback | undefined, start: (answer: Callback) => void): unknown {
  if (callback) {
    return void start(callback);
  }
  return new Promise((resolve, reject) => {
    start((error, result) => error ? reject(error as Error) : resolve(result));
  }).catch((error: unknown) => {
    // the stack of the socket says nothing; that of whoever asked does
    if (error instanceof Error) {
      Error.captureStackTrace(error);
    }
    throw error;
  });
}

interface Config {
  text?: string;
  values?: unknown[];
  name?: string;
  rows?: number;
  binary?: boolean;
  queryMode?: string;
  callback?: Callback;
  submit?: unknown;
  cursor?: { text?: string };
}

function callOf(args: unknown[], submit: (...args: unknown[]) => unknown): Call | undefined {
  const [first, second, third] = args;
  if (typeof first !== "string" && (typeof first !== "object" || first === null)) {
    return undefined;
  }
  const config: Config = typeof first === "string" ? { text: first } : first;
  const values = typeof second === "function" ? config.values : second ?? config.values;
  const given = [second, third, config.callback].find((one) => typeof one === "function") as Callback | undefined;
  if (typeof config.submit === "function") {
    return submission(config, given, submit);
  }
  if (typeof config.text !== "string") {
    return undefined;
  }
  return {
    text: config.text,
    simple: isSimple({ ...config, values: values as unknown[] }),
    named: Boolean(config.name),
    callback: given,
    submitted: false,
    send(text, callback) {
      const sent = typeof first === "string" ? text : text === config.text && callback === undefined ? first : copied(first, text);
      return submit(sent, values, ...(callback ? [callback] : []));
    },
  };
}

/** The same object with another text; its callback is given beside it. */
function copied(config: object, text: string): Config {
  const copy: Config = Object.assign(Object.create(Object.getPrototypeOf(config) as object), config);
  copy.text = text;
  delete copy.callback;
  return copy;
}

/** As node-postgres decides whether it takes the simple protocol, which alone has several statements. */
function isSimple(config: Config): boolean {
  return config.queryMode !== "extended" && !config.name && !config.rows && !config.binary
    && !(Array.isArray(config.values) && config.values.length > 0);
}

function submission(config: Config, callback: Callback | undefined, submit: (...args: unknown[]) => unknown): Call | undefined {
  const holder = typeof config.text === "string" ? config : config.cursor;
  if (typeof holder?.text !== "string") {
    return undefined;
  }
  // Only what node-postgres itself makes of a text is known to take several statements.
  const ours = "requiresPreparation" in config && typeof config.requiresPreparation === "function";
  return {
    text: holder.text,
    simple: ours && isSimple(config),
    named: Boolean(config.name),
    callback: ours ? callback ?? config.callback : undefined,
    submitted: true,
    send(text, answer) {
      holder.text = text;
      if (ours && answer && config.callback) {
        config.callback = answer;
      }
      return callback ? submit(config, ours && answer ? answer : callback) : submit(config);
    },
  };
}
