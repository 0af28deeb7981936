/** The first page: bars, facets and the changes of a filter, newest first, and what comes to them. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Alert, Change, Day, Facets, FacetValue, List } from "./answers.ts";
import { ask, useAnswer } from "./ask.ts";
import { Bars } from "./bars.tsx";
import { ChangeTable, type Marks } from "./change_table.tsx";
import { FacetLists } from "./facets.tsx";
import { conditions, USUAL, withCondition, without } from "./filter.ts";
import { count, type Digits } from "./json.ts";
import { showNew } from "./keys.ts";
import { useLive } from "./live.ts";
import { withoutOwn } from "./own.ts";
import { Answered, Empty, Heading, many, Pages } from "./parts.tsx";
import { address, api, timeline, USUAL_ADDRESS } from "./route.ts";
import { Name } from "./value_view.tsx";

const NONE: Change[] = [];
const LIMIT = "50";

export function Timeline({ filter: said, after }: { filter: string | null; after: string }): ComponentChildren {
  const filter = said ?? USUAL;
  const [live, setLive] = useState(true);
  const answer = useAnswer<List<Change>>(api("/changes", { q: filter, limit: LIMIT, after }));
  const facets = useAnswer<Facets>(api("/facets", { q: filter }));
  const first = answer.data?.items ?? NONE;
  const own = withoutOwn(filter, ((facets.data?.facets["table"] ?? []) as FacetValue[]).map((one) => one.value ?? ""));
  const tail = useLive(first, filter, live && after === "" && answer.data !== null && !answer.waiting);
  const marks = useMarks(first, tail.changes);
  useEffect(() => {
    showNew.value = tail.waiting > 0 ? () => { tail.show(); scrollTo(0, 0); } : null;
    return () => { showNew.value = null; };
  }, [tail.waiting]);
  return (
    <>
      <div class="title-line">
        <Heading title={filter === "" ? "All changes" : `Changes: ${filter}`}>Timeline</Heading>
        <Chips filter={filter} />
        {after === "" && <LiveSwitch on={live} state={tail.state} flip={() => setLive(!live)} />}
      </div>
      {facets.data === null && facets.problem === null && <div class="bars" aria-busy="true" />}
      {facets.data !== null && <Bars days={(facets.data.facets["day"] ?? []) as Day[]} filter={filter} />}
      <div class="timeline">
        <div class="list">
          <p class="new" role="status" aria-live="polite">
            {tail.waiting > 0 && <button type="button" onClick={tail.show}>{tail.waiting} new, press <kbd>n</kbd></button>}
          </p>
          <Answered answer={answer}>{(list) => (tail.changes.length === 0 ? <Nothing filter={filter} /> : (
            <>
              <ChangeTable changes={tail.changes} label={`Changes, newest first: ${filter}`} marks={marks} fresh={tail.fresh} />
              <Pages first={after === "" ? null : said === null ? USUAL_ADDRESS : timeline(filter)}
                older={list.next === null ? null : address("/", { q: filter, after: list.next })} />
            </>
          ))}</Answered>
        </div>
        <aside aria-label="Counts">
          {facets.problem === null && <p class="found">{facets.data === null ? "counting…" : many(facets.data.changes, "change", facets.data.truncated)}{own !== "" && <> <a class="own-less" href={timeline(withCondition(filter, own))} title={own}>without the trail's own</a></>}</p>}
          {facets.data !== null && <details class="facets-fold" open={innerWidth > 900}><summary>Narrow down</summary><FacetLists of={facets.data} filter={filter} /></details>}
        </aside>
      </div>
    </>
  );
}

/** Each condition of the filter, and a way to be without it. */
function Chips({ filter }: { filter: string }): ComponentChildren {
  const all = conditions(filter);
  if (all.length === 0) return <p class="chips soft">everything there is</p>;
  return (
    <ul class="chips" aria-label="The filter">
      {all.map((one) => (
        <li key={one.from}><code><Name text={one.text} most={60} /></code><a href={timeline(without(filter, one))} aria-label={`without ${one.text.slice(0, 80)}`}>×</a></li>
      ))}
    </ul>
  );
}

function LiveSwitch({ on, state, flip }: { on: boolean; state: string; flip: () => void }): ComponentChildren {
  const word = !on ? "paused" : state === "live" ? "live" : state === "cut off" ? "cut off, trying again" : state === "off" ? "paused" : "connecting";
  return <button type="button" class={`live live-${on ? state.replace(" ", "-") : "off"}`} aria-pressed={on} onClick={flip}><span class="dot" aria-hidden="true" />{word}</button>;
}

interface Standing {
  checkpoint: { size: Digits } | null;
  sealed: Digits;
  unsealed: Digits | null;  // nobody says, to who may not see it
}

const AGAIN = 30_000;
const NO_IDS: ReadonlySet<string> = new Set();

/** The changes that a checkpoint covers for certain: those that were shown already when it was found to cover all there is. */
function useCovered(first: Change[], shown: Change[]): ReadonlySet<string> {
  const [covered, setCovered] = useState(NO_IDS);
  const now = useRef(shown);
  now.current = shown;
  useEffect(() => {
    const stop = new AbortController();
    const look = (): void => {
      const ids = [...first, ...now.current].map((change) => change.id.text);
      if (document.hidden || ids.length === 0) return;
      ask<Standing>(api("/verify"), stop.signal).then(({ checkpoint, sealed, unsealed }) => {
        if (checkpoint !== null && unsealed !== null && count(unsealed) === 0 && count(sealed) === count(checkpoint.size)) setCovered((before) => new Set([...before, ...ids]));
      }, () => undefined);
    };
    look();
    const timer = setInterval(look, AGAIN);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [first]);
  return covered;
}

/** Which changes alerts name, and which a checkpoint covers. */
function useMarks(first: Change[], shown: Change[]): Marks {
  const alerts = useAnswer<List<Alert>>(api("/alerts", { state: "open", limit: "200" }));
  const covered = useCovered(first, shown);
  return useMemo(() => {
    const of = new Map<string, string>();
    for (const alert of alerts.data?.items ?? []) for (const id of alert.changes) of.set(String(id), String(alert.id));
    return { alerts: (change) => of.get(change.id.text) ?? null, sealed: (change) => covered.has(change.id.text) };
  }, [alerts.data, covered]);
}

function Nothing({ filter }: { filter: string }): ComponentChildren {
  const all = conditions(filter);
  const since = all.find((one) => one.field === "since");
  const table = all.find((one) => one.field === "table" && !one.negated);
  return (
    <Empty title={filter === "" ? "Nothing is recorded yet" : "No change meets this filter"}>
      <ul>
        {filter === "" && <li>No table is tracked, nothing has changed since, or your role may not read the trail: <a href="/status">status</a> says which.</li>}
        {since !== undefined && <li>The filter asks for changes <code>{since.text}</code>: <a href={timeline(without(filter, since))}>look at all times</a>.</li>}
        {table !== undefined && <li>Is <code>{table.words.map((word) => word.text).join(", ")}</code> tracked? <a href="/status">Status</a> has the tables; what is not tracked is not recorded.</li>}
        {filter !== "" && <li>Older changes may have <a href="/retention">expired</a>.</li>}
        {all.length > 1 && <li>Take a condition away above, or <a href={timeline("")}>look at everything</a>.</li>}
      </ul>
    </Empty>
  );
}
