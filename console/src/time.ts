/** Times for people: the zone is the trail's, said once on the page; the whole time stands in the title. Test: test/time.test.ts. */

let zone = "UTC";
let asked = new Map<string, Intl.DateTimeFormat>();

export function setZone(name: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
  } catch {
    zone = "UTC";  // a name that this browser does not know
  }
  asked = new Map();
}

export function zoneName(): string {
  return zone;
}

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const made = asked.get(name) ?? new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
  asked.set(name, made);
  return made;
}

function part(at: Date, type: Intl.DateTimeFormatPartTypes): string {
  const all = format("parts", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return all.formatToParts(at).find((one) => one.type === type)?.value ?? "";
}

/** "2026-11-22" in the zone. */
export function day(at: Date): string {
  return `${part(at, "year")}-${part(at, "month")}-${part(at, "day")}`;
}

/** "22 Nov 05:53:12"; with the year where it is not this one. */
export function short(text: string, now = new Date()): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const clock = `${part(at, "hour")}:${part(at, "minute")}:${part(at, "second")}`;
  const date = format("date", { day: "2-digit", month: "short" }).format(at);
  return part(at, "year") === part(now, "year") ? `${date} ${clock}` : `${date} ${part(at, "year")} ${clock}`;
}

/** The same with year and microseconds, and the zone. */
export function exact(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const fraction = /\.\d+/.exec(text)?.[0] ?? "";
  return `${day(at)} ${part(at, "hour")}:${part(at, "minute")}:${part(at, "second")}${fraction} ${zone}`;
}

/** "22 Nov" of "2026-11-22". */
export function dayName(text: string): string {
  const at = new Date(`${text}T12:00:00Z`);
  return Number.isNaN(at.getTime()) ? text : new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }).format(at);
}

/** The day after, as a date; or some days before. */
export function nextDay(text: string, by = 1): string {
  const at = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(at.getTime()) ? text : new Date(at.getTime() + by * 86_400_000).toISOString().slice(0, 10);
}

const STEPS: readonly (readonly [number, string])[] = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** "3 hours ago". */
export function ago(text: string, now = new Date()): string {
  const seconds = Math.round((now.getTime() - new Date(text).getTime()) / 1000);
  if (Number.isNaN(seconds)) return text;
  for (const [length, name] of STEPS) {
    const many = Math.floor(Math.abs(seconds) / length);
    if (many >= 1) return `${many} ${name}${many === 1 ? "" : "s"} ${seconds < 0 ? "from now" : "ago"}`;
  }
  return "just now";
}
