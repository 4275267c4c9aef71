// Drives the dashboard in a real browser: axe on every page in both color schemes at the width of a phone, a tablet and a desk, a
// same-day run, and the approval of a hold but for two people. Prints a line for each thing it saw; ends with 0 if all was
// well. Told by the environment: ADDRESS, TOKEN, MODULES (where playwright-core and axe-core are), CHROMIUM, PROFILE (an
// empty folder), and, to look at it, SHOTS (a folder for pictures).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { strict as assert } from "node:assert";

const { ADDRESS, TOKEN, MODULES, CHROMIUM, PROFILE, SHOTS } = process.env;
const require = createRequire(`${MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const site = `http://${ADDRESS}`;

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const PAGES = [
  ["overview", "/"],
  ["customer", "/c/northfield"],
  ["customer-new", "/c/aspen"],
  ["customer-major", "/c/larkspur"],
  ["pool", "/c/northfield/pools/content-district"],
  ["orgs", "/c/northfield/orgs"],
  ["people", "/c/northfield/people"],
  ["person", "/c/northfield/person?key=t-058"],
  ["queue", "/c/northfield/queue"],
  ["holds", "/c/northfield/holds"],
  ["hold", null],
  ["runs", "/c/northfield/runs"],
  ["run", null],
  ["run-held", null],
  ["sources", "/c/northfield/sources"],
  ["sources-new", "/c/aspen/sources"],
  ["episodes", "/c/northfield/episodes"],
  ["episode", "/c/northfield/episodes/1"],
  ["episode-major", "/c/larkspur/episodes/1"],
  ["forecast", "/c/northfield/forecast?pool=content-district"],
  ["reports", "/c/northfield/reports"],
  ["report-compliance", "/c/northfield/reports/compliance"],
  ["report-claims", "/c/northfield/reports/claims"],
  ["notices", "/c/northfield/notices"],
  ["audit", "/c/northfield/audit"],
  ["commit", "/c/northfield/audit/1"],
  ["not-there", "/c/nowhere"],
];
const WIDTHS = [390, 820, 1440];
const faults = [];

const signIn = async (page) => {
  await page.goto(`${site}/login?next=${encodeURIComponent("/c/northfield")}`);
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${site}/c/northfield`);
};

const check = async (page, what) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, help, nodes } of violations) {
    for (const node of nodes) { faults.push(`${what}: ${id} (${help}) at ${node.target}: ${node.failureSummary}`); }
  }
  // A page is never wider than the screen; what is wide scrolls by itself.
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wider > 0) { faults.push(`${what}: ${wider} px wider than the screen`); }
};

const browser = await chromium.launchPersistentContext(PROFILE, { executablePath: CHROMIUM, headless: true, args: FLAGS });
try {
  const page = await browser.newPage();
  page.on("console", (message) => {
    // The one page that is not there says so itself.
    if (message.type() === "error" && !message.text().includes("404")) { faults.push(`console: ${message.text()}`); }
  });
  page.on("pageerror", (error) => faults.push(`script: ${error}`));

  await page.goto(`${site}/login`);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await check(page, `login, ${scheme}`);
  }
  await signIn(page);
  await page.goto(`${site}/c/northfield/holds`);
  const hold = await page.locator("tbody th a").first().getAttribute("href");
  await page.goto(`${site}/c/northfield/runs`);
  const night = await page.locator("tbody th a").last().getAttribute("href");
  const found = { hold, run: night, "run-held": hold.replace("/holds/", "/runs/") };
  let seen = 0;
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      for (const [name, path] of PAGES) {
        await page.goto(site + (path ?? found[name]));
        await check(page, `${name}, ${scheme}, ${width} px`);
        if (SHOTS) { await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${width}.png`, fullPage: true }); }
        seen += 1;
      }
    }
  }
  console.log(`axe and width: ${seen} pages looked at`);

  // By keyboard alone: the first stop leads past the head of the page.
  await page.goto(`${site}/c/northfield`);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  console.log("keyboard: the way past the head works");

  // Tables sort, and say so.
  await page.goto(`${site}/c/northfield/people?q=t-05`);
  const heads = page.locator("thead th").filter({ hasText: "Person" });
  await heads.getByRole("button").click();
  await heads.getByRole("button").click();
  assert.equal(await heads.getAttribute("aria-sort"), "descending");
  assert.equal(await page.locator("tbody th").first().textContent(), "t-059");
  console.log("tables: sorted by a click");

  // A same-day run, watched until it is over.
  await page.goto(`${site}/c/larkspur/sources`);
  await page.getByRole("button", { name: "Sync hr now" }).click();
  await page.waitForURL(/\/c\/larkspur\/runs\/\d+$/, { timeout: 120_000 });
  assert.ok((await page.locator("main").textContent()).includes("Same-day"));
  console.log(`same-day run: ${new URL(page.url()).pathname}`);

  // The hold, decided person by person.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(site + hold);
  const boxes = page.getByRole("checkbox", { name: /^Keep / });
  await boxes.nth(0).check();
  await page.getByRole("button", { name: "After →" }).click();
  await boxes.nth(1).check();
  assert.ok((await page.locator("[data-tally]").textContent()).startsWith("2 stay as they are"));
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  const said = page.getByRole("status");
  await said.waitFor({ timeout: 120_000 });
  assert.ok((await said.textContent()).includes("partly approved"), await said.textContent());
  await check(page, "hold after its approval");
  console.log(`hold: ${await said.textContent()}`);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${site}/login`);
  console.log("signed out");
} finally {
  await browser.close();
}
faults.forEach((fault) => console.log(fault));
process.exitCode = faults.length === 0 ? 0 : 1;
