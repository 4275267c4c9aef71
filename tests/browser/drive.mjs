// Drives the dashboard in a real browser: axe on every page in both color schemes at the width of a phone, a tablet and a desk, a
// same-day run, and the approval of a hold but for two people. Prints a line for each thing it saw; ends with 0 if all was
// well. Told by the environment: ADDRESS, TOKEN, REPORTER (a token that may not see people), PAGES (what is to be looked at:
// each with its name, path and status), HOLD (the path of one that is open), MODULES (where playwright-core and axe-core are),
// CHROMIUM, PROFILE (an empty folder), and, to look at it, SHOTS (a folder for pictures).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { strict as assert } from "node:assert";

const { ADDRESS, TOKEN, REPORTER, PAGES, HOLD, MODULES, CHROMIUM, PROFILE, SHOTS } = process.env;
const require = createRequire(`${MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const site = `http://${ADDRESS}`;

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const WIDTHS = [390, 820, 1440];
// So many pages are looked at at once.
const TABS = 3;
const faults = [];
let seen = 0;

const enter = async (page, token) => {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
};

const signIn = async (page, token) => {
  await page.goto(`${site}/login?next=${encodeURIComponent("/c/northfield")}`);
  await enter(page, token);
  await page.waitForURL(`${site}/c/northfield`);
};

// A tab in which whatever goes wrong is told; what a page asks for by itself is never answered, so that it stays as it is.
const tab = async () => {
  const page = await browser.newPage();
  page.on("console", (message) => {
    // A page that is not there, or not for everybody, says so itself.
    if (message.type() === "error" && !/status of (403|404|429) /.test(message.text())) { faults.push(`console: ${message.text()}`); }
  });
  page.on("pageerror", (error) => faults.push(`script: ${error}`));
  return page;
};

const check = async (page, what) => {
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, help, nodes } of violations) {
    for (const node of nodes) { faults.push(`${what}: ${id} (${help}) at ${node.target}: ${node.failureSummary}`); }
  }
  // A page is never wider than the screen; what is wide scrolls by itself.
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wider > 0) { faults.push(`${what}: ${wider} px wider than the screen`); }
};

// The page that a tab shows, in both color schemes at all widths.
const look = async (page, name) => {
  await page.evaluate(axe);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      await check(page, `${name}, ${scheme}, ${width} px`);
      if (SHOTS) { await page.screenshot({ path: `${SHOTS}/${name}-${scheme}-${width}.png`, fullPage: true }); }
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  seen += 1;
};

const lookAt = async (page, { name, path, status }) => {
  const answer = await page.goto(site + path);
  if (answer.status() !== status) { faults.push(`${name}: ${path} answered ${answer.status()}`); }
  if (new URL(page.url()).pathname !== path.split("?")[0]) { faults.push(`${name}: ${path} led on to ${page.url()}`); }
  await look(page, name);
};

const browser = await chromium.launchPersistentContext(PROFILE, { executablePath: CHROMIUM, headless: true, args: FLAGS });
try {
  const page = await tab();
  await lookAt(page, { name: "login", path: "/login", status: 200 });
  await enter(page, "rosterd_1_mistyped");
  await page.getByRole("alert").waitFor();
  await look(page, "login-refused");
  await signIn(page, TOKEN);
  const left = JSON.parse(PAGES);
  const walk = async () => {
    const tabbed = await tab();
    await tabbed.route(/\/progress$/, () => {});
    for (let next = left.shift(); next; next = left.shift()) { await lookAt(tabbed, next); }
    await tabbed.close();
  };
  await Promise.all(Array.from({ length: TABS }, walk));

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
  await page.goto(site + HOLD);
  const boxes = page.getByRole("checkbox", { name: /^Keep / });
  await boxes.nth(0).check();
  await page.getByRole("button", { name: "After →" }).click();
  await look(page, "hold-answer");
  await boxes.nth(1).check();
  assert.ok((await page.locator("[data-tally]").textContent()).startsWith("2 stay as they are"));
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  const said = page.getByRole("status");
  await said.waitFor({ timeout: 120_000 });
  assert.ok((await said.textContent()).includes("partly approved"), await said.textContent());
  await look(page, "hold-approved");
  console.log(`hold: ${await said.textContent()}`);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${site}/login`);
  console.log("signed out");

  // Somebody who may not see people is told so.
  await signIn(page, REPORTER);
  await lookAt(page, { name: "not-for-this-role", path: "/c/northfield/people", status: 403 });
  await page.goto(`${site}/c/northfield`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${site}/login`);

  // Who tries too often is not heard for a while.
  for (let failed = 0; failed <= 10; failed += 1) {
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await enter(page, "rosterd_1_mistyped");
    await answer;
    await page.getByRole("alert").waitFor();
  }
  assert.ok((await page.getByRole("alert").textContent()).startsWith("Too many tries"));
  await look(page, "login-throttled");
  console.log(`axe and width: ${seen} pages looked at`);
} finally {
  await browser.close();
}
faults.forEach((fault) => console.log(fault));
process.exitCode = faults.length === 0 ? 0 : 1;
