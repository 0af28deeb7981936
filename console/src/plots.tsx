/** The numbers of a row over time, beside each other. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Change, FieldPoint, List } from "./answers.ts";
import { useAnswer } from "./ask.ts";
import { Digits, type Members, members } from "./json.ts";
import { printable } from "./letters.ts";
import { Answered, many, Section, Time } from "./parts.tsx";
import { api } from "./route.ts";
import { steps } from "./steps.ts";
import { short } from "./time.ts";
import { Name, Value } from "./value_view.tsx";

const MOST = 6;
const POINTS = "1000";
const WIDTH = 1000;
const HEIGHT = 100;

/** Of the numbers that have changed, the most often changed first. */
export function Plots({ of, row, history }: { of: string; row: Members | null; history: Change[] }): ComponentChildren {
  const names = useMemo(() => {
    const often = new Map<string, number>();
    for (const change of history)
      for (const [name, value] of members(change.op === "UPDATE" ? change.new_values ?? {} : {}))
        if (value instanceof Digits) often.set(name, (often.get(name) ?? 0) + 1);
    return [...often].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  }, [history]);
  if (names.length === 0 || (row === null && history.length === 0)) return null;
  return (
    <Section title="Over time">
      <div class="plots">{names.slice(0, MOST).map((name) => <Plot key={name} name={name} path={api(`${of}/field/${encodeURIComponent(name)}`)} row={row} />)}</div>
    </Section>
  );
}

function Plot({ name, path, row }: { name: string; path: string; row: Members | null }): ComponentChildren {
  const answer = useAnswer<List<FieldPoint>>(`${path}?limit=${POINTS}`);
  return (
    <figure>
      <figcaption class="field"><Name text={name} most={64} /> {row !== null && <Value of={row[name]} most={32} />}
        <a href={`${path}.svg`} download={`${name.replace(/[^\w-]/g, "_").slice(0, 60)}.svg`} aria-label={printable(`${name.slice(0, 80)} as SVG`)}>SVG</a></figcaption>
      {answer.data === null && answer.problem === null ? <div class="plot" aria-busy="true" /> : (
        <Answered answer={answer}>{({ items, next }) => (next === null ? <Drawn name={name} points={items} />
          : <p class="soft">More than {many(items.length, "change")}: the SVG has all of them, and the history below the newest.</p>)}</Answered>
      )}
    </figure>
  );
}

function Drawn({ name, points }: { name: string; points: FieldPoint[] }): ComponentChildren {
  const drawn = useMemo(() => steps(points), [points]);
  if (drawn === null) return <p class="soft">No number of it is known any more.</p>;
  const told = `${name.slice(0, 80)}: ${many(drawn.dots.length, "change")} from ${short(drawn.from)} to ${short(drawn.upto)}, between ${drawn.least} and ${drawn.most}; the history below has each`;
  return (
    <div class="plot">
      <div class="ends" aria-hidden="true"><span>{drawn.most}</span>{drawn.least !== drawn.most && <span>{drawn.least}</span>}</div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={printable(told)}>
        <path class="edge" d={`M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        <path class="line" d={drawn.line(WIDTH, HEIGHT)} />
        {drawn.dots.map(({ x, y, point }) => (
          <path key={point.change?.text ?? ""} class="dot" d={`M${(x * WIDTH).toFixed(1)} ${(y * HEIGHT).toFixed(1)}h0`}>
            <title>{printable(`${String(point.value)}, ${short(point.at)}${point.who === null ? "" : `, ${point.who}`}${point.reason === null ? "" : `: ${point.reason}`}`)}</title>
          </path>
        ))}
      </svg>
      <div class="days"><Time at={drawn.from} />{short(drawn.from) !== short(drawn.upto) && <Time at={drawn.upto} />}</div>
    </div>
  );
}
