/** One change: what was and what became, who and why, its place in the tree, and what verify says of it. */
import type { ComponentChildren } from "preact";
import { type Change, type ChangeAnswer, type Check, said } from "./answers.ts";
import { useAnswer } from "./ask.ts";
import { Who } from "./change_cells.tsx";
import { edits } from "./edits.ts";
import { condition } from "./filter.ts";
import { isObject, type Json, members } from "./json.ts";
import { Answered, Command, Empty, Facts, factsOf, Heading, OpName, Section, Time, Wide } from "./parts.tsx";
import { policyWords } from "./policy.ts";
import { api, rowPath, tablePath, timeline } from "./route.ts";
import { keyWords, shellWord } from "./values.ts";
import { hunks } from "./difference.ts";
import { Hunk, Key, Name, WholeValue } from "./value_view.tsx";

export function ChangePage({ id }: { id: string }): ComponentChildren {
  const answer = useAnswer<ChangeAnswer>(api(`/changes/${encodeURIComponent(id)}`));
  const change = answer.data?.change ?? null;
  const words = change === null ? [] : keyWords(change.new_key ?? change.key);
  return (
    <>
      <Heading title={change === null ? `Change ${id}` : `Change ${id}: ${change.op.toLowerCase()} ${change.table} ${words.join(" ")}`}>
        {change === null ? `Change ${id}` : <><OpName op={change.op} /> <a href={words.length > 0 ? rowPath(change.table, words) : tablePath(change.table)}><Name text={change.table} /> <Key of={change.key} /></a></>}
      </Heading>
      <Answered answer={answer}>{(data) => <Whole answer={data} />}</Answered>
    </>
  );
}

function Whole({ answer }: { answer: ChangeAnswer }): ComponentChildren {
  const { change, sealed, alerts, policy } = answer;
  const id = change.id.text;
  const key = keyWords(change.new_key ?? change.key);
  const has = members(change.key).length > 0;
  const reason = said(change, "reason");
  return (
    <>
      <p class="lead">
        <Who change={change} /> · <Time at={change.at} /> · change <code>{id}</code> of <a href={`/tx/${change.tx.text}`}>transaction {change.tx.text}</a>
        {reason !== null && <> · <q><Name text={reason} most={500} /></q></>}
      </p>
      <Section title="What changed"><Sides change={change} encrypted={policy?.["encrypt"] ?? null} /></Section>
      <div class="columns">
        <Section title="Context">
          <Facts of={[...factsOf(change.context), ["db user", change.db_user === null ? <span class="soft">the database knows none</span> : <Name text={change.db_user} />]]} />
        </Section>
        <Section title="Evidence">
          <Evidence id={id} sealed={sealed} />
          {alerts.length > 0 && <p>Alerts: {alerts.map((one) => <a key={String(one)} class="mark bad" href={`/alerts/${encodeURIComponent(String(one))}`}>⚠ {String(one)}</a>)}</p>}
        </Section>
      </div>
      {policy !== null && members(policy).length > 0 && <Section title="Policy of the table"><Facts of={policyWords(policy).map(([name, words]) => [name, <Name text={words === "" ? "yes" : words} most={500} />])} /></Section>}
      <Section title="Further">
        <ul class="plain">
          {has && <li><a href={rowPath(change.table, key)}>all that happened to this row</a></li>}
          {has && <li><a href={`${rowPath(change.table, key)}?at=${id}`}>the row as it was then</a></li>}
          <li><a href={`${tablePath(change.table)}?at=${id}`}>the table as it was then</a></li>
          <li><a href={timeline(condition("table", change.table))}>every change of the table</a></li>
        </ul>
        <Command text={`vestige show ${shellWord(id)}`} />
      </Section>
    </>
  );
}

/** Side by side; of texts that are long the middle in which they differ is marked. */
function Sides({ change, encrypted }: { change: Change; encrypted: Json }): ComponentChildren {
  const all = edits(change);
  const classOf = (column: string): string => {
    const name = isObject(encrypted) ? encrypted[column] : undefined;
    return typeof name === "string" ? name : "";
  };
  if (change.erased !== undefined) return <Empty title="Its values were erased"><Facts of={isObject(change.erased) ? factsOf(change.erased) : [["erased", String(change.erased)]]} /></Empty>;
  if (all.length === 0) return <p class="soft">It has no values of its own.</p>;
  const [old, now] = [all.some((edit) => edit.old !== undefined), all.some((edit) => edit.now !== undefined)];
  return (
    <Wide label="Values">
      <table class="sides">
        <caption class="unheard">Values before and after</caption>
        <thead><tr><th scope="col">Column</th>{old && <th scope="col">Before</th>}{now && <th scope="col">After</th>}</tr></thead>
        <tbody>
          {all.map(({ column, old: before, now: after }) => (
            <tr key={column}>
              <th scope="row"><Name text={column} /></th>
              {old && <td class="old">{before === undefined ? "" : typeof before === "string" && typeof after === "string" ? <Marked one={before} other={after} side="old" /> : <WholeValue of={before} under={classOf(column)} />}</td>}
              {now && <td class="now">{after === undefined ? "" : typeof before === "string" && typeof after === "string" ? <Marked one={after} other={before} side="now" /> : <WholeValue of={after} under={classOf(column)} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

const LONG = 40;

function Marked({ one, other, side }: { one: string; other: string; side: "old" | "now" }): ComponentChildren {
  const longest = Math.max(one.length, other.length);
  if (longest < LONG || longest > 4000) return <WholeValue of={one} />;
  const all = side === "old" ? hunks(one, other) : hunks(other, one);
  const kind = side === "old" ? "removed" : "added";
  return <span class="words">{all.filter((each) => each.kind === "same" || each.kind === kind).map((each, i) => <Hunk key={i} {...each} />)}</span>;
}

function Evidence({ id, sealed }: { id: string; sealed: ChangeAnswer["sealed"] }): ComponentChildren {
  const check = useAnswer<Check>(api(`/changes/${id}/check`));
  return (
    <>
      <Facts of={[["sealed", sealed === null ? <span class="warn">not yet: nothing proves it</span> : <span>entry <code>{sealed.index.text}</code> of the tree{sealed.checkpoint === null ? <span class="warn">, under no checkpoint yet</span>
        : <>, under the checkpoint of <Name text={sealed.checkpoint.origin} />, <Time at={sealed.checkpoint.at} /></>}</span>]]} />
      <Answered answer={check}>{({ verdict, said: words }) => (
        <div class={verdict === "altered" ? "verdict bad" : verdict === "unsealed" || verdict === "unproved" ? "verdict open" : "verdict"}><p><b><Name text={verdict} most={500} /></b></p>{words.map((word, i) => <p key={i}><Name text={word} most={1000} /></p>)}</div>
      )}</Answered>
      {sealed !== null && sealed.checkpoint !== null && <p><a class="button" href={api(`/changes/${id}/receipt`)} download={`change-${id}.receipt`}>receipt</a> <span class="soft">proves it to others: <code>vestige check change-{id}.receipt</code></span></p>}
    </>
  );
}
