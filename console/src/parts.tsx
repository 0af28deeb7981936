/** What every page is made of: problems, empty states, times, ops, sections, tables that scroll. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Answer, Problem } from "./ask.ts";
import { useFades } from "./fades.ts";
import { database } from "./here.ts";
import { count, type Json, members } from "./json.ts";
import { printable } from "./letters.ts";
import { ago, exact, short } from "./time.ts";
import { Name, Value } from "./value_view.tsx";

export function ProblemBox({ of }: { of: Problem }): ComponentChildren {
  return (
    <div class="problem" role="alert">
      <p class="problem-title"><Name text={of.detail === "" ? of.title : of.detail} most={2000} /></p>
      {of.hint !== "" && <p class="hint"><Name text={of.hint} most={2000} /></p>}
    </div>
  );
}

/** Why nothing stands here, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): ComponentChildren {
  return <div class="empty"><p class="empty-title">{title}</p>{children}</div>;
}

/** What was answered; a problem, or that it is being asked for, in its place. */
export function Answered<T>({ answer, children }: { answer: Answer<T>; children: (data: T) => ComponentChildren }): ComponentChildren {
  if (answer.problem !== null) return <ProblemBox of={answer.problem} />;
  if (answer.data === null) return answer.waiting ? <p class="waiting" aria-busy="true">asking…</p> : null;
  return <div class={answer.waiting ? "answered stale" : "answered"} aria-busy={answer.waiting}>{children(answer.data)}</div>;
}

export function Time({ at }: { at: string | null | undefined }): ComponentChildren {
  if (at === null || at === undefined || at === "") return <span class="soft">never</span>;
  return <time dateTime={at} title={`${exact(at)}, ${ago(at)}`}>{short(at)}</time>;
}

const SIGNS: { readonly [op: string]: readonly [string, string] } = {
  INSERT: ["+", "insert"], UPDATE: ["~", "update"], DELETE: ["−", "delete"], TRUNCATE: ["−", "delete"], BASELINE: ["+", "insert"],
  ERASE: ["×", "erase"], EXPIRE: ["×", "erase"],
};

function signOf(op: string): readonly [string, string] {
  const name = op.toUpperCase();
  return (Object.hasOwn(SIGNS, name) ? SIGNS[name] : undefined) ?? ["·", "other"];
}

export function opClass(op: string): string {
  return signOf(op)[1];
}

/** An operation as a sign and a word: never by its colour alone. */
export function OpName({ op }: { op: string }): ComponentChildren {
  return <span class={`op op-${opClass(op)}`}><span class="sign" aria-hidden="true">{signOf(op)[0]}</span>{op.toLowerCase()}</span>;
}

/** A table that may be wider than its window: it scrolls by itself, also by the keyboard, and fades where there is more of it. */
export function Wide({ label, children }: { label: string; children: ComponentChildren }): ComponentChildren {
  const { box, fades } = useFades<HTMLDivElement>();
  return <div ref={box} class={`wide ${fades}`} role="region" tabIndex={0} aria-label={printable(label)}>{children}</div>;
}

export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }): ComponentChildren {
  return <section><div class="section-head"><h2>{title}</h2>{aside}</div>{children}</section>;
}

/** The heading of a page, which is also its name in the window and in the history. */
export function Heading({ title, children }: { title: string; children?: ComponentChildren }): ComponentChildren {
  const name = [title.slice(0, 120), database.value.slice(0, 60), "Vestige"].filter((part) => part !== "").map(printable).join(" · ");
  useEffect(() => { document.title = name; }, [name]);
  return <h1 id="heading" tabIndex={-1}>{children ?? title}</h1>;
}

/** Names and values beside each other: a context, a policy. */
export function Facts({ of }: { of: [string, ComponentChildren][] }): ComponentChildren {
  return <dl class="facts">{of.map(([name, value]) => <div key={name}><dt><Name text={name} /></dt><dd>{value}</dd></div>)}</dl>;
}

export function factsOf(object: object): [string, ComponentChildren][] {
  return members(object).map(([name, value]) => [name, Array.isArray(value) && value.length > 0
    ? <span>{value.map((one, i) => <span key={i}>{i > 0 && ", "}<Value of={one} /></span>)}</span> : <Value of={value} most={500} />]);
}

/** "12 changes", "1 change". */
export function many(number: Json | number | undefined, name: string, more = false): string {
  const of = typeof number === "number" ? number : count(number);
  return `${more ? "more than " : ""}${of.toLocaleString("en")} ${name}${of === 1 ? "" : "s"}`;
}

/** A command of the terminal, to copy. */
export function Command({ text }: { text: string }): ComponentChildren {
  return (
    <div class="command">
      <code><Name text={text} most={4000} /></code>
      <button type="button" class="quiet" onClick={() => void navigator.clipboard?.writeText(text)}>copy</button>
    </div>
  );
}

export function Pages({ older, first }: { older: string | null; first: string | null }): ComponentChildren {
  if (older === null && first === null) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {first !== null && <a href={first}>first page</a>}
      {older !== null && <a href={older} rel="next">next page</a>}
    </nav>
  );
}
