// The views beside the cases: a person, an agent, a thing, patterns, the audit log, search.

import assert from "node:assert/strict";
import { answer } from "./answers.mjs";
import { address, shot, texts, until } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

step("search finds everything, by keyboard alone", async ({ context, page }) => {
  await answer(context);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.search");
  await page.keyboard.type("exam");
  await until(page, () => document.querySelectorAll(".results li").length === 5);
  await shot(page, "search");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".subject-head h1");
  assert.ok(page.url().endsWith("#/identities/id-7f3a"));
});

step("a person: the story, the cases, who recovered the account", async ({ page }) => {
  assert.equal(await page.textContent(".subject-head h1"), "n…@example.com");
  assert.deepEqual(await texts(page, ".tile b"), ["3", "3", "1", "1", "1"]);
  assert.ok((await page.$$(".mark")).length >= 5);
  assert.match(await page.textContent(".columns"), /b…@example\.com/);
  assert.match(await page.textContent(".view"), /id-7f3a may sign in from JP, KR · a fair · anna/);
  // The record that says how the controls were decided is a row, and no second event.
  assert.equal((await page.$$("tbody tr")).length, 9);
  assert.deepEqual(await texts(page, "td .lack"), ["✕ ticket", "✕ call-back"]);
});

step("an agent: counts, days, others, whose accounts", async ({ page }) => {
  await page.click(".columns a[href='#/agents/id-a12']");
  await until(page, () => document.querySelectorAll(".days rect").length === 30);
  assert.match(await page.textContent(".view"), /place by recoveries1 of 12/);
  assert.deepEqual(await texts(page, ".tile.bad span"), ["overrides without reason", "without a ticket", "without call-back", "without a second person"]);
  await page.keyboard.press("Escape");
  await until(page, () => location.hash === "#/");
});

step("a thing: whom it ties together", async ({ page }) => {
  await page.goto(`${address}/#/pivots/caller/caller-91bc`);
  await until(page, () => document.querySelectorAll(".graph a").length === 3);
  assert.deepEqual(await texts(page, ".graph a text"), ["n…@example.com · 1 case", "t…@partner.example", "l…@example.com · 1 case"]);
});

step("patterns: what they found and what was decided; one leads to its cases", async ({ page }) => {
  await page.click(".links-top a[href='#/patterns']");
  await until(page, () => document.querySelectorAll("tbody tr").length === 3);
  assert.match((await texts(page, "tbody tr"))[0], /Ghost reset.*waits for ticket.*190314301922?.*92 %/);
  await page.click("tbody a");
  await page.waitForSelector(".mark-off");
  assert.match(await page.textContent(".mark-off"), /pattern HDT-01/);
  assert.ok(page.url().includes("pattern=HDT-01"));
  await page.click(".mark-off");
  await until(page, () => !location.hash.includes("pattern"));
});

step("the audit log: asked for by time and person, part by part", async ({ context, page }) => {
  await page.click(".links-top a[href='#/audit']");
  await until(page, () => document.querySelectorAll("tbody tr").length === 9);
  assert.match(await page.textContent("h2"), /9 of 1,204/);
  const asked = [];
  page.on("request", (request) => request.url().includes("/audit?") && asked.push(new URL(request.url()).searchParams));
  await page.fill('input[name="from"]', "2026-11-01");
  await page.fill('input[name="to"]', "2026-11-02");
  await page.fill('input[name="person"]', "id-7f3a");
  await page.click(".bar-row .primary");
  await until(page, () => location.hash.includes("person=id-7f3a"));
  await page.waitForSelector("tbody tr");
  assert.deepEqual([...asked[0]], [["from", "1793491200000"], ["to", "1793664000000"], ["person", "id-7f3a"]]);
  await page.click(".more-row button");
  await until(page, () => document.querySelectorAll("tbody tr").length === 18);
  assert.equal(asked[1].get("cursor"), "c2");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("text=CSV")]);
  assert.equal(file.suggestedFilename(), "deskwarden-audit.csv");
});

step("sources, stages and settings: what stands still or is unusable is seen, and fed in again", async ({ context, page }) => {
  await page.click(".links-top a[href='#/sources']");
  await until(page, () => document.querySelectorAll("tbody tr").length === 5);
  assert.deepEqual(await texts(page, "td .lack"), ["915"], "three quarters of the tickets");
  assert.match(await page.textContent("tbody"), /nearly all unusable.*this instance does not collect/s);
  assert.match(await page.textContent(".view .card:last-child h2"), /newest 2 of 915/);
  const sent = [];
  await context.route("**/api/v1/dead-letters/replay", (route) => {
    sent.push(route.request().postDataJSON());
    return route.fulfill({ contentType: "application/json", body: '{"fed":911,"left":{"repeated":4}}' });
  });
  await page.click(".more-row button");
  await page.selectOption("dialog select", "schema");
  await page.keyboard.press("Control+Enter");
  await until(page, () => document.querySelector(".note")?.textContent.includes("911 records are fed in again. 4 left: the same record as another one"));
  assert.equal(sent[0].reason, "schema");
  assert.ok(Math.abs(Date.now() - 86_400_000 - sent[0].since) < 60_000);
  await page.click(".links-top a[href='#/pipeline']");
  await until(page, () => document.querySelectorAll(".view .card").length === 3);
  assert.deepEqual(await texts(page, ".view .lack"), ["no member: nobody does this work", "nobody"]);
  assert.match(await page.textContent(".fault"), /give it DESCRIBE/);
  await page.click(".links-top a[href='#/settings']");
  await until(page, () => document.querySelectorAll("tbody tr").length === 3);
  await page.fill(".wide-filter", "environment");
  await until(page, () => document.querySelectorAll("tbody tr").length === 1);
});

step("what is not there is said", async ({ context, page }) => {
  await context.unrouteAll();
  await context.route("**/api/v1/identities/**", (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"detail":"nothing is known of nobody"}' }));
  await page.goto(`${address}/#/identities/nobody`);
  await until(page, () => document.querySelector(".welcome")?.textContent.includes("nothing is known of nobody"));
  // The log of this server is in memory.
  await page.evaluate(() => (location.hash = "#/pipeline"));
  await until(page, () => document.querySelector(".welcome")?.textContent.includes("there are no brokers behind this page"));
});
