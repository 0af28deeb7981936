export {
  annotate, attach, bind, carrier, current, detach, KNOWN, run, without,
  type Carrier, type Context, type Given, type Known, type Said,
} from "./context.js";
export { AuditContext } from "./audit_context.js";
export type { Blame, Change, Erased, Undone } from "./change.js";
export { Digits, parseJson } from "./json.js";
export type { Plain } from "./plain.js";
export { Changes, isConflict, isMissingContext, openTrail, Trail, type KeyValue, type Which } from "./trail.js";
export { type Decoding, UNRECORDED } from "./values.js";
