// Verdicts and silences, by keyboard alone: what is sent, what is shown, what is refused.

import assert from "node:assert/strict";
import { address, analyst, open, publish, shot, show, start, texts, until } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

const [takeover, contractor, caller, ticket] = [start[2], start[4], start[5], start[6]];
const idOf = (alert) => alert.finding_info.uid;

/** Runs something and returns the bodies that the page sends to an address meanwhile. */
async function sent(page, path, run) {
  const bodies = [];
  const hear = (request) => request.method() !== "GET" && request.url().includes(path) && bodies.push(request.postDataJSON());
  page.on("request", hear);
  await run();
  page.off("request", hear);
  return bodies;
}

const noted = (page, text) => until(page, (text) => [...document.querySelectorAll(".note")].some((note) => note.textContent.includes(text)), text);
const closed = (page) => until(page, () => !document.querySelector("dialog[open]"));

/** The case with another revision. */
function revised(alert, change) {
  const next = structuredClone(alert);
  next.metadata.sequence += 1;
  next.activity_id = 2;
  next.time += 60_000;
  change(next);
  return next;
}

step("the takeover is opened, read and decided by keyboard alone", async ({ page }) => {
  await page.waitForSelector(".case");
  const place = await page.$$eval(".case", (rows, id) => rows.findIndex((row) => row.dataset.id === id), idOf(takeover));
  for (let n = 0; n <= place; n++) await page.keyboard.press("j");
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, idOf(takeover));
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.press("d");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Control+Enter");
  assert.ok(await page.isVisible("dialog[open]"), "nothing is sent without a verdict");
  await page.keyboard.press("1");
  await page.keyboard.press("Tab");
  await page.keyboard.type("called on the number of record: not him");
  await page.keyboard.press("Tab");
  await page.keyboard.type("anna");
  await shot(page, "decide");
  const bodies = await sent(page, "/disposition", async () => {
    await page.keyboard.press("Control+Enter");
    await closed(page);
  });
  assert.deepEqual(bodies, [{ revision: 3, verdict: "true_positive", reason: "called on the number of record: not him", owner: "anna" }]);
  await noted(page, "True positive. The case closes.");
  await until(page, () => document.querySelector(".eyebrow .closed-as")?.textContent === "True positive: closing");
  assert.match(await page.textContent(".case.chosen .decided"), /True positive · closing/);
  const end = revised(takeover, (next) => Object.assign(next, { activity_id: 3, status_id: 4, status_detail: "disposition", verdict_id: 2, comment: "called on the number of record: not him", message: "n…@example.com: closed by an analyst" }));
  publish(end);
  await until(page, () => document.querySelector(".eyebrow .closed-as")?.textContent === "closed: True positive");
  assert.match(await page.textContent(".comment"), /number of record: not him/);
  assert.match(await page.textContent("h1"), /New device signed in/, "what it is about stays");
  await page.keyboard.press("d");
  assert.equal((await page.$$("dialog[open]")).length, 0, "a closed case is not decided");
  await shot(page, "decided");
});

step("a newer revision is told of, and a verdict on the older one leaves the case open", async ({ page }) => {
  await show(page, idOf(contractor));
  await page.keyboard.press("d");
  await page.waitForSelector("dialog[open]");
  publish(revised(contractor, (next) => (next.risk_score = 31)));
  await page.waitForSelector("dialog .warn:not([hidden])");
  assert.match(await page.textContent("dialog .warn"), /Revision 3 came meanwhile.*revision 2 is recorded/);
  await shot(page, "newer");
  await page.keyboard.press("2");
  await page.keyboard.press("Tab");
  await page.keyboard.type("the vendor confirmed it");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await noted(page, "The case has revision 3 by now and stays open");
  await until(page, () => document.querySelector(".eyebrow .closed-as")?.textContent.includes("recorded for revision 2"));
});

step("what the server refuses is said, and what was written stays", async ({ context, page }) => {
  await context.route("**/disposition", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "the brokers refused the record; nothing was written, try again" }) }), { times: 1 });
  await show(page, idOf(contractor));
  await page.keyboard.press("d");
  await page.keyboard.press("3");
  await page.keyboard.press("Tab");
  await page.keyboard.type("a drill of ours");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("dialog .fault:not([hidden])");
  assert.match(await page.textContent("dialog .fault"), /nothing was written, try again/);
  assert.equal(await page.inputValue("dialog textarea"), "a drill of ours");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await until(page, () => document.querySelector(".eyebrow .closed-as")?.textContent === "False positive: closing");
});

step("several are selected and decided at once", async ({ page }) => {
  await page.keyboard.press("Escape");
  for (const alert of [caller, ticket]) {
    await show(page, idOf(alert));
    await page.keyboard.press("x");
  }
  assert.equal(await page.textContent(".bulk b"), "2 selected");
  await shot(page, "selected");
  await page.keyboard.press("d");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("6");
  await page.keyboard.press("Tab");
  await page.keyboard.type("our own test");
  const bodies = await sent(page, "/disposition", async () => {
    await page.keyboard.press("Control+Enter");
    await closed(page);
  });
  assert.deepEqual(bodies.map((body) => [body.revision, body.verdict]), [[1, "test"], [1, "test"]]);
  await noted(page, "2 cases close");
  assert.equal(await page.isHidden(".bulk"), true);
  assert.deepEqual((await texts(page, ".case .decided")).filter((text) => text.startsWith("Test")), ["Test · closing", "Test · closing"]);
});

step("cases like one are silenced, with a reason and an end", async ({ page }) => {
  await show(page, idOf(contractor));
  await page.keyboard.press("s");
  await page.waitForSelector("dialog[open]");
  assert.deepEqual(await texts(page, "dialog .check"), ["t…@partner.example (person)", "HDT-01 Ghost reset (no ticket)", "HDT-03 Missing call-back", "HDT-04 Full strip, two classes"]);
  await page.focus("dialog textarea");
  await page.keyboard.press("Control+Enter");
  assert.ok(await page.isVisible("dialog[open]"), "nothing is sent without a reason");
  await page.keyboard.type("moves to a new team, agreed with the desk");
  await shot(page, "silence");
  const before = Date.now();
  const [body] = await sent(page, "/silences", async () => {
    await page.keyboard.press("Control+Enter");
    await closed(page);
  });
  assert.deepEqual(body.scope, { entities: ["identity|id-c4410"], patterns: ["HDT-01", "HDT-03", "HDT-04"] });
  assert.ok(Math.abs(body.valid_to - before - 8 * 3_600_000) < 60_000);
  assert.equal(body.owner, "anna", "the name is remembered");
  await page.goto(`${address}/#/silences`);
  await page.waitForSelector("td.covers");
  assert.match(await page.textContent("td.covers"), /Cases of person id-c4410, with no other pattern than HDT-01, HDT-03, HDT-04/);
  assert.match(await page.textContent("td.because"), /agreed with the desk/);
  assert.match(await page.textContent("td.t"), /7 h 59 min left|8 h left/);
});

step("a silence of anything is made from its view, never of everything", async ({ page }) => {
  await page.goto(`${address}/#/silences`);
  await page.waitForSelector(".view h1");
  await page.keyboard.press("s");
  await page.waitForSelector("dialog[open]");
  await page.focus("dialog textarea");
  await page.keyboard.type("the ticket system moves");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("dialog .fault:not([hidden])");
  assert.match(await page.textContent("dialog .told"), /a silence of everything is not taken/);
  await page.focus('dialog input[placeholder^="HDT"]');
  await page.keyboard.type("hdt-01 hdt-07");
  assert.match(await page.textContent("dialog .told"), /no other pattern than HDT-01, HDT-07/);
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await until(page, () => document.querySelectorAll("td.covers").length === 2);
  await shot(page, "silences-own");
});

step("a silence is ended, with a reason", async ({ page }) => {
  // Also where the page begins with this view.
  await page.reload();
  await page.waitForSelector(".view-head .primary");
  await page.focus('td.do button[aria-label*="id-c4410"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.type("the move is over");
  const asked = page.waitForRequest((request) => request.method() === "DELETE");
  await page.keyboard.press("Control+Enter");
  const query = new URL((await asked).url()).searchParams;
  assert.deepEqual([query.get("reason"), query.get("owner")], ["the move is over", "anna"]);
  await closed(page);
  await until(page, () => document.querySelectorAll("td.covers").length === 1);
});

const put = (page, run) => sent(page, "/assignee", run);
const rowOf = (alert) => `.case[data-id="${idOf(alert)}"]`;
const served = (page, alert) => page.evaluate((id) => fetch(`/api/v1/alerts/${id}`).then((answer) => answer.json()), idOf(alert));

step("a case is taken by a key, found as one's own, and released", async ({ page }) => {
  await show(page, idOf(contractor));
  assert.match(await page.textContent(".holder"), /nobody has it/);
  const bodies = await put(page, async () => {
    await page.keyboard.press("t");
    await until(page, () => document.querySelector(".holder .taken")?.textContent === "anna");
  });
  assert.deepEqual(bodies, [{ assignee: "anna", revision: 3, owner: "anna" }]);
  assert.equal(await page.textContent(`${rowOf(contractor)} .taken`), "anna");
  const doc = await served(page, contractor);
  assert.deepEqual([doc.status_id, doc.assignee], [2, { name: "anna" }]);
  await shot(page, "taken");
  await page.keyboard.press("t");
  await noted(page, "You have it already");
  await page.selectOption('select[aria-label="Whose cases"]', "mine");
  await until(page, () => document.querySelectorAll(".case").length === 1);
  assert.match(await page.evaluate(() => location.hash), /assignee=anna/);
  // The address alone says it too.
  await page.reload();
  await until(page, () => document.querySelectorAll(".case").length === 1 && document.querySelector(".holder .taken"));
  assert.equal(await page.inputValue('select[aria-label="Whose cases"]'), "mine");
  await page.selectOption('select[aria-label="Whose cases"]', "none");
  await until(page, (row) => document.querySelectorAll(".case").length > 1 && !document.querySelector(row), rowOf(contractor));
  await page.selectOption('select[aria-label="Whose cases"]', "");
  await page.waitForSelector(rowOf(contractor));
  await page.focus(".holder button:has-text('Release')");
  assert.deepEqual(await put(page, async () => {
    await page.keyboard.press("Enter");
    await until(page, () => document.querySelector(".holder")?.textContent.includes("nobody has it"));
  }), [{ assignee: null, revision: 3, owner: "anna" }]);
  assert.equal((await served(page, contractor)).status_id, 1);
});

step("a case is given to somebody, and others see it without a new revision", async ({ page }) => {
  const other = await open({ hash: `#/alerts/${idOf(contractor)}` });
  await other.page.waitForSelector(".holder");
  await page.focus(".holder button:has-text('Assign')");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.type("bea");
  await shot(page, "assign");
  await page.keyboard.press("Control+Enter");
  await closed(page);
  await noted(page, "Given to bea.");
  await other.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until(other.page, () => document.querySelector(".holder .taken")?.textContent === "bea" && document.querySelector(".case.chosen .taken")?.textContent === "bea");
  assert.deepEqual(other.bad, []);
  await other.context.close();
  // A new revision comes without it: the case stays hers.
  publish(revised(contractor, (next) => Object.assign(next.metadata, { sequence: 4 })));
  await until(page, () => document.querySelector(".eyebrow")?.textContent.includes("revision 4"));
  assert.equal(await page.textContent(".holder .taken"), "bea");
  // What somebody else has is asked about first.
  await page.keyboard.press("t");
  await page.waitForSelector("dialog[open]");
  assert.match(await page.textContent("dialog"), /taken by bea/);
  assert.equal(await page.inputValue("dialog input"), "anna");
  await page.keyboard.press("Escape");
  await closed(page);
  assert.equal(await page.textContent(".holder .taken"), "bea");
});

step("an analyst with a token decides under that name", async () => {
  const { context, page, bad } = await open({ token: analyst, hash: `#/alerts/${idOf(takeover)}` });
  await page.waitForSelector(".actions .primary");
  assert.equal(await page.textContent(".me"), "anna analyst");
  assert.ok(!(await texts(page, ".links-top a")).includes("Audit log"), "that is for admins");
  await page.keyboard.press("d");
  await page.keyboard.press("2");
  await page.keyboard.press("Tab");
  await page.keyboard.type("asked the manager");
  const answer = page.waitForResponse((response) => response.url().endsWith("/disposition"));
  await page.keyboard.press("Control+Enter");
  assert.equal((await (await answer).json()).record.owner, "anna");
  await closed(page);
  assert.deepEqual(bad, []);
  await context.close();
});
