/** The keyboard: / j k ↵ f y e n ? and the arrows. What is walked are the rows of the page's first list; where the focus is, is the browser's to know. */
import { signal } from "@preact/signals";
import { filter, go, here, remember, search } from "./here.ts";
import { conditions, withCondition } from "./filter.ts";

export const open = signal<"" | "keys" | "export">("");
/** What was done where nobody looks: "link copied". */
export const told = signal("");
/** n: shows what is new. The timeline sets it. */
export const showNew = signal<(() => void) | null>(null);

export const KEYS: readonly (readonly [string, string])[] = [
  ["/", "filter"],
  ["j  k", "next row, row before"],
  ["h  l", "cell before, next cell"],
  ["Enter", "open the row, or what the cell links to"],
  ["f", "filter by the cell, or by the row"],
  ["n", "show what is new"],
  ["y", "copy the link to the row, or to the page"],
  ["e", "export this list"],
  ["g", "then t v a r h s: timeline, verify, alerts, reports, holds, status"],
  ["?", "these keys"],
  ["Esc", "leave the filter, close"],
];

const GOES: { readonly [key: string]: string } = { t: "/", v: "/verify", a: "/alerts", r: "/reports", h: "/holds", s: "/status" };
let goes = false;

function row(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("tr[data-row]") ?? null;
}

function rows(): HTMLElement[] {
  const table = row()?.closest("table") ?? document.querySelector("main tr[data-row]")?.closest("table");
  return table === null || table === undefined ? [] : [...table.querySelectorAll<HTMLElement>("tr[data-row]")];
}

function move(by: number): void {
  const all = rows();
  const at = row();
  // The first key takes the row that Tab would take, which is the first unless somebody was here before.
  const from = at === null ? all.findIndex((one) => one.tabIndex === 0) - Math.sign(by) : all.indexOf(at);
  const to = all[Math.max(0, Math.min(all.length - 1, from + by))];
  to?.focus();
  to?.scrollIntoView({ block: "nearest" });
}

function moveCell(by: number): void {
  const at = row();
  if (at === null) return;
  const cells = [...at.querySelectorAll<HTMLElement>(":scope > td")];
  const from = cells.findIndex((cell) => cell === document.activeElement);
  if (from + by < 0) at.focus();
  else cells[Math.min(cells.length - 1, from + by)]?.focus();
}

function openRow(): boolean {
  const at = row();
  const on = document.activeElement;
  if (at === null || !(on instanceof HTMLElement) || on.matches("a, button, input")) return false;
  const link = on.matches("td") ? on.querySelector("a")?.getAttribute("href") : null;
  const to = link ?? at.dataset["open"];
  if (to === undefined || to === "") return false;
  remember(at.dataset["row"] ?? "");
  go(to);
  return true;
}

function filterBy(): void {
  const of = document.activeElement?.closest<HTMLElement>("[data-filter]")?.dataset["filter"];
  if (of === undefined) return;
  const on = here.value.page === "timeline" ? filter.value : "";
  search(conditions(of).reduce((all, one) => withCondition(all, one.text), on));
}

export function copyLink(): void {
  const to = row()?.dataset["open"] ?? location.pathname + location.search;
  const text = new URL(to, location.href).href;
  const done = navigator.clipboard?.writeText(text);
  if (done === undefined) told.value = `the link is ${text}`;
  else void done.then(() => { told.value = "link copied"; }, () => { told.value = `the link is ${text}`; });
}

function focusFilter(): void {
  const box = document.getElementById("filter");
  if (box instanceof HTMLInputElement) {
    box.focus();
    box.select();
  }
}

const ACTS: { readonly [key: string]: () => boolean | void } = {
  "/": focusFilter,
  j: () => move(1),
  k: () => move(-1),
  h: () => moveCell(-1),
  l: () => moveCell(1),
  f: filterBy,
  y: copyLink,
  e: () => { open.value = "export"; },
  n: () => showNew.value?.(),
  "?": () => { open.value = "keys"; },
  g: () => { goes = true; },
};
const IN_ROWS: { readonly [key: string]: () => boolean | void } = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  ArrowLeft: () => moveCell(-1),
  ArrowRight: () => moveCell(1),
  Home: () => move(-1_000_000),
  End: () => move(1_000_000),
  Enter: openRow,
};

function onKey(event: KeyboardEvent): void {
  const on = event.target;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || open.value !== "") return;
  if (on instanceof HTMLElement && on.matches("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") on.blur();
    return;
  }
  if (goes) {
    goes = false;
    const to = GOES[event.key];
    if (to !== undefined) {
      event.preventDefault();
      go(to);
      return;
    }
  }
  const act = Object.hasOwn(ACTS, event.key) ? ACTS[event.key] : row() !== null && Object.hasOwn(IN_ROWS, event.key) ? IN_ROWS[event.key] : undefined;
  if (act !== undefined && act() !== false) event.preventDefault();
}

export function listenToKeys(): void {
  document.addEventListener("keydown", onKey);
}
