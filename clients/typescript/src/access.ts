/**
 * What an application reports that it read, or disclosed: the same refusals, and the same row, on both databases
 * (docs/compliance.md). Test: test/access.test.ts.
 */

/** Of a key, what prints the same everywhere; of anything else, a boolean or a time, the text that `vestige log` shows. */
export type ReportedKey = string | number | bigint;

export interface Access {
  /** `read`, unless it is a `disclosure`, which has a recipient. */
  kind?: "read" | "disclosure";
  purpose?: string;
  recipient?: string;
  recipientAddress?: string;
  description?: string;
  requestRef?: string;
  /** A disclosure is not to be told of before. */
  suspendedUntil?: Date;
  /** How many rows were shown. */
  entries?: number | bigint;
}

/** What was reported, as texts. */
export interface Reported {
  key: string[];
  kind: string;
  /** purpose, recipient, recipient_address, description, request_ref */
  texts: (string | null)[];
  suspendedUntil: string | null;
  entries: string | null;
}

const LONGEST = 8192;   // bytes of each text, as vestige.access has it
const MOST = 2n ** 63n - 1n;
const PLAIN = /^[^\s"\\{},]+$/;

export function reported(given: ReportedKey | readonly ReportedKey[], what: Access): Reported {
  const key = [given].flat().map(keyText);
  const { kind = "read", purpose, recipient, recipientAddress, description, requestRef, suspendedUntil, entries } = what;
  const texts = [purpose, recipient, recipientAddress, description, requestRef].map((one) => one ?? null);
  if (kind !== "read" && kind !== "disclosure") {
    throw new TypeError(`vestige: access: kind is ${String(kind)}: it is read or disclosure`);
  }
  if (kind === "disclosure" && !recipient) {
    throw new TypeError("vestige: access: a disclosure has a recipient");
  }
  if (entries !== undefined && (!(typeof entries === "bigint" || Number.isSafeInteger(entries)) || entries < 0 || entries > MOST)) {
    throw new RangeError(`vestige: access: entries is ${entries}`);
  }
  for (const text of [...texts, ...key, key.length > 1 ? asArray(key) : null]) {
    if (text?.includes("\0")) {
      throw new TypeError("vestige: access: a text has a NUL in it");
    }
    const size = Buffer.byteLength(text ?? "");
    if (size > LONGEST) {
      throw new RangeError(`vestige: access: a text of ${size} bytes is too long: each may have ${LONGEST}`);
    }
  }
  return { key, kind, texts, suspendedUntil: suspendedUntil?.toISOString() ?? null, entries: entries === undefined ? null : String(entries) };
}

function keyText(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") {
    const kind = value === null || typeof value !== "object" ? String(value) : value.constructor?.name ?? "object";
    throw new TypeError(`vestige: access: ${kind} in a key: give the text that \`vestige log\` shows of it`);
  }
  return String(value);
}

/** As PostgreSQL writes an array, whose length it looks at. */
function asArray(key: readonly string[]): string {
  return `{${key.map((one) => PLAIN.test(one) && one.toUpperCase() !== "NULL" ? one : `"${one.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
