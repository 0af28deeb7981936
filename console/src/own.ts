/** The tables in which the trail keeps what is its own, and records what becomes of it. Test: test/own.test.ts. */
import { conditions, type Condition } from "./filter.ts";

const OWN = /^vestige([._])(?:access|alert|archived|destroyed|hold|mark|policy_change|recipient|review)$/;

export function isOwn(table: string): boolean {
  return OWN.test(table);
}

/** The condition that leaves them out, where the tables have some of them and the filter does not say already which tables it is about; else "". */
export function withoutOwn(filter: string, tables: readonly string[]): string {
  const own = tables.find(isOwn);
  const says = conditions(filter).some((one: Condition) => one.field === "table");
  return own === undefined || says ? "" : `-table:vestige${OWN.exec(own)?.[1] ?? "_"}*`;
}
