/** What stands around every page: the head with the filter, the ways to go, and what is said in passing. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { About } from "./answers.ts";
import { useFades } from "./fades.ts";
import { FilterBox } from "./filter_box.tsx";
import { address, here } from "./here.ts";
import { KEYS, open, told } from "./keys.ts";
import { api } from "./route.ts";
import { zoneName } from "./time.ts";
import { Name } from "./value_view.tsx";

const PAGES: readonly (readonly [string, string, readonly string[]])[] = [
  ["/", "Timeline", ["timeline"]],
  ["/status", "Tables & status", ["status", "table", "row"]],
  ["/verify", "Verify", ["verify"]],
  ["/alerts", "Alerts", ["alerts", "alert"]],
  ["/reports", "Reports", ["reports"]],
  ["/holds", "Holds", ["holds"]],
  ["/retention", "Retention", ["retention"]],
];

/** The way that leads here stands in sight; the page itself does not move. */
function showCurrent(ways: HTMLElement | null): void {
  const one = ways?.querySelector<HTMLElement>("[aria-current]");
  if (ways === null || one === null || one === undefined) return;
  const [box, at] = [ways.getBoundingClientRect(), one.getBoundingClientRect()];
  if (at.left < box.left || at.right > box.right) ways.scrollLeft += at.left - box.left - (box.width - at.width) / 2;
}

export function Shell({ about, children }: { about: About | null; children: ComponentChildren }): ComponentChildren {
  const page = here.value.page;
  const at = address.value;
  const ways = useFades<HTMLElement>();
  useEffect(() => { told.value = ""; }, [at]);
  useEffect(() => { showCurrent(ways.box.current); }, [page]);
  return (
    <>
      <a class="skip" href="#heading">to the content</a>
      <header>
        <a class="brand" href="/"><svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"><path d="M6 7l10 19L26 7" /><circle cx="16" cy="7" r="2.6" /></svg>
          <span>vestige</span></a>
        {about !== null && <span class="database" title={`${about.engine}, vestige ${about.version}`}><Name text={about.database} most={48} /></span>}
        <FilterBox />
        <button type="button" class="quiet keys-button" onClick={() => { open.value = "keys"; }} aria-label="Keys"><kbd>?</kbd></button>
        <nav aria-label="Console" class={`ways ${ways.fades}`} ref={ways.box}>
          {PAGES.map(([to, name, pages]) => <a key={to} href={to} {...(pages.includes(page) ? { "aria-current": "page" as const } : {})}>{name}</a>)}
        </nav>
      </header>
      <main>{children}</main>
      <footer>
        <span>times in {zoneName()}</span>
        {about?.user !== null && about?.user !== undefined && <span>you are <b><Name text={about.user} most={48} /></b>{about.role !== null && <> with the rights of <Name text={about.role} most={48} /></>}</span>}
        {about?.record === true && <span>what you look at is recorded</span>}
        <a href={api("/openapi.json")}>API</a>
        <button type="button" class="link" onClick={() => { open.value = "export"; }}>export</button>
      </footer>
      <p class={told.value === "" ? "unheard" : "told"} role="status" aria-live="polite"><Name text={told.value} most={300} /></p>
      {open.value === "keys" && <Dialog title="Keys"><dl class="keys">{KEYS.map(([key, what]) => <div key={key}><dt>{key.split(/ +/).map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{what}</dd></div>)}</dl></Dialog>}
      {open.value === "export" && <Dialog title="Export"><Exports /></Dialog>}
    </>
  );
}

function Dialog({ title, children }: { title: string; children: ComponentChildren }): ComponentChildren {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const back = document.activeElement;
    box.current?.showModal();
    return () => { if (back instanceof HTMLElement) back.focus(); };
  }, []);
  return (
    <dialog ref={box} aria-labelledby="dialog-title" onClose={() => { open.value = ""; }} onClick={(event) => { if (event.target === box.current) box.current?.close(); }}>
      <div class="dialog-head"><h2 id="dialog-title">{title}</h2><button type="button" class="quiet" onClick={() => box.current?.close()}>close</button></div>
      {children}
    </dialog>
  );
}

/** The same address with .json, .csv or .ndjson behind its path is the same list. */
function Exports(): ComponentChildren {
  const at = here.value;
  const [path = "/", query] = address.value.split("?");
  const asked = query === undefined ? at.page === "timeline" ? `?${new URLSearchParams({ q: at.filter ?? "since:30d" }).toString()}` : "" : `?${query}`;
  const name = path === "/" ? "/api/v1/changes" : path;
  const kinds = at.page === "verify" || at.page === "alert" ? ["json"] : ["csv", "ndjson", "json"];
  return (
    <>
      <p class="soft">What this page shows, by the same filter.</p>
      <ul class="exports">
        {kinds.map((kind) => {
          const to = kind === "json" && path === "/" ? `${name}${asked}` : `${name}.${kind}${asked}`;
          return <li key={kind}><a href={to} download={kind === "json" ? undefined : ""}>{kind.toUpperCase()}</a> <code><Name text={to} most={160} /></code></li>;
        })}
      </ul>
    </>
  );
}
