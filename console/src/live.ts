/** The changes of a timeline's first page, and what comes to them while it is looked at. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Change, List } from "./answers.ts";
import { ask } from "./ask.ts";
import { newer } from "./change_cells.tsx";
import { api } from "./route.ts";
import { Tail, type TailState } from "./tail.ts";

/** As many as a page keeps. */
export const KEPT = 500;

/** Both, the newest first, none twice. */
export function merged(changes: Change[], more: Change[]): Change[] {
  const known = new Map(changes.map((change) => [change.id.text, change]));
  for (const change of more) known.set(change.id.text, change);
  return [...known.values()].sort(newer).slice(0, KEPT);
}

export interface Live {
  changes: Change[];
  fresh: ReadonlySet<string>;
  waiting: number;
  state: TailState;
  show: () => void;
}

/** Somebody reads further down, or is at a row: nothing moves beneath them. */
function isReading(): boolean {
  const row = document.activeElement?.closest("tr[data-row]") ?? null;
  return document.hidden || scrollY > 160 || row !== null;
}

/** What was changed since, back to what is known. */
async function catchUp(filter: string, known: ReadonlySet<string>, signal: AbortSignal): Promise<Change[]> {
  const all: Change[] = [];
  for (let after: string | null = ""; after !== null && all.length < KEPT;) {
    const list: List<Change> = await ask<List<Change>>(api("/changes", { q: filter, limit: "100", after }), signal);
    all.push(...list.items);
    after = list.items.some((change) => known.has(change.id.text)) ? null : list.next;
  }
  return all;
}

const NONE: ReadonlySet<string> = new Set();

export function useLive(first: Change[], filter: string, on: boolean): Live {
  // Of the list that is answered now: one that is new is shown at once, and not what came to the one before.
  const [kept, setKept] = useState({ of: first, changes: first });
  const changes = kept.of === first ? kept.changes : first;
  const [waiting, setWaiting] = useState<Change[]>([]);
  const [fresh, setFresh] = useState(NONE);
  const [state, setState] = useState<TailState>("off");
  const shown = useRef<Change[]>(first);
  const held = useRef<Change[]>([]);

  const list = useRef(first);
  list.current = first;
  const keep = (all: Change[]): void => {
    shown.current = all;
    setKept({ of: list.current, changes: all });
  };
  const show = (): void => {
    const come = held.current;
    held.current = [];
    setWaiting([]);
    setFresh(new Set(come.map((change) => change.id.text)));
    keep(merged(shown.current, come));
  };
  const take = (come: Change[]): void => {
    const known = new Set(shown.current.map((change) => change.id.text));
    const oldest = shown.current.length >= KEPT ? shown.current.at(-1) : undefined;
    const fresh = come.filter((change) => !known.has(change.id.text) && (oldest === undefined || newer(change, oldest) < 0));
    // What is shown already has its place now.
    if (come.some((change) => known.has(change.id.text))) keep(merged(shown.current, come.filter((change) => known.has(change.id.text))));
    if (fresh.length === 0) return;
    held.current = merged(held.current, fresh);
    if (isReading()) setWaiting(held.current);
    else show();
  };

  useEffect(() => {
    held.current = [];
    setWaiting([]);
    setFresh(NONE);
    keep(first);
  }, [first]);

  useEffect(() => {
    if (!on) return undefined;
    const stop = new AbortController();
    const tail = new Tail(filter, {
      change: (change) => take([change]),
      state: setState,
      connected: () => {
        catchUp(filter, new Set(shown.current.map((change) => change.id.text)), stop.signal).then(take, () => undefined);
      },
    });
    const look = (): void => (document.hidden ? tail.close() : tail.open());
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      stop.abort();
      document.removeEventListener("visibilitychange", look);
      tail.close();
    };
  }, [filter, on]);

  return { changes, fresh, waiting: waiting.length, state, show };
}
