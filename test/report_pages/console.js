// The console in a browser, against `vestige serve` of a trail with hostile values: every page in light and dark, wide and narrow; the
// question "who changed the price of product 1" by keys alone; and a tail whose server is killed.
//
//   node console.js CHROMIUM VESTIGE PATH...      the trail is that of $VESTIGE_DB; PARTS=pages leaves out the others
import { AxeBuilder } from "@axe-core/playwright";
import { spawn, execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const [executablePath, vestige, ...paths] = process.argv.slice(2);
const complaints = [];
let place = "";
const say = (what) => {
  complaints.push(`${place}: ${what}`);
  console.error(complaints.at(-1));
};

const port = await new Promise((resolve) => {
  const free = createServer().listen(0, "127.0.0.1", () => {
    const { port: taken } = free.address();
    free.close(() => resolve(taken));
  });
});
const address = `http://127.0.0.1:${port}`;

// The server, which is killed and comes again at its address.
let server;
async function serve(...more) {
  const started = spawn(vestige, ["serve", "--listen", `127.0.0.1:${port}`, ...more], { stdio: ["ignore", "ignore", "pipe"] });
  let talk = "";
  await new Promise((resolve, reject) => {
    started.stderr.on("data", (text) => {
      talk += text;
      if (talk.includes("the console is at")) resolve();
    });
    started.on("exit", (code) => reject(new Error(`serve ended with ${code}: ${talk}`)));
  });
  server = started;
}
async function kill() {
  const gone = new Promise((resolve) => server.on("exit", resolve));
  server.removeAllListeners("exit");
  server.on("exit", () => {});
  server.kill("SIGKILL");
  await Promise.race([gone, new Promise((resolve) => server.on("close", resolve))]);
}
const exec = (...words) => promisify(execFile)(vestige, ["exec", ...words]);
const ask = async (path) => (await fetch(`${address}/api/v1${path}`)).json();

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

async function opened(how = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...how });
  const page = await context.newPage();
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`) && !request.url().startsWith("data:")) say(`it asks ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    say("a script of the data's ran");
    dialog.dismiss();
  });
  page.on("pageerror", (error) => say(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/.test(message.text())) say(message.text());
  });
  page.setDefaultTimeout(60_000);
  return page;
}

// All of it is there: nothing is being asked for.
async function settled(page) {
  await page.waitForSelector("main h1");
  await page.waitForFunction(() => document.querySelector(".waiting, [aria-busy=true]") === null);
}

async function looked(page, whole = true) {
  const seen = await page.evaluate(() => ({
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    title: document.title,
    text: document.body.innerText,
    problems: [...document.querySelectorAll(".problem")].map((one) => one.textContent),
    foreign: document.querySelectorAll("main script, main iframe, main svg script, main [onerror], main [onload], main [style], main b > i > u").length,
    headings: document.querySelectorAll("h1").length,
    bare: [...document.querySelectorAll("table")].filter((table) => !table.caption || !table.tHead).length,
  }));
  if (seen.wider > 0) say(`the page is ${seen.wider} wider than its window`);
  if (!seen.title.includes("Vestige")) say("it has no title");
  if (seen.problems.length > 0) say(`a problem: ${seen.problems.join("; ").slice(0, 500)}`);
  if (seen.foreign > 0) say("markup of the data's is markup of the page's");
  if (seen.headings !== 1) say(`${seen.headings} headings`);
  if (seen.bare > 0) say("a table without caption or head");
  if (/[\u0000-\u0008\u200b\u202a-\u202e\u2066-\u2069]/.test(seen.text)) say("what nobody sees is not shown as its number");
  if (!whole) return;
  for (const found of (await new AxeBuilder({ page }).analyze()).violations)
    say(`axe: ${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 300)).join(" ")}`);
}

async function everyPage() {
  const rows = await rowPaths();
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 380]) {
      const page = await opened({ colorScheme: scheme, viewport: { width, height: 900 } });
      for (const path of [...paths, ...rows]) {
        place = `${path} (${scheme}, ${width})`;
        await page.goto(address + path);
        await settled(page);
        await looked(page, (scheme === "light") === (width === 1280));
      }
      await page.context().close();
    }
  }
  console.log(`${paths.length + rows.length} pages looked at, four times`);
}

// Each row that there is, as the page itself links to it: whatever its table and key are.
async function rowPaths() {
  place = "links";
  const page = await opened();
  const links = [];
  for (const filter of ["", "table:products", "table:wide", "table:pairs", "-table:products,wide,pairs"]) {
    await page.goto(`${address}/?q=${encodeURIComponent(filter)}`);
    await settled(page);
    links.push(...(await page.$$eval("td.row a", (all) => all.map((link) => link.getAttribute("href")))));
  }
  await page.context().close();
  const byTable = new Map();
  for (const link of new Set(links)) byTable.set(link.split("/")[2], [...(byTable.get(link.split("/")[2]) ?? []), link]);
  const { items } = await ask("/changes?q=&limit=1000");
  return [...[...byTable.values()].flatMap((all) => all.slice(0, 8)), ...[...byTable.keys()].map((table) => `/t/${table}`),
    `/c/${items[0].id}`, `/tx/${items[0].tx}`, `/c/${items.at(-1).id}`];
}

// "Who changed the price of product 1?", without a mouse.
async function byKeys() {
  place = "by keys";
  const page = await opened();
  await page.goto(`${address}/`);
  await settled(page);
  let keys = 0;
  const press = async (...all) => {
    for (const key of all) {
      await page.keyboard.press(key);
      ++keys;
    }
  };
  await press("/", "p", "r", "i");
  await page.waitForSelector('[role=option]:has-text("column:price")');
  await press("Tab", "Enter");
  await page.waitForURL(/column%3Aprice/);
  await settled(page);
  await press("j", "Enter");
  await page.waitForURL(/\/c\/\d+$/);
  await settled(page);
  const text = await page.locator("main").innerText();
  for (const word of ["products", "ann", "it was no typo", "99900", "94900"]) if (!text.includes(word)) say(`it does not say ${word}: ${text.slice(0, 400)}`);
  if (keys > 8) say(`${keys} keys`);
  // Back is where it was, at the row; f filters by it, and by a cell of it.
  await page.goBack();
  await settled(page);
  const row = await page.evaluate(() => document.activeElement?.getAttribute("data-row"));
  if (row === null || row === undefined) say("Back does not lead to the row");
  await page.keyboard.press("f");
  await page.waitForURL(/key\.id%3A1/);
  await settled(page);
  await page.goto(`${address}/`);
  await settled(page);
  for (const key of ["j", "l", "l", "l", "l", "l", "f"]) await page.keyboard.press(key);
  await page.waitForURL(/who%3A/);
  await settled(page);
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await looked(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.keyboard.press("e");
  await page.waitForSelector("dialog[open] a");
  for (const to of await page.$$eval("dialog a", (all) => all.map((link) => link.href))) if ((await fetch(to)).status !== 200) say(`export ${to}`);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  for (const [key, path] of [["v", "/verify"], ["s", "/status"], ["t", "/"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(address + path);
    await settled(page);
  }
  await page.context().close();
  console.log(`by keys: ${keys}`);
}

// The row as it was: the slider by its keys, and what it says aloud.
async function slider() {
  place = "slider";
  const page = await opened();
  await page.goto(`${address}/t/products/1`);
  await settled(page);
  await page.focus("#moment");
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL(/at=\d+/);
  await page.waitForSelector("table.then");
  await settled(page);
  const last = page.url();
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL((url) => url.href !== last);
  await settled(page);
  const aloud = await page.getAttribute("#moment", "aria-valuetext");
  if (!/^after change \d+, update, /.test(aloud ?? "")) say(`the slider says ${aloud}`);
  await page.locator("tr.differs").first().waitFor();
  await page.goBack();
  await page.waitForSelector("table.blame");
  await page.context().close();
}

// Whoever comes by a link signs in and is where it leads.
async function signIn() {
  place = "sign in";
  const token = randomBytes(16).toString("hex");
  writeFileSync("tokens", `${createHash("sha256").update(token).digest("hex")} ann\n`, { mode: 0o600 });
  await kill();
  await serve("--auth", "token", "--tokens", "tokens");
  const page = await opened();
  await page.goto(`${address}/t/products/1?at=2`);
  for (const found of (await new AxeBuilder({ page }).analyze()).violations) say(`axe: ${found.id}: ${found.help}`);
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("table.then");
  if (!page.url().endsWith("/t/products/1?at=2")) say(`it leads to ${page.url()}`);
  await page.context().close();
  await kill();
  await serve();
}

// What is clicked: a count, a day, a condition away; a revert looked at, the trail verified, a receipt checked, a report run, an alert closed.
async function byMouse() {
  place = "by mouse";
  const page = await opened();
  const seen = async (...texts) => {
    await settled(page);
    const text = await page.locator("main").innerText();
    for (const one of texts) if (!text.includes(one)) say(`it does not say ${one}: ${text.slice(0, 400)}`);
  };
  await page.goto(`${address}/`);
  await settled(page);
  await page.getByRole("complementary").getByRole("link", { name: "ann", exact: true }).click();
  await page.waitForURL(/who%3Aann/);
  await seen("it was no typo");
  await page.locator(".bars a").first().click();
  await page.waitForURL(/until%3A/);
  await seen("it was no typo");
  await page.getByRole("link", { name: "without who:ann" }).click();
  await page.waitForURL((url) => !url.search.includes("ann"));
  await seen("manager_john");
  const change = (await ask("/changes?q=who:ann+column:price")).items[0];
  await page.goto(`${address}/tx/${change.tx}`);
  await page.getByRole("button", { name: "Preview the revert" }).click();
  await page.getByText(`vestige revert --tx ${change.tx}`, { exact: true }).waitFor();
  await seen("94900", "99900", "no conflicts");
  await looked(page);
  await page.goto(`${address}/c/${change.id}`);
  const receipt = await (await fetch(await page.getByRole("link", { name: "receipt" }).evaluate((link) => link.href))).text();
  writeFileSync("mouse.receipt", receipt);
  await promisify(execFile)(vestige, ["check", "mouse.receipt", "--vkey", "seal.vkey"]);
  await page.goto(`${address}/verify`);
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.locator(".run .verdict").waitFor();
  await seen("are sealed, and as they were", "no key was known to check", "shop.example.com");
  await looked(page);
  await page.goto(`${address}/reports`);
  await page.getByRole("link", { name: "Changes", exact: true }).click();
  await page.waitForURL(/reports\/changes/);
  await seen("It covers all", "it was no typo");
  for (const kind of ["HTML", "CSV"]) {
    const answer = await fetch(await page.getByRole("link", { name: kind, exact: true }).evaluate((link) => link.href));
    if (answer.status !== 200 || !(answer.headers.get("content-disposition") ?? "").startsWith("attachment")) say(`${kind} of a report: ${answer.status}`);
    await answer.text();
  }
  await page.goto(`${address}/alerts`);
  await page.locator("tbody a").first().click();
  await page.getByLabel("Note").fill("<b>looked into it");
  await page.getByRole("button", { name: "acknowledge" }).click();
  await page.locator(".lead b", { hasText: "acknowledged" }).waitFor();
  await seen("<b>looked into it");
  await page.getByLabel("Note").fill("it is in order");
  await page.getByRole("button", { name: "silence", exact: true }).click();
  await page.getByText("silenced for 7d").waitFor();
  await page.getByLabel("Note").fill("it is in order");
  await page.getByRole("button", { name: "close", exact: true }).click();
  await page.locator(".lead b", { hasText: "closed" }).waitFor();
  await looked(page);
  await page.context().close();
}

const idsOf = (page) => page.$$eval("tbody tr[data-row]", (all) => all.map((row) => row.getAttribute("data-row")));

// Changes while it is looked at, the server killed among them: all of them stand there, once.
async function tail() {
  place = "tail";
  const page = await opened();
  await page.goto(`${address}/?q=table%3Aproducts`);
  await settled(page);
  await page.waitForSelector(".live-live");
  const before = (await idsOf(page)).length;
  const change = (i) => exec("--actor", "tail", `update products set stock = ${5000 + i} where id = 2`);
  const shown = (count) => page.waitForFunction((wanted) => document.querySelectorAll("tbody tr[data-row]").length === wanted, before + count);
  for (let i = 0; i < 5; ++i) await change(i);
  await shown(5);
  await change(5);
  await kill();
  for (let i = 6; i < 12; ++i) await change(i);
  await page.waitForSelector(".live-cut-off");
  await serve();
  for (let i = 12; i < 15; ++i) await change(i);
  await shown(15);
  // Twice more, with changes that come while it goes down.
  for (let round = 0; round < 2; ++round) {
    const writing = (async () => { for (let i = 0; i < 8; ++i) await change(100 + 10 * round + i); })();
    await new Promise((resolve) => setTimeout(resolve, 150));
    await kill();
    await writing;
    await serve();
    await shown(15 + 8 * (round + 1));
  }
  // Scrolled away nothing moves: they are counted, and n shows them.
  await page.evaluate(() => scrollTo(0, 1000));
  for (let i = 0; i < 3; ++i) await change(300 + i);
  await page.getByText("3 new, press").waitFor();
  await page.keyboard.press("n");
  await shown(34);
  const ids = await idsOf(page);
  const { items } = await ask("/changes?q=table%3Aproducts&limit=1000");
  const all = items.map((item) => String(item.id)).slice(0, ids.length);
  if (new Set(ids).size !== ids.length) say("a change stands there twice");
  if (ids.join() !== all.join()) say(`there are ${all.join()}, and the page has ${ids.join()}`);
  await page.context().close();
  console.log(`tail: ${ids.length} changes, none missing, none twice`);
}

try {
  await serve();
  const parts = { keys: byKeys, slider, login: signIn, mouse: byMouse, tail, pages: everyPage };
  for (const part of (process.env.PARTS ?? Object.keys(parts).join(" ")).split(" ")) await parts[part]();
} catch (error) {
  say(error.stack);
  for (const page of browser.contexts().flatMap((context) => context.pages()))
    say(`it was at ${page.url()}: ${await page.evaluate(() => `${document.activeElement?.outerHTML.slice(0, 200)} in ${document.querySelector("main")?.innerText.slice(0, 400)}`)}`);
}
await browser.close();
server?.removeAllListeners("exit");
server?.kill("SIGTERM");
process.exit(complaints.length === 0 ? 0 : 1);
