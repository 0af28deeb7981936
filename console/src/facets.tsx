/** What is among the changes of a filter, counted: a value is a click away from being the filter's. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Facets, FacetValue } from "./answers.ts";
import { asksFor, toggled } from "./filter.ts";
import { count } from "./json.ts";
import { many } from "./parts.tsx";
import { timeline } from "./route.ts";
import { Name } from "./value_view.tsx";

const SHOWN: readonly (readonly [string, string, string])[] = [
  ["table", "Table", "table"], ["actor", "Who", "who"], ["op", "What", "op"], ["tag", "Tag", "tag"], ["signed", "Signature", "signed"],
];
const MOST = 8;

export function FacetLists({ of, filter }: { of: Facets; filter: string }): ComponentChildren {
  return (
    <div class="facets">
      {SHOWN.map(([name, title, field]) => {
        const values = (of.facets[name] ?? []) as FacetValue[];
        return values.length === 0 ? null : <Facet key={name} title={title} field={field} values={values} filter={filter} />;
      })}
      {of.truncated && <p class="soft">counted over the newest {many(of.changes, "change")} of the filter</p>}
    </div>
  );
}

function Facet({ title, field, values, filter }: { title: string; field: string; values: FacetValue[]; filter: string }): ComponentChildren {
  const [all, setAll] = useState(false);
  const most = Math.max(1, ...values.map((one) => count(one.count)));
  const shown = all ? values : values.slice(0, MOST);
  return (
    <section aria-label={title} class="facet">
      <h2>{title}</h2>
      <ul>
        {shown.map(({ value, count: number }) => {
          const text = field === "op" ? (value ?? "").toLowerCase() : value ?? "";
          const chosen = value !== null && asksFor(filter, field, text);
          return (
            <li key={value ?? ""}>
              {value === null ? <span class="soft">nobody said</span>
                : <a href={timeline(toggled(filter, field, text))} {...(chosen ? { "aria-current": "true" as const } : {})}><Name text={text} most={40} />{chosen && <span class="unheard">, chosen</span>}</a>}
              <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width={Math.max(1, (count(number) / most) * 100)} height="4" /></svg>
              <span class="number">{count(number).toLocaleString("en")}</span>
            </li>
          );
        })}
      </ul>
      {values.length > MOST && !all && <button type="button" class="quiet" onClick={() => setAll(true)}>{values.length - MOST} more</button>}
    </section>
  );
}
