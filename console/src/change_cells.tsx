/** What a change did, in a cell: each field, what it was and what it became. */
import type { ComponentChildren } from "preact";
import { type Change, who, whoErased } from "./answers.ts";
import { count, isObject, type Json, members } from "./json.ts";
import { many } from "./parts.tsx";
import { same } from "./values.ts";
import { Name, Pair, Value } from "./value_view.tsx";

export interface Edit {
  column: string;
  old: Json | undefined;
  now: Json | undefined;
}

/** The fields that a change changed, the key's among them; of a row that came or went all but the key. */
export function edits(change: Change): Edit[] {
  const all: Edit[] = [];
  const { old_values: old, new_values: now, new_key: moved } = change;
  if (moved !== undefined)
    for (const [column, value] of members(moved)) if (!same(change.key[column], value)) all.push({ column, old: change.key[column], now: value });
  if (change.op === "UPDATE") {
    for (const [column, value] of members(old ?? {}))
      if (!all.some((one) => one.column === column) && !same(value, now?.[column])) all.push({ column, old: value, now: now?.[column] });
    return all;
  }
  for (const [column, value] of members(now ?? {})) if (!(column in change.key)) all.push({ column, old: undefined, now: value });
  for (const [column, value] of members(old ?? {})) if (!(column in change.key)) all.push({ column, old: value, now: undefined });
  return all;
}

function erasedText(change: Change): string {
  if (change.op === "EXPIRE") return `${many(change.erases, "change")} went: older than kept`;
  if (change.op === "ERASE") return `took parts of ${many(change.erases, "change")}`;
  const parts = isObject(change.erased) ? members(change.erased) : [];
  return parts.map(([part, by]) => `${part} erased by change ${String(by)}`).join(", ");
}

const MOST = 4;

export function WhatChanged({ change, most = MOST }: { change: Change; most?: number }): ComponentChildren {
  const gone = change.erased !== undefined || change.op === "ERASE" || change.op === "EXPIRE" ? erasedText(change) : "";
  const all = edits(change);
  const shown = all.slice(0, most);
  return (
    <span class="edits">
      {shown.map((edit) => (
        <span class="edit" key={edit.column}>
          <span class="field"><Name text={edit.column} most={64} /></span>{" "}
          {edit.old === undefined ? <ins><Value of={edit.now} /></ins> : edit.now === undefined ? <del><Value of={edit.old} /></del> : <Pair old={edit.old} now={edit.now} />}
        </span>
      ))}
      {all.length > shown.length && <span class="soft">and {many(all.length - shown.length, "more field").replace("more fields", "more")}</span>}
      {gone !== "" && <span class="soft">{gone}</span>}
      {change.unreadable !== undefined && <span class="warn">cannot be read: <Name text={change.unreadable} /></span>}
    </span>
  );
}

/** Whether the signature of a context counts. */
export function Signed({ word }: { word: string | undefined }): ComponentChildren {
  if (word === undefined) return null;
  const good = word === "signed" || word === "bound";
  if (word === "unsigned") return null;
  return <span class={good ? "mark good" : "mark bad"}>{good ? `✓ ${word}` : `signature ${word}`}</span>;
}

export function Who({ change }: { change: Change }): ComponentChildren {
  const name = who(change);
  const user = typeof change.context["actor"] === "string" ? change.db_user : null;
  const whom = name === null ? <span class="soft">{whoErased(change) ? "(erased)" : "nobody said"}</span> : <span class="who"><Name text={name} most={64} /></span>;
  return <>{whom}{user !== null && user !== name && <span class="soft"> as <Name text={user} most={32} /></span>} <Signed word={change.signed} /></>;
}

/** Which of the ids is the newer one: they have up to 64 bits. */
export function newer(a: { id: { text: string } }, b: { id: { text: string } }): number {
  return b.id.text.length - a.id.text.length || (b.id.text < a.id.text ? -1 : b.id.text > a.id.text ? 1 : 0);
}

export function total(counts: object): number {
  return members(counts).reduce((sum, [, value]) => sum + count(value), 0);
}
