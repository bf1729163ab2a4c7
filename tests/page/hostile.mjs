// Texts of people who know what a browser does with text, in every field of an alert.

import assert from "node:assert/strict";
import { answer } from "./answers.mjs";
import { broken, hostile } from "./strings.mjs";
import { address, publish, shot, start, until } from "./tools.mjs";

/** Beside thousands of other cases these are the critical ones. */
const FILTER = "?min_severity=critical";

export const options = { hash: `#/${FILTER}`, me: { name: "<b>ada</b>", role: "admin" } };
export const steps = [];
const step = (name, run) => steps.push([name, run]);

/** What is wrong with the page as it stands, in words. */
function faults(bound) {
  const found = [];
  const root = document.documentElement;
  const page = document.querySelector(".case-page, .view");
  if (root.scrollWidth > bound) found.push(`the page is ${root.scrollWidth} wide`);
  if (page && page.scrollWidth > document.querySelector(".detail").clientWidth) found.push(`the case is ${page.scrollWidth} wide`);
  for (const row of document.querySelectorAll(".case")) if (row.checkVisibility() && row.offsetHeight !== 96) found.push(`a row is ${row.offsetHeight} high`);
  for (const part of document.querySelectorAll(".case-page > *, .two > *, .stack > *")) {
    if (part.scrollWidth > part.clientWidth + 1) found.push(`${part.className} is too narrow for what it holds`);
  }
  for (const node of document.body.querySelectorAll("script, iframe, object, embed, img, link, base, meta, style, math, video, audio, form:not(.bar-row), foreignObject, animate")) found.push(`markup: ${node.outerHTML.slice(0, 80)}`);
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
  // What is out of sight is laid out too.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".case-page > * { content-visibility: visible !important; }");
    document.adoptedStyleSheets = [sheet];
  });
  for (const [n, text] of hostile.entries()) {
    const id = hostileId(n);
    await page.evaluate((id) => (location.hash = `#/alerts/${id}${location.hash.replace(/^[^?]*/, "")}`), id);
    await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
    const found = await page.evaluate(faults, bound);
    if (found.length) await shot(page, "failed");
    assert.deepEqual(found, [], `string ${n}: ${JSON.stringify(text).slice(0, 80)}`);
    if (n === 7) await shot(page, "hostile");
  }
});

/** Every text of a value replaced. */
function filled(value, text) {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((one) => filled(one, text));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, text)]));
  return value;
}

/** An answer whose lists hold one entry for each hostile string, in every field of it. */
function flooded(body) {
  const one = (value, text) => {
    const bad = filled(value, text);
    // What tells kinds of entries apart stays, or nothing of it would be shown.
    for (const name of ["kind", "state"]) if (typeof value?.[name] === "string") bad[name] = value[name];
    return bad;
  };
  const texts = hostile.map((text) => text.slice(0, 700));
  const all = Object.entries(body).map(([key, value]) => {
    if (key === "next") return [key, null];
    if (key === "days") return [key, value];
    if (Array.isArray(value)) return [key, texts.map((text, n) => one(value[n % value.length], text))];
    return [key, filled(value, texts[5])];
  });
  return Object.fromEntries(all);
}

const VIEWS = ["#/identities/x", "#/agents/x", "#/pivots/caller/x", "#/patterns", "#/silences", "#/audit", "#/sources", "#/settings"];

step("the same in every field of what the other views are told", async ({ context, page }) => {
  await answer(context, flooded);
  const bound = await page.evaluate(() => innerWidth);
  for (const hash of VIEWS) {
    await page.evaluate((hash) => (location.hash = hash), hash);
    await until(page, (count) => document.querySelectorAll(".view tbody tr").length >= count, hostile.length);
    assert.deepEqual(await page.evaluate(faults, bound), [], hash);
  }
  await page.evaluate(() => (location.hash = "#/pipeline"));
  await until(page, (count) => document.querySelectorAll(".view .card").length >= count, hostile.length);
  assert.deepEqual(await page.evaluate(faults, bound), [], "#/pipeline");
  await shot(page, "hostile-pipeline");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("x");
  await until(page, () => document.querySelectorAll(".results li").length > 100);
  assert.deepEqual(await page.evaluate(faults, bound), [], "search");
  await page.keyboard.press("Escape");
  await context.unroute((url) => url.pathname.startsWith("/api/v1/search"));
});

step("hostile addresses lead nowhere else", async ({ page }) => {
  const bound = await page.evaluate(() => innerWidth);
  for (const text of hostile.filter((_, n) => n % 3 === 0)) {
    for (const hash of [`#/${text.slice(0, 300)}`, `#/?text=${encodeURIComponent(text.slice(0, 60))}&group=${encodeURIComponent(text.slice(0, 60))}`]) {
      await page.evaluate((hash) => (location.hash = hash), hash);
    }
    const found = await page.evaluate(faults, bound);
    assert.deepEqual(found, [], JSON.stringify(text).slice(0, 80));
  }
  await page.goto(`${address}/#/`);
  await page.waitForSelector(".case");
});

step("a case as Markdown is text and nothing else", async ({ page }) => {
  const ids = hostile.map((_, n) => hostileId(n));
  const bad = await page.evaluate(async (ids) => {
    const found = [];
    let told = 0;
    for (const id of ids) {
      const answer = await fetch(`/api/v1/alerts/${id}/explain`);
      const text = (await answer.text()).replaceAll("\\\\", "");
      told += answer.ok && text.includes("## What happened");
      if (/(^|[^\\])[<>`[\]!]/.test(text)) found.push(`${id}: markup`);
      if (/\w:\/\//.test(text)) found.push(`${id}: an address`);
      for (const line of text.split("\n")) if (line.startsWith("| ") && line.match(/(?<!\\)\|/g).length !== 6) found.push(`${id}: cells: ${line.slice(0, 80)}`);
    }
    return [told, found];
  }, ids);
  assert.deepEqual(bad, [hostile.length, []]);
});

step("halves of characters, and characters that hide, are shown by their number", async ({ page }) => {
  const seen = await page.evaluate(async (texts) => {
    const { visible } = await import("/ui/dom.js");
    return texts.map((text) => visible(text));
  }, [...broken, "a\u202eb", "a\u0000b", "x\u{e0041}", `a${"\u0301".repeat(50)}`]);
  assert.deepEqual(seen, ["⟨U+D800⟩", "⟨U+DFFF⟩", "a⟨U+D83D⟩", "⟨U+DE00⟩b", "⟨U+D83D⟩\u{1f600}", "a⟨U+202E⟩b", "a⟨U+0000⟩b", "x⟨U+E0041⟩", "a\u0301\u0301"]);
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
