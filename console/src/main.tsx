/** The page of `vestige serve`: which page an address is, and that nothing of one stays on the next. */
import { Component, type ComponentChildren, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { About } from "./answers.ts";
import { Problem, useAnswer } from "./ask.ts";
import { address, database, here, listen, remembered } from "./here.ts";
import { listenToKeys } from "./keys.ts";
import { Empty, Heading, ProblemBox } from "./parts.tsx";
import { api, type Route, turned } from "./route.ts";
import { Shell } from "./shell.tsx";
import { setZone } from "./time.ts";
import { Timeline } from "./timeline.tsx";
import { ChangePage } from "./change_page.tsx";
import { TransactionPage } from "./tx_page.tsx";
import { TablePage } from "./table_page.tsx";
import { RowPage } from "./row_page.tsx";
import { VerifyPage } from "./verify_page.tsx";
import { AlertPage, AlertsPage } from "./alerts_page.tsx";
import { ReportsPage } from "./reports_page.tsx";
import { HoldsPage, RetentionPage } from "./keeping_pages.tsx";
import { StatusPage } from "./status_page.tsx";

/** Another page, and not the same one with other words in its address. */
function identity(at: Route): string {
  switch (at.page) {
    case "change":
    case "tx":
    case "alert": return `${at.page} ${at.id}`;
    case "table": return `table ${at.table}`;
    case "row": return JSON.stringify(["row", at.table, at.key]);
    case "reports": return `reports ${at.report}`;
    default: return at.page;
  }
}

function Page({ at, about }: { at: Route; about: About | null }): ComponentChildren {
  switch (at.page) {
    case "timeline": return <Timeline filter={at.filter} after={at.after} />;
    case "change": return <ChangePage id={at.id} />;
    case "tx": return <TransactionPage id={at.id} after={at.after} />;
    case "table": return <TablePage table={at.table} at={at.at} after={at.after} />;
    case "row": return <RowPage table={at.table} keyWords={at.key} at={at.at} after={at.after} />;
    case "verify": return <VerifyPage />;
    case "alerts": return <AlertsPage state={at.state} after={at.after} />;
    case "alert": return <AlertPage id={at.id} about={about} />;
    case "reports": return <ReportsPage report={at.report} asked={at.asked} />;
    case "holds": return <HoldsPage />;
    case "retention": return <RetentionPage />;
    case "status": return <StatusPage />;
    case "unknown": return <><Heading title="No such page" /><Empty title="Nothing stands at this address"><p><a href="/">The timeline</a> has everything that was changed.</p></Empty></>;
  }
}

/** A page that breaks says so, and the ways to others stay. */
class Unbroken extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: null as unknown };

  static override getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ComponentChildren {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <><Heading title="Vestige" /><ProblemBox of={new Problem(0, "the page broke", String(error), "load it again; if it breaks again, that is a bug of the console")} /></>;
  }
}

function Console(): ComponentChildren {
  const about = useAnswer<About>(api("/about"));
  const at = here.value;
  const page = identity(at);
  const shown = `${page} ${turned(at)}`;
  const before = useRef({ shown, address: address.value });
  if (about.data !== null) setZone(about.data.time_zone);
  useEffect(() => { database.value = about.data?.database ?? ""; }, [about.data]);
  // Who hears the page is told that it is another, or where they are when the link is gone that they took; who came Back is where they were.
  useEffect(() => {
    const isAnother = before.current.shown !== shown || (before.current.address !== address.value && document.activeElement === document.body);
    before.current = { shown, address: address.value };
    if (isAnother && remembered() === "") document.getElementById("heading")?.focus({ preventScroll: true });
  }, [shown, address.value]);
  return (
    <Shell about={about.data}>
      {about.problem !== null ? <><Heading title="Vestige" /><ProblemBox of={about.problem} /></> : <Unbroken key={page}><Page at={at} about={about.data} /></Unbroken>}
    </Shell>
  );
}

const root = document.getElementById("console");
if (root !== null) {
  listen();
  listenToKeys();
  render(<Console />, root);
}
