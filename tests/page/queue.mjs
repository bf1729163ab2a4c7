// The list of cases: order, keys, filters, what is new.

import assert from "node:assert/strict";
import { address, later, publish, shot, start, texts, until } from "./tools.mjs";

export const steps = [];
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
  await page.fill(".filters input", "inc0041");
  await until(page, () => document.querySelectorAll(".case").length === 1);
  await page.fill(".filters input", "nothing like it");
  await page.waitForSelector(".empty");
  await page.fill(".filters input", "");
  await until(page, () => document.querySelectorAll(".case").length === 5);
  await page.click('[data-status="closed"]');
  await until(page, () => document.querySelectorAll(".case.closed").length === 2);
  await page.click('[data-status="open"]');
  await until(page, () => document.querySelectorAll(".case").length === 5);
});

step("a lost connection is said, and mended", async ({ context, page }) => {
  await context.setOffline(true);
  // Streams that are open live on in the browser: a new question finds out.
  await page.click('[data-min="high"]');
  await page.waitForSelector(".state.loading, .state.reconnecting");
  await shot(page, "reconnecting");
  await context.setOffline(false);
  await page.waitForSelector(".state.live");
  await page.click('[data-min="all"]');
  await until(page, () => document.querySelectorAll(".case").length === 5);
});


step("the address holds the filters, the group and the case", async ({ page }) => {
  const id = start[6].finding_info.uid;
  await page.goto(`${address}/#/alerts/${id}?min_severity=medium&group=agent`);
  await page.waitForSelector(".group");
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
  assert.equal(await page.getAttribute('[data-min="medium"]', "aria-pressed"), "true");
  assert.equal(await page.inputValue(".filters select"), "agent");
  await page.keyboard.press("k");
  await until(page, (id) => !location.hash.includes(id), id);
  assert.match(page.url(), /\?min_severity=medium&group=agent$/, "another case keeps them");
  await page.keyboard.press("Escape");
  await until(page, () => location.hash === "#/?min_severity=medium&group=agent");
  // A group is folded and opened by its head.
  await page.focus(".group-head");
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelector(".group").nextElementSibling.classList.contains("group"));
  assert.equal(await page.getAttribute(".group-head", "aria-expanded"), "false");
  await page.focus(".group-head");
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelector(".group").nextElementSibling.classList.contains("case"));
  for (const name of ["", "person", "pattern"]) {
    await page.keyboard.press("g");
    await until(page, (name) => document.querySelector(".filters select").value === name, name);
  }
  await page.goto(`${address}/#/`);
  await until(page, () => document.querySelectorAll(".case").length === 5 && !document.querySelector(".group"));
});

step("x selects, X selects all or none", async ({ page }) => {
  await page.keyboard.press("j");
  await page.waitForSelector(".case.chosen");
  await page.keyboard.press("x");
  await page.waitForSelector(".case.picked");
  assert.equal(await page.textContent(".bulk b"), "1 selected");
  await page.keyboard.press("X");
  assert.equal(await page.isHidden(".bulk"), true);
  await page.keyboard.press("X");
  assert.equal(await page.textContent(".bulk b"), "5 selected");
  await page.keyboard.press("Escape");
  assert.equal(await page.isHidden(".bulk"), true);
});

step("? tells all keys, and Esc leaves them", async ({ page }) => {
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open] .key-groups");
  await page.keyboard.press("d");
  assert.equal((await page.$$("dialog[open]")).length, 1, "keys of the page rest meanwhile");
  await page.keyboard.press("Escape");
  await until(page, () => !document.querySelector("dialog"));
});

step("filters that are none are said to be none", async ({ page }) => {
  await page.goto(`${address}/#/?severity=loud`);
  await until(page, () => document.querySelector(".empty")?.textContent.includes("one of informational, low"));
  assert.equal(await page.textContent(".state"), "filters refused");
  await page.click(".mark-off");
  await page.waitForSelector(".case");
  await page.goto(`${address}/#/?text=${encodeURIComponent("\u{1F600}".repeat(120))}`);
  await page.waitForSelector(".empty:has-text('No case matches')");
  await page.goto(`${address}/#/`);
  await page.waitForSelector(".case");
});

step("back and forward go through what was opened, each loaded once", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/revisions") && asked.push(request.url()));
  await page.click(".case-link");
  await page.waitForSelector(".case-page .links");
  const first = page.url();
  await page.click(".subject a");
  await page.waitForSelector(".tiles, .welcome");
  await page.goBack();
  await page.waitForSelector(".case-page .links");
  assert.equal(page.url(), first);
  assert.equal(asked.length, 2);
  await page.goBack();
  await page.waitForSelector(".welcome");
  assert.ok(page.url().endsWith("#/"));
});
