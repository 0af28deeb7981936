/** A table as it is, or as it was: its rows in key order, a page at a time. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Rows } from "./answers.ts";
import { useAnswer } from "./ask.ts";
import { condition } from "./filter.ts";
import { go } from "./here.ts";
import { type Members, object } from "./json.ts";
import { printable } from "./letters.ts";
import { Answered, Empty, Heading, Pages, Time, Wide } from "./parts.tsx";
import { address, api, rowPath, tablePath, timeline } from "./route.ts";
import { keyWord, keyWords, shownValue } from "./values.ts";
import { Name, Value } from "./value_view.tsx";

/** As many columns as are drawn at once: more are a click away. */
const COLUMNS = 40;

export function TablePage({ table, at, after }: { table: string; at: string; after: string }): ComponentChildren {
  const path = tablePath(table);
  const answer = useAnswer<Rows>(api(`/tables/${encodeURIComponent(table)}/rows`, { at, after, limit: "50" }));
  return (
    <>
      <Heading title={at === "" ? table : `${table} at ${at}`}><Name text={table} /></Heading>
      <div class="tools">
        <AsOf at={at} to={(moment) => address(path, { at: moment })} />
        <a href={timeline(condition("table", table))}>its changes</a>
        <a href={`${path}.csv${at === "" ? "" : `?at=${encodeURIComponent(at)}`}`} download>CSV</a>
      </div>
      <Answered answer={answer}>{(rows) => (
        <>
          <p class="lead">{at === "" ? "as it stands" : "as it stood"} <Time at={rows.at} /></p>
          {rows.items.length === 0 ? <Empty title={at === "" ? "The table has no rows" : "The table had no rows then"}>
            <p>Rows that were deleted are among <a href={timeline(`${condition("table", table)} op:delete`)}>its changes</a>.</p></Empty>
            : <Grid rows={rows} table={table} at={at} />}
          <Pages first={after === "" ? null : address(path, { at })} older={rows.next === null ? null : address(path, { at, after: rows.next })} />
        </>
      )}</Answered>
    </>
  );
}

function Grid({ rows, table, at }: { rows: Rows; table: string; at: string }): ComponentChildren {
  const [all, setAll] = useState(false);
  const columns = all ? rows.columns : rows.columns.slice(0, COLUMNS);
  const keyOf = (row: Members): string[] => keyWords(object(rows.key.map((name) => [name, row[name] ?? null])));
  return (
    <>
      <Wide label={`Rows of ${table}`}>
        <table class="grid">
          <caption class="unheard">{printable(`Rows of ${table}`)}</caption>
          <thead><tr>{columns.map((name) => <th scope="col" key={name} class={shownValue(rows.items[0]?.[name]).kind === "number" ? "number" : undefined}><Name text={name} most={64} /></th>)}</tr></thead>
          <tbody>
            {rows.items.map((row, i) => {
              const key = keyOf(row);
              const to = rows.key.length === 0 ? "" : address(rowPath(table, key), { at });
              return (
                <tr key={i} data-row={`${i}`} data-open={to} tabIndex={i === 0 ? 0 : -1} data-filter={`${condition("table", table)} ${rows.key.map((name) => condition("key", keyWord(row[name] ?? null), name)).join(" ")}`}>
                  {columns.map((name) => {
                    const value = row[name];
                    const isKey = rows.key.includes(name);
                    return <td key={name} tabIndex={-1} class={shownValue(value).kind === "number" ? "number" : undefined}>{isKey && to !== "" ? <a href={to} tabIndex={-1}><Value of={value} /></a> : <Value of={value} />}</td>;
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
      {columns.length < rows.columns.length && <button type="button" class="quiet" onClick={() => setAll(true)}>{rows.columns.length - columns.length} more columns</button>}
    </>
  );
}

/** A moment, in the words that the verbs take: a time, a change, a mark. */
export function AsOf({ at, to }: { at: string; to: (moment: string) => string }): ComponentChildren {
  const [text, setText] = useState(at);
  useEffect(() => setText(at), [at]);
  return (
    <form class="as-of" onSubmit={(event) => { event.preventDefault(); go(to(text.trim())); }}>
      <label for="at">As of</label>
      <input id="at" type="text" value={text} placeholder="now" autocomplete="off" spellcheck={false} aria-describedby="at-words" onInput={(event) => setText(event.currentTarget.value)} />
      <button type="submit">look</button>
      {at !== "" && <a href={to("")}>now</a>}
      <span id="at-words" class="soft">yesterday 09:30, 2026-11-01, 1207, tx:44~</span>
    </form>
  );
}
