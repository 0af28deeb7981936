/** Every state of the page is an address: what an address means, and the address of what is meant. Test: test/route.test.ts. */

export type Route =
  | { page: "timeline"; filter: string | null; after: string }
  | { page: "table"; table: string; at: string; after: string }
  | { page: "row"; table: string; key: string[]; at: string; after: string }
  | { page: "change"; id: string }
  | { page: "tx"; id: string; after: string }
  | { page: "alerts"; state: string; after: string }
  | { page: "alert"; id: string }
  | { page: "reports"; report: string; asked: URLSearchParams }
  | { page: "verify" | "holds" | "retention" | "status" | "unknown" };

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function route(path: string, search: string): Route {
  const parts = path.split("/").slice(1);
  const query = new URLSearchParams(search);
  const said = (name: string): string => query.get(name) ?? "";
  const [first = "", second = "", third] = parts;
  if (parts.length === 1 && first === "") return { page: "timeline", filter: query.get("q"), after: said("after") };
  if (first === "t" && second !== "" && parts.length === 2) return { page: "table", table: decoded(second), at: said("at"), after: said("after") };
  if (first === "t" && second !== "" && third !== undefined && parts.length === 3)
    return { page: "row", table: decoded(second), key: third.split(",").map(decoded), at: said("at"), after: said("after") };
  if (first === "c" && parts.length === 2) return { page: "change", id: decoded(second) };
  if (first === "tx" && parts.length === 2) return { page: "tx", id: decoded(second), after: said("after") };
  if (first === "alerts" && parts.length === 2 && second !== "") return { page: "alert", id: decoded(second) };
  if (first === "reports" && parts.length === 2 && second !== "") return { page: "reports", report: decoded(second), asked: query };
  if (parts.length !== 1) return { page: "unknown" };
  switch (first) {
    case "alerts": return { page: "alerts", state: query.get("state") ?? "open", after: said("after") };
    case "reports": return { page: "reports", report: "", asked: query };
    case "verify":
    case "holds":
    case "retention":
    case "status": return { page: first };
    default: return { page: "unknown" };
  }
}

/** Of a page that is one list: which page of the list. */
export function turned(at: Route): string {
  return at.page === "timeline" || at.page === "table" || at.page === "alerts" ? at.after : "";
}

/** A path with what is asked behind it; what is empty is left out. */
export function address(path: string, asked: { readonly [name: string]: string | null | undefined } = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) if (value !== undefined && value !== null && value !== "") query.set(name, value);
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The timeline as it is opened; the empty filter is another, and is said. */
export const USUAL_ADDRESS = "/";

/** The timeline of a filter; the empty filter is not the usual one. */
export function timeline(filter: string): string {
  return `/?${new URLSearchParams({ q: filter }).toString()}`;
}

export function keyPath(key: readonly string[]): string {
  return key.map(encodeURIComponent).join(",");
}

export function tablePath(table: string): string {
  return `/t/${encodeURIComponent(table)}`;
}

export function rowPath(table: string, key: readonly string[]): string {
  return `${tablePath(table)}/${keyPath(key)}`;
}

const API = "/api/v1";

/** Where the server answers the same: the address of a list or thing of the API. */
export function api(path: string, asked: { readonly [name: string]: string | null | undefined } = {}): string {
  return address(API + path, asked);
}

export function apiRow(table: string, key: readonly string[]): string {
  return `/tables/${encodeURIComponent(table)}/rows/${keyPath(key)}`;
}
