/**
 * Whether postgres.js will be able to make a statement of a query. Where it cannot, it rejects whatever the connection is
 * busy with instead, and the query is never answered: such a one must not be sent while another is under way.
 * Test: test/postgres.test.ts.
 */

interface Made {
  strings?: readonly string[];
  args?: readonly unknown[];
  first?: unknown;   // of a Builder: sql(rows, ...columns)
  rest?: readonly unknown[];
  value?: unknown;   // of a Parameter, or a name
}

const MOST = 65000;   // parameters
const HELPER = /\b(?:values|in|select|as|returning|update|insert)\b|\(/i;
const LIST = /\b(?:values|in)\s*\(?\s*$/i;

export function sound(query: Made): boolean {
  const count = { values: 0 };
  return partsAreSound(query, "", count) && count.values < MOST;
}

function partsAreSound(query: Made, before: string, count: { values: number }): boolean {
  let text = before;
  return (query.args ?? []).every((value, at) => {
    text += query.strings?.[at] ?? "";
    return isSound(value, text, count);
  });
}

function isSound(value: unknown, text: string, count: { values: number }): boolean {
  count.values += 1;
  if (value === undefined) {
    return false;
  }
  if (typeof value !== "object" || value === null) {
    return true;
  }
  const made = value as Made;
  if (Array.isArray(made.strings)) {
    return partsAreSound(made, text, count);
  }
  if ("first" in made && "rest" in made) {
    return HELPER.test(text) && (LIST.test(text) || areNames(made.first)) && hasAll(made.first, count) && hasAll(made.rest, count);
  }
  return !("value" in made) || made.value !== undefined;
}

/** Whether what stands where no list of values does is rows, or names of columns. */
function areNames(first: unknown): boolean {
  return !Array.isArray(first) || first.every((one) => typeof one === "string" || (typeof one === "object" && one !== null));
}

function hasAll(values: unknown, count: { values: number }): boolean {
  if (typeof values !== "object" || values === null || values instanceof Date || ArrayBuffer.isView(values)) {
    count.values += 1;
    return values !== undefined;
  }
  return Object.values(values).every((one) => hasAll(one, count));
}
