/**
 * The signature of a context, by a key that the database never sees (docs/privacy.md, "Signed context"). It is made just
 * before a transaction is told the context, each time anew: a signature is for one transaction. What is signed are texts, so a
 * signed context has nothing else: what is no text is said as its JSON. Test: test/signing.test.ts.
 */
import { createPrivateKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plain } from "./plain.js";

export interface Signing {
  /** The trail that the signatures are for: the name of its log, as `vestige keygen` got it. */
  origin: string;
  /** How long one lasts, in seconds: from the beginning of a transaction to its last change. 240 unless said otherwise. */
  lifetime?: number;
}

const FIELD = "signature";
const LONGEST = 86400;
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");   // what stands before a seed of Ed25519

/** A key of `vestige keygen`, and the trail that its signatures are for. */
export class Signer {
  private readonly name: string;
  private readonly key: KeyObject;
  private readonly origin: string;
  private readonly lifetime: number;

  constructor(text: string, { origin, lifetime = 240 }: Signing) {
    if (!/^[^\s+]+$/.test(origin)) {
      throw new TypeError("vestige: an origin is the name of a log, without spaces and without '+'");
    }
    if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > LONGEST) {
      throw new RangeError(`vestige: a signature lasts from 1 to ${LONGEST} seconds`);
    }
    const found = /^PRIVATE\+KEY\+([^\s+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/]{44})\s*$/.exec(text);
    const body = Buffer.from(found?.[2] ?? "", "base64");
    if (!found || body.length !== 33 || body[0] !== 1) {
      throw new TypeError("vestige: the file is no private key of vestige keygen");
    }
    this.name = found[1]!;
    this.key = createPrivateKey({ key: Buffer.concat([PKCS8, body.subarray(1)]), format: "der", type: "pkcs8" });
    this.origin = origin;
    this.lifetime = lifetime;
  }

  /** The field `signature` for a context of these texts. */
  field(fields: { readonly [name: string]: string }, issued = Math.floor(Date.now() / 1000), nonce = randomBytes(16).toString("hex")): string {
    const words = [this.origin, String(issued), String(issued + this.lifetime), nonce];
    const message = ["vestige-context/v1", ...words, canonical(fields), ""].join("\n");
    return [this.name, ...words, sign(null, Buffer.from(message), this.key).toString("base64")].join(" ");
  }
}

/** By name, in the order of their bytes as UTF-8, which is not that of JavaScript's strings. */
function canonical(fields: { readonly [name: string]: string }): string {
  const sorted = Object.entries(fields).sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
}

// CommonJS code and ES modules have a copy of this file each.
const PLACE = Symbol.for("vestige.signer.v1");
const shared = globalThis as { [PLACE]?: Signer | undefined };

/** From here on every context that this process says is signed by the key in that file; null: no more. */
export function signWith(file: string | URL, signing: Signing): void;
export function signWith(file: null): void;
export function signWith(file: string | URL | null, signing?: Signing): void {
  shared[PLACE] = file === null ? undefined : new Signer(readFileSync(file, "latin1"), signing!);
}

/** A context's text as JSON, to be said now: with a new signature where this process signs. */
export function signed(text: string, dump: (value: Plain) => string): string {
  const signer = shared[PLACE];
  if (!signer || text === "") {
    return text;
  }
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(JSON.parse(text) as { [name: string]: Plain })) {
    if (name !== FIELD) {
      fields[name] = typeof value === "string" ? value : JSON.stringify(value);
    }
  }
  return dump({ ...fields, [FIELD]: signer.field(fields) });
}
