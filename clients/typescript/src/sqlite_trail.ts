/**
 * The trail of SQLite, through the loadable extension on the caller's own connection: docs/sqlite-extension.md. Everything is
 * asked for as text, so that no driver rounds it. Test: test/sqlite_trail.test.ts.
 */
import { told } from "./absent.js";
import { type Access, reported, type ReportedKey } from "./access.js";
import { type Blame, type Change, type Erased, recorded, type Undone } from "./change.js";
import { current, type Said } from "./context.js";
import { document, parsed } from "./json.js";
import { report } from "./sqlite_access.js";
import { sqliteRow, sqliteValue } from "./sqlite_values.js";
import { Changes, type KeyValue, type Policy, tailed, type Tailing, texts, time, type Trail, type Which } from "./trail.js";

/** A database of better-sqlite3 or node:sqlite, instrumented or not. */
export interface Given {
  prepare(text: string): { all(...parameters: never[]): unknown; run(): unknown };
}

type Any = Record<string, unknown>;
type Row = { readonly [column: string]: string | null };

const COLUMNS = `cast(c.id as text) as id, c.at, c.op, c."table", c.key, c.new_key, c.old_values, c.new_values, c.changed_fields,
  cast(c.tx as text) as tx, c.context, cast(c."index" as text) as place,
  (select json_group_array(json_array(e.change, e.parts)) from vestige_erased e where e.erased = c.id) as erased`;

const BATCH = 200;
const MOST = 9_223_372_036_854_775_807n;

/** Options of an undoing and of an erasure: a context has no such fields there. */
const OPTIONS = ["dry_run", "force", "skip_conflicts", "keys", "contexts"];

interface Outcome {
  applied: number;
  conflicts: { what: string; columns: string[] }[];
  skipped: number;
  notes: string[];
}

export class SqliteTrail implements Trail {
  private readonly database: { prepare(text: string): { all(...parameters: unknown[]): unknown; run(): unknown } };

  constructor(given: Given) {
    this.database = given as unknown as typeof this.database;
    try {
      this.ask("select vestige_version()");
    } catch (error) {
      if (!/no such function/.test(String(error))) {
        throw error;
      }
      throw new Error("vestige: SQLite's trail is read by its extension, which this connection has not loaded: "
        + "import { load } from \"vestige-sqlite\" and load(database) first", { cause: error });
    }
  }

  async track(table: string, policy: Policy = {}): Promise<void> {
    this.ask("select vestige_track(?, ?)", [table, JSON.stringify(policy)]);
  }

  history<T = Any>(table: string, ...key: KeyValue[]): Changes<Change<T>> {
    return this.paged<T>(`vestige_history(${marks(key.length + 1)}) c`, [table, ...key.map(keyText)], false, Infinity);
  }

  changes<T = Any>(which: Which = {}): Changes<Change<T>> {
    return this.paged<T>("vestige_changes(?) c", [filter(which)], which.oldestFirst ?? false, which.most ?? Infinity);
  }

  async feed<T = Any>(after: bigint | number, most = 1000): Promise<Change<T>[]> {
    return this.ask(`select ${COLUMNS} from vestige_feed(?) c limit ?`, [BigInt(after), BigInt(most)]).map((row) => change<T>(row));
  }

  tail<T = Any>(after: bigint | number, how: Tailing = {}): Changes<Change<T>> {
    return tailed((last) => this.feed<T>(last), after, how);
  }

  async asOf<T = Any>(table: string, moment: Date | string | { change: bigint | number }): Promise<T[]> {
    const at = typeof moment === "object" && "change" in moment ? String(moment.change) : time(moment);
    return this.ask("select row from vestige_at(?, ?) where row is not null", [table, at]).map((one) => sqliteRow(one["row"]!) as T);
  }

  async blame<T = Any>(table: string, ...key: KeyValue[]): Promise<Blame<T>[]> {
    const rows = this.ask(`select b."column", b.value, cast(b.change as text) as change, b.at, b.actor, b.reason,
      (select c.op from vestige_changes('id:' || b.change) c) as op from vestige_blame(${marks(key.length + 1)}) b`, [table, ...key.map(keyText)]);
    return rows.map((one) => ({
      column: one["column"] as Blame<T>["column"], value: sqliteValue(parsed(one["value"]!)), change: number(one["change"]), at: one["at"]!,
      op: one["op"] as Blame["op"], who: one["actor"]!, reason: one["reason"]!,
    }));
  }

  async revert(tx: bigint | number, { force = false } = {}): Promise<number> {
    return this.verb<Outcome>("vestige_revert(?, ?)", [BigInt(tx), options({ force })]).applied;
  }

  async undo(one: bigint | number, { force = false } = {}): Promise<Undone> {
    const done = this.verb<Outcome>("vestige_undo(?, ?)", [BigInt(one), options(force ? { force } : { skip_conflicts: true })]);
    const [conflict] = done.conflicts;
    return {
      done: done.applied > 0 ? "applied" : done.skipped > 0 ? "conflict" : "nothing",
      conflict: done.applied > 0 || !conflict ? null : conflict.what, columns: conflict?.columns ?? [], notes: done.notes,
    };
  }

  async erase(table: string, key: KeyValue | KeyValue[], reason: string): Promise<bigint> {
    const values = ([key].flat() as KeyValue[]).map(keyText);
    const done = this.verb<{ erase: number[] }>(`vestige_erase(?, ${marks(values.length)}, ?)`, [table, ...values, options({}, { reason })]);
    return BigInt(done.erase[0]!);
  }

  async access(table: string, key: ReportedKey | readonly ReportedKey[], what: Access = {}): Promise<bigint> {
    return report(this.database, (text, parameters) => this.ask(text, parameters), table, reported(key, what));
  }

  private ask(text: string, parameters: (string | bigint | null)[] = []): Row[] {
    try {
      return this.database.prepare(text).all(...parameters) as Row[];
    } catch (error) {
      throw told(error);
    }
  }

  private verb<T>(call: string, parameters: (string | bigint)[]): T {
    return JSON.parse(this.ask(`select ${call} as done`, parameters)[0]!["done"]!) as T;
  }

  /** Newest first is how they come. A page is a question of its own, so that the connection is free between them; each is twice the one before. */
  private paged<T>(from: string, parameters: string[], oldestFirst: boolean, most: number): Changes<Change<T>> {
    const text = `select ${COLUMNS} from ${from} where c.id ${oldestFirst ? ">" : "<"} ? ${oldestFirst ? "order by c.id" : ""} limit ?`;
    const ask = (last: bigint, size: number): Row[] => this.ask(text, [...parameters, last, BigInt(size)]);
    return new Changes(async function* () {
      let left = most;
      let last = oldestFirst ? 0n : MOST;
      for (let page = BATCH; left > 0; page *= 2) {
        const size = Math.min(page, left);
        const rows = ask(last, size);
        yield rows.map((row) => change<T>(row));
        if (rows.length < size) {
          return;
        }
        left -= rows.length;
        last = BigInt(rows.at(-1)!["id"]!);
      }
    });
  }
}

function change<T>(row: Row): Change<T> {
  const gone = erased(row["erased"] ?? "[]");
  return recorded({
    id: BigInt(row["id"]!), at: row["at"]!, op: row["op"]!, table: row["table"]!, key: sqliteRow(row["key"]!) ?? {},
    newKey: sqliteRow(row["new_key"]!), old: sqliteRow(row["old_values"]!), new: sqliteRow(row["new_values"]!),
    changed: row["changed_fields"] === null ? null : texts(row["changed_fields"]!), tx: number(row["tx"]),
    context: document(parsed(row["context"] ?? "{}")) as Said, dbUser: null, erased: gone,
    ...(row["place"] === null ? {} : { index: BigInt(row["place"]!) }),
  }) as unknown as Change<T>;
}

/** Which parts were taken by which ERASE: the first that took each. */
function erased(json: string): Erased | null {
  const found: { -readonly [part in keyof Erased]: bigint } = {};
  for (const [by, parts] of (document(parsed(json)) as [number | bigint, string][]).reverse()) {
    for (const part of parts.split(",")) {
      found[part.trim() as keyof Erased] = BigInt(by);
    }
  }
  return Object.keys(found).length > 0 ? found : null;
}

/** docs/filter.md: each value in quotes, where nothing in it means anything. */
function filter(which: Which): string {
  const quoted = (value: string): string => `"${value.replaceAll("\"", "\"\"")}"`;
  return ([
    ["table", which.table], ["tx", which.tx?.toString()], ["actor", which.actor], ["op", which.op?.toLowerCase()],
    ["since", which.from && time(which.from)], ["until", which.upto && time(which.upto)],
  ] as const).flatMap(([name, value]) => value === undefined ? [] : [`${name}:${quoted(value)}`]).join(" ");
}

/** What is asked for, and under it the context that is there. */
function options(own: { [name: string]: boolean }, over: { [name: string]: string } = {}): string {
  const said = Object.entries({ ...current(), ...over }).filter(([name]) => !OPTIONS.includes(name));
  return JSON.stringify({ ...Object.fromEntries(said), ...own });
}

/** A value of a key as a word that means it: a string is one whatever it looks like, and what may be a number in the rows is both. */
function keyText(value: KeyValue): string {
  if (value instanceof Uint8Array) {
    return `x'${Buffer.from(value).toString("hex")}'`;
  }
  if (typeof value === "boolean") {
    return value ? "1" : "0";
  }
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (typeof value === "number" || typeof value === "bigint") {
    return text;
  }
  return /^[0-9+.eE-]+$/.test(text) ? text : `'${text}'`;
}

function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

function number(text: string | null | undefined): bigint | null {
  return text === null || text === undefined ? null : BigInt(text);
}
