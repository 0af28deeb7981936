/**
 * What is asked of a trail, whichever database keeps it: what a row, a table, a change was, and the undoing of it.
 * Test: test/trail.test.ts, test/sqlite_trail.test.ts.
 */
import { setTimeout } from "node:timers/promises";
import type { Access, ReportedKey } from "./access.js";
import type { Blame, Change, Undone } from "./change.js";

/** A value of a key, as JavaScript or the driver has it. */
export type KeyValue = string | number | bigint | boolean | Date | Uint8Array;

export interface Which {
  table?: string;
  tx?: bigint | number;
  actor?: string;
  op?: Change["op"];
  /** Not before, and before. */
  from?: Date | string;
  upto?: Date | string;
  /** At most so many; all unless given. */
  most?: number;
  /** Newest first unless this says so. */
  oldestFirst?: boolean;
}

type Any = Record<string, unknown>;

/** Changes, read as they are asked for: for await, or toArray(). */
export class Changes<C> implements AsyncIterable<C> {
  constructor(private readonly batches: () => AsyncGenerator<C[]>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<C> {
    for await (const batch of this.batches()) {
      yield* batch;
    }
  }

  async toArray(): Promise<C[]> {
    const all: C[] = [];
    for await (const one of this) {
      all.push(one);
    }
    return all;
  }
}

/** What is recorded of a table, and what a change of it has to say: docs/sql.md, "Which tables are recorded". */
export interface Policy {
  include?: readonly string[];
  exclude?: readonly string[];
  /** Of these that they changed is recorded, and never a value. */
  redact?: readonly string[];
  /** Of these only a private key opens the values: of each column the class of keys, `{ ssn: "phi" }`. */
  encrypt?: { readonly [column: string]: string };
  /** With `encrypt`, the column that says whose a row is: `vestige keys destroy --subject` reaches one person. */
  subject?: string;
  when?: string;
  require?: readonly string[];
  key?: readonly string[];
  capture?: "full";
  retention?: string;
  classification?: string;
  tags?: readonly string[];
  /** Whether the rows that are there are recorded, too. */
  baseline?: boolean;
}

export interface Tailing {
  signal?: AbortSignal;
  /** How long to wait, in milliseconds, before asking again where there was nothing; a second unless given. */
  wait?: number;
}

/** A feed that is followed: it ends when the signal says so, and not otherwise. */
export function tailed<T>(feed: (after: bigint) => Promise<Change<T>[]>, after: bigint | number, { signal, wait = 1000 }: Tailing = {}): Changes<Change<T>> {
  return new Changes(async function* () {
    let last = BigInt(after);
    while (!signal?.aborted) {
      const found = await feed(last);
      for (const one of found) {
        if (signal?.aborted) {
          return;
        }
        last = one.index!;
        yield [one];
      }
      if (found.length === 0) {
        await setTimeout(wait, undefined, signal ? { signal } : {}).catch((error: unknown) => {
          if (!signal?.aborted) {
            throw error;
          }
        });
      }
    }
  });
}

export interface Trail {
  /** Begins to record a table, or goes on under another policy. */
  track(table: string, policy?: Policy): Promise<void>;

  /** A row's changes, newest first, under every key that it had. */
  history<T = Any>(table: string, ...key: KeyValue[]): Changes<Change<T>>;

  /** The changes of a table, a transaction, an actor, a time; newest first. */
  changes<T = Any>(which?: Which): Changes<Change<T>>;

  /** What comes next in the feed, behind the index that was seen last (-1: none): docs/sql.md, "For programs". */
  feed<T = Any>(after: bigint | number, most?: number): Promise<Change<T>[]>;

  /** The feed from there on, for ever: it waits for what comes, until the signal says that it is enough. */
  tail<T = Any>(after: bigint | number, how?: Tailing): Changes<Change<T>>;

  /** The rows of a table as they were at a time, or after a change. */
  asOf<T = Any>(table: string, moment: Date | string | { change: bigint | number }): Promise<T[]>;

  /** For each column of a row, the change that gave it its value. */
  blame<T = Any>(table: string, ...key: KeyValue[]): Promise<Blame<T>[]>;

  /**
   * Undoes a transaction, all of it or nothing, under the context that is there; how many changes that took. What has changed
   * since is a conflict (isConflict), unless it is forced.
   */
  revert(tx: bigint | number, how?: { force?: boolean }): Promise<number>;

  /** Undoes one change, if the row is as the change left it, or else if it is forced. */
  undo(change: bigint | number, how?: { force?: boolean }): Promise<Undone>;

  /** Takes the values of every change of a row out of the trail, for a reason; the id of the ERASE. */
  erase(table: string, key: KeyValue | KeyValue[], reason: string): Promise<bigint>;

  /**
   * Reports that a row, or where the key is [] something of a table, was read, or disclosed to somebody outside, under the context
   * that is there (docs/compliance.md): the id of the row of vestige.access. On SQLite `vestige access --prepare` makes that table.
   */
  access(table: string, key: ReportedKey | readonly ReportedKey[], what?: Access): Promise<bigint>;
}

export function time(moment: Date | string): string {
  return moment instanceof Date ? moment.toISOString() : moment;
}

export function texts(json: string | null): string[] {
  return json === null ? [] : JSON.parse(json) as string[];
}
