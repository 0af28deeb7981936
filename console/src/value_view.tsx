/** Values, keys and texts of anybody's as elements: never as markup, and what nobody sees as its number. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { around, head, hunks } from "./difference.ts";
import { type Json, members, type Members } from "./json.ts";
import { pieces, printable } from "./letters.ts";
import { cut, shownValue } from "./values.ts";

/** How many letters of a value a cell has, and a page of its own. */
export const CELL = 96;
export const WHOLE = 4000;

export function Letters({ text }: { text: string }): ComponentChildren {
  return pieces(text).map((piece) => (piece.unseen ? <span class="unseen" title="characters that cannot be seen">{piece.text}</span> : piece.text));
}

/** A name or text of anybody's, which keeps its writing direction to itself. */
export function Name({ text, most = 200 }: { text: string; most?: number }): ComponentChildren {
  return <bdi><Letters text={head(text, most)} /></bdi>;
}

/** `whole`: what is cut off stands in its title. */
export function Value({ of, most = CELL, under = "", whole = false }: { of: Json | undefined; most?: number; under?: string; whole?: boolean }): ComponentChildren {
  const { kind, text, title: said } = shownValue(of, under);
  const { text: first, rest } = cut(text, most);
  const title = whole && rest > 0 ? printable(head(text, WHOLE)) : said;
  return (
    <span class={`value ${kind}`} {...(title === undefined ? {} : { title })}>
      <bdi><Letters text={first} /></bdi>{rest > 0 && <span class="rest" {...(whole ? {} : { title: `${rest.toLocaleString("en")} more characters` })}>…</span>}
    </span>
  );
}

/** A value that unfolds where it is long. */
export function WholeValue({ of, under = "" }: { of: Json | undefined; under?: string }): ComponentChildren {
  const [all, setAll] = useState(false);
  const { rest } = cut(shownValue(of).text, WHOLE);
  return (
    <>
      <Value of={of} most={all ? Infinity : WHOLE} under={under} />
      {rest > 0 && !all && <button type="button" class="quiet" onClick={() => setAll(true)}>show {rest.toLocaleString("en")} more characters</button>}
    </>
  );
}

/** Of two long texts the place where they differ, with some of what stands around it. */
export function Pair({ old, now, most = CELL, under = "", whole = false }: { old: Json | undefined; now: Json | undefined; most?: number; under?: string; whole?: boolean }): ComponentChildren {
  if (!whole && typeof old === "string" && typeof now === "string" && Math.max(old.length, now.length) > 40) {
    const all = hunks(old, now);
    const shown = all.slice(0, MOST_HUNKS);
    return (
      <span class="words">
        {shown.map((one, i) => <Hunk key={i} kind={one.kind} text={one.kind === "same" ? around(one.text, Math.floor(most / 5), i === 0, i === all.length - 1) : head(one.text, most / 2)} />)}
        {shown.length < all.length && <span class="rest">…</span>}
      </span>
    );
  }
  return <><del><Value of={old} most={most} under={under} whole={whole} /></del><span class="to" aria-label="became"> → </span><ins><Value of={now} most={most} under={under} whole={whole} /></ins></>;
}

/** As many places as a cell has of a text that changed in many. */
const MOST_HUNKS = 9;

export function Hunk({ kind, text }: { kind: string; text: string }): ComponentChildren {
  const shown = <span class="value text"><bdi><Letters text={text} /></bdi></span>;
  return kind === "removed" ? <del>{shown}</del> : kind === "added" ? <ins>{shown}</ins> : shown;
}

/** The values of a key, with a space between. */
export function Key({ of, most = 48 }: { of: Members; most?: number }): ComponentChildren {
  const all = members(of);
  const title = all.map(([name, value]) => `${name}: ${shownValue(value).text.slice(0, 200)}`).join(", ");
  return <span class="key" title={printable(title)}>{all.map(([name, value], i) => <span key={name}>{i > 0 && " "}<Value of={value} most={most} /></span>)}</span>;
}
