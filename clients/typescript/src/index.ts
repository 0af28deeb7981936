export type { Access, ReportedKey } from "./access.js";
export {
  annotate, attach, bind, carrier, current, detach, KNOWN, run, without,
  type Carrier, type Context, type Given, type Known, type Said,
} from "./context.js";
export { AuditContext } from "./audit_context.js";
export type { Blame, Change, Erased, Undone } from "./change.js";
export { Digits, parseJson } from "./json.js";
export { type Given as Connection, isConflict, isMissingContext, openTrail } from "./open.js";
export type { Plain } from "./plain.js";
export { type Signing, signWith } from "./signing.js";
export { InvalidText } from "./sqlite_values.js";
export { Changes, type KeyValue, type Policy, type Tailing, type Trail, type Which } from "./trail.js";
export { type Decoding, Encrypted, REDACTED, UNRECORDED } from "./values.js";
