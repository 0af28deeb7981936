/** What a change did, in a cell: each field, what it was and what it became. */
import type { ComponentChildren } from "preact";
import { type Change, who, whoErased } from "./answers.ts";
import { useClasses } from "./classes.ts";
import { edits } from "./edits.ts";
import { count, isObject, members } from "./json.ts";
import { isOwn } from "./own.ts";
import { many } from "./parts.tsx";
import { isEncrypted } from "./values.ts";
import { CELL, Name, Pair, Value } from "./value_view.tsx";

function erasedText(change: Change): string {
  if (change.op === "EXPIRE") return `${many(change.erases, "change")} went: older than kept`;
  if (change.op === "ERASE") return `took parts of ${many(change.erases, "change")}`;
  const parts = isObject(change.erased) ? members(change.erased) : [];
  return parts.map(([part, by]) => `${part} erased by change ${String(by)}`).join(", ");
}

const MOST = 4;
/** How many letters of a value of the trail's own. */
const OWN = 40;

export function WhatChanged({ change, most = MOST }: { change: Change; most?: number }): ComponentChildren {
  const gone = change.erased !== undefined || change.op === "ERASE" || change.op === "EXPIRE" ? erasedText(change) : "";
  const all = edits(change);
  const shown = all.slice(0, most);
  const own = isOwn(change.table);
  const classOf = useClasses(change.table, shown.some(({ old, now }) => isEncrypted(old) || isEncrypted(now)));
  const how = (column: string): { under: string; most: number; whole: boolean } => ({ under: classOf(column), most: own ? OWN : CELL, whole: own });
  return (
    <span class="edits">
      {shown.map((edit) => (
        <span class="edit" key={edit.column}>
          <span class="field"><Name text={edit.column} most={64} /></span>{" "}
          {edit.old === undefined ? <ins><Value of={edit.now} {...how(edit.column)} /></ins> : edit.now === undefined ? <del><Value of={edit.old} {...how(edit.column)} /></del>
            : <Pair old={edit.old} now={edit.now} {...how(edit.column)} />}
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
