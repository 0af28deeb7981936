/**
 * Makes the packages: vestige-sqlite, and that of the platform that runs this, which has the extension and nothing else.
 *
 *   node pack.mjs FILE FOLDER     FILE is vestige0.so (`make sqlite-extension` builds it)
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const [file, folder] = process.argv.slice(2);
const main = JSON.parse(fs.readFileSync(path.join(here, "package.json"), "utf8"));
const libc = process.platform !== "linux" ? undefined : process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl";
const platform = [process.platform, process.arch, ...(libc ? [libc === "glibc" ? "gnu" : libc] : [])].join("-");
const name = `${main.name}-${platform}`;
if (main.optionalDependencies[name] !== main.version) {
  throw new Error(`package.json has no ${name} of ${main.version} among its optionalDependencies`);
}
const made = (one) => {
  const place = path.join(folder, one);
  fs.mkdirSync(place, { recursive: true });
  fs.copyFileSync(path.join(here, "../../../LICENSE"), path.join(place, "LICENSE"));
  return place;
};

const all = made(main.name);
for (const one of ["package.json", ...main.files.filter((entry) => entry !== "LICENSE")]) {
  fs.copyFileSync(path.join(here, one), path.join(all, one));
}

const own = made(name);
fs.copyFileSync(file, path.join(own, path.basename(file)));
fs.writeFileSync(path.join(own, "README.md"), `# ${name}\n\nThe extension of vestige-sqlite for ${platform}.\n`);
fs.writeFileSync(path.join(own, "package.json"), `${JSON.stringify({
  name, version: main.version, description: `${main.description} (${platform})`, license: main.license,
  os: [process.platform], cpu: [process.arch], ...(libc ? { libc: [libc] } : {}), files: [path.basename(file), "LICENSE", "README.md"],
}, null, 2)}\n`);
