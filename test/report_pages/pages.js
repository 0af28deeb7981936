// Reports as a browser shows them: axe finds nothing in light, dark and print, nothing is fetched, no script of the data's runs,
// every table has its head and its caption, and a wide one scrolls in a region that the keyboard reaches.
//
//   node pages.js CHROMIUM REPORT.html...
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [executablePath, ...files] = process.argv.slice(2);
const complaints = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

for (const file of files) {
  for (const [scheme, media] of [["light", "screen"], ["dark", "screen"], ["light", "print"]]) {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1200, height: 900 } });
    const page = await context.newPage();
    const say = (what) => complaints.push(`${file} (${scheme}, ${media}): ${what}`);
    page.on("request", (request) => {
      if (request.url() !== pathToFileURL(file).href) say(`it fetches ${request.url()}`);
    });
    page.on("dialog", (dialog) => {
      say("a script of the data's ran");
      dialog.dismiss();
    });
    page.on("pageerror", (error) => say(error.message));
    await page.goto(pathToFileURL(file).href);
    await page.emulateMedia({ media, colorScheme: scheme });
    for (const found of (await new AxeBuilder({ page }).analyze()).violations)
      say(`axe: ${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
    const seen = await page.evaluate(() => ({
      language: document.documentElement.lang,
      title: document.title,
      scripts: [...document.scripts].map((script) => script.type),
      bare: [...document.querySelectorAll("table")].filter(
        (table) => !table.caption || !table.tHead || table.querySelector("th:not([scope])")).length,
      wider: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      stuck: [...document.querySelectorAll(".scroll")].filter(
        (box) => box.scrollWidth > box.clientWidth && box.tabIndex !== 0).length,
      rows: document.querySelectorAll("tbody tr").length,
      head: JSON.parse(document.getElementById("head").textContent),
      lines: document.getElementById("rows").textContent.trim().split("\n").filter((line) => line !== "")
        .map((line) => JSON.parse(line)).length,
    }));
    if (seen.language !== "en" || seen.title === "") say("it has no language or no title");
    if (seen.scripts.some((type) => !["application/json", "application/x-ndjson"].includes(type)))
      say(`scripts of type ${seen.scripts}`);
    if (seen.bare !== 0) say(`${seen.bare} tables without caption, head or scope`);
    if (seen.wider && media === "screen") say("the page is wider than its window");
    if (seen.stuck !== 0) say("a wide table that the keyboard cannot scroll");
    if (seen.rows !== seen.head.rows || seen.lines !== seen.head.rows)
      say(`${seen.rows} rows are shown and ${seen.lines} embedded, of ${seen.head.rows}`);
    if (media === "print") {
      const pdf = await page.pdf({ preferCSSPageSize: true });
      if (!pdf.subarray(0, 5).equals(Buffer.from("%PDF-"))) say("it is not printed");
    }
    await context.close();
  }
}
await browser.close();
for (const complaint of complaints) console.error(complaint);
console.log(`${files.length} reports looked at, ${complaints.length} complaints`);
process.exit(complaints.length === 0 ? 0 : 1);
