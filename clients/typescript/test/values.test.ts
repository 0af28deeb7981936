/** clients/contract/values.json: values of every type, read back as every client reads them. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import pg from "pg";
import { InvalidText, openTrail } from "vestige-audit";
import { Database } from "./database.js";
import { DRIVERS, loaded } from "./sqlite_drivers.js";
import { written } from "./written.js";

interface Entry { type: string; sql: string; kind: string; text: string }
const { values: corpus, sqlite } = JSON.parse(fs.readFileSync(new URL("../contract/values.json", import.meta.url), "utf8")) as Record<"values" | "sqlite", Entry[]>;

test("values of every type are read back as the contract says, from the trail and from the past, whatever the session prints", async () => {
  const columns = corpus.map((one, i) => `c${i} ${one.type}`).join(", ");
  const database = await Database.create(`create table corpus (id int primary key, ${columns})`, "select vestige.track('corpus')",
    `insert into corpus values (1, ${corpus.map((one) => one.sql).join(", ")})`);
  const odd = new pg.Pool(database.config({
    max: 1, options: "-c timezone=Asia/Kolkata -c datestyle=german -c intervalstyle=sql_standard -c extra_float_digits=-15 -c bytea_output=escape",
  }));
  const trail = openTrail(odd);
  const [change] = await trail.history("corpus", 1).toArray();
  const [past] = await trail.asOf("corpus", { change: change!.id });
  corpus.forEach((one, i) => {
    const name = `c${i}`;
    assert.equal(rendered((change!.new as Record<string, unknown>)[name], one), one.text, `${one.type} ${one.sql}`);
    assert.equal(rendered(past![name], one), one.text, `${one.type} ${one.sql}, as it was`);
  });
  assert.ok(JSON.stringify(change).includes('"NaN"'));
  await odd.end();
  await database.drop();
});

for (const driver of DRIVERS) {
  test(`${driver.name}: values of every class are read back as the contract says, from the trail and from the past`, async () => {
    const db = loaded(driver.open(":memory:"));
    db.exec(`create table corpus (id integer primary key, ${sqlite.map((one, i) => `c${i} ${one.type}`).join(", ")}); select vestige_init(); select vestige_track('corpus')`);
    db.exec(`insert into corpus values (1, ${sqlite.map((one) => one.sql).join(", ")}); delete from corpus`);
    const trail = openTrail(db);
    const [, change] = await trail.history("corpus", 1).toArray();
    const [past] = await trail.asOf("corpus", { change: change!.id });
    sqlite.forEach((one, i) => {
      assert.equal(rendered((change!.new as Record<string, unknown>)[`c${i}`], one), one.text, `${one.type} ${one.sql}`);
      assert.equal(rendered(past![`c${i}`], one), one.text, `${one.type} ${one.sql}, as it was`);
    });
    db.close();
  });
}

/** A value as the contract writes it. Times are texts here; the contract has six digits of each. */
function rendered(value: unknown, { kind }: Entry): string {
  switch (kind) {
    case "null":
      assert.equal(value, null);
      return "";
    case "int":
      assert.ok(typeof value === "bigint" || Number.isSafeInteger(value));
      return String(value);
    case "float":
      assert.equal(typeof value, "number");
      return Object.is(value, -0) ? "-0" : String(value);
    case "bool":
      assert.equal(typeof value, "boolean");
      return String(value);
    case "bytes":
      return Buffer.from(value as Uint8Array).toString("hex");
    case "invalid":
      return Buffer.from((value as InvalidText).bytes).toString("hex");
    case "json":
    case "array":
      return written(value);
    case "timestamptz":
      return padded(value as string).replace(/\+00:00$/, "Z");
    case "timestamp":
    case "time":
    case "timetz":
      return padded(value as string).replace(/([+-]\d\d)$/, "$1:00");
    case "interval":
      return spelled(value as string);
    default:
      assert.equal(typeof value, "string");
      return value as string;
  }
}

function padded(text: string): string {
  return text.replace(/(:\d\d:\d\d)(?:\.(\d+))?/, (_, clock: string, digits = "") => `${clock}.${(digits as string).padEnd(6, "0")}`);
}

function spelled(text: string): string {
  let [months, days, micros] = [0, 0, 0];
  for (const [, count, unit, sign, hours, minutes, seconds, fraction = ""] of text.matchAll(/(-?\d+) (year|mon|day)s?|([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?/g)) {
    if (unit === "day") {
      days += Number(count);
    } else if (unit) {
      months += Number(count) * (unit === "year" ? 12 : 1);
    } else {
      micros += (sign === "-" ? -1 : 1) * (((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1e6 + Number(fraction.padEnd(6, "0")));
    }
  }
  return `${months} months ${days} days ${micros} microseconds`;
}
