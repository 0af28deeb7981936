/**
 * What nobody sees, or what moves the letters beside it, is shown as its number: a name must not look like another. The same as
 * vestige/base/letter.cc; test/letters.test.ts holds the two tables against each other.
 */

type Range = readonly [number, number];

/** Never seen, whatever stands beside them. */
export const UNSEEN: readonly Range[] = [
  [0x7f, 0x9f], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180e, 0x180e], [0x200b, 0x200b],
  [0x200e, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xfdd0, 0xfdef], [0xfeff, 0xfeff],
  [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0xfffe, 0xffff], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a], [0xe0000, 0xe00ff], [0xe01f0, 0xe0fff],
];

/** Joiners, and what chooses between forms of the letter before. */
export const FORMING: readonly Range[] = [[0x180b, 0x180d], [0x180f, 0x180f], [0x200c, 0x200d], [0xfe00, 0xfe0f], [0xe0100, 0xe01ef]];

const MOST_ON_ONE = 32;

function among(ranges: readonly Range[], code: number): boolean {
  return ranges.some(([from, to]) => from <= code && code <= to);
}

function letterBefore(text: string, at: number): number {
  if (at === 0) return 0;
  const low = text.charCodeAt(at - 1);
  if (low >= 0xdc00 && low < 0xe000 && at > 1) {
    const code = text.codePointAt(at - 2) ?? 0;
    if (code > 0xffff) return code;
  }
  return low;
}

const lengthOf = (code: number): number => (code > 0xffff ? 2 : 1);

function baseBefore(text: string, at: number): number {
  for (let walked = 0; at > 0 && walked < MOST_ON_ONE; ++walked) {
    const code = letterBefore(text, at);
    if (!(code >= 0x300 && code < 0x370) && !among(FORMING, code)) return code;
    at -= lengthOf(code);
  }
  return 0;
}

function choosesEmoji(text: string, at: number, code: number): boolean {
  if (code !== 0xfe0e && code !== 0xfe0f) return false;
  const base = letterBefore(text, at);
  if (base === 0xa9 || base === 0xae) return true;
  const capped = base === 0x23 || base === 0x2a || (base >= 0x30 && base <= 0x39);
  return capped && text.codePointAt(at + 1) === 0x20e3;
}

const takesForms = (code: number): boolean => code >= 0x530;

/** Whether the letter at a place is shown as its number. Line feeds and tabs are not. */
export function isUnseen(text: string, at: number): boolean {
  const code = text.codePointAt(at) ?? 0;
  if (code < 0x20) return code !== 0x0a && code !== 0x09;
  if (code < 0x7f) return false;
  if (code >= 0xd800 && code < 0xe000) return true;
  if (among(UNSEEN, code) || (code & 0xfffe) === 0xfffe) return true;
  if (!among(FORMING, code) || choosesEmoji(text, at, code)) return false;
  if (!takesForms(baseBefore(text, at))) return true;
  const joins = code === 0x200c || code === 0x200d;
  const next = at + lengthOf(code);
  return joins && (next >= text.length || !takesForms(text.codePointAt(next) ?? 0));
}

/** "\u202e"; beyond four digits "\u{e0041}". */
export function shown(code: number): string {
  const digits = code.toString(16);
  return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`;
}

export interface Piece {
  text: string;
  unseen: boolean;
}

const ODD = /[^\n\t\x20-\x7e]/;

/** A text as pieces that are seen, and numbers of what is not. */
export function pieces(text: string): Piece[] {
  if (!ODD.test(text)) return text === "" ? [] : [{ text, unseen: false }];
  const all: Piece[] = [];
  let from = 0;
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at) ?? 0;
    const next = at + lengthOf(code);
    if (isUnseen(text, at)) {
      if (at > from) all.push({ text: text.slice(from, at), unseen: false });
      const last = all.at(-1);
      if (last?.unseen === true && from === at) last.text += shown(code);
      else all.push({ text: shown(code), unseen: true });
      from = next;
    }
    at = next;
  }
  if (from < text.length) all.push({ text: text.slice(from), unseen: false });
  return all;
}

/** The same as one text, for where there are no elements: titles, labels. */
export function printable(text: string): string {
  return pieces(text).map((piece) => piece.text).join("");
}
