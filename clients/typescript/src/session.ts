/**
 * What one connection is known to have been told, and what it has to be told before a statement. It knows no driver: it
 * is given texts, and gives back texts. Test: test/session.test.ts.
 */
import { comment, setLocal } from "./literal.js";
import { type Statement, statements } from "./statement.js";

export interface Options {
  /**
   * What becomes of a single statement that writes outside a transaction: it gets a transaction of its own (the context
   * is exact), a comment (no round trip more; the database has to have `vestige.sqlcommenter = on`), nothing, or it is
   * refused. A transaction of its own unless said otherwise.
   */
  autocommit?: "transaction" | "comment" | "off" | "error";
  /**
   * Where there is no context: say that there is none (the default), so that what somebody set for the whole session is
   * not believed; or keep what the session has.
   */
  empty?: "say" | "keep";
}

export interface Plan {
  text: string;          // the query's text, with what has to be said in it
  inserted: Inserted[];  // what of it is ours
  before?: string;       // a query to run first: what has parameters takes no statement beside its own
  alone?: boolean;       // the query needs a transaction of its own, and `before` begins it
}

export interface Inserted {
  statement: number;     // its place among the statements of the text
  at: number;            // and in the text
  length: number;
}

interface Savepoint {
  name: string;
  said: string | undefined;
}

export class Session {
  private open = false;
  private said: string | undefined;   // undefined: not known
  private savepoints: Savepoint[] = [];

  constructor(private readonly options: Options = {}) {}

  /** What the server says of the transaction when a query has ended: I(dle), T (in one), E (in one that failed). */
  settle(status: string): void {
    if (status === "I") {
      this.end();
    } else if (!this.open) {
      this.start(undefined);
    }
  }

  get inTransaction(): boolean {
    return this.open;
  }

  /**
   * What to do for a query.
   *
   * simple   whether it may have several statements: what has parameters, or a name, may not
   * named    whether it is prepared under a name
   * wanted   the text of the context (literal.ts)
   */
  plan(text: string, simple: boolean, wanted: string, named = false): Plan {
    const all = statements(text);
    if (!this.open && this.options.autocommit !== undefined && this.options.autocommit !== "transaction") {
      const only = this.unwrapped(text, all, wanted, named);
      if (only) {
        return only;
      }
    }
    return simple ? this.together(text, all, wanted) : this.apart(text, all.find((one) => one.kind === "write") ?? all[0], wanted);
  }

  /** Whether the transaction has to be told. */
  untold(wanted: string): boolean {
    if (this.said !== undefined) {
      return this.said !== wanted;
    }
    return wanted !== "" || this.options.empty !== "keep";
  }

  /** A query that may have several statements: what is to be said stands among them, and costs nothing. */
  private together(text: string, all: Statement[], wanted: string): Plan {
    const plan: Plan = { text: "", inserted: [] };
    let copied = 0;
    let implicit = false;   // told, though no transaction was begun: a text is one
    const insert = (at: number, said: string, statement: number): void => {
      plan.text += text.slice(copied, at);
      plan.inserted.push({ statement: statement + plan.inserted.length, at: plan.text.length, length: said.length });
      plan.text += said;
      copied = at;
    };
    all.forEach((one, place) => {
      const recorded = one.kind === "write" || (this.open && one.kind === "other");
      if (recorded && (this.open || !implicit) && this.untold(wanted)) {
        insert(one.start, `${setLocal(wanted)}; `, place);
        implicit = true;
        this.said = this.open ? wanted : undefined;
      }
      this.follow(one);
      implicit &&= one.kind !== "end";
      if (this.open && (one.kind === "begin" || one.kind === "chain" || one.kind === "rollback_to") && this.untold(wanted)) {
        insert(one.end, `; ${setLocal(wanted)}`, place + 1);
        this.said = wanted;
      }
    });
    plan.text += text.slice(copied);
    return plan;
  }

  /** A query of one statement, which takes no other beside it. */
  private apart(text: string, one: Statement | undefined, wanted: string): Plan {
    const plan: Plan = { text, inserted: [] };
    if (one && (one.kind === "write" || (this.open && one.kind === "other")) && this.untold(wanted)) {
      if (this.open) {
        plan.before = setLocal(wanted);
        this.said = wanted;
      } else {
        plan.before = `begin; ${setLocal(wanted)}`;
        plan.alone = true;
      }
    }
    if (one) {
      this.follow(one);
    }
    return plan;
  }

  /** The other ways for what writes outside a transaction. */
  private unwrapped(text: string, all: Statement[], wanted: string, named: boolean): Plan | undefined {
    if (!all.some((one) => one.kind === "write") || all.some((one) => one.kind === "begin")) {
      return undefined;
    }
    if (this.options.autocommit === "error") {
      throw new Error("vestige: a write outside a transaction, which has no context there: begin one, or set autocommit");
    }
    if (this.options.autocommit === "comment") {
      return named ? undefined : { text: wanted === "" ? text : `${text}\n${comment(wanted)}`, inserted: [] };
    }
    return { text, inserted: [] };
  }

  /** A transaction was begun under this context, by other means than a text. */
  start(wanted: string | undefined): void {
    this.open = true;
    this.said = wanted;
    this.savepoints = [];
  }

  end(): void {
    this.open = false;
    this.said = undefined;
    this.savepoints = [];
  }

  savepoint(name: string): void {
    this.savepoints.push({ name, said: this.said });
  }

  /** SET LOCAL inside a savepoint goes when that is rolled back: what was said before it counts again. */
  rollbackTo(name: string): void {
    const at = this.savepoints.findLastIndex((one) => one.name === name);
    this.said = at < 0 ? undefined : this.savepoints[at]!.said;
    this.savepoints.length = at + 1;
  }

  release(name: string): void {
    const at = this.savepoints.findLastIndex((one) => one.name === name);
    if (at >= 0) {
      this.savepoints.length = at;
    }
  }

  private follow(one: Statement): void {
    switch (one.kind) {
      case "begin":
        return this.open ? undefined : this.start(undefined);
      case "end":
        return this.end();
      case "chain":
        return this.start(undefined);
      case "savepoint":
        return this.savepoint(one.name!);
      case "release":
        return this.release(one.name!);
      case "rollback_to":
        return this.rollbackTo(one.name!);
    }
  }
}
