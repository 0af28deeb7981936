/** A row: what it holds and since when, by whom; its history, its numbers over time, and what it was at any of its changes. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Blame, Change, List, Position, RowAnswer } from "./answers.ts";
import { isKnown, useAnswer } from "./ask.ts";
import { ChangeTable } from "./change_table.tsx";
import { condition } from "./filter.ts";
import { go } from "./here.ts";
import { type Members, members } from "./json.ts";
import { Answered, Command, Empty, Heading, many, Pages, Section, Time, Wide } from "./parts.tsx";
import { Plots } from "./plots.tsx";
import { included, momentOf } from "./place.ts";
import { address, api, apiRow, rowPath, tablePath, timeline } from "./route.ts";
import { short } from "./time.ts";
import { keyWord, same, shellWord } from "./values.ts";
import { Name, WholeValue } from "./value_view.tsx";
import { printable } from "./letters.ts";

const NO_POSITIONS: Position[] = [];
const NO_CHANGES: Change[] = [];

export function RowPage({ table, keyWords: key, at, after }: { table: string; keyWords: string[]; at: string; after: string }): ComponentChildren {
  const of = apiRow(table, key);
  const path = rowPath(table, key);
  const now = useAnswer<RowAnswer>(api(of));
  // While the slider is drawn it is further on than the address.
  const [drawn, setDrawn] = useState<{ of: string; moment: string } | null>(null);
  const moment = drawn?.of === at ? drawn.moment : at;
  const settle = (to: string): void => {
    setDrawn(null);
    go(address(path, { at: to }), { replace: at !== "" });
  };
  const then = useAnswer<RowAnswer>(moment === "" ? null : api(of, { at: moment }));
  const history = useAnswer<List<Change>>(api(`${of}/history`, { limit: "100", after }));
  const positions = now.data?.positions ?? NO_POSITIONS;
  const command = ["vestige", "blame", table, ...key].map(shellWord).join(" ");
  return (
    <>
      <Heading title={`${table} ${key.join(" ")}${moment === "" ? "" : ` at ${moment}`}`}><a href={tablePath(table)}><Name text={table} /></a> <span class="key">{key.map((word, i) => <span key={i}>{i > 0 && " "}<Name text={word} most={80} /></span>)}</span></Heading>
      <Answered answer={now}>{(row) => (
        <>
          <Lead row={row} />
          {positions.length > 0 && <Slider positions={positions} moment={moment} was={then.waiting ? null : then.data} show={(to) => setDrawn({ of: at, moment: to })} settle={settle} truncated={row.truncated === true} />}
          {moment === "" ? <BlameTable of={of} columns={row.row} /> : isKnown(then) ? <Answered answer={then}>{(was) => <ThenTable was={was} now={row} back={path} />}</Answered>
            : <ThenTable was={null} now={row} back={path} />}
        </>
      )}</Answered>
      {isKnown(now) && !isKnown(history) && <Answered answer={history}>{() => null}</Answered>}
      {isKnown(now) && isKnown(history) && <Plots of={of} row={now.data?.row ?? null} history={history.data?.items ?? NO_CHANGES} />}
      {isKnown(now) && isKnown(history) && <Section title="History" aside={<a href={timeline([condition("table", table), ...(members(now.data?.key ?? {}).map(([name, value]) => condition("key", keyWord(value), name)))].join(" "))}>in the timeline</a>}>
        <Answered answer={history}>{(list) => (list.items.length === 0 ? <Empty title="Nothing of this row was recorded"><p>It may be older than the tracking of its table, or its changes have <a href="/retention">expired</a>.</p></Empty> : (
          <>
            <ChangeTable changes={list.items} label={`History of ${table} ${key.join(" ")}`} inRow />
            <Pages first={after === "" ? null : address(path, { at })} older={list.next === null ? null : address(path, { at, after: list.next })} />
          </>
        ))}</Answered>
      </Section>}
      {isKnown(history) && <Command text={command} />}
    </>
  );
}

function Lead({ row }: { row: RowAnswer }): ComponentChildren {
  const last = row.positions.at(-1);
  return (
    <p class="lead">
      {row.exists ? "The row is there" : <span class="warn">The row is not there any more</span>}
      {" · "}{many(row.positions.length, "change", row.truncated === true)}
      {last !== undefined && <> · last <Time at={last.at} /> by {last.who === null ? <span class="soft">nobody known</span> : <b><Name text={last.who} most={64} /></b>}</>}
    </p>
  );
}

/** The places between the row's changes: before the first, after each, and now. */
function Slider({ positions, moment, was, show, settle, truncated }: { positions: Position[]; moment: string; was: RowAnswer | null; show: (moment: string) => void; settle: (moment: string) => void; truncated: boolean }): ComponentChildren {
  const now = positions.length + 1;
  const found = moment === "" || moment === "now" ? now : included(positions, moment, was);
  // Until it is known it stays where it was; while it is drawn it is where it was drawn to.
  const last = useRef(found ?? now);
  if (found !== null) last.current = found;
  const [drawn, setDrawn] = useState<number | null>(null);
  useEffect(() => setDrawn(null), [moment]);
  const soon = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const place = drawn ?? last.current;
  const isPlace = drawn !== null || found === now || (found !== null && moment === momentOf(positions, found));
  const one = positions[Math.max(1, place) - 1];
  const words = place === now || one === undefined ? "now"
    : `${place === 0 ? "before" : "after"} change ${one.change.text}, ${one.op.toLowerCase()}, ${short(one.at)}${one.who === null ? "" : `, ${one.who}`}`;
  const said = isPlace ? words : found === null ? `at ${moment.slice(0, 60)}` : `at ${moment.slice(0, 60)}: ${words}`;
  return (
    <div class="slider">
      <label for="moment">As it was</label>
      <input id="moment" type="range" min={0} max={now} step={1} value={place} aria-valuetext={printable(said)}
        onInput={(event) => {
          const to = Number(event.currentTarget.value);
          setDrawn(to);
          clearTimeout(soon.current);
          soon.current = setTimeout(() => show(momentOf(positions, to)), 40);
        }}
        onChange={(event) => {
          clearTimeout(soon.current);
          settle(momentOf(positions, Number(event.currentTarget.value)));
        }} />
      <output for="moment"><Name text={said} most={200} /></output>
      {truncated && <span class="soft">the newest {many(positions.length, "change")}</span>}
    </div>
  );
}

type Held = Pick<Blame, "column" | "value"> & Partial<Blame>;

function BlameTable({ of, columns }: { of: string; columns: Members | null }): ComponentChildren {
  const answer = useAnswer<List<Blame>>(api(`${of}/blame`, { limit: "1000" }));
  // What it holds is known before who gave it that: the rest comes into its place.
  const held = members(columns ?? {}).map(([column, value]): Held => ({ column, value }));
  const shown = isKnown(answer) || held.length === 0 ? answer : { data: { items: held.slice(0, 1000), next: null }, problem: null, waiting: true };
  return (
    <Section title={columns === null ? "What it held last, and who gave it that" : "What it holds, and who gave it that"}>
      <Answered<List<Held>> answer={shown}>{({ items, next }) => (<>
        <Expired items={items} />
        {next !== null && <p class="soft">The first {items.length.toLocaleString("en")} columns; <code>vestige blame</code> has all of them.</p>}
        <Wide label="Values, and who gave them">
          <table class="blame" role="table">
            <caption class="unheard">Values, and who gave them</caption>
            <thead role="rowgroup"><tr role="row">{["Column", "Value", "Since", "Who", "Why", "Change"].map((name) => <th role="columnheader" scope="col" key={name}>{name}</th>)}</tr></thead>
            <tbody role="rowgroup">
              {items.map((one, i) => (
                <tr role="row" key={one.column} data-row={`blame-${one.column}`} data-open={one.change === null || one.change === undefined ? undefined : `/c/${one.change.text}`} tabIndex={i === 0 ? 0 : -1}
                  {...(one.who === null || one.who === undefined || one.op === "EXPIRE" ? {} : { "data-filter": condition("who", one.who) })}>
                  <th role="rowheader" scope="row"><Name text={one.column} /></th>
                  <td role="cell" class="held"><WholeValue of={one.value} /></td>
                  <td role="cell" class="when">{one.change === undefined ? "" : one.change === null ? <span class="soft">before tracking</span> : one.op === "EXPIRE" ? <span class="soft">earlier</span> : <Time at={one.at} />}</td>
                  <td role="cell">{one.op === "EXPIRE" ? <span class="soft">expired</span> : one.who === null || one.who === undefined ? "" : <span class="who"><Name text={one.who} most={64} /></span>}</td>
                  <td role="cell" class="why">{typeof one.reason === "string" && one.op !== "EXPIRE" && <Name text={one.reason} most={160} />}</td>
                  <td role="cell" class="number">{one.change !== null && one.change !== undefined && <a href={`/c/${one.change.text}`} tabIndex={-1}>{one.change.text}</a>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide></>
      )}</Answered>
    </Section>
  );
}

/** What took changes away gave no value: who did has expired. */
function Expired({ items }: { items: Held[] }): ComponentChildren {
  const last = items.find((one) => one.op === "EXPIRE");
  if (last?.change === null || last?.change === undefined) return null;
  return <p class="soft">Earlier history has <a href={`/c/${last.change.text}`}>expired</a>, <Time at={last.at} />: who gave it what it held before is not kept any longer.</p>;
}

/** The row then, where it is known already; what it is now stands beside what differs. */
function ThenTable({ was, now, back }: { was: RowAnswer | null; now: RowAnswer; back: string }): ComponentChildren {
  const names = [...new Set([...members(was?.row ?? {}), ...members(now.row ?? {})].map(([name]) => name))];
  const differ = was === null ? [] : names.filter((name) => !same(was.row?.[name], now.row?.[name]));
  const [only, setOnly] = useState(false);
  return (
    <Section title="As it was, and what is different now" aside={<span class="tools">
      <label><input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} /> only what differs</label><a href={back}>back to now</a></span>}>
      <p class={was === null ? "lead waiting" : "lead"} aria-live="polite" aria-busy={was === null}>{was === null ? "asking…" : was.row === null ? "The row was not there." : differ.length === 0 ? "As it is now." : `${many(differ.length, "column")} differ${differ.length === 1 ? "s" : ""} from now.`}</p>
      <Wide label="The row then and now">
        <table class="then">
          <caption class="unheard">The row then and now</caption>
          <thead><tr><th scope="col">Column</th><th scope="col">Then</th><th scope="col">Now</th></tr></thead>
          <tbody>
            {(only ? differ : names).map((name) => {
              const other = differ.includes(name);
              return (
                <tr key={name} class={other ? "differs" : undefined}>
                  <th scope="row"><Name text={name} />{other && <span class="mark">changed</span>}</th>
                  <td>{was === null ? "" : was.row === null ? <span class="soft">not there</span> : <WholeValue of={was.row[name]} />}</td>
                  <td>{other ? now.row === null ? <span class="soft">not there</span> : <WholeValue of={now.row[name]} /> : was === null ? "" : <span class="soft">the same</span>}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
    </Section>
  );
}
