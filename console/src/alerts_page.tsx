/** Alerts: what the rules found, by state; one of them with its changes, and who takes it on. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { About, Alert, Change, List } from "./answers.ts";
import { isKnown, Problem, tell, useAnswer } from "./ask.ts";
import { ChangeTable } from "./change_table.tsx";
import { condition } from "./filter.ts";
import { members, write } from "./json.ts";
import { told } from "./keys.ts";
import { Answered, Command, Empty, Facts, factsOf, Heading, many, Pages, ProblemBox, Section, Time, Wide } from "./parts.tsx";
import { address, api } from "./route.ts";
import { Name, Value } from "./value_view.tsx";

const STATES = ["open", "acknowledged", "closed", "silenced", "all"];

function Severity({ of }: { of: string }): ComponentChildren {
  return <span class={`mark ${/crit|high|error/.test(of) ? "bad" : /warn|med/.test(of) ? "warn" : ""}`}><Name text={of} most={32} /></span>;
}

export function AlertsPage({ state, after }: { state: string; after: string }): ComponentChildren {
  const answer = useAnswer<List<Alert>>(api("/alerts", { state: state === "all" ? "" : state, limit: "50", after }));
  return (
    <>
      <Heading title={state === "open" ? "Alerts" : `Alerts: ${state}`}>Alerts</Heading>
      <nav class="tabs" aria-label="State">{STATES.map((one) => <a key={one} href={one === "open" ? "/alerts" : address("/alerts", { state: one })} {...(one === state ? { "aria-current": "true" as const } : {})}>{one}</a>)}</nav>
      <Answered answer={answer}>{({ items, next }) => (items.length === 0 ? (
        <Empty title={state === "open" ? "No alert is open" : "No such alert"}>
          <p>Rules in vestige.toml say what is alerted on, and <code>vestige watch</code> looks: without it, nothing ever comes here.</p>
          <Command text="vestige rules test --since 30d" />
        </Empty>
      ) : (
        <>
          <Wide label="Alerts">
            <table>
              <caption class="unheard">Alerts</caption>
              <thead><tr><th scope="col">When</th><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Rule</th><th scope="col">Changes</th><th scope="col">State</th><th scope="col">Owner</th></tr></thead>
              <tbody>{items.map((alert, i) => {
                const to = `/alerts/${encodeURIComponent(String(alert.id))}`;
                return (
                  <tr key={String(alert.id)} data-row={String(alert.id)} data-open={to} tabIndex={i === 0 ? 0 : -1}>
                    <td><Time at={alert.at} /></td><td><Severity of={alert.severity} /></td>
                    <td><a href={to} tabIndex={-1}><Name text={alert.title} most={200} /></a></td>
                    <td><Name text={alert.rule} /></td><td class="number">{alert.changes.length}</td>
                    <td>{alert.state}</td><td>{alert.owner === null || alert.owner === undefined ? <span class="soft">nobody</span> : <Name text={alert.owner} />}</td>
                  </tr>
                );
              })}</tbody>
            </table>
          </Wide>
          <Pages first={after === "" ? null : address("/alerts", { state })} older={next === null ? null : address("/alerts", { state, after: next })} />
        </>
      ))}</Answered>
    </>
  );
}

export function AlertPage({ id, about }: { id: string; about: About | null }): ComponentChildren {
  const [again, setAgain] = useState(0);
  const path = `/alerts/${encodeURIComponent(id)}`;
  const answer = useAnswer<Alert>(api(path), again);
  const ids = (answer.data?.changes ?? []).slice(0, 200).map(String).join(",");
  const changes = useAnswer<List<Change>>(ids === "" ? null : api("/changes", { q: `id:${ids}`, limit: "200" }));
  return (
    <>
      <Heading title={answer.data?.title ?? "Alert"}>{answer.data === null ? "Alert" : <><Severity of={answer.data.severity} /> <Name text={answer.data.title} most={400} /></>}</Heading>
      <Answered answer={answer}>{(alert) => (
        <>
          <p class="lead"><b>{alert.state}</b> · <Time at={alert.at} /> · rule <Name text={alert.rule} />{alert.owner !== null && alert.owner !== undefined && <> · taken on by <b><Name text={alert.owner} /></b></>}
            {alert.comment !== null && alert.comment !== undefined && alert.comment !== "" && <> · <q><Name text={alert.comment} most={500} /></q></>}</p>
          {members(alert.group ?? {}).length > 0 && <Facts of={factsOf(alert.group)} />}
          {alert.quiet === true && <p class="soft">Nobody was told{typeof alert.why === "string" && <>: <Name text={alert.why} /></>}.</p>}
          {about !== null && !about.writes.includes("alert") ? <p class="soft">You may look at alerts, and not change them. In the terminal: <code>vestige alert ack</code>.</p>
            : <Acts alert={alert} path={path} done={() => setAgain((n) => n + 1)} />}
        </>
      )}</Answered>
      {isKnown(answer) && <Section title="Changes">
        <Answered answer={changes}>{({ items }) => (items.length === 0 ? <Empty title="None of its changes is left to see" /> : <ChangeTable changes={items} label="Changes of the alert" />)}</Answered>
        {(answer.data?.changes.length ?? 0) > 200 && <p class="soft">The first 200 of {many(answer.data?.changes.length, "change")}.</p>}
      </Section>}
    </>
  );
}

const DAYS: { readonly [length: string]: number } = { "1h": 1 / 24, "8h": 1 / 3, "1d": 1, "7d": 7, "30d": 30 };

function untilTime(length: string): string {
  return new Date(Date.now() + (DAYS[length] ?? 1) * 86_400_000).toISOString();
}

function Acts({ alert, path, done }: { alert: Alert; path: string; done: () => void }): ComponentChildren {
  const [note, setNote] = useState("");
  const [length, setLength] = useState("7d");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);  // what was pressed may be gone
  const act = (to: string, body: [string, string][], what: string): void => {
    setBusy(true);
    tell(api(to), write(Object.fromEntries(body))).then(
      () => { setProblem(null); told.value = what; setNote(""); done(); field.current?.focus(); },
      (error: unknown) => setProblem(error instanceof Problem ? error : new Problem(0, "it is not done", String(error), "")),
    ).finally(() => setBusy(false));
  };
  return (
    <form class="acts" onSubmit={(event) => event.preventDefault()}>
      <label for="note">Note</label>
      <input id="note" ref={field} type="text" value={note} maxLength={2000} autocomplete="off" placeholder="what you found out, or will do" onInput={(event) => setNote(event.currentTarget.value)} />
      {alert.state !== "closed" && alert.state !== "acknowledged" && <button type="button" disabled={busy} onClick={() => act(`${path}/ack`, [["note", note]], "acknowledged")}>acknowledge</button>}
      {alert.state !== "closed" && <button type="button" disabled={busy || note.trim() === ""} title={note.trim() === "" ? "say in the note what came of it" : undefined} onClick={() => act(`${path}/close`, [["note", note]], "closed")}>close</button>}
      <span class="silence">
        <label for="until">silence the rule for</label>
        <select id="until" value={length} onChange={(event) => setLength(event.currentTarget.value)}>{Object.keys(DAYS).map((one) => <option key={one}>{one}</option>)}</select>
        <button type="button" disabled={busy || note.trim() === ""} title={note.trim() === "" ? "say in the note why" : undefined} onClick={() => act("/silences", [["words", condition("rule", alert.rule)], ["until", untilTime(length)], ["reason", note]], `silenced for ${length}`)}>silence</button>
      </span>
      {problem !== null && <ProblemBox of={problem} />}
      <p class="soft">What you do here is recorded as you. <Value of={alert.id} most={80} /></p>
    </form>
  );
}
