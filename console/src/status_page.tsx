/** Whether everything is recorded as it should be: what doctor finds, and the tables. */
import type { ComponentChildren } from "preact";
import type { Finding, List, TableAnswer } from "./answers.ts";
import { isKnown, useAnswer } from "./ask.ts";
import { count } from "./json.ts";
import { Answered, Command, Empty, Heading, many, Section, Time, Wide } from "./parts.tsx";
import { policyWords } from "./policy.ts";
import { api, tablePath } from "./route.ts";
import { Name } from "./value_view.tsx";

interface Findings {
  items?: Finding[];
  findings?: Finding[];
}

export function StatusPage(): ComponentChildren {
  const status = useAnswer<Findings>(api("/status"));
  const tables = useAnswer<List<TableAnswer>>(api("/tables", { limit: "200" }));
  return (
    <>
      <Heading title="Tables and status">Status</Heading>
      <Section title="Findings">
        <Answered answer={status}>{(of) => {
          const all = of.items ?? of.findings ?? [];
          return all.length === 0 ? <p class="good">Everything is recorded as it should be.</p> : <ul class="findings">{all.map((one, i) => <FindingItem key={i} of={one} />)}</ul>;
        }}</Answered>
      </Section>
      {isKnown(status) && <Section title="Tables">
        <Answered answer={tables}>{({ items }) => (items.length === 0 ? <Empty title="No table is tracked"><p>Nothing is recorded before that.</p><Command text="vestige track TABLE" /></Empty> : <Tables items={items} />)}</Answered>
      </Section>}
    </>
  );
}

function FindingItem({ of }: { of: Finding }): ComponentChildren {
  const grave = of.severity === "error" ? "bad" : of.severity === "warning" ? "warn" : "";
  return (
    <li class={`finding ${grave}`}>
      <p><span class={`mark ${grave}`}>{of.severity}</span> <Name text={of.message} most={1000} /> <span class="soft">{of.code}</span></p>
      {of.remedy !== null && <Command text={of.remedy} />}
    </li>
  );
}

function Tables({ items }: { items: TableAnswer[] }): ComponentChildren {
  return (
    <Wide label="Tables">
      <table>
        <caption class="unheard">Tables</caption>
        <thead><tr><th scope="col">Table</th><th scope="col">Recorded</th><th scope="col" class="number">Changes</th><th scope="col">Last</th><th scope="col">Key</th><th scope="col" class="number">Columns</th><th scope="col">Policy</th></tr></thead>
        <tbody>{items.map((one, i) => (
          <tr key={one.table} data-row={one.table} data-open={tablePath(one.table)} tabIndex={i === 0 ? 0 : -1}>
            <th scope="row"><a href={tablePath(one.table)} tabIndex={-1}><Name text={one.table} /></a></th>
            <td>{one.tracked ? <span class="mark good">tracked</span> : <span class="mark">history only</span>}{one.since !== null && one.since !== undefined && <span class="soft"> since <Time at={one.since} /></span>}</td>
            <td class="number">{one.changes === null ? <span class="soft">many</span> : count(one.changes).toLocaleString("en")}</td>
            <td><Time at={one.last} /></td>
            <td>{one.key.length === 0 ? <span class="warn">none</span> : one.key.map((name, n) => <span key={name}>{n > 0 && ", "}<Name text={name} most={40} /></span>)}</td>
            <td class="number" title={many(one.columns.length, "column")}>{one.columns.length}</td>
            <td class="policy">{policyWords(one.policy).map(([name, words], n) => <span class="pair" key={name}>{n > 0 && "; "}<span class="soft">{name}</span> <Name text={words} /></span>)}</td>
          </tr>))}</tbody>
      </table>
    </Wide>
  );
}
