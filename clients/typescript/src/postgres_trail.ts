/**
 * The trail of PostgreSQL, through the SQL of docs/sql.md: rows come back as the columns' own values, with every digit.
 * Test: test/trail.test.ts.
 */
import { type Access, reported, type ReportedKey } from "./access.js";
import { type Blame, type Change, recorded, type Undone } from "./change.js";
import type { Said } from "./context.js";
import { run } from "./context.js";
import { document, parsed } from "./json.js";
import { type Given, type Row, type Source, sourceOf } from "./source.js";
import { Changes, type KeyValue, type Policy, tailed, type Tailing, texts, time, type Trail, type Which } from "./trail.js";
import { bare, type Decoding, decoded, row as rowOf, type Types } from "./values.js";

type Any = Record<string, unknown>;

const COLUMNS = `c.id::text, (to_json(c.at at time zone 'UTC') #>> '{}') || 'Z', c.op, c."table", c.key::text, c.new_key::text,
  c.old_values::text, c.new_values::text, to_json(c.changed_fields)::text, c.tx::text, c.context::text, c.db_user::text,
  c.erased::text, c.shape::text`;

const ROW_IDS = `select x.id from vestige.tracked_table($1::text::regclass, 'history') t,
  vestige.row_trail(t.id, vestige.named_key(t, array(select json_array_elements_text($2::text::json)), 'history') collate "C") x`;

/** How a reader's own transaction prints values: as the trail does. */
const PLAIN = "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; "
  + "set local extra_float_digits = 1; set local bytea_output = 'hex'";

const BATCH = 200;

export class PostgresTrail implements Trail {
  private readonly source: Source;

  constructor(given: Given, private readonly how: Decoding = {}) {
    this.source = sourceOf(given);
  }

  async track(table: string, policy: Policy = {}): Promise<void> {
    const given = Object.entries(policy).filter(([, value]) => value !== undefined);
    const named = given.map(([name, value], at) => `"${name.replaceAll("\"", "\"\"")}" => ${taken(value, `$${at + 2}::text`)}`);
    await this.written(`select vestige.track(${["$1::text::regclass", ...named].join(", ")})::text`,
      [table, ...given.map(([, value]) => typeof value === "object" ? JSON.stringify(value) : String(value))], () => undefined);
  }

  history<T = Any>(table: string, ...key: KeyValue[]): Changes<Change<T>> {
    return new Changes(() => this.byIds<T>(() => this.source.ask(`select x.id::text from (${ROW_IDS}) x order by x.id desc`, [table, keyTexts(key)])));
  }

  changes<T = Any>(which: Which = {}): Changes<Change<T>> {
    return new Changes(() => this.pages<T>(which));
  }

  async feed<T = Any>(after: bigint | number, most = 1000): Promise<Change<T>[]> {
    for (let last = String(after); ; ) {
      const rows = await this.source.ask(`select ${COLUMNS}, f.index::text
        from vestige.feed($1::text::bigint, $2::text::int) f left join vestige.changes c on c.id = f.id order by f.index`, [last, String(most)]);
      // What has expired has its place still; where there is nothing else, what comes next lies behind it.
      const there = rows.filter(([id]) => id !== null);
      if (there.length > 0 || rows.length === 0) {
        return this.made<T>(there);
      }
      last = rows.at(-1)!.at(-1)!;
    }
  }

  tail<T = Any>(after: bigint | number, how: Tailing = {}): Changes<Change<T>> {
    return tailed((last) => this.feed<T>(last), after, how);
  }

  async asOf<T = Any>(table: string, moment: Date | string | { change: bigint | number }): Promise<T[]> {
    const byChange = typeof moment === "object" && "change" in moment;
    const [shown, columns] = await this.columnsOf(table);
    const list = columns.map(({ quoted, type }) => `${printed(`a.${quoted}`, type)} as ${quoted}`).join(", ");
    const text = `select to_json(x)::text from (select ${list} from vestige.${byChange ? "as_of_change" : "as_of"}(null::${shown},
      $1::text::${byChange ? "bigint" : "timestamptz"}) a) x`;
    const rows = await this.source.together(PLAIN, false, (ask) => ask(text, [byChange ? String(moment.change) : time(moment)]));
    const types = new Map(columns.map(({ name, type }) => [name, type]));
    return rows.map(([json]) => rowOf(json!, types, this.how) as T);
  }

  async blame<T = Any>(table: string, ...key: KeyValue[]): Promise<Blame<T>[]> {
    const [shape] = await this.source.ask("select t.shape::text from vestige.tracked_table($1::text::regclass, 'blame') t", [table]);
    const types = (await this.typesOf([shape![0]!])).get(shape![0]!) ?? new Map<string, string>();
    const rows = await this.source.ask(`select b."column", b.value::text, b.change_id::text, (to_json(b.changed_at at time zone 'UTC') #>> '{}') || 'Z',
        b.action, b.changed_by, b.reason
      from vestige.blame($1::text::regclass, variadic array(select json_array_elements_text($2::text::json))) b`, [table, keyTexts(key)]);
    return rows.map(([column, value, change, at, op, who, reason]) => ({
      column: column as Blame<T>["column"],
      value: value === null ? null : decoded(parsed(value!), types.get(column!) ?? "", this.how),
      change: number(change!), at: at!, op: op as Blame["op"], who: who!, reason: reason!,
    }));
  }

  revert(tx: bigint | number, { force = false } = {}): Promise<number> {
    return this.written("select vestige.revert($1::text::bigint, $2::text::boolean)::text", [String(tx), String(force)], ([rows]) => Number(rows![0]));
  }

  undo(change: bigint | number, { force = false } = {}): Promise<Undone> {
    return this.written("select u.done, u.conflict, to_json(u.columns)::text, to_json(u.notes)::text from vestige.undo($1::text::bigint, $2::text::boolean) u",
      [String(change), String(force)], ([rows]) => ({
        done: rows![0] as Undone["done"], conflict: rows![1]!, columns: texts(rows![2]!), notes: texts(rows![3]!),
      }));
  }

  erase(table: string, key: KeyValue | KeyValue[], reason: string): Promise<bigint> {
    return run({ reason }, () => this.written(
      "select vestige.erase($1::text::regclass, variadic array(select json_array_elements_text($2::text::json)))::text",
      [table, keyTexts([key].flat() as KeyValue[])], ([rows]) => BigInt(rows![0]!)));
  }

  async access(table: string, given: ReportedKey | readonly ReportedKey[], what: Access = {}): Promise<bigint> {
    const { key, kind, texts: said, suspendedUntil, entries } = reported(given, what);
    return this.written(`select vestige.access($1::text::regclass, kind => $2::text, purpose => $3::text, recipient => $4::text,
        recipient_address => $5::text, description => $6::text, request_ref => $7::text, suspended_until => $8::text::timestamptz,
        entries => $9::text::bigint, whole_key => ${key.length > 0 ? "array(select json_array_elements_text($10::text::json))" : "$10::text::text[]"})::text`,
      [table, kind, ...said, suspendedUntil, entries, key.length > 0 ? JSON.stringify(key) : null], ([rows]) => BigInt(rows![0]!));
  }

  private written<T>(text: string, parameters: (string | null)[], answer: (rows: Row[]) => T): Promise<T> {
    return this.source.together("select", true, async (ask) => answer(await ask(text, parameters)));
  }

  private async *byIds<T>(ids: () => Promise<Row[]>): AsyncGenerator<Change<T>[]> {
    const all = (await ids()).map(([id]) => id!);
    for (let at = 0; at < all.length; at += BATCH) {
      yield this.made<T>(await this.source.ask(`select ${COLUMNS} from vestige.changes c
        where c.id = any ($1::text::bigint[]) order by c.id desc`, [`{${all.slice(at, at + BATCH).join(",")}}`]));
    }
  }

  private async *pages<T>(which: Which): AsyncGenerator<Change<T>[]> {
    let left = which.most ?? Infinity;
    let last: string | undefined;
    while (left > 0) {
      const most = Math.min(BATCH, left);
      const { text, parameters } = selected(which, last, most);
      const rows = await this.source.ask(text, parameters);
      yield this.made<T>(rows);
      left -= rows.length;
      last = rows.at(-1)?.[0] ?? undefined;
      if (rows.length < most) {
        return;
      }
    }
  }

  private async made<T>(rows: Row[]): Promise<Change<T>[]> {
    const shapes = await this.typesOf([...new Set(rows.map((one) => one[13]).filter((one): one is string => typeof one === "string"))]);
    return rows.map((one) => this.change<T>(one, shapes.get(one[13] ?? "") ?? new Map()));
  }

  private change<T>(one: Row, types: Types): Change<T> {
    const [id, at, op, table, key, newKey, old, now, changed, tx, context, dbUser, erased, , index] = one;
    const values = (text: string | null | undefined): unknown => rowOf(text ?? null, types, this.how);
    return recorded({
      id: BigInt(id!), at: at!, op: op!, table: table!, key: values(key) ?? {}, newKey: values(newKey),
      old: values(old), new: values(now), changed: changed ? texts(changed) : null, tx: number(tx!),
      context: document(parsed(context ?? "{}")) as Said, dbUser: dbUser!,
      erased: erased ? Object.fromEntries(Object.entries(document(parsed(erased)) as object).map(([part, by]) => [part, BigInt(by as number)])) : null,
      ...(index === undefined ? {} : { index: BigInt(index!) }),
    }) as unknown as Change<T>;
  }

  /** The types of the columns of shapes, under the names that they have today. */
  private async typesOf(shapes: string[]): Promise<Map<string, Types>> {
    if (shapes.length === 0) {
      return new Map();
    }
    const rows = await this.source.ask(`select s.id::text, json_object_agg(coalesce(n ->> 'name', i ->> 'name'), coalesce(i ->> 'base', i ->> 'type'))::text
      from vestige.shape s join vestige.tracked t on t.id = s.tracked join vestige.shape today on today.id = t.shape
        cross join jsonb_array_elements(s.columns) i left join jsonb_array_elements(today.columns) n on n -> 'id' = i -> 'id'
      where s.id = any ($1::text::int[]) group by s.id`, [`{${shapes.join(",")}}`]);
    return new Map(rows.map(([shape, types]) =>
      [shape!, new Map(Object.entries(JSON.parse(types!) as Record<string, string>).map(([name, type]) => [name, bare(type)]))]));
  }

  private async columnsOf(table: string): Promise<[string, { name: string; quoted: string; type: string }[]]> {
    const rows = await this.source.ask(`select format('%I.%I', n.nspname, c.relname), a.attname::text, format('%I', a.attname),
        format_type(case y.typtype when 'd' then y.typbasetype else a.atttypid end, null)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid join pg_type y on y.oid = a.atttypid
      where c.oid = $1::text::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`, [table]);
    return [rows[0]?.[0] ?? "", rows.map(([, name, quoted, type]) => ({ name: name!, quoted: quoted!, type: bare(type!) }))];
  }
}

// Types whose values JSON keeps as the trail shows them; every other one is asked for as text, and so is an array that does
// not begin at 1.
const PRINTED = /^(?:(?:smallint|integer|bigint|numeric|real|double precision|boolean|text|character varying|uuid|date|jsonb|timestamp without time zone|timestamp with time zone)(?:\[\])?|character|bytea|oid)$/;

function printed(value: string, type: string): string {
  if (!PRINTED.test(type)) {
    return `${value}::text`;
  }
  return type.endsWith("[]")
    ? `case when coalesce(array_dims(${value}), '') ~ '^([[]1:[0-9]+[]])*$' then to_json(${value}) else to_json(${value}::text) end` : value;
}

/** A part of a policy, as vestige.track takes what is given as text. */
function taken(value: Policy[keyof Policy], text: string): string {
  if (Array.isArray(value)) {
    return `array(select json_array_elements_text(${text}::json))`;
  }
  return text + (typeof value === "boolean" ? "::boolean" : typeof value === "object" ? "::jsonb" : "");
}

function selected(which: Which, last: string | undefined, most: number): { text: string; parameters: string[] } {
  const parameters: string[] = [];
  const conditions = ([
    ["c.tracked = (select t.id from vestige.tracked_table($::text::regclass, 'changes') t)", which.table],
    ["c.id = any ((select vestige.changes_of($::text::bigint))::bigint[])", which.tx?.toString()],
    ["c.actor = $::text", which.actor],
    ["c.op = $::text", which.op],
    ["c.at >= $::text::timestamptz", which.from && time(which.from)],
    ["c.at < $::text::timestamptz", which.upto && time(which.upto)],
    [`c.id ${which.oldestFirst ? ">" : "<"} $::text::bigint`, last],
  ] as const).flatMap(([condition, value]) => {
    if (value === undefined) {   // an empty text is asked for as it is: it must not mean everybody
      return [];
    }
    parameters.push(value);
    return [condition.replace("$", `$${parameters.length}`)];
  });
  const where = conditions.length > 0 ? `where ${conditions.join(" and ")}` : "";
  return { text: `select ${COLUMNS} from vestige.changes c ${where} order by c.id ${which.oldestFirst ? "" : "desc"} limit ${most}`, parameters };
}

/** The key as the trail takes it: a text for each column, in a list of JSON. */
function keyTexts(key: readonly KeyValue[]): string {
  return JSON.stringify(key.map((one) => one instanceof Uint8Array ? `\\x${Buffer.from(one).toString("hex")}`
    : one instanceof Date ? one.toISOString() : typeof one === "boolean" ? (one ? "t" : "f") : String(one)));
}

function number(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}
