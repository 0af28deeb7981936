/** Changes as a table: newest first, each with what it changed, who did it and why. Rows are walked by j and k, cells by ← and →. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Change, said, who } from "./answers.ts";
import { condition } from "./filter.ts";
import { members } from "./json.ts";
import { printable } from "./letters.ts";
import { isOwn } from "./own.ts";
import { OpName, Time } from "./parts.tsx";
import { rowPath, tablePath } from "./route.ts";
import { keyWord, keyWords } from "./values.ts";
import { WhatChanged, Who } from "./change_cells.tsx";
import { Key, Name } from "./value_view.tsx";
import { remembered } from "./here.ts";

export interface Marks {
  /** Whether a change is known to be under a checkpoint. */
  sealed?: (change: Change) => boolean;
  alerts?: (change: Change) => string | null;
}

interface Asked {
  changes: Change[];
  label: string;
  marks?: Marks;
  inRow?: boolean;  // all of one row: its table and key are not said again
  fresh?: ReadonlySet<string>;
}

function filterOfRow(change: Change): string {
  const keys = members(change.key).map(([name, value]) => condition("key", keyWord(value), name));
  return [condition("table", change.table), ...keys].join(" ");
}

export function ChangeTable({ changes, label, marks = {}, inRow = false, fresh }: Asked): ComponentChildren {
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState("");
  const first = changes.some((change) => change.id.text === current) ? current : changes[0]?.id.text ?? "";

  // Back from what was opened: to the row that it was opened from.
  useLayoutEffect(() => {
    const id = remembered();
    if (id !== "" && document.activeElement === document.body) body.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`)?.focus();
  }, []);

  return (
    <table class={inRow ? "changes in-row" : "changes"} role="table">
      <caption class="unheard">{printable(label)}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">When</th>
          <th role="columnheader" scope="col">What</th>
          {!inRow && <th role="columnheader" scope="col">Row</th>}
          <th role="columnheader" scope="col">Changed</th>
          <th role="columnheader" scope="col">Who</th>
          <th role="columnheader" scope="col">Why</th>
          <th role="columnheader" scope="col">Transaction</th>
        </tr>
      </thead>
      <tbody role="rowgroup" ref={body}>
        {changes.map((change) => (
          <tr role="row" key={change.id.text} data-row={change.id.text} data-open={`/c/${change.id.text}`} tabIndex={change.id.text === first ? 0 : -1}
            data-filter={filterOfRow(change)} class={[fresh?.has(change.id.text) === true ? "fresh" : "", isOwn(change.table) ? "own" : ""].join(" ").trim() || undefined}
            aria-label={printable(`${change.op.toLowerCase()} ${change.table} ${keyWords(change.key).join(" ").slice(0, 80)}`)}
            onFocusIn={() => setCurrent(change.id.text)}>
            <Cells change={change} inRow={inRow} marks={marks} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cells({ change, inRow, marks }: { change: Change; inRow: boolean; marks: Marks }): ComponentChildren {
  const name = who(change);
  const reason = said(change, "reason");
  const column = change.op === "UPDATE" ? change.changed_fields?.[0] : undefined;
  const tracked = members(change.key).length > 0;
  return (
    <>
      <td role="cell" tabIndex={-1} class="when"><a href={`/c/${change.id.text}`} tabIndex={-1} aria-label={`change ${change.id.text}, ${change.at}`}><Time at={change.at} /></a></td>
      <td role="cell" tabIndex={-1} class="what" data-filter={condition("op", change.op.toLowerCase())}><OpName op={change.op} /></td>
      {!inRow && (
        <td role="cell" tabIndex={-1} class="row" data-filter={filterOfRow(change)}>
          {tracked ? <a href={rowPath(change.table, keyWords(change.new_key ?? change.key))} tabIndex={-1}><Name text={change.table} most={64} /> <Key of={change.key} /></a>
            : <a href={tablePath(change.table)} tabIndex={-1}><Name text={change.table} most={64} /></a>}
        </td>
      )}
      <td role="cell" tabIndex={-1} class="changed" {...(column === undefined ? {} : { "data-filter": condition("column", column) })}><WhatChanged change={change} /></td>
      <td role="cell" tabIndex={-1} class="by" {...(name === null ? {} : { "data-filter": condition("who", name) })}><Who change={change} /></td>
      <td role="cell" tabIndex={-1} class="why" {...(reason === null ? {} : { "data-filter": condition("reason", reason) })}>{reason !== null && <Name text={reason} most={120} />}</td>
      <td role="cell" tabIndex={-1} class="tx" data-filter={`tx:${change.tx.text}`}>
        <a href={`/tx/${change.tx.text}`} tabIndex={-1} aria-label={`transaction ${change.tx.text}`}>{change.tx.text}</a> <Seals change={change} marks={marks} />
      </td>
    </>
  );
}

function Seals({ change, marks }: { change: Change; marks: Marks }): ComponentChildren {
  const sealed = marks.sealed?.(change) === true;
  const alert = marks.alerts?.(change) ?? null;
  return (
    <>
      {sealed && <span class="sealed" title="sealed: a checkpoint covers it"><span aria-hidden="true">✓</span><span class="unheard">sealed</span></span>}
      {alert !== null && <a class="mark bad" href={`/alerts/${encodeURIComponent(alert)}`} tabIndex={-1}>⚠ alert</a>}
    </>
  );
}
