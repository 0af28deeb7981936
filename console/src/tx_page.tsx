/** A transaction: who and why, what it did to which tables, every change of it, and what its revert would do. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Change, List, Revert, RevertRow, Transaction } from "./answers.ts";
import { isKnown, useAnswer } from "./ask.ts";
import { ChangeTable } from "./change_table.tsx";
import { Signed } from "./change_cells.tsx";
import { mark, met } from "./conflicts.ts";
import { count, members } from "./json.ts";
import { Answered, Command, Empty, Facts, factsOf, Heading, many, OpName, Pages, Section, Time, Wide } from "./parts.tsx";
import { address, api, rowPath, tablePath } from "./route.ts";
import { short } from "./time.ts";
import { keyWords, shownValue } from "./values.ts";
import { Key, Name, Value } from "./value_view.tsx";

function list(words: (string | null)[]): ComponentChildren {
  const known = words.filter((word) => word !== null);
  if (known.length === 0) return <span class="soft">nobody said</span>;
  return known.map((word, i) => <span key={i}>{i > 0 && ", "}<Name text={word} /></span>);
}

export function TransactionPage({ id, after }: { id: string; after: string }): ComponentChildren {
  const path = `/tx/${encodeURIComponent(id)}`;
  const answer = useAnswer<Transaction>(api(path));
  const changes = useAnswer<List<Change>>(api("/changes", { q: `tx:${id}`, limit: "200", after }));
  return (
    <>
      <Heading title={`Transaction ${id}`} />
      <Answered answer={answer}>{(tx) => (
        <>
          <p class="lead">
            <b>{list(tx.who)}</b> · <Time at={tx.from} />{short(tx.from) !== short(tx.upto) && <> to <Time at={tx.upto} /></>} · {many(tx.changes, "change")}
            {tx.reason.length > 0 && tx.reason[0] !== null && <> · <q>{list(tx.reason)}</q></>} <Signed word={tx.signed ?? undefined} />
          </p>
          <div class="columns">
            <Section title="Tables">
              <ul class="plain">
                {tx.tables.map((one) => (
                  <li key={one.table}><a href={tablePath(one.table)}><Name text={one.table} /></a>{" "}
                    {members(one.changes).map(([op, number]) => <span key={op} class="many">{count(number).toLocaleString("en")} <OpName op={op} /> </span>)}
                    {one.columns.length > 0 && <span class="soft">{one.columns.slice(0, 12).map((column, i) => <span key={column}>{i > 0 && ", "}<Name text={column} most={40} /></span>)}{one.columns.length > 12 && ` and ${one.columns.length - 12} more`}</span>}
                  </li>
                ))}
              </ul>
            </Section>
            <Section title="Context"><Facts of={factsOf(tx.context)} />{members(tx.context).length === 0 && <p class="soft">None was given: the application says who and why with a context.</p>}</Section>
          </div>
          {(tx.neighbours ?? []).length > 0 && <nav class="pages" aria-label="Transactions beside it">{(tx.neighbours ?? []).map((one) => <a key={one.text} href={`/tx/${one.text}`}>transaction {one.text}</a>)}</nav>}
        </>
      )}</Answered>
      {isKnown(answer) && <Section title="Changes">
        <Answered answer={changes}>{({ items, next }) => (
          <>
            {items.length === 0 ? <Empty title="None of its changes is left to see"><p>They may have <a href="/retention">expired</a>, or your role may not read their tables.</p></Empty>
              : <ChangeTable changes={items} label={`Changes of transaction ${id}`} />}
            <Pages first={after === "" ? null : path} older={next === null ? null : address(path, { after: next })} />
          </>
        )}</Answered>
      </Section>}
      {isKnown(answer) && isKnown(changes) && <Section title="Revert"><Preview id={id} /></Section>}
    </>
  );
}

/** What a revert would do; nothing is done from here. */
function Preview({ id }: { id: string }): ComponentChildren {
  const [wanted, setWanted] = useState(false);
  const answer = useAnswer<Revert>(wanted ? api(`/tx/${encodeURIComponent(id)}/revert`) : null);
  if (!wanted) return <p><button type="button" onClick={() => setWanted(true)}>Preview the revert</button> <span class="soft">Nothing is changed: the terminal does that.</span></p>;
  return (
    <Answered answer={answer}>{(revert) => (
      <>
        <Meets revert={revert} />
        {revert.said.map((word, i) => <p key={i} class="soft"><Name text={word} most={1000} /></p>)}
        <RevertRows revert={revert} />
        {revert.truncated && <p class="soft">Not all rows are shown.</p>}
        <Command text={revert.command} />
        {revert.sql !== null && revert.sql.length > 0 && <details><summary>SQL</summary><pre tabIndex={0}>{revert.sql.map((one, i) => <code key={i}><Name text={one} most={4000} />{"\n"}</code>)}</pre></details>}
      </>
    )}</Answered>
  );
}

function Meets({ revert }: { revert: Revert }): ComponentChildren {
  const { tried, conflicts, left } = met(revert);
  if (!tried) return <p class="warn">It could not be tried: what is marked below is what the rows tell.</p>;
  if (conflicts === 0 && left === 0)
    return <p class="good">{many(revert.rows.length, "row")} would be what {revert.rows.length === 1 ? "it was" : "they were"}; no conflicts.</p>;
  return (
    <>
      <p class={conflicts === 0 ? "soft" : "warn"}>{conflicts === 0 ? "No conflicts." : `${many(conflicts, "conflict")}: rows were changed since.`}</p>
      {left > 0 && <p>Of {many(left, "change")} something cannot be put back: the trail has no value that could be read of what is redacted or encrypted.</p>}
      <p class="soft"><code>revert</code> refuses {left > 0 && conflicts === 0 ? "that" : "them"} unless it is told otherwise.</p>
    </>
  );
}

function RevertRows({ revert }: { revert: Revert }): ComponentChildren {
  if (revert.rows.length === 0) return null;
  const all = met(revert);
  const marked = (row: RevertRow, one: RevertRow["columns"][number]): ComponentChildren => {
    const what = mark(row, one, all);
    return what === "changed" ? <span class="mark bad">changed since</span> : what === "left" ? <span class="mark">left as it is</span> : null;
  };
  return (
    <Wide label="What the revert would do">
      <table>
        <caption class="unheard">What the revert would do</caption>
        <thead><tr><th scope="col">Row</th><th scope="col">What</th><th scope="col">Column</th><th scope="col">Now</th><th scope="col">Then</th><th scope="col">Conflict</th></tr></thead>
        <tbody>
          {revert.rows.flatMap((row, r) => (row.columns.length === 0 ? [null] : row.columns).map((one, i) => (
            <tr key={`${r} ${one?.column ?? ""}`}>
              <td>{i === 0 && <a href={rowPath(row.table, keyWords(row.key))}><Name text={row.table} /> <Key of={row.key} /></a>}</td>
              <td>{i === 0 && <OpName op={row.op} />}</td>
              <td class="field">{one !== null && <Name text={one.column} />}</td>
              <td>{one !== null && (row.op === "INSERT" ? <span class="soft">not there</span> : shownValue(one.then).kind === "withheld" ? <Value of={one.now} /> : <del><Value of={one.now} /></del>)}</td>
              <td>{one !== null && (row.op === "DELETE" ? <span class="soft">not there</span> : shownValue(one.then).kind === "withheld" ? <Value of={one.then} /> : <ins><Value of={one.then} /></ins>)}</td>
              <td>{one !== null && marked(row, one)}</td>
            </tr>
          )))}
        </tbody>
      </table>
    </Wide>
  );
}
