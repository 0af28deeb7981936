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
