// Builds the page into dist/: the same bytes wherever it runs, with the versions that package.json names. No source maps, no paths.
//
//   node build.mjs            dist/
//   node build.mjs --tests    test/*.test.ts into out/, for node --test
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const MOST = 60_000;  // bytes, all of it as gzip has it
process.chdir(import.meta.dirname);

async function tests() {
  const files = (await readdir("test")).filter((name) => name.endsWith(".test.ts"));
  await rm("out", { recursive: true, force: true });
  await build({ entryPoints: files.map((name) => `test/${name}`), outdir: "out", bundle: true, platform: "node", format: "esm",
    target: "node20", logLevel: "warning" });
}

async function page() {
  const built = await build({ entryPoints: ["src/main.tsx"], bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8",
    jsx: "automatic", jsxImportSource: "preact", legalComments: "none", sourcemap: false, write: false, logLevel: "warning" });
  const styled = await build({ entryPoints: ["src/style/all.css"], bundle: true, minify: true, target: ["chrome111", "firefox113", "safari16.4"],
    charset: "utf8", legalComments: "none", write: false, logLevel: "warning" });
  const files = new Map([
    ["assets/console.js", built.outputFiles[0].contents],
    ["assets/console.css", styled.outputFiles[0].contents],
    ["assets/icon.svg", await readFile("src/icon.svg")],
  ]);
  // The names stay and the address changes with what is in them: a browser may keep each for ever.
  let index = await readFile("src/index.html", "utf8");
  for (const [name, bytes] of files)
    index = index.replaceAll(`/${name}`, `/${name}?v=${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`);
  files.set("index.html", Buffer.from(index));

  await rm("dist", { recursive: true, force: true });
  await mkdir("dist/assets", { recursive: true });
  let all = 0;
  for (const [name, bytes] of files) {
    await writeFile(`dist/${name}`, bytes);
    const size = gzipSync(bytes, { level: 9 }).length;
    all += size;
    console.log(`${name}: ${bytes.length} bytes, ${size} as gzip`);
  }
  console.log(`all: ${all} as gzip`);
  if (all > MOST) {
    console.error(`more than ${MOST}`);
    process.exit(1);
  }
}

await (process.argv[2] === "--tests" ? tests() : page());
