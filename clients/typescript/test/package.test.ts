/** What npm packs is enough: installed in a clean folder, as ES modules, CommonJS and types; docs/typescript.md's start runs. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Database } from "./database.js";

const top = fileURLToPath(new URL("..", import.meta.url));
const clean = path.join(top, "clean");
let packed: string[];
let tarball: string;
let database: Database;

function run(program: string, args: string[], over: NodeJS.ProcessEnv = {}): string {
  return execFileSync(program, args, { cwd: clean, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "", ...over }, stdio: ["ignore", "pipe", "pipe"] });
}

before(async () => {
  fs.rmSync(clean, { recursive: true, force: true });
  fs.mkdirSync(clean);
  const [made] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", clean], { cwd: top, encoding: "utf8" })) as
    [{ filename: string; files: { path: string }[] }];
  tarball = made.filename;
  packed = made.files.map((file) => file.path);
  fs.writeFileSync(path.join(clean, "package.json"), "{\"private\":true}");
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", `./${made.filename}`]);
  database = await Database.create();
});
after(() => database.drop());

test("the package has what it needs and nothing else, no scripts at its installation and no dependency", () => {
  const own = JSON.parse(fs.readFileSync(path.join(clean, "node_modules/vestige-audit/package.json"), "utf8")) as Record<string, Record<string, string>>;
  assert.equal(own["dependencies"], undefined);
  assert.deepEqual(Object.keys(own["scripts"]!), ["build"]);
  for (const file of packed) {
    assert.match(file, /^(dist\/(esm|cjs)\/[a-z_0-9]+(\.d)?\.(js|ts)|dist\/cjs\/package\.json|LICENSE|README\.md|package\.json)$/);
  }
});

const EXPORTS = Object.keys((JSON.parse(fs.readFileSync(path.join(top, "package.json"), "utf8")) as { exports: object }).exports)
  .filter((name) => !name.endsWith(".json")).map((name) => `vestige-audit${name.slice(1)}`);

test("every entry is there for import and for require, with the same names", () => {
  fs.writeFileSync(path.join(clean, "both.mjs"), `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    for (const name of ${JSON.stringify(EXPORTS)}) {
      const one = Object.keys(await import(name)).filter((key) => key !== "default" && key !== "module.exports").sort();
      const other = Object.keys(require(name)).sort();
      if (one.length === 0 || String(one) !== String(other)) throw new Error(name + ": " + one + " / " + other);
      console.log(name);
    }`);
  assert.deepEqual(run("node", ["both.mjs"]).trim().split("\n"), EXPORTS);
});

test("the types are found by each way of resolution, and hold", () => {
  const text = (from: string): string => EXPORTS.map((name, i) => `${from.replace("NAME", name).replace("ALL", `e${i}`)}\nvoid e${i};`).join("\n")
    + "\nvoid e0.run({ actor: 1, ticket: [\"x\"], reason: () => undefined }, () => 1).toFixed();\n"
    + "// @ts-expect-error a symbol says nothing\nvoid e0.run({ actor: Symbol() }, () => 1);\n";
  fs.writeFileSync(path.join(clean, "uses.mts"), text("import * as ALL from \"NAME\";"));
  fs.writeFileSync(path.join(clean, "uses.cts"), text("import ALL = require(\"NAME\");"));
  for (const [module, files] of [["nodenext", ["uses.mts", "uses.cts"]], ["bundler", ["uses.mts"]]] as const) {
    fs.writeFileSync(path.join(clean, "tsconfig.json"), JSON.stringify({
      compilerOptions: {
        noEmit: true, strict: true, target: "es2022", types: ["node"], skipLibCheck: false,
        module: module === "bundler" ? "esnext" : module, moduleResolution: module,
      },
      files,
    }));
    run("node", [path.join(top, "node_modules/typescript/bin/tsc")]);
  }
});

test("publint and attw find nothing", () => {
  run("node", [path.join(top, "node_modules/publint/src/cli.js"), "--strict", "node_modules/vestige-audit"]);
  run("node", [path.join(top, "node_modules/@arethetypeswrong/cli/dist/index.js"), "--profile", "node16", "--format", "ascii", tarball]);
});

test("the start in docs/typescript.md does what it says", async () => {
  const page = fs.readFileSync(path.join(process.env["SOURCE_DIR"]!, "docs/typescript.md"), "utf8");
  const start = /## Five minutes\n(.*?)\n## /s.exec(page)![1]!;
  const blocks = [...start.matchAll(/^```(\w+)\n(.*?)^```/gms)].map((found) => ({ language: found[1]!, text: found[2]! }));
  const one = (language: string): string => blocks.filter((block) => block.language === language).map((block) => block.text).join("");
  await database.run(one("sql"));
  fs.writeFileSync(path.join(clean, "app.mjs"), one("js"));
  const connection = { PGDATABASE: database.name, PGHOST: database.host, PGPORT: String(database.port), PGUSER: database.user };
  assert.equal(run("node", ["app.mjs"], connection), one("text"));
});

test("the front page's block of TypeScript does what it says", async () => {
  const page = fs.readFileSync(path.join(process.env["SOURCE_DIR"]!, "README.md"), "utf8");
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((found) => found[1]!);
  assert.deepEqual(blocks.map((block) => block.split("() => ...").length), [2]);   // a write is left out, once
  await database.run("create table front (id int primary key); select vestige.track('front')");
  fs.writeFileSync(path.join(clean, "front.mts"), `
    import pg from "pg";
    import * as vestige from "vestige-audit";
    import { instrument } from "vestige-audit/pg";
    ${blocks[0]!.replace("() => ...", "() => db.query(\"insert into front values (1)\")")}
    const { rows } = await db.query("select actor, context ->> 'reason' as reason from vestige.changes where \\"table\\" = 'front'");
    console.log(JSON.stringify(rows));
    await db.end();`);
  run("node", [path.join(top, "node_modules/typescript/bin/tsc"), "--ignoreConfig", "--strict", "--target", "es2022", "--module", "nodenext",
    "--moduleResolution", "nodenext", "--types", "node", "front.mts"]);
  const connection = { PGDATABASE: database.name, PGHOST: database.host, PGPORT: String(database.port), PGUSER: database.user };
  assert.deepEqual(JSON.parse(run("node", ["front.mjs"], connection)), [{ actor: "ann", reason: "summer sale" }]);
});
