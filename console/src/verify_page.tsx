/** The evidence: the last checkpoint, what it covers and what not, and a run of verify with what it finds. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isKnown, post, Problem, useAnswer } from "./ask.ts";
import { EventReader } from "./events.ts";
import { count, isObject, type Json, type Members, members, parse } from "./json.ts";
import { Answered, Command, Empty, Facts, Heading, many, ProblemBox, Section, Time, Wide } from "./parts.tsx";
import { api } from "./route.ts";
import { ago } from "./time.ts";
import { said } from "./verdict.ts";
import { Name, Value } from "./value_view.tsx";

interface Standing {
  checkpoint: { origin: string; size: Json; at: string; signatures: string[]; trusted: boolean | null; note: string } | null;
  sealed: Json;
  unsealed: Json;
  unsealed_more: boolean | null;
  oldest_unsealed_seconds: Json;
  keys: Json;
}

interface Run {
  state: "running" | "done" | "stopped";
  progress: Members | null;
  findings: Members[];
  verdict: Members | null;
  problem: Problem | null;
}

const MOST = 1000;

async function verify(signal: AbortSignal, told: (event: string, data: Members) => void): Promise<void> {
  const response = await post(api("/verify"), "{}", signal);
  const reader = new EventReader();
  const stream = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await stream?.read();
    if (part === undefined || part.done) return;
    for (const event of reader.take(part.value)) {
      const data = parse(event.data);
      if (isObject(data)) told(event.name, data);
    }
  }
}

export function VerifyPage(): ComponentChildren {
  const [again, setAgain] = useState(0);
  const standing = useAnswer<Standing>(api("/verify"), again);
  const [run, setRun] = useState<Run | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const start = (): void => {
    const stopping = new AbortController();
    stop.current = stopping;
    let now: Run = { state: "running", progress: null, findings: [], verdict: null, problem: null };
    const become = (change: Partial<Run>): void => {
      now = { ...now, ...change };
      setRun(now);
    };
    become({});
    verify(stopping.signal, (event, data) => {
      if (event === "progress") become({ progress: data });
      else if (event === "finding" && now.findings.length < MOST) become({ findings: [...now.findings, data] });
      else if (event === "done") become({ verdict: data, state: "done" });
      else if (event === "failed") become({ problem: new Problem(0, "verify stopped", String(data["detail"] ?? ""), String(data["hint"] ?? "")) });
    }).then(
      () => become(now.verdict === null && now.problem === null ? { state: "stopped", problem: new Problem(0, "verify did not end", "the server broke off", "run it again, or in the terminal: vestige verify") } : { state: "done" }),
      (error: unknown) => become({ state: "stopped", problem: error instanceof Problem ? error : stopping.signal.aborted ? null : new Problem(0, "verify did not end", String(error), "run it again") }),
    ).finally(() => setAgain((n) => n + 1));
  };
  const running = run?.state === "running";
  return (
    <>
      <Heading title="Verify" />
      <p class="lead">Is every change as it was sealed? <button type="button" onClick={() => (running ? stop.current?.abort() : start())}>{running ? "stop" : "Verify now"}</button></p>
      {run !== null && <RunBox run={run} />}
      <Section title="Checkpoint"><Answered answer={standing}>{(of) => <StandingBox of={of} />}</Answered></Section>
      {isKnown(standing) && <Section title="Elsewhere">
        <p class="soft">Whoever owns the machine could change this page, too. What holds against them is a checkpoint that somebody else keeps:</p>
        <Command text="vestige verify --checkpoint kept.txt" />
      </Section>}
    </>
  );
}

function StandingBox({ of }: { of: Standing }): ComponentChildren {
  if (of.checkpoint === null) {
    return <Empty title="Nothing is sealed yet"><p>Until it is, nothing proves what was recorded. Make a key, and seal:</p>
      <Command text="vestige keygen --origin ORIGIN --out seal.key" /><Command text="vestige seal --key seal.key" /></Empty>;
  }
  const { checkpoint } = of;
  const trusted = checkpoint.trusted === null ? <span class="soft">nothing here says which key it should be: <code>[evidence]</code> of vestige.toml does</span>
    : checkpoint.trusted ? <span class="mark good">✓ by the key that it should be</span> : <span class="mark bad">not by the key that it should be</span>;
  const behind = count(of.sealed) - count(checkpoint.size);
  const waiting = behind === 0 ? <span class="good">nothing that it does not cover</span> : <span class="warn">{many(behind, "change")} under no checkpoint yet: <code>vestige seal</code> makes one</span>;
  const unsealed = of.unsealed === null ? <span class="soft">your rights do not show</span> : count(of.unsealed) === 0 ? <span class="good">nothing</span>
    : <span class="warn">{many(of.unsealed, "change", of.unsealed_more === true)}, the oldest {ago(new Date(Date.now() - count(of.oldest_unsealed_seconds) * 1000).toISOString())}</span>;
  return (
    <>
      <Facts of={[
        ["log", <Name text={checkpoint.origin} />], ["covers", many(checkpoint.size, "entry").replace("entrys", "entries")],
        ["signed", <><Time at={checkpoint.at} /> by {checkpoint.signatures.map((name, i) => <span key={i}>{i > 0 && ", "}<Name text={name} /></span>)}</>],
        ["signature", trusted], ["since then", waiting], ["without a place", unsealed],
      ]} />
      <pre tabIndex={0} aria-label="The checkpoint as it is signed"><Name text={checkpoint.note} most={4000} /></pre>
    </>
  );
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function Shown({ of }: { of: Json }): ComponentChildren {
  if (typeof of === "string" && TIME.test(of)) return <Time at={of} />;
  if (of === null || (Array.isArray(of) && of.length === 0)) return <span class="soft">none</span>;
  if (Array.isArray(of) && of.every((one) => typeof one === "string")) return <>{of.map((one, i) => <span key={i}>{i > 0 && ", "}<Name text={one} /></span>)}</>;
  if (typeof of === "string" && of.includes("\n")) return <pre tabIndex={0}><Name text={of} most={4000} /></pre>;
  if (Array.isArray(of) && of.some(isObject)) return <ul class="plain">{of.map((one, i) => <li key={i}><Shown of={one} /></li>)}</ul>;
  if (isObject(of)) return <>{members(of).map(([name, value]) => <span class="pair" key={name}><span class="soft">{name}</span> <Value of={value} /> </span>)}</>;
  return <Value of={of} most={500} />;
}

function RunBox({ run }: { run: Run }): ComponentChildren {
  const done = count(run.progress?.["done"]);
  const all = count(run.progress?.["of"]);
  const verdict = run.verdict === null ? null : said(run.verdict, run.findings.length);
  return (
    <section aria-label="This run" class="run">
      {run.state === "running" && (
        <p role="status"><progress aria-label="verified" {...(all > 0 ? { value: done, max: all } : {})} /> {done > 0 ? `${many(done, "change")}${all > 0 ? ` of ${all.toLocaleString("en")}` : ""}` : "reading…"}</p>
      )}
      {run.problem !== null && <ProblemBox of={run.problem} />}
      {run.verdict !== null && verdict !== null && (
        <div class={verdict.state === "good" ? "verdict" : `verdict ${verdict.state}`} role="status">
          <p><b>{verdict.title}</b></p>
          {verdict.notes.map((note) => <p key={note}>{note}</p>)}
          <details><summary>what was verified</summary><Facts of={members(run.verdict).filter(([name]) => name !== "code").map(([name, value]) => [name, <Shown of={value} key={name} />])} /></details>
        </div>
      )}
      {run.findings.length > 0 && (
        <Wide label="Findings">
          <table>
            <caption class="unheard">Findings</caption>
            <thead><tr><th scope="col">Finding</th><th scope="col">Change</th><th scope="col">Table</th><th scope="col">What</th></tr></thead>
            <tbody>{run.findings.map((one, i) => (
              <tr key={i}>
                <td><span class="mark bad">{String(one["code"])}</span></td>
                <td>{one["change"] === null || one["change"] === undefined ? "" : <a href={`/c/${String(one["change"])}`}>{String(one["change"])}</a>}</td>
                <td>{typeof one["table"] === "string" && <Name text={one["table"]} />}</td>
                <td><Name text={String(one["message"] ?? "")} most={1000} /></td>
              </tr>))}</tbody>
          </table>
        </Wide>
      )}
      {run.findings.length >= MOST && <p class="soft">More is not shown here: <code>vestige verify</code> prints all of it.</p>}
    </section>
  );
}
