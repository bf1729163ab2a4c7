// The list of cases: order, keys, filters, what is new.

import assert from "node:assert/strict";
import { later, publish, shot, start, texts, until } from "./tools.mjs";

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

