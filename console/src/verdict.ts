/** What verify's last object says, in words, and no more than it says. Test: test/verdict.test.ts. */
import { count, type Members } from "./json.ts";

export interface Said {
  state: "bad" | "open" | "good";
  title: string;
  notes: string[];
}

function changes(number: number): string {
  return `${number.toLocaleString("en")} change${number === 1 ? "" : "s"}`;
}

function sealedTitle(sealed: number, all: number): string {
  if (all === 1) return "The one change that there is is sealed, and as it was";
  if (sealed === all) return `All ${changes(all)} are sealed, and as they were`;
  return `${sealed.toLocaleString("en")} of ${changes(all)} ${sealed === 1 ? "is sealed, and as it was" : "are sealed, and as they were"}`;
}

/** Sealed is what a checkpoint covers. Good is where that is every change, and the checkpoint's signature was checked. */
export function said(verdict: Members, found: number): Said {
  const of = (name: string): number => count(verdict[name]);
  const sealed = of("size");
  const open = of("unsigned") + of("unsealed");
  const all = sealed + open;
  const findings = of("discrepancies") || found;
  const signature = verdict["signature"] === true;
  const notes = [
    open === 0 ? "" : sealed > 0 ? `${changes(open)} under no checkpoint yet: nothing proves ${open === 1 ? "it" : "them"}` : `nothing proves the ${changes(open)} that ${open === 1 ? "is" : "are"} recorded`,
    of("expired") > 0 ? `${changes(of("expired"))} expired, which is recorded` : "",
    of("erased") > 0 ? `parts of ${changes(of("erased"))} were erased, which is recorded` : "",
    of("unreadable") > 0 ? `of ${changes(of("unreadable"))} a part could not be read` : "",
    sealed === 0 ? "" : signature ? "the checkpoint's signature holds" : "no key was known to check the checkpoint's signature",
  ].filter((note) => note !== "");
  if (findings > 0) return { state: "bad", title: `${findings.toLocaleString("en")} finding${findings === 1 ? "" : "s"}: the trail is not as it was sealed`, notes };
  if (sealed === 0) return { state: "open", title: "Nothing is sealed yet", notes };
  return { state: open === 0 && signature ? "good" : "open", title: sealedTitle(sealed, all), notes };
}
