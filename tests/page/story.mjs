// The demo with its real stages: its takeover is opened, read, decided and silenced by keyboard alone.

import assert from "node:assert/strict";
import { demo, shot, texts, until } from "./tools.mjs";

export const options = { home: demo };
export const steps = [];
const step = (name, run) => steps.push([name, run]);

const chosen = (page) => page.getAttribute(".case.chosen", "data-id").catch(() => null);
const closed = (page) => until(page, () => !document.querySelector("dialog[open]"));

step("the demo's takeover is found and read", async ({ page }) => {
  // Cases come in while the day goes on: new ones are taken in until one pages.
  while ((await page.$$(".case .pages")).length === 0) {
    await page.waitForSelector(".pill:not([hidden]), .case .pages");
    await page.keyboard.press("n");
  }
  const id = await page.$eval(".case:has(.pages)", (row) => row.dataset.id);
  while ((await chosen(page)) !== id) {
    await page.keyboard.press("j");
    await page.waitForSelector(".case.chosen");
  }
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
  // Who, what happened in which order, what was missing, why this score, what to do: all in the first sight.
  const [height, ...parts] = await page.evaluate(() => [innerHeight, ...[".subject .name", "h1", ".makeup", ".todo li", ".controls", ".timeline .mark"].map((selector) => document.querySelector(selector)?.getBoundingClientRect().bottom ?? Infinity)]);
  assert.ok(parts.every((bottom) => bottom < height), `${parts} of ${height}`);
  await shot(page, "demo");
});

step("the record behind its first event is read from the topic, and names nobody", async ({ page }) => {
  await page.focus("tr[data-event] .source-record");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".record-lines");
  assert.match(await page.textContent(".record .facts"), /source (okta|servicenow|amazon_connect)/);
  const read = await page.textContent(".record");
  assert.ok(!/[a-z]{2,}@example\.com/.test(read), read);
  await shot(page, "demo-record");
  await page.keyboard.press("Escape");
  await closed(page);
});

step("it is decided, and the correlator closes it", async ({ page }) => {
  // The day may bring a newer revision just then: then it is decided again, as a person would.
  const isClosed = () => page.$eval(".eyebrow", (node) => /closed: True positive/.test(node.textContent)).catch(() => false);
  for (let tries = 0; tries < 5 && !(await isClosed()); tries++) {
    await page.keyboard.press("d");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("1");
    await page.keyboard.press("Tab");
    await page.keyboard.type("called on the number of record");
    await page.keyboard.press("Tab");
    if (tries === 0) await page.keyboard.type("anna");
    await page.keyboard.press("Control+Enter");
    await closed(page);
    await until(page, () => /closed: True positive|stays open|this is a newer one/.test(document.body.textContent));
  }
  assert.ok(await isClosed());
  await shot(page, "demo-decided");
});

step("the person's view shows what the audit records hold", async ({ page }) => {
  await page.focus(".subject a");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tiles");
  assert.ok(Number(await page.textContent(".tile b")) > 0, "recoveries");
  await page.waitForSelector(".mark");
  assert.ok((await texts(page, "td.a")).some((text) => text.startsWith("True positive decided")), "the verdict is a record");
  const accounts = await texts(page, ".accounts > li > b");
  assert.ok(accounts.length >= 3 && accounts[0].startsWith("hris:"), accounts.join());
  assert.match(await page.textContent(".accounts"), /the person is named after it.*same employee id/);
  await shot(page, "demo-person");
});

step("another case is silenced, and that ended again", async ({ page }) => {
  await page.keyboard.press("Escape");
  await page.waitForSelector(".case");
  await page.keyboard.press("j");
  await page.waitForSelector(".case-page .actions");
  await page.keyboard.press("s");
  await page.waitForSelector("dialog[open]");
  await page.focus("dialog textarea");
  await page.keyboard.type("the desk knows");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await page.focus(".links-top a[href='#/silences']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("td.covers");
  assert.match(await page.textContent("td.because"), /the desk knows/);
  await page.focus("td.do button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.type("tried out");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await page.waitForSelector(".none:has-text('Nothing is silenced')");
});

step("an incident is declared from a case, and its findings do not count any more", async ({ page }) => {
  await page.focus(".links-top a[href='#/']");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".case");
  // An open case of a person whose account an agent recovered; the day brings more of them.
  const fits = () => page.evaluate(() => /HDT-0[134]/.test(document.querySelector(".case-page .findings")?.textContent ?? "") && document.querySelector(".case-page .subject")?.textContent.includes("person") && document.querySelector('.case-page .finding:not(.struck) a[href^="#/agents/"]') !== null);
  const seen = new Set();
  for (let found = false; !found; ) {
    await page.keyboard.press("n");
    const id = await until(page, (seen) => [...document.querySelectorAll(".case:not(.closed)")].map((row) => row.dataset.id).find((id) => !seen.includes(id)), [...seen]).then((handle) => handle.jsonValue());
    seen.add(id);
    await page.evaluate((id) => (location.hash = `#/alerts/${id}`), id);
    await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
    found = await fits();
  }
  const counted = await page.$$eval(".finding:not(.struck)", (all) => all.length);
  await page.keyboard.press("E");
  await page.waitForSelector("dialog[open]");
  const at = () => page.$eval("dialog .kind input:checked", (radio) => radio.value);
  while ((await at()) !== "incident") await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type("INC-7");
  await page.keyboard.press("Tab");
  await page.keyboard.type("the duty manager");
  await page.focus("dialog textarea");
  await page.keyboard.type("the desk restores accounts after the outage");
  await shot(page, "demo-exempting");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await until(page, (counted) => [...document.querySelectorAll(".finding.struck")].some((one) => one.textContent.includes("suppressed by exemption")) && document.querySelectorAll(".finding:not(.struck)").length < counted, counted);
  await shot(page, "demo-exempt");
});

step("search, patterns and the audit log answer from what is held", async ({ page }) => {
  await page.keyboard.press("Control+k");
  await page.keyboard.type("example");
  await page.waitForSelector(".results li");
  await page.keyboard.press("Escape");
  for (const [view, least] of [["patterns", 8], ["audit", 50]]) {
    await page.focus(`.links-top a[href='#/${view}']`);
    await page.keyboard.press("Enter");
    await until(page, ([view, least]) => location.hash === `#/${view}` && document.querySelectorAll("tbody tr").length >= least, [view, least]);
    await shot(page, `demo-${view}`);
  }
});
