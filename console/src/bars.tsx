/** Changes a day, stacked by operation: a bar is a link to its day, and a stretch of them is chosen by drawing across. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Day } from "./answers.ts";
import { total } from "./change_cells.tsx";
import { within } from "./filter.ts";
import { go } from "./here.ts";
import { count, members } from "./json.ts";
import { opClass } from "./parts.tsx";
import { timeline } from "./route.ts";
import { dayName, nextDay } from "./time.ts";

const WIDTH = 1000;
const HEIGHT = 66;
const BASE = 64;
const MOST_DAYS = 92;
const FEWEST_DAYS = 14;  // one bar is no picture
const STACK = ["insert", "update", "delete", "erase"];

/** Each day from the first that has changes to the last, none left out, and of few some before them; of many the newest. */
export function everyDay(days: Day[]): Day[] {
  const sorted = [...days].sort((a, b) => (a.day < b.day ? -1 : 1));
  const last = sorted.at(-1)?.day;
  if (last === undefined) return [];
  const known = new Map(sorted.map((one) => [one.day, one]));
  const all: Day[] = [];
  for (let at = sorted[0]?.day ?? last; at <= last && all.length < 4000;) {
    all.push(known.get(at) ?? { day: at, counts: {} });
    const next = nextDay(at);
    if (next <= at) break;
    at = next;
  }
  const first = all[0]?.day ?? last;
  const few = Math.max(0, FEWEST_DAYS - all.length);
  const before = Array.from({ length: few }, (_, i): Day => ({ day: nextDay(first, i - few), counts: {} }));
  return [...before, ...all].slice(-MOST_DAYS);
}

function heights(day: Day, most: number): [string, number][] {
  const sums = new Map<string, number>();
  for (const [op, number] of members(day.counts)) sums.set(opClass(op), (sums.get(opClass(op)) ?? 0) + count(number));
  return STACK.filter((name) => sums.has(name)).map((name) => [name, Math.max(1.5, ((sums.get(name) ?? 0) / most) * (BASE - 8))]);
}

function told(day: Day): string {
  const parts = members(day.counts).map(([op, number]) => `${count(number)} ${op.toLowerCase()}`);
  return `${dayName(day.day)}: ${parts.length === 0 ? "no changes" : parts.join(", ")}`;
}

export function Bars({ days, filter }: { days: Day[]; filter: string }): ComponentChildren {
  const picture = useRef<SVGSVGElement>(null);
  const [brush, setBrush] = useState<[number, number] | null>(null);
  const [current, setCurrent] = useState(-1);
  const all = everyDay(days);
  if (all.length === 0) return null;
  const step = WIDTH / all.length;
  const most = Math.max(1, ...all.map((day) => total(day.counts)));
  const dayAt = (event: PointerEvent): number => {
    const box = picture.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return Math.max(0, Math.min(all.length - 1, Math.floor(((event.clientX - box.left) / box.width) * all.length)));
  };
  const to = (from: number, until: number): string => {
    const [first, last] = [all[Math.min(from, until)], all[Math.max(from, until)]];
    return timeline(within(filter, first?.day ?? "", nextDay(last?.day ?? "")));
  };
  const onUp = (event: PointerEvent): void => {
    if (brush !== null && brush[0] !== brush[1]) {
      event.preventDefault();
      go(to(...brush));
    }
    setBrush(null);
  };
  const onKey = (event: KeyboardEvent, at: number): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = picture.current?.querySelectorAll<SVGAElement>("a")[at + by];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  };
  const drawn = all.map((day, i) => ({ day, i })).filter(({ day }) => total(day.counts) > 0);
  const stop = drawn.some(({ i }) => i === current) ? current : drawn.at(-1)?.i ?? -1;
  const marks = [0, Math.floor((all.length - 1) / 2), all.length - 1].filter((i, n, list) => list.indexOf(i) === n);
  return (
    <figure class="bars">
      <figcaption class="unheard">Changes a day, by operation. A bar filters by its day.</figcaption>
      <svg ref={picture} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" height={HEIGHT} width="100%" role="group" aria-label="Changes a day"
        onDragStart={(event) => event.preventDefault()} onPointerDown={(event) => { if (event.button === 0) setBrush([dayAt(event), dayAt(event)]); }}
        onPointerMove={(event) => { if (brush !== null) setBrush([brush[0], dayAt(event)]); }}
        onPointerUp={onUp} onPointerLeave={() => setBrush(null)}>
        {brush !== null && brush[0] !== brush[1] &&
          <rect class="brush" x={Math.min(...brush) * step} y={0} width={(Math.abs(brush[1] - brush[0]) + 1) * step} height={BASE} />}
        <path class="axis" d={`M0 ${BASE}H${WIDTH}`} />
        {drawn.map(({ day, i }, n) => {
          let y = BASE;
          return (
            <a key={day.day} href={to(i, i)} tabIndex={i === stop ? 0 : -1} aria-label={told(day)} draggable={false}
              onFocus={() => setCurrent(i)} onKeyDown={(event) => onKey(event, n)}>
              <title>{told(day)}</title>
              <rect class="hit" x={i * step} y={0} width={step} height={BASE} />
              {heights(day, most).map(([name, height]) => {
                y -= height;
                return <rect key={name} class={`bar bar-${name}`} x={i * step + step * 0.12} y={y} width={step * 0.76} height={height} />;
              })}
            </a>
          );
        })}
      </svg>
      <div class="days" aria-hidden="true">{marks.map((i) => <span key={i}>{dayName(all[i]?.day ?? "")}</span>)}</div>
    </figure>
  );
}
