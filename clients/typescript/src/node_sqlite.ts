/** node:sqlite, of Node 22.16 and newer: a database whose changes say who acts. Test: test/sqlite.test.ts. */
import { instrumented, type Line, type Method, type SqliteOptions } from "./sqlite_line.js";

export type { SqliteOptions } from "./sqlite_line.js";

interface Database {
  readonly isTransaction: boolean;
  prepare(text: string, ...rest: unknown[]): { run: Method };
  exec(text: string): unknown;
  applyChangeset?: Method;
  createTagStore?: Method;
}

/** Has a database say the context from now on, and gives it back. Twice is once. */
export function instrument<T extends { prepare: (...args: never[]) => unknown; exec: (...args: never[]) => unknown }>(database: T, options: SqliteOptions = {}): T {
  if (!("isTransaction" in database)) {
    throw new Error("vestige: this node:sqlite does not say whether it is in a transaction; Node 22.16 does, and better-sqlite3");
  }
  const own = database as unknown as Database;
  const { prepare, exec, applyChangeset, createTagStore } = own;
  return instrumented(database, () => own.isTransaction, (text) => prepare.call(own, text), options, (line) => ({
    prepare: (text: string, ...rest: unknown[]) => line.statement(prepare.call(own, text, ...rest), text),
    exec: (text: string) => line.script(text, (one) => exec.call(own, one)),
    applyChangeset: applyChangeset && ((...args: unknown[]) => line.one("write", () => applyChangeset.apply(own, args))),
    createTagStore: createTagStore && ((...args: unknown[]) => tagged(createTagStore.apply(own, args) as object, line)),
  }));
}

/** Statements that are known by the text of a template. */
function tagged(store: object, line: Line): object {
  return new Proxy(store, {
    get(target, name) {
      const way: unknown = Reflect.get(target, name, target);
      if (typeof way !== "function" || !["run", "get", "all", "iterate"].includes(String(name))) {
        return typeof way === "function" ? way.bind(target) as unknown : way;
      }
      return (strings: readonly string[], ...values: unknown[]) => {
        const once = { [name]: (...given: unknown[]): unknown => Reflect.apply(way, target, [strings, ...given]) } as Record<string, Method>;
        return line.statement(once, strings.join("?"))[name as string]!(...values);
      };
    },
  });
}
