/** Where two texts differ: what they begin and end with alike is told apart from the middle. Test: test/values.test.ts. */

export interface Difference {
  before: string;
  removed: string;
  added: string;
  after: string;
}

const WORD = /[\p{L}\p{N}_]/u;

/** The middle begins and ends between words, so that a reader sees what was written. */
export function difference(old: string, now: string): Difference {
  const shorter = Math.min(old.length, now.length);
  let from = 0;
  while (from < shorter && old[from] === now[from]) ++from;
  let end = 0;
  while (end < shorter - from && old[old.length - 1 - end] === now[now.length - 1 - end]) ++end;
  while (from > 0 && WORD.test(old[from - 1] ?? "") && (WORD.test(old[from] ?? "") || WORD.test(now[from] ?? ""))) --from;
  while (end > 0 && WORD.test(old[old.length - end] ?? "") &&
         (WORD.test(old[old.length - end - 1] ?? "") || WORD.test(now[now.length - end - 1] ?? ""))) --end;
  const half = old.charCodeAt(from - 1);
  if (half >= 0xd800 && half < 0xdc00) --from;
  const low = old.charCodeAt(old.length - end);
  if (end > 0 && low >= 0xdc00 && low < 0xe000) --end;
  return {
    before: old.slice(0, from),
    removed: old.slice(from, old.length - end),
    added: now.slice(from, now.length - end),
    after: old.slice(old.length - end),
  };
}

/** The end of a text, and the beginning of one, with … for what is left out. */
export function tail(text: string, most: number): string {
  return text.length <= most ? text : `…${text.slice(text.length - most).replace(/^[\udc00-\udfff]/, "")}`;
}

export function head(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…`;
}

export interface Hunk {
  kind: "same" | "removed" | "added";
  text: string;
}

/** As many words as are compared each with each. */
const MOST_WORDS = 400;

function joinedHunks(all: Hunk[]): Hunk[] {
  const out: Hunk[] = [];
  for (const one of all) {
    const last = out.at(-1);
    if (one.text === "") continue;
    if (last?.kind === one.kind) last.text += one.text;
    else out.push({ ...one });
  }
  return out;
}

/** Which words went and which came; of texts with very many words the middle in which they differ. */
export function hunks(old: string, now: string): Hunk[] {
  const { before, removed, added, after } = difference(old, now);
  const middle = (): Hunk[] => [{ kind: "removed", text: removed }, { kind: "added", text: added }];
  const words = (text: string): string[] => text.match(/[\p{L}\p{N}_]+|\s+|./gsu) ?? [];
  const [a, b] = [words(removed), words(added)];
  const inner = a.length > MOST_WORDS || b.length > MOST_WORDS ? middle() : compared(a, b);
  return joinedHunks([{ kind: "same", text: before }, ...inner, { kind: "same", text: after }]);
}

function compared(a: string[], b: string[]): Hunk[] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);  // common words of what begins at i and j
  for (let i = a.length - 1; i >= 0; --i)
    for (let j = b.length - 1; j >= 0; --j)
      longest[i * width + j] = a[i] === b[j] ? (longest[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
  const all: Hunk[] = [];
  let went = "";
  let came = "";
  const flush = (): void => {
    all.push({ kind: "removed", text: went }, { kind: "added", text: came });
    went = came = "";
  };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      // A space or a sign between two words that went is no place to stop.
      const word = /[\p{L}\p{N}_]/u.test(a[i] ?? "");
      if (!word && went + came !== "" && !(a[i + 1] === b[j + 1])) {
        went += a[i];
        came += b[j];
      } else {
        flush();
        all.push({ kind: "same", text: a[i] ?? "" });
      }
      ++i;
      ++j;
    } else if (j >= b.length || (i < a.length && (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))) went += a[i++];
    else came += b[j++];
  }
  flush();
  return all;
}

/** Of what stayed only what stands beside what changed. */
export function around(text: string, most: number, first: boolean, last: boolean): string {
  if (first && last) return head(text, most);
  if (first) return tail(text, most);
  return last ? head(text, most) : text.length <= 2 * most ? text : head(text, most) + tail(text, most).replace(/^…/, "");
}
