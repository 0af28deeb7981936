/** The one box for filters: what is typed is completed by what the grammar and the server know. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { List, TableAnswer } from "./answers.ts";
import { ask, useAnswer } from "./ask.ts";
import { completed, completing, knownOffers, type Offer, placed } from "./filter.ts";
import { filter, here, search } from "./here.ts";
import { api } from "./route.ts";
import { Name } from "./value_view.tsx";

const MOST = 9;

/** What could stand where the caret is: of the grammar at once, of the server a moment later. */
function useOffers(text: string, caret: number, wanted: boolean): Offer[] {
  const at = completing(text, caret);
  const asked = useRef(false);
  asked.current ||= wanted;
  const tables = useAnswer<List<TableAnswer>>(asked.current ? api("/tables", { limit: "200" }) : null);
  const [known, setKnown] = useState<{ prefix: string; offers: Offer[] }>({ prefix: "", offers: [] });
  useEffect(() => {
    if (!wanted || at.prefix === "") return undefined;
    const stop = new AbortController();
    const soon = setTimeout(() => {
      ask<List<Offer>>(api("/complete", { q: at.prefix }), stop.signal).then(
        (list) => setKnown({ prefix: at.prefix, offers: list.items }),
        () => undefined);  // what the grammar offers is enough
    }, 60);
    return () => {
      clearTimeout(soon);
      stop.abort();
    };
  }, [at.prefix, wanted]);
  const served = at.prefix !== "" && at.prefix === known.prefix ? known.offers.map((offer) => placed(text, at, offer)) : [];
  const named = knownOffers(at.prefix, tables.data?.items ?? []).map((offer) => placed(text, at, offer));
  const typed = text.slice(at.from, at.to);
  const all = [...named, ...at.offers, ...served].filter((offer, i, list) => offer.text !== typed && list.findIndex((other) => other.text === offer.text) === i);
  return all.slice(0, MOST);
}

export function FilterBox(): ComponentChildren {
  const box = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(filter.value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const offers = useOffers(text, caret, open);
  const applied = filter.value;
  const { page } = here.value;
  useEffect(() => setText(applied), [applied, page]);

  const typed = (): void => {
    const { value = "", selectionStart = 0 } = box.current ?? {};
    setText(value);
    setCaret(selectionStart ?? value.length);
    setChosen(-1);
  };
  const apply = (what: string): void => {
    setOpen(false);
    setText(what);
    box.current?.blur();
    search(what);
    if (filter.value !== what) setText(filter.value);
    // On to what was found: the first row is a key away.
    document.getElementById("heading")?.focus({ preventScroll: true });
  };
  const take = (offer: Offer): void => {
    const next = completed(text, completing(text, caret), offer);
    setText(next.filter);
    setCaret(next.caret);
    setChosen(-1);
    requestAnimationFrame(() => box.current?.setSelectionRange(next.caret, next.caret));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = offers[chosen];
    if (event.key === "Enter") {
      event.preventDefault();
      if (open && at !== undefined) take(at);
      else apply(text);
    } else if (event.key === "Tab" && !event.shiftKey && open && offers.length > 0 && text !== applied) {
      event.preventDefault();
      take(at ?? (offers[0] as Offer));
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && offers.length > 0) {
      event.preventDefault();
      setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      setChosen(chosen + by < -1 ? offers.length - 1 : chosen + by >= offers.length ? -1 : chosen + by);
    } else if (event.key === "Escape" && open && offers.length > 0) {
      event.preventDefault();
      setOpen(false);
    } else if (event.key === "Escape") {
      setText(applied);
    }
  };

  const unfolded = open && offers.length > 0;
  return (
    <form class="filter" role="search" onSubmit={(event) => { event.preventDefault(); apply(text); }}>
      <label class="unheard" for="filter">Filter</label>
      <input id="filter" ref={box} type="text" role="combobox" autocomplete="off" autocapitalize="off" spellcheck={false} value={text}
        placeholder={page === "timeline" ? "filter: table:products who:ann since:7d" : "filter changes"} aria-expanded={unfolded} aria-controls="offers" aria-autocomplete="list"
        {...(unfolded && chosen >= 0 ? { "aria-activedescendant": `offer-${chosen}` } : {})}
        onInput={() => { setOpen(true); typed(); }} onClick={typed} onKeyUp={(event) => { if (/^(Arrow(Left|Right)|Home|End)$/.test(event.key)) typed(); }}
        onFocus={() => { setOpen(false); typed(); }} onBlur={() => setOpen(false)} onKeyDown={onKeyDown} />
      <kbd aria-hidden="true">/</kbd>
      <ul id="offers" role="listbox" aria-label="Completions" hidden={!unfolded}>
        {offers.map((offer, i) => (
          <li id={`offer-${i}`} key={offer.text} role="option" aria-selected={i === chosen} class={i === chosen ? "chosen" : undefined}
            onMouseDown={(event) => { event.preventDefault(); take(offer); }}>
            <code><Name text={offer.text} most={120} /></code><span class="soft">{offer.kind}</span>
          </li>
        ))}
      </ul>
    </form>
  );
}
