export {
  annotate, attach, bind, carrier, current, detach, KNOWN, run, without,
  type Carrier, type Context, type Given, type Known, type Said,
} from "./context.js";
export { AuditContext } from "./audit_context.js";
export type { Plain } from "./plain.js";
