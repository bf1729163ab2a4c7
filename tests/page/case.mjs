// One case: its head, timeline, waterfall, evidence.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { address, known, lead, publish, shot, show, start, texts, until } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

step("a deep link opens the case", async ({ page }) => {
  await page.goto(`${address}/ui/alerts/${lead}`);
  await page.waitForSelector(".case-page h1");
  assert.match(await page.textContent("h1"), /no ticket, no call-back/);
  assert.match(await page.textContent(".subject"), /n…@example\.com.*executive/);
  const gone = await texts(page, ".controls li");
  assert.equal(gone.length, 2);
  assert.ok(gone.some((text) => text.includes("ticket")) && gone.some((text) => text.includes("call-back")));
  assert.equal((await texts(page, ".todo li")).length, 2);
  assert.equal(await page.title(), "99 n…@example.com · Deskwarden");
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

step("a link from the data is asked about first", async ({ page }) => {
  await page.goto(`${address}/#/alerts/${start[6].finding_info.uid}`);
  await page.click(".tickets .link");
  assert.match(await page.textContent("dialog"), /servicedesk\.example\.com/);
  await page.click("dialog button:not(.primary)");
  await page.waitForSelector("dialog", { state: "detached" });
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
    await known(page, id);
    await page.goto(`${address}/#/alerts/${id}`);
    await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
    assert.equal(await page.$(".w-how.warn"), null, `${name}: the terms add up`);
    assert.equal(await page.textContent(".w-score"), String(alert.risk_score), name);
    const marked = new Set(await texts(page, "td.n")).size;
    assert.equal((await page.$$(".mark")).length, marked, name);
    assert.equal((await texts(page, "td.t")).length, alert.finding_info.related_events.length, name);
    assert.equal((await page.$$(".finding")).length, alert.evidences.length, name);
    await shot(page, `golden-${name}`);
  }
});

step("a case that is not there yet is shown once it is", async ({ page }) => {
  const alert = structuredClone(start[2]);
  const id = `1a7e${"0".repeat(28)}`;
  Object.assign(alert.finding_info, { uid: id });
  Object.assign(alert.metadata, { uid: `${id}:1`, sequence: 1 });
  alert.activity_id = 1;
  await page.goto(`${address}/#/alerts/${id}`);
  await until(page, () => document.querySelector(".welcome")?.textContent.includes("No such case"));
  publish(alert);
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
});

step("a new revision leaves the reader where they are", async ({ page }) => {
  const id = `5ee4${"0".repeat(28)}`;
  const revision = (number, score) => {
    const alert = structuredClone(start[2]);
    alert.finding_info.uid = id;
    Object.assign(alert.metadata, { uid: `${id}:${number}`, sequence: number });
    return Object.assign(alert, { activity_id: number > 1 ? 2 : 1, risk_score: score, time: alert.time + number });
  };
  const there = (number) => until(page, (text) => document.querySelector(".case-page .eyebrow")?.textContent.includes(text), `revision ${number}`);
  publish(revision(1, 70));
  await known(page, id);
  await show(page, id);
  await page.focus("#family-sequence summary");
  await page.keyboard.press("Enter");
  await page.click('.mark[data-number="5"]');
  const where = () =>
    page.evaluate(() => {
      const row = document.querySelector('tr[data-number="5"]');
      const detail = document.querySelector(".detail");
      return {
        folds: [...document.querySelectorAll("details")].map((fold) => fold.open),
        top: row.getBoundingClientRect().top,
        scrolled: detail.scrollTop > 0,
        picked: row.classList.contains("picked") && document.querySelector('.mark[data-number="5"]').classList.contains("picked"),
        focus: document.activeElement.textContent,
        isInCase: document.activeElement.closest("tr") !== null,
        selected: getSelection().toString(),
      };
    });
  await page.evaluate(() => {
    const links = document.querySelectorAll('tr[data-number="5"] a');
    links[links.length - 1].scrollIntoView({ block: "center" });
    links[links.length - 1].focus();
    getSelection().selectAllChildren(document.querySelector('tr[data-number="5"] td.a'));
  });
  const before = await where();
  assert.deepEqual([before.folds, before.scrolled, before.picked, before.isInCase, before.selected.length > 3], [[true, false, true], true, true, true, true]);
  /** The same as before, and not two pixels away. */
  const same = ({ top, ...rest }, { top: wanted, ...others }) => {
    assert.deepEqual(rest, others);
    assert.ok(Math.abs(top - wanted) < 2, `${top}, before ${wanted}`);
  };
  publish(revision(2, 71));
  await there(2);
  same(await where(), before);
  // A verdict that is being written stays, and afterwards the focus goes back to where it was.
  await page.keyboard.press("d");
  await page.keyboard.press("2");
  await page.keyboard.press("Tab");
  await page.keyboard.type("asked the man");
  publish(revision(3, 72));
  await there(3);
  await page.keyboard.type("ager");
  assert.equal(await page.inputValue("dialog textarea"), "asked the manager");
  assert.equal(await page.$eval('dialog input[value="benign"]', (radio) => radio.checked), true);
  await page.keyboard.press("Escape");
  await until(page, () => !document.querySelector("dialog[open]"));
  same({ ...(await where()), selected: before.selected }, before);
});

step("arrows tell the story: asked for, done, enrolled, signed in", async ({ page }) => {
  await show(page, lead);
  const arrows = await page.$$eval(".arrow", (lines) => lines.map((line) => ["x1", "y1", "x2", "y2"].map((name) => Number(line.getAttribute(name)))));
  assert.equal(arrows.length, 4, "call, first reset, last reset, device, session");
  assert.ok(arrows.every(([x1, , x2]) => x2 > x1), "forwards in time");
  assert.ok(arrows.every(([, y1, , y2]) => y2 >= y1), "down the lanes");
});

step("a band shows its window over the lanes", async ({ page }) => {
  const shows = () => page.$eval(".band .window", (node) => getComputedStyle(node).opacity);
  assert.equal(await shows(), "0");
  await page.hover(".band .band-name");
  assert.ok(Number(await shows()) > 0);
  await page.mouse.move(0, 0);
});

step("the score is made of its families, before any number is read", async ({ page }) => {
  assert.deepEqual(await texts(page, ".makeup li"), ["governance +66HDT-01 HDT-03", "sequence +32HDT-04 HDT-05", "impersonation +1HDT-15"]);
});

step("cases that share something are linked", async ({ page }) => {
  const rows = await texts(page, ".linked li");
  assert.ok(rows.length >= 1 && rows.every((text) => /agent b…@example\.com|caller \+1•••0199|the same person|events/.test(text)), `${rows}`);
  await page.click(".linked a");
  await until(page, (id) => document.querySelector(".links .id") && document.querySelector(".links .id").textContent !== id, lead);
});

step("names lead to what is known of them", async ({ page }) => {
  await show(page, lead);
  const links = await page.$$eval(".case-page a", (nodes) => [...new Set(nodes.map((node) => node.getAttribute("href").replace(/[^/]*$/, "")))]);
  for (const view of ["#/identities/", "#/agents/", "#/pivots/caller/", "#/pivots/device/", "#/pivots/address/", "#/pivots/contact/"]) assert.ok(links.includes(view), view);
  await page.click('td.d a[href^="#/pivots/contact/"]');
  await until(page, () => document.querySelector(".subject-head h1, .welcome"));
});

step("a case is taken along: as Markdown, and byte for byte", async ({ context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await show(page, lead);
  await page.keyboard.press("m");
  await page.waitForSelector(".note");
  const text = await page.evaluate(() => navigator.clipboard.readText());
  for (const part of [/^# n…\\@example\.com: new device signed in 8 min/, /- Score 99 of 100, critical; pages \(.*\); open/, /- call-back: missing/, /\| password reset \|/, /- governance 66\.25: .*; adds 66\.25/]) assert.match(text, part);
  const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("e")]);
  assert.equal(file.suggestedFilename(), `deskwarden-${lead}.json`);
  const served = await page.evaluate((id) => fetch(`/api/v1/alerts/${id}`).then((answer) => answer.text()), lead);
  assert.equal(readFileSync(await file.path(), "utf8"), served);
});
