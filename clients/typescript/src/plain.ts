/**
 * Values that JSON and jsonb keep: what an application puts into a context becomes one here, at once, so that what is
 * said later is what was meant then. Test: test/context.test.ts.
 */
export type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [name: string]: Plain };

const DEEPEST = 32;

/** jsonb has no U+0000 and no half of a surrogate pair. */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u0000/g, "").replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** The value as plain data, a copy. Throws for what has no meaning in a context: functions inside, symbols, circles. */
export function plain(value: unknown, depth = 0): Plain {
  if (depth > DEEPEST) {
    throw new TypeError(`vestige: a context is nested deeper than ${DEEPEST}`);
  }
  switch (typeof value) {
    case "undefined":
    case "boolean":
      return value;
    case "string":
      return clean(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return value.toString();
    case "object":
      return value === null ? null : composed(value, depth);
    default:
      throw new TypeError(`vestige: a ${typeof value} inside a context`);
  }
}

function composed(value: object, depth: number): Plain {
  const own = value as { toJSON?: () => unknown };
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    return "Invalid Date";
  }
  if (typeof own.toJSON === "function") {
    return plain(own.toJSON(), depth + 1);
  }
  if (Array.isArray(value)) {
    return value.map((item) => plain(item, depth + 1) ?? null);
  }
  const copy: Record<string, Plain> = Object.create(null);
  for (const [name, item] of Object.entries(value)) {
    copy[clean(name)] = plain(item, depth + 1);
  }
  return copy;
}
