// Texts of people who know what a browser does with text, in every field of an alert.

import assert from "node:assert/strict";
import { publish, shot, start, until } from "./tools.mjs";
import { hostile } from "./strings.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

/** What is wrong with the page as it stands, in words. */
function faults(bound) {
  const found = [];
  const root = document.documentElement;
  const page = document.querySelector(".case-page, .view");
  if (root.scrollWidth > bound) found.push(`the page is ${root.scrollWidth} wide`);
  if (page && page.scrollWidth > document.querySelector(".detail").clientWidth) found.push(`the case is ${page.scrollWidth} wide`);
  for (const row of document.querySelectorAll(".case")) if (row.offsetHeight !== 96) found.push(`a row is ${row.offsetHeight} high`);
  for (const part of document.querySelectorAll(".case-page > *, .two > *, .stack > *")) {
    if (part.scrollWidth > part.clientWidth + 1) found.push(`${part.className} is too narrow for what it holds`);
  }
  for (const node of document.body.querySelectorAll("script, iframe, object, embed, img, link, base, meta, style, math, video, audio, form, foreignObject, animate")) found.push(`markup: ${node.outerHTML.slice(0, 80)}`);
  const heights = /^height: \d+px;$/;
  for (const node of document.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      const leads = /^(href|xlink:href|src|action|formaction|data)$/.test(name) && !/^(#|\/)/.test(value);
      if (name.startsWith("on") || leads || (name === "style" && value !== "" && !heights.test(value))) found.push(`attribute ${name}: ${value.slice(0, 80)}`);
    }
  }
  if (globalThis.hit) found.push("a script ran");
  return found;
}

step(`${hostile.length} hostile strings in every field: nothing runs, nothing breaks out`, async ({ page }) => {
  const bound = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.waitForSelector(".case");
  await until(page, () => /\d/.test(document.querySelector(".count").textContent));
  const before = Number.parseInt(await page.textContent(".count"), 10);
  for (const [n, text] of hostile.entries()) publish(poisoned(start[2], text, n));
  await until(page, (count) => document.querySelector(".pill").textContent.startsWith(`${count} `), hostile.length);
  await page.keyboard.press("n");
  await until(page, (count) => document.querySelector(".count").textContent.startsWith(`${count} `), hostile.length + before);
  for (const [n, text] of hostile.entries()) {
    const id = hostileId(n);
    await page.evaluate((id) => (location.hash = `#/alerts/${id}`), id);
    await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
    const found = await page.evaluate(faults, bound);
    if (found.length) await shot(page, "failed");
    assert.deepEqual(found, [], `string ${n}: ${JSON.stringify(text).slice(0, 80)}`);
    if (n === 7) await shot(page, "hostile");
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
