// Drives the page in Chromium: `node check.mjs ADDRESS GUARDED TOKEN`, the second address of a
// server that asks for that token. Asks the test for a new alert by printing
// `publish JSON`. Waits for conditions, never for time.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostile } from "./hostile.mjs";

const { chromium } = await import(process.env.PAGE_PLAYWRIGHT);
const shots = process.env.PAGE_SCREENSHOTS;
const [address, guarded, token] = process.argv.slice(2);
const { start, later } = JSON.parse(readFileSync(new URL("alerts.json", import.meta.url), "utf8"));
const lead = start[2].finding_info.uid;

const browser = await chromium.launch({ executablePath: process.env.PAGE_CHROMIUM, args: ["--no-sandbox"] });
const publish = (alert) => console.log(`publish ${JSON.stringify(alert)}`);

/** Everything that must not happen on a page. */
function watch(page) {
  const bad = [];
  page.on("dialog", (dialog) => {
    bad.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => bad.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // A lost connection is said by the browser itself.
    if (["error", "warning"].includes(message.type()) && !/net::ERR_|Failed to load resource/.test(message.text())) bad.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith(guarded)) bad.push(`request: ${request.url()}`);
  });
  return bad;
}

async function open(scheme, size = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: size, timezoneId: "Europe/Berlin", locale: "en-GB" });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const bad = watch(page);
  await page.goto(address);
  await page.waitForSelector(".state.live");
  return { context, page, bad };
}

/** The page of the server that asks who is there: by keyboard alone. */
async function signIn() {
  const context = await browser.newContext({ colorScheme: "dark", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const bad = watch(page);
  const sent = [];
  page.on("request", (request) => sent.push([request.url(), request.headers().authorization ?? ""]));
  await page.goto(`${guarded}/#/alerts/${lead}`);
  await page.waitForSelector("dialog[open] #token");
  assert.equal(await page.textContent(".state"), "token needed");
  assert.equal((await page.$$(".case, .case-page, .ghost")).length, 0, "nothing is shown");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  await page.screenshot({ path: `${shots}/sign-in.png` });
  await page.keyboard.press("Escape");
  assert.ok(await page.isVisible("#token"), "there is nothing behind it");
  await page.keyboard.type("dw_wrong");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#token-why")?.textContent.includes("not known"));
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".state.live");
  await page.waitForSelector(".case-page h1");
  assert.equal((await page.$$(".case")).length, 5);
  // A new load of the tab is still the same person; another tab is not.
  await page.reload();
  await page.waitForSelector(".case");
  const other = await context.newPage();
  await other.goto(guarded);
  await other.waitForSelector("dialog[open] #token");
  await other.close();
  assert.ok(sent.every(([url]) => !url.includes("dw_")), "no token is in an address");
  assert.ok(sent.some(([url, header]) => url.includes("/stream") && header === `Bearer ${token}`));
  assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), "{}");
  await page.focus("text=Sign out");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open] #token");
  assert.equal((await page.$$(".case, .case-page")).length, 0, "nothing is left");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(bad, []);
  await context.close();
  console.log("ok: a token is asked for, kept for the tab, and forgotten");
}

const texts = (page, selector) => page.$$eval(selector, (nodes) => nodes.map((node) => node.textContent));
const until = (page, check, argument) => page.waitForFunction(check, argument);

const steps = [];
const step = (name, run) => steps.push([name, run]);

step("the list shows the open cases, newest first", async ({ page }) => {
  await page.waitForSelector(".case");
  assert.equal((await page.$$(".case")).length, 5);
  const times = await page.$$eval(".case", (nodes) => nodes.map((node) => node.dataset.id));
  assert.equal(times[0], start[7].finding_info.uid);
  assert.match(await page.textContent(".count"), /^5 open$/);
  assert.ok((await texts(page, ".case .who")).some((text) => text.includes("n…@example.com") && text.includes("executive")));
});

step("j, k and enter move; the address is a deep link", async ({ page }) => {
  await page.keyboard.press("j");
  await page.waitForSelector(".case.chosen");
  await page.keyboard.press("j");
  await until(page, () => document.querySelectorAll(".case")[1].classList.contains("chosen"));
  await page.keyboard.press("k");
  await until(page, () => document.querySelectorAll(".case")[0].classList.contains("chosen"));
  const first = await page.getAttribute(".case.chosen", "data-id");
  assert.ok(page.url().endsWith(`#/alerts/${first}`));
  await page.keyboard.press("Enter");
  await until(page, () => document.activeElement.classList.contains("detail"));
});

step("a deep link opens the case", async ({ page }) => {
  await page.goto(`${address}/ui/alerts/${lead}`);
  await page.waitForSelector(".case-page h1");
  assert.match(await page.textContent("h1"), /no ticket, no call-back/);
  assert.match(await page.textContent(".subject"), /n…@example\.com.*executive/);
  const gone = await texts(page, ".controls li");
  assert.equal(gone.length, 2);
  assert.ok(gone.some((text) => text.includes("ticket")) && gone.some((text) => text.includes("call-back")));
  assert.equal((await texts(page, ".todo li")).length, 2);
});

step("the timeline has the events in order, in their lanes", async ({ page }) => {
  assert.deepEqual(await texts(page, ".lane-name"), ["Ticket", "Call", "Recovery", "Device", "Session"]);
  const marks = await page.$$eval(".mark .dot", (dots) => dots.map((dot) => ({ x: Number(dot.getAttribute("cx")), y: Number(dot.getAttribute("cy")) })));
  // Two utterances in a minute are one mark.
  assert.equal(marks.length, 9);
  assert.ok((await texts(page, ".mark-name")).some((text) => text.endsWith("×2")));
  assert.ok(marks.every((mark, n) => n === 0 || mark.x > marks[n - 1].x), "from left to right");
  assert.equal(new Set(marks.map((mark) => mark.y)).size, 4, "nothing lies in the ticket lane");
  const missing = await texts(page, ".missing text");
  assert.equal(missing.length, 2);
  assert.deepEqual(await texts(page, "td.n"), ["1", "2", "2", "3", "4", "5", "6", "7", "8", "9"]);
  assert.ok((await texts(page, "td.src")).every((text) => /\/\d+\/\d+/.test(text)), "every event names its source");
  await page.click('.mark[data-number="5"]');
  await page.waitForSelector('tr.picked[data-number="5"]');
});

step("the waterfall adds up to the score", async ({ page }) => {
  const parts = await page.$$eval(".w-family .w-part", (nodes) => nodes.map((node) => Number(node.dataset.cp)));
  const total = Number(await page.getAttribute(".w-total .w-part", "data-cp"));
  assert.equal(parts.length, 3);
  assert.equal(parts.reduce((a, b) => a + b, 0), total);
  assert.equal(Math.floor((total + 50) / 100), start[2].risk_score);
  assert.equal(await page.textContent(".w-score"), String(start[2].risk_score));
  assert.equal(await page.$(".w-how.warn"), null);
});

step("counter-evidence and struck-out findings are to be seen", async ({ page }) => {
  await page.goto(`${address}/#/alerts/${start[4].finding_info.uid}`);
  await page.waitForSelector(".finding.struck");
  assert.match(await page.textContent(".finding.struck"), /HDT-15.*retracted by event 3/s);
  assert.equal((await texts(page, ".w-sum.w-counter")).length, 3);
  assert.deepEqual(await texts(page, ".w-sum.w-counter"), ["−40.00", "−40.00", "−40.00"]);
  assert.equal(await page.textContent(".w-score"), "31");
  assert.equal(await page.$(".w-how.warn"), null);
  assert.deepEqual(await texts(page, ".history .score"), ["87", "31"]);
});

step("times are UTC or local", async ({ page }) => {
  const utc = await page.textContent("td.t");
  await page.keyboard.press("u");
  await until(page, (before) => document.querySelector("td.t")?.textContent !== before, utc);
  const hour = (text) => Number(text.slice(0, 2));
  assert.equal(hour(await page.textContent("td.t")), (hour(utc) + 1) % 24);
  await page.keyboard.press("u");
  await until(page, (before) => document.querySelector("td.t")?.textContent === before, utc);
});

step("a new case waits behind a pill, and nothing jumps", async ({ page }) => {
  const before = await page.$$eval(".case", (nodes) => nodes.map((node) => node.dataset.id));
  publish(later[0]);
  await page.waitForSelector(".pill:not([hidden])");
  assert.match(await page.textContent(".pill"), /^1 new/);
  assert.deepEqual(await page.$$eval(".case", (nodes) => nodes.map((node) => node.dataset.id)), before);
  await page.keyboard.press("n");
  const id = later[0].finding_info.uid;
  await until(page, (id) => document.querySelector(".case")?.dataset.id === id, id);
  assert.equal(await page.isHidden(".pill"), true);
});

step("a change shows where the case stands, in the list and in the open case", async ({ page }) => {
  const id = later[1].finding_info.uid;
  await page.click(`[data-id="${id}"]`);
  await until(page, (score) => document.querySelector(".ring-score")?.textContent === score, String(later[0].risk_score));
  publish(later[1]);
  await until(page, (score) => document.querySelector(".ring-score")?.textContent === score, String(later[1].risk_score));
  assert.equal(await page.textContent(`[data-id="${id}"] .score`), String(later[1].risk_score));
  publish(later[2]);
  await page.waitForSelector(`.case.closed[data-id="${later[2].finding_info.uid}"]`);
});

step("filters and search narrow the list", async ({ page }) => {
  await page.click('[data-min="critical"]');
  await until(page, () => document.querySelectorAll(".case").length === 2);
  await page.click('[data-min="all"]');
  await until(page, () => document.querySelectorAll(".case").length === 5);
  await page.fill("input", "inc0041");
  await until(page, () => document.querySelectorAll(".case").length === 1);
  await page.fill("input", "nothing like it");
  await page.waitForSelector(".empty");
  await page.fill("input", "");
  await until(page, () => document.querySelectorAll(".case").length === 5);
  await page.click('[data-status="closed"]');
  await until(page, () => document.querySelectorAll(".case.closed").length === 2);
  await page.click('[data-status="open"]');
  await until(page, () => document.querySelectorAll(".case").length === 5);
});

step("a link from the data is asked about first", async ({ page }) => {
  await page.goto(`${address}/#/alerts/${start[6].finding_info.uid}`);
  await page.click(".tickets .link");
  assert.match(await page.textContent("dialog"), /servicedesk\.example\.com/);
  await page.click("dialog button:not(.primary)");
  assert.equal(await page.$("dialog"), null);
});

step("a lost connection is said, and mended", async ({ context, page }) => {
  await context.setOffline(true);
  // Streams that are open live on in the browser: a new question finds out.
  await page.click('[data-min="high"]');
  await page.waitForSelector(".state.loading, .state.reconnecting");
  await page.screenshot({ path: `${shots}/reconnecting.png` });
  await context.setOffline(false);
  await page.waitForSelector(".state.live");
  await page.click('[data-min="all"]');
  await until(page, () => document.querySelectorAll(".case").length === 5);
});

step("every text may be hostile: nothing runs, nothing breaks out", async ({ page }) => {
  const bound = await page.evaluate(() => document.documentElement.scrollWidth);
  for (const [n, text] of hostile.entries()) {
    const alert = poisoned(start[2], text, n);
    publish(alert);
  }
  await page.waitForSelector(".pill:not([hidden])");
  await until(page, (count) => document.querySelector(".pill").textContent.startsWith(`${count} `), hostile.length);
  await page.keyboard.press("n");
  await until(page, (count) => document.querySelectorAll(".case").length === count, hostile.length + 5);
  for (const n of hostile.keys()) {
    const id = hostileId(n);
    await page.goto(`${address}/#/alerts/${id}`);
    await until(page, (id) => document.querySelector(".links code")?.textContent === id, id);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector(".case-page").scrollWidth - document.querySelector(".detail").clientWidth]);
    assert.deepEqual(wide[0], bound, `string ${n} widens the page`);
    if (wide[1] > 0) await page.screenshot({ path: `${shots}/wide.png` });
    assert.ok(wide[1] <= 0, `string ${n} widens the case by ${wide[1]}`);
    const strange = await page.$$eval("script, iframe, object, embed, img, link, base, form, meta, style, math, video, audio", (nodes) => nodes.filter((node) => document.body.contains(node)).map((node) => node.outerHTML));
    assert.deepEqual(strange, [], `string ${n} became markup`);
    const attributes = await page.$$eval("*", (nodes) => nodes.flatMap((node) => [...node.attributes].map((a) => [a.name, a.value])));
    const acting = attributes.filter(([name, value]) => name.startsWith("on") || (name === "style" && value !== "") || (/^(href|xlink:href|src|action|formaction|data)$/.test(name) && !/^(#|\/)/.test(value)));
    assert.deepEqual(acting, [], `string ${n} became an attribute that acts`);
    if (n === 7) await page.screenshot({ path: `${shots}/hostile.png` });
  }
  assert.equal(await page.evaluate(() => globalThis.hit ?? 0), 0);
});

/** What the encoder writes: the golden alerts of its tests. */
const golden = new URL("../ocsf/", import.meta.url);
const files = existsSync(golden) ? readdirSync(golden).filter((name) => name.endsWith(".json")) : [];

step("what the encoder writes is read whole", async ({ page }) => {
  for (const [n, name] of files.entries()) {
    const alert = JSON.parse(readFileSync(new URL(name, golden), "utf8"));
    const id = `f11e${String(n).padStart(28, "0")}`;
    alert.finding_info.uid = id;
    publish(alert);
    await until(page, (id) => fetch(`/api/v1/alerts/${id}`).then((answer) => answer.ok), id);
    await page.goto(`${address}/#/alerts/${id}`);
    await until(page, (id) => document.querySelector(".links code")?.textContent === id, id);
    assert.equal(await page.$(".w-how.warn"), null, `${name}: the terms add up`);
    assert.equal(await page.textContent(".w-score"), String(alert.risk_score), name);
    const marked = new Set(await texts(page, "td.n")).size;
    assert.equal((await page.$$(".mark")).length, marked, name);
    assert.equal((await texts(page, "td.t")).length, alert.finding_info.related_events.length, name);
    assert.equal((await page.$$(".finding")).length, alert.evidences.length, name);
    await page.screenshot({ path: `${shots}/golden-${name}.png` });
  }
});

const hostileId = (n) => `bad${String(n).padStart(29, "0")}`;

/** The alert with a text in every field that is text and no id of a closed vocabulary. */
function poisoned(alert, text, n) {
  const keep = new Set(["uid_alert", "version", "profiles", "state", "family", "type_uid", "criticality"]);
  const change = (value, name) => {
    if (typeof value === "string") return keep.has(name) ? value : text;
    if (Array.isArray(value)) return value.map((one) => change(one, name));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, change(one, key)]));
    return value;
  };
  const bad = change(structuredClone(alert), "");
  // What the server goes by, and what ties events to findings.
  bad.finding_info.uid = hostileId(n);
  bad.metadata.sequence = 1;
  bad.activity_id = 1;
  bad.time += 1_000 + n;
  bad.evidences.forEach((one, k) => {
    if (n % 2) one.data.events = alert.evidences[k].data.events;
    if (n % 3) one.data.pattern = alert.evidences[k].data.pattern;
  });
  bad.finding_info.related_events.forEach((one, k) => {
    if (n % 2) one.uid = alert.finding_info.related_events[k].uid;
    if (n % 3) one.tags.forEach((tag, t) => (tag.name = alert.finding_info.related_events[k].tags[t].name));
  });
  if (n % 4 === 1) bad.resources[0].criticality = text;
  return bad;
}

await signIn();
const session = await open("dark");
for (const [name, run] of steps) {
  await run(session);
  assert.deepEqual(session.bad, [], name);
  console.log(`ok: ${name}`);
}
await session.context.close();

for (const scheme of ["dark", "light"]) {
  const { context, page, bad } = await open(scheme);
  await page.waitForSelector(".case");
  await page.fill("input", "example.com");
  await until(page, () => document.querySelectorAll(".case").length < 10);
  await page.screenshot({ path: `${shots}/list-${scheme}.png` });
  for (const [name, id] of [["case", lead], ["counter", start[4].finding_info.uid], ["caller", start[5].finding_info.uid]]) {
    await page.goto(`${address}/#/alerts/${id}`);
    await until(page, (id) => document.querySelector(".links code")?.textContent === id, id);
    await page.screenshot({ path: `${shots}/${name}-${scheme}.png` });
    const height = await page.evaluate(() => document.querySelector(".detail").scrollHeight + 50);
    await page.setViewportSize({ width: 1440, height });
    await page.screenshot({ path: `${shots}/${name}-${scheme}-whole.png` });
    await page.setViewportSize({ width: 1440, height: 900 });
  }
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.screenshot({ path: `${shots}/narrow-${scheme}.png` });
  await page.fill("input", "nobody at all");
  await page.goto(`${address}/#/`);
  await page.waitForSelector(".empty");
  await page.screenshot({ path: `${shots}/empty-${scheme}.png` });
  assert.deepEqual(bad, []);
  await context.close();
}
await browser.close();
console.log(`ok: ${steps.length} steps, ${hostile.length} hostile strings, ${files.length} golden alerts`);
