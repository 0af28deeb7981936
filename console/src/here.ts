/** Where the reader is: the address, followed without loading the page again. Back and Forward are the browser's. */
import { computed, signal } from "@preact/signals";
import { route, timeline, turned, USUAL_ADDRESS } from "./route.ts";
import { USUAL } from "./filter.ts";

const place = signal({ path: location.pathname, search: location.search });

export const here = computed(() => route(place.value.path, place.value.search));
export const address = computed(() => place.value.path + place.value.search);

/** The filter that the box shows: of the timeline what its address says, and elsewhere none. */
export const filter = signal(USUAL);

/** What is looked at, for the names of windows. */
export const database = signal("");

function follow(): void {
  place.value = { path: location.pathname, search: location.search };
  const at = here.value;
  filter.value = at.page === "timeline" ? at.filter ?? USUAL : "";
}

export function go(to: string, how: { replace?: boolean } = {}): void {
  if (how.replace === true) history.replaceState(history.state, "", to);
  else if (to !== address.value) history.pushState(null, "", to);
  const before = place.value.path + turned(here.value);
  follow();
  if (how.replace !== true && before !== place.value.path + turned(here.value)) scrollTo(0, 0);
}

export function search(text: string): void {
  const isUsual = text.trim() === USUAL || (text.trim() === "" && here.value.page !== "timeline");
  go(isUsual ? USUAL_ADDRESS : timeline(text.trim()));
}

/** Kept with the address, for when the reader comes Back: the row that was opened. */
export function remember(row: string): void {
  history.replaceState({ row }, "");
}

export function remembered(): string {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "row" in state && typeof state.row === "string" ? state.row : "";
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const to = link?.getAttribute("href") ?? "";
  if (link === null || !to.startsWith("/") || to.startsWith("//") || to.startsWith("/api/") || to.startsWith("/assets/") || link.hasAttribute("download")) return;
  event.preventDefault();
  const row = link.closest("[data-row]")?.getAttribute("data-row");
  if (row !== null && row !== undefined) remember(row);
  go(to);
}

export function listen(): void {
  follow();
  addEventListener("popstate", follow);
  document.addEventListener("click", onClick);
}
