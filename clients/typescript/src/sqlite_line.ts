/**
 * What one connection of SQLite has been told, whose driver is its caller. The context in force is a row of the database
 * (docs/sqlite.md, "Context"): it is written before what writes, in the same transaction, and taken away before that ends.
 * Test: test/sqlite.test.ts, test/sqlite_contract.test.ts.
 */
import { current } from "./context.js";
import { DONE } from "./done.js";
import { encoded } from "./literal.js";
import { CLEAR, SAY, sessionRow } from "./sqlite_session.js";
import { type Kind, statements } from "./sqlite_text.js";

export interface SqliteOptions {
  /**
   * What becomes of a single statement that writes outside a transaction: it gets one of its own, nothing, or it is refused.
   * A transaction of its own unless said otherwise.
   */
  autocommit?: "transaction" | "off" | "error";
  /** Where there is no context: say that there is none (the default), or leave what the database says. */
  empty?: "say" | "keep";
}

/** The driver's own ways, past what was done to them. */
export interface Plainly {
  inTransaction(): boolean;
  run(text: string, parameters?: (string | null)[]): void;
}

export type Method = (...args: unknown[]) => unknown;

const NO_TRAIL = /no such table: main\.vestige_session/;
const RUNS = ["run", "get", "all", "iterate"];

export class Line {
  private said: string | undefined;   // in this transaction; undefined: not known
  private stands = false;             // a row of ours stands, or may stand
  private depth = 0;

  constructor(private readonly plainly: Plainly, private readonly options: SqliteOptions) {}

  /** Runs one statement of this kind. */
  one<T>(kind: Kind, run: () => T): T {
    switch (kind) {
      case "write":
        return this.plainly.inTransaction() ? this.told(run) : this.alone(run);
      case "commit":
      case "release":   // of the outermost savepoint: a commit
        this.clear();
        return run();
      case "rollback_to":
        // What was said before the savepoint stands again.
        this.said = undefined;
        return run();
      case "begin":
      case "savepoint":
        if (!this.plainly.inTransaction()) {
          this.forget();
        }
        return run();
      default:
        return run();
    }
  }

  /** Runs a text of any number of statements, one after the other, as the driver's exec() does. */
  script<T>(text: string, exec: (text: string) => T): T {
    const all = statements(text);
    if (all.length < 2) {
      return this.one(all[0]?.kind ?? "other", () => exec(text));
    }
    if (all.every((one) => one.kind === "other")) {
      return exec(text);
    }
    return all.map((one) => this.one(one.kind, () => exec(one.text))).at(-1)!;
  }

  /** Has a statement's ways to run say the context, where it needs to. */
  statement<T extends object>(statement: T, text: string): T {
    const kind = statements(text)[0]?.kind ?? "other";
    const ways = statement as Record<string, unknown>;
    for (const name of kind === "other" ? [] : RUNS) {
      const way = ways[name];
      if (typeof way === "function") {
        const run = (args: unknown[]): unknown => Reflect.apply(way, statement, args);
        // Rows that a statement returns as it writes are there at once: its transaction does not wait for whoever reads them.
        const value = name === "iterate" ? (...args: unknown[]) => this.one(kind, () => [...run(args) as Iterable<unknown>])[Symbol.iterator]()
          : (...args: unknown[]) => this.one(kind, () => run(args));
        Object.defineProperty(statement, name, { value, configurable: true, writable: true, enumerable: false });
      }
    }
    return statement;
  }

  /** The inside of a transaction that the driver begins and ends by itself. */
  inside(work: Method): Method {
    const line = this;
    return function (this: unknown, ...args: unknown[]) {
      if (line.depth === 0) {
        line.forget();
      }
      line.depth += 1;
      try {
        const result = work.apply(this, args);
        if (line.depth === 1) {
          line.clear();
        }
        return result;
      } catch (error) {
        line.said = undefined;
        throw error;
      } finally {
        line.depth -= 1;
      }
    };
  }

  private told<T>(run: () => T): T {
    this.say();
    return run();
  }

  private alone<T>(run: () => T): T {
    this.forget();
    if (this.options.autocommit === "error") {
      throw new Error("vestige: a write outside a transaction, which has no context there: begin one, or set autocommit");
    }
    if (this.options.autocommit === "off" || (this.options.empty === "keep" && encoded(current()) === "")) {
      return run();
    }
    this.plainly.run("begin immediate");
    try {
      const result = this.told(run);
      this.clear();
      this.plainly.run("commit");
      return result;
    } catch (error) {
      // An error of its own may have ended it: ON CONFLICT ROLLBACK.
      if (this.plainly.inTransaction()) {
        this.plainly.run("rollback");
      }
      throw error;
    } finally {
      this.forget();
    }
  }

  private say(): void {
    const wanted = encoded(current());
    if (wanted === this.said || (wanted === "" && this.options.empty === "keep" && !this.stands)) {
      return;
    }
    try {
      // It goes first, so that what somebody else left standing ends here.
      this.plainly.run(CLEAR);
      this.stands = false;
      if (wanted !== "") {
        this.stands = true;
        this.plainly.run(SAY, sessionRow(wanted));
      }
    } catch (error) {
      if (!NO_TRAIL.test(String(error))) {
        throw error;
      }
    }
    this.said = wanted;
  }

  private clear(): void {
    if (this.stands && this.plainly.inTransaction()) {
      this.plainly.run(CLEAR);
    }
    this.forget();
  }

  private forget(): void {
    this.said = undefined;
    this.stands = false;
  }
}

interface Statement {
  run(...parameters: unknown[]): unknown;
}

/**
 * Puts methods that say the context in the place of a database's own, and gives the database back. Twice is once.
 *
 * prepare   its own way to prepare a statement
 * ways      the methods, by their names; one that is undefined is left as it is
 */
export function instrumented<T extends object>(
  database: T,
  inTransaction: () => boolean,
  prepare: (text: string) => Statement,
  options: SqliteOptions,
  ways: (line: Line) => Record<string, unknown>,
): T {
  if ((database as { [DONE]?: true })[DONE]) {
    return database;
  }
  const kept = new Map<string, Statement>();
  const line = new Line({
    inTransaction,
    run(text, parameters = []) {
      const statement = kept.get(text) ?? prepare(text);
      kept.set(text, statement);
      statement.run(...parameters);
    },
  }, options);
  for (const [name, value] of Object.entries(ways(line))) {
    if (value !== undefined) {
      Object.defineProperty(database, name, { value, configurable: true, writable: true, enumerable: false });
    }
  }
  return Object.defineProperty(database, DONE, { value: true });
}
