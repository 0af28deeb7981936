/** What the compiler says of changes: wrong uses are errors, or this file does not compile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Context } from "vestige-audit";

interface Account {
  id: number;
  balance: string;
}

type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value?: T): T | undefined => value;

function told(change: Change<Account>): string {
  if (change.op === "INSERT") {
    holds<Is<typeof change.old, null>>();
    holds<Is<typeof change.new, Account | null>>();
    if (!change.erased) {
      holds<Is<typeof change.new, Account>>();
      return change.new.balance;
    }
    return "erased";
  }
  if (change.op === "UPDATE" && change.erased === null) {
    holds<Is<typeof change.new, Partial<Account>>>();
    const [first] = change.changed;
    holds<Is<typeof first, "id" | "balance" | undefined>>();
    return String(change.new.balance);
  }
  return change.op;
}

export function wrong(change: Change<Account>): void {
  // @ts-expect-error of a DELETE there is none
  void change.new.balance;
  if (change.op === "UPDATE" && !change.erased) {
    // @ts-expect-error an UPDATE has only what changed
    void change.new.balance.length;
  }
}

test("a change is narrowed by its operation and by what was erased", () => {
  const base = { id: 1n, at: "", table: "accounts", key: { id: 1 }, newKey: null, tx: 1n, context: {}, dbUser: null };
  assert.equal(told({ ...base, op: "INSERT", old: null, new: { id: 1, balance: "2" }, changed: null, erased: null }), "2");
  assert.equal(told({ ...base, op: "INSERT", old: null, new: null, changed: null, erased: { values: 3n } }), "erased");
  assert.equal(told({ ...base, op: "DELETE", old: { id: 1, balance: "2" }, new: null, changed: null, erased: null }), "DELETE");
  const context: Context = { actor: 1n, reason: () => undefined, ticket: ["a", { b: new Date(0) }], user_agent: null };
  assert.equal(typeof context["reason"], "function");
});
