/** What comes back for a text in which something of ours stands: as if it had not. */
import type { Inserted } from "./session.js";

/** The results without those of our own statements: one is itself again, not a list of one. */
export function stripped(result: unknown, inserted: readonly Inserted[]): unknown {
  if (inserted.length === 0 || !Array.isArray(result)) {
    return result;
  }
  const ours = new Set(inserted.map((one) => one.statement));
  const theirs = (result as unknown[]).filter((_, place) => !ours.has(place));
  return theirs.length === 1 ? theirs[0] : theirs;
}

/** The place of an error, in the text that was asked for. */
export function repaired(error: unknown, inserted: readonly Inserted[]): unknown {
  const found = error as { position?: string } | null | undefined;
  const position = Number(found?.position);
  if (found?.position !== undefined && Number.isInteger(position)) {
    const before = inserted.filter((one) => one.at < position).reduce((sum, one) => sum + one.length, 0);
    found.position = String(position - before);
  }
  return error;
}
