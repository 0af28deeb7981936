/** vestige-sqlite and the package of this platform: packed, installed without a network where nothing else is, loaded; docs/typescript.md's start on SQLite. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DRIVERS, EXTENSION } from "./sqlite_drivers.js";

const top = fileURLToPath(new URL("..", import.meta.url));
const clean = path.join(top, "clean_sqlite");
const source = process.env["SOURCE_DIR"]!;

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: clean, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "--no-warnings" }, stdio: ["ignore", "pipe", "pipe"] });
}

const skip = DRIVERS.length === 0;
let tarballs: string[];
before(() => {
  fs.rmSync(clean, { recursive: true, force: true });
  fs.mkdirSync(clean);
  if (skip) {
    return;
  }
  run("node", path.join(source, "clients/sqlite/npm/pack.mjs"), EXTENSION, "packages");
  const folders = [...fs.readdirSync(path.join(clean, "packages")).map((name) => `./packages/${name}`), ".."];
  tarballs = (JSON.parse(run("npm", "pack", "--json", ...folders)) as { filename: string }[]).map((one) => `./${one.filename}`);
  fs.writeFileSync(path.join(clean, "package.json"), "{\"private\":true}");
  run("npm", "install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", ...tarballs);
  fs.rmSync(path.join(clean, "packages"), { recursive: true });
});

test("it has the extension, a main file for each kind of module, no script, and nothing that it depends on but the platform's", { skip }, () => {
  const [platform] = fs.readdirSync(path.join(clean, "node_modules")).filter((name) => name.startsWith("vestige-sqlite-"));
  const own = (name: string): Record<string, object> =>
    JSON.parse(fs.readFileSync(path.join(clean, "node_modules", name, "package.json"), "utf8")) as Record<string, object>;
  assert.deepEqual(Object.keys(own("vestige-sqlite")["optionalDependencies"]!), [platform]);
  for (const name of ["vestige-sqlite", platform!]) {
    assert.deepEqual([own(name)["scripts"], own(name)["dependencies"], own(name)["version"]], [undefined, undefined, own("vestige-audit")["version"]]);
    assert.ok(fs.existsSync(path.join(clean, "node_modules", name, "LICENSE")));
    assert.ok(fs.existsSync(path.join(clean, "node_modules", name, "README.md")));
  }
});

const USE = `
  if (vestige.load(db) !== db) throw new Error("not the same");
  if (db.prepare("select vestige_init() as done").get().done !== 1) throw new Error("not loaded");
  try {
    db.exec("select load_extension('x')");
    throw new Error("loading stayed switched on");
  } catch (error) {
    if (!/not authorized|no such function/.test(error.message)) throw error;
  }
  for (const wrong of [{}, null, "shop.db"]) {
    try {
      vestige.load(wrong);
      throw new Error("it was loaded into nothing");
    } catch (error) {
      if (!(error instanceof vestige.ExtensionUnavailable) || !/better-sqlite3 does/.test(error.message)) throw error;
    }
  }
  console.log(vestige.getLoadablePath());`;

for (const driver of DRIVERS) {
  const name = driver.name === "better-sqlite3" ? "default" : "DatabaseSync";
  const opened = `new Database(":memory:", ${driver.name === "better-sqlite3" ? "{}" : "{ allowExtension: true }"})`;
  test(`${driver.name}: loaded by import and by require`, () => {
    fs.writeFileSync(path.join(clean, "use.mjs"), `import { ${name} as Database } from "${driver.name}";\nimport * as vestige from "vestige-sqlite";\nconst db = ${opened};${USE}`);
    fs.writeFileSync(path.join(clean, "use.cjs"), `const { ${name}: Database = require("${driver.name}") } = require("${driver.name}");\nconst vestige = require("vestige-sqlite");\nconst db = ${opened};${USE}`);
    for (const file of ["use.mjs", "use.cjs"]) {
      assert.match(run("node", file), /node_modules\/vestige-sqlite-[a-z0-9-]+\/vestige0\.(so|dylib|dll)\n$/);
    }
  });
}

test("node:sqlite without leave to load is told what to do", { skip: !DRIVERS.some((one) => one.name === "node:sqlite") }, () => {
  fs.writeFileSync(path.join(clean, "off.mjs"), `import { DatabaseSync } from "node:sqlite";\nimport { ExtensionUnavailable, load } from "vestige-sqlite";
    try { load(new DatabaseSync(":memory:")); } catch (error) { console.log(error instanceof ExtensionUnavailable, error.message); }`);
  assert.match(run("node", "off.mjs"), /^true vestige: .*\{ allowExtension: true \}\)\n$/);
});

test("without the platform's package it says so", { skip }, () => {
  const [platform] = fs.readdirSync(path.join(clean, "node_modules")).filter((name) => name.startsWith("vestige-sqlite-"));
  const place = path.join(clean, "node_modules", platform!);
  fs.renameSync(place, `${place}.away`);
  fs.writeFileSync(path.join(clean, "none.cjs"), "try { require('vestige-sqlite').getLoadablePath(); } catch (error) { console.log(error.name, error.message); }");
  assert.match(run("node", "none.cjs"), /^ExtensionUnavailable vestige: there is no extension for .*the program `vestige` does the same/);
  fs.renameSync(`${place}.away`, place);
});

test("publint and attw find nothing", { skip }, () => {
  run("node", path.join(top, "node_modules/publint/src/cli.js"), "--strict", "node_modules/vestige-sqlite");
  run("node", path.join(top, "node_modules/@arethetypeswrong/cli/dist/index.js"), "--profile", "node16", "--format", "ascii", tarballs.find((one) => /vestige-sqlite-\d/.test(one))!);
});

test("the start on SQLite in docs/typescript.md does what it says", { skip: !DRIVERS.some((one) => one.name === "better-sqlite3") }, () => {
  const page = fs.readFileSync(path.join(source, "docs/typescript.md"), "utf8");
  const section = /\n## SQLite\n(.*?)\n## /s.exec(page)![1]!;
  const one = (language: string): string => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(section)![1]!;
  fs.rmSync(path.join(clean, "shop.db"), { force: true });
  fs.writeFileSync(path.join(clean, "app.mjs"), one("js"));
  assert.equal(run("node", "app.mjs"), one("text"));
});
