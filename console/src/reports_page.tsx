/** Reports: which there are, one of them run and looked at, and downloaded as it is signed. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { List } from "./answers.ts";
import { isKnown, useAnswer } from "./ask.ts";
import { go } from "./here.ts";
import { count, isObject, type Json, type Members, members } from "./json.ts";
import { Answered, Command, Empty, Facts, factsOf, Heading, many, OpName, Section, Time, Wide } from "./parts.tsx";
import { api } from "./route.ts";
import { shellWord } from "./values.ts";
import { Name, Value } from "./value_view.tsx";

interface Report {
  name: string;
  title: string;
  summary: string;
  options?: Json[];
  words?: Json;
}

const SINCE = ["24h", "7d", "30d", "365d", ""];
const LABELS: { readonly [option: string]: string } = { q: "filter" };

export function ReportsPage({ report, asked }: { report: string; asked: URLSearchParams }): ComponentChildren {
  const all = useAnswer<List<Report>>(api("/reports"));
  const reviews = useAnswer<List<Members>>(report === "" ? api("/reviews") : null);
  return (
    <>
      <Heading title={report === "" ? "Reports" : `Report ${report}`}>{report === "" ? "Reports" : <><a href="/reports">Reports</a> <Name text={report} /></>}</Heading>
      <Answered answer={all}>{({ items }) => (report === "" ? <ListOf items={items} /> : <One name={report} asked={asked} of={items.find((one) => one.name === report) ?? null} />)}</Answered>
      {report === "" && isKnown(all) && <Section title="Sign-offs"><Answered answer={reviews}>{({ items }) => (items.length === 0 ? <Empty title="No report was signed off"><Command text="vestige review sign daily.html --verdict 'in order'" /></Empty> : <Rows rows={items} label="Sign-offs" />)}</Answered></Section>}
    </>
  );
}

/** Whether it takes words behind its name that nothing here can say: of which row. */
function isTerminals(one: Report): boolean {
  return one.words === true && !optionNames(one).includes("subject");
}

/** Run at once over the last 30 days; but for those that have to be told what they are about. */
function addressOf(one: Report): string {
  const options = optionNames(one);
  return `/reports/${encodeURIComponent(one.name)}${options.includes("field") || one.words === true ? "" : "?since=30d"}`;
}

function ListOf({ items }: { items: Report[] }): ComponentChildren {
  return (
    <ul class="cards">
      {items.filter((one) => !isTerminals(one)).map((one) => <li key={one.name}><a href={addressOf(one)}><b><Name text={one.title} /></b></a><p class="soft"><Summary of={one} /></p></li>)}
      {items.filter(isTerminals).map((one) => <li key={one.name}><b><Name text={one.title} /></b><Elsewhere of={one} /></li>)}
    </ul>
  );
}

/** Without what it is told in the terminal. */
function Summary({ of }: { of: Report }): ComponentChildren {
  return <Name text={of.summary.replace(/ \((?:TABLE|--)[^)]*\)/g, "")} most={400} />;
}

function Elsewhere({ of }: { of: Report }): ComponentChildren {
  return <p class="soft"><Summary of={of} />: it stands on each row's page. Choose a <a href="/status">table</a>, and a row of it.</p>;
}

const PLACEHOLDERS: { readonly [option: string]: string } = {
  period: "2026Q3, 2026-11", q: "table:products who:ann", since: "7d, 2026-11-01", until: "today", timezone: "Europe/Berlin", subject: "TABLE/KEY", field: "TABLE.COLUMN",
};

/** The options of a report as the server names them: texts, or objects with a name. */
function optionNames(of: Report | null): string[] {
  const all = (of?.options ?? []).map((one) => (isObject(one) ? String(one["name"] ?? "") : String(one)));
  return all.map((name) => name.replace(/^-+/, "")).filter((name) => name !== "" && name !== "period");
}

function One({ name, asked, of }: { name: string; asked: URLSearchParams; of: Report | null }): ComponentChildren {
  const path = `/reports/${encodeURIComponent(name)}`;
  const options = optionNames(of);
  const [words, setWords] = useState<{ readonly [name: string]: string }>(() => Object.fromEntries(asked));
  const query = asked.toString();
  const ending = query === "" ? "" : `?${query}`;
  const answer = useAnswer<Made>(query === "" || (of !== null && isTerminals(of)) ? null : `${api(path)}${ending}`);
  const set = (option: string, value: string): void => setWords({ ...words, [option]: value });
  // Where nothing is said it is about all that is recorded, which its address says, too.
  const run = (more: { readonly [name: string]: string }): void => {
    const next = new URLSearchParams();
    for (const [option, value] of Object.entries({ ...words, ...more })) if (value.trim() !== "") next.set(option, value.trim());
    go(`${path}?${next.size === 0 ? "since=" : next.toString()}`);
  };
  const choose = (since: string): void => {
    setWords({ ...words, since, until: "", period: "" });
    run({ since, until: "", period: "" });
  };
  if (of !== null && isTerminals(of)) return <><Elsewhere of={of} /><Command text={`vestige report ${shellWord(name)} TABLE KEY… COLUMN`} /></>;
  const command = ["vestige", "report", name, ...[...asked].filter(([, value]) => value !== "").flatMap(([option, value]) => (option === "q" ? ["-q", value] : [`--${option}`, value]))].map(shellWord).join(" ");
  return (
    <>
      {of !== null && <p class="lead"><Summary of={of} /></p>}
      <form class="acts" onSubmit={(event) => { event.preventDefault(); run({}); }}>
        {["period", ...options].map((option) => (
          <span key={option}><label for={`option-${option}`}>{LABELS[option] ?? option}</label>
            <input id={`option-${option}`} type="text" value={words[option] ?? ""} placeholder={PLACEHOLDERS[option] ?? ""} required={option === "subject" && of?.words === true}
              autocomplete="off" spellcheck={false} onInput={(event) => set(option, event.currentTarget.value)} /></span>
        ))}
        <button type="submit">run</button>
        <span class="soft">{SINCE.map((since) => <button type="button" class="link" key={since} onClick={(event) => { if (event.currentTarget.form?.reportValidity() !== false) choose(since); }}>{since === "" ? "all" : since}</button>)}</span>
      </form>
      {query !== "" && <p class="tools"><a class="button" href={`${api(path)}.html${ending}`} download>HTML</a> <a class="button" href={`${api(path)}.csv${ending}`} download>CSV</a>
        <span class="soft">A signed one is the terminal's:</span></p>}
      <Command text={`${command} --format html --key seal.key --out ${name.replace(/[^\w-]/g, "_")}.html`} />
      {query === "" ? <Empty title="Choose a period, and run it"><p>Without one it is about all that is recorded.</p></Empty> : <Answered answer={answer}>{(data) => <Shown of={data} />}</Answered>}
    </>
  );
}

interface Made {
  report: Members;
  sections: { name: string; title: string; text: string; bad: boolean; columns: { name: string; title: string }[]; rows: Members[]; count: Json }[];
}

/** What a report says: its verdict, its sections as tables, its head as facts. */
function Shown({ of: { report: head, sections } }: { of: Made }): ComponentChildren {
  const told = members(head).filter(([name, value]) => value !== null && name !== "checkpoint" && name !== "rows_sha256");
  return (
    <>
      {typeof head["complete"] === "string" && <div class={head["sound"] === false ? "verdict bad" : "verdict"}><p><b><Name text={head["complete"]} most={1000} /></b></p>{typeof head["verified"] === "string" && <p><Name text={head["verified"]} most={1000} /></p>}</div>}
      {sections.map((one) => (
        <Section key={one.name} title={one.title}>
          {one.text !== "" && <p class={one.bad ? "warn" : "soft"}><Name text={one.text} most={2000} /></p>}
          {one.rows.length === 0 ? <p class="soft">Nothing in this period.</p> : <Rows rows={one.rows} label={one.title} columns={one.columns} />}
          {count(one.count) > one.rows.length && <p class="soft">The first {one.rows.length.toLocaleString("en")} of {many(one.count, "row")}; the downloads have all.</p>}
        </Section>
      ))}
      <details><summary>about this report</summary><Facts of={factsOf(Object.fromEntries(told))} /></details>
    </>
  );
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** What the trail knows of itself is shown as everywhere: ids lead to what they name. Recorded values are what they are. */
function Cell({ name, of }: { name: string; of: Json | undefined }): ComponentChildren {
  if (of === undefined || (of === null && name !== "old" && name !== "new")) return null;
  if (/^(old|new)\b/.test(name)) return <Value of={of} />;
  if (name === "change" || name === "tx") return <a href={`/${name === "tx" ? "tx" : "c"}/${String(of)}`}>{String(of)}</a>;
  if (typeof of === "string" && TIME.test(of)) return <Time at={of} />;
  if (typeof of === "string" && name === "op") return <OpName op={of} />;
  return typeof of === "string" || typeof of === "boolean" ? <Name text={String(of)} most={300} /> : <Value of={of} />;
}

/** Rows of any names, as a table. */
export function Rows({ rows, label, columns }: { rows: Members[]; label: string; columns?: { name: string; title: string }[] }): ComponentChildren {
  const titles = new Map(columns?.map((one) => [one.name, one.title]));
  const names = columns?.map((one) => one.name) ?? [...new Set(rows.flatMap((row) => members(row).map(([name]) => name)))];
  return (
    <Wide label={label}>
      <table>
        <caption class="unheard">{label}</caption>
        <thead><tr>{names.map((name) => <th scope="col" key={name}><Name text={titles.get(name) ?? name.replaceAll("_", " ")} /></th>)}</tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{names.map((name) => <td key={name}><Cell name={name} of={row[name]} /></td>)}</tr>)}</tbody>
      </table>
    </Wide>
  );
}
