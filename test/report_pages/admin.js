// The history in Django's admin as a browser has it, by its links and forms alone: a row is logged in for, changed, its change undone,
// another undone over what was changed since, it is deleted and brought back. No page fetches anything from elsewhere, none is
// wider than its window, no script of the data's runs, and where scripts run axe finds nothing in what is ours.
//
//   node admin.js CHROMIUM ADDRESS USER PASSWORD KEY on|off WIDTH
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const [executablePath, address, user, password, key, scripts, width] = process.argv.slice(2);
const complaints = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const context = await browser.newContext({ javaScriptEnabled: scripts === "on", viewport: { width: Number(width), height: 900 } });
const page = await context.newPage();
const say = (what) => complaints.push(`${new URL(page.url()).pathname}: ${what}`);
page.on("request", (request) => {
  if (!request.url().startsWith(address)) say(`it fetches ${request.url()}`);
});
page.on("response", (response) => {
  if (response.status() >= 400 && response.status() !== 409) say(`${response.url()} is answered with ${response.status()}`);
});
page.on("dialog", (dialog) => {
  say("a script of the data's ran");
  dialog.dismiss();
});
page.on("pageerror", (error) => say(error.message));
page.setDefaultTimeout(60_000);

const row = `/admin/shop/product/${key}`;
const link = (name) => page.locator("#content").getByRole("link", { name });
const button = (name) => page.locator("#content").getByRole("button", { name });

async function looked(what, ...texts) {
  await page.waitForLoadState("load");  // a click waits for the page alone, and its width is its styles'
  const seen = await page.locator("#content").innerText();
  for (const text of texts) if (!seen.includes(text)) say(`${what}: it does not say ${JSON.stringify(text)}, but ${JSON.stringify(seen)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) say(`${what}: the page is ${wide} wider than its window`);
  if (scripts !== "on") return;
  for (const found of (await new AxeBuilder({ page }).include(".vestige").analyze()).violations)
    say(`${what}: axe: ${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
}

async function changed(price) {
  await page.goto(`${address}${row}/change/`);
  await page.getByLabel("Price").fill(price);
  await page.getByRole("button", { name: "Save and continue editing" }).click();
  if ((await page.getByLabel("Price").inputValue()) !== price) say("it is not changed");
}

try {
  await page.goto(`${address}${row}/history/`);
  await page.getByLabel("Username").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();

  // The timeline, page by page, and of one field.
  await looked("timeline", "postgres changed", "Who gave each field its value", "7.00", "<img src=x onerror=alert(1)>");
  await link("Older").click();
  await looked("older", "<img src=x onerror=alert(1)> created");
  await page.locator(".vestige-entry").last().locator("summary").first().click();
  if (!(await page.locator(".vestige-entry").last().getByText("999.50").isVisible())) say("what was created does not unfold");
  await page.getByLabel("Field").selectOption("stock");
  await button("Show").click();
  if ((await page.locator(".vestige-entry").count()) !== 1) say("a field's timeline has more than it");
  await link("As it was then").click();
  await looked("version", "999.50", "Back to the history");
  await link("Back to the history").click();

  // The last change is undone, for a reason.
  await link("Undo…").first().click();
  await looked("preview", "These fields would be put back.", "6.00");
  await page.getByLabel("Why").fill("a typo");
  await button("Undo the change").click();
  if (!(await page.getByText("The change is undone").isVisible())) say("it does not say that it is undone");

  // Another, over what was changed since.
  await changed("50.00");
  await page.goto(`${address}${row}/history/`);
  await link("Undo…").nth(1).click();
  await looked("conflict", "It cannot be undone as it stands.", "changed since");
  await page.getByLabel("Why").fill("over it");
  await button("Undo the change, over what was changed since").click();
  await looked("timeline after it", "over it");

  // It is deleted, found among what is gone, and comes back.
  await page.goto(`${address}${row}/delete/`);
  await page.getByRole("button", { name: "Yes, I’m sure" }).click();
  await link("Deleted").click();
  await looked("deleted", "<img src=x onerror=alert(1)>", "browser");
  await link("Bring it back…").first().click();
  await looked("deletion", "would be there again");
  await page.getByLabel("Why").fill("it is here");
  await button("Undo the change").click();
  await page.goto(`${address}${row}/history/`);
  await looked("all of it", "it is here", "browser");
  await link("The whole transaction").first().click();
  await looked("transaction", "it is here");
} catch (error) {
  say(error.message);
}
await browser.close();
for (const complaint of complaints) console.error(complaint);
process.exit(complaints.length > 0 ? 1 : 0);
