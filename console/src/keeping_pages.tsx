/** What is kept for a matter, and what goes when its time is over. */
import type { ComponentChildren } from "preact";
import type { List } from "./answers.ts";
import { useAnswer } from "./ask.ts";
import { count, type Json, type Members } from "./json.ts";
import { Answered, Command, Empty, Heading, many, Section, Time, Wide } from "./parts.tsx";
import { api, timeline } from "./route.ts";
import { Rows } from "./reports_page.tsx";
import { Name, Value } from "./value_view.tsx";

interface Hold {
  hold: Json;
  at: string;
  who: string | null;
  matter: string;
  filter: string;
  reason: string | null;
  two_persons: boolean;
  in_force: boolean;
  released: Members | null;
  refused?: Json;
}

export function HoldsPage(): ComponentChildren {
  const answer = useAnswer<List<Hold>>(api("/holds", { limit: "200" }));
  return (
    <>
      <Heading title="Holds" />
      <p class="lead">What a hold matches is neither erased nor expired, and nothing overrides that.</p>
      <Answered answer={answer}>{({ items }) => (items.length === 0 ? <Empty title="Nothing is held"><Command text={"vestige hold place --matter 'Doe v. Shop' -q 'table:orders who:ann' --by counsel --reason '…'"} /></Empty> : (
        <Wide label="Holds">
          <table>
            <caption class="unheard">Holds</caption>
            <thead><tr><th scope="col">Matter</th><th scope="col">State</th><th scope="col">What is held</th><th scope="col">Placed</th><th scope="col">By</th><th scope="col">Why</th><th scope="col">Refused</th></tr></thead>
            <tbody>{items.map((one) => (
              <tr key={String(one.hold)}>
                <th scope="row"><Name text={one.matter} /></th>
                <td>{one.in_force ? <span class="mark warn">in force</span> : <span class="mark">released</span>}{one.two_persons && <span class="soft"> two persons</span>}
                  {one.released !== null && <span class="soft"> <Time at={String(one.released["at"] ?? "")} /> <Value of={one.released["who"] ?? ""} /></span>}</td>
                <td>{one.filter === "" ? "everything" : <a href={timeline(one.filter)}><code><Name text={one.filter} /></code></a>}</td>
                <td><Time at={one.at} /></td><td>{one.who !== null && <Name text={one.who} />}</td><td>{one.reason !== null && <Name text={one.reason} most={300} />}</td>
                <td>{count(one.refused) > 0 && many(one.refused, "removal")}</td>
              </tr>))}</tbody>
          </table>
        </Wide>
      ))}</Answered>
    </>
  );
}

export function RetentionPage(): ComponentChildren {
  const answer = useAnswer<List<Members> & { due: boolean }>(api("/retention"));
  return (
    <>
      <Heading title="Retention" />
      <p class="lead">How long each class of tables is kept. What would go, and what keeps it, the terminal counts.</p>
      <Answered answer={answer}>{({ items, due }) => (items.length === 0 ? <Empty title="No class of retention has an end"><p>Everything is kept. <code>[retention]</code> of vestige.toml says otherwise, and <code>vestige expire</code> does it.</p></Empty>
        : <><p class={due ? "warn" : "good"}>{due ? "Something is older than it is kept." : "Nothing is older than it is kept."}</p><Rows rows={items} label="Classes of retention" columns={[{ name: "class", title: "Class" }, { name: "described", title: "Kept for" }]} /></>)}</Answered>
      <Section title="In the terminal"><Command text="vestige expire --dry-run" /></Section>
    </>
  );
}
