// Exemptions made on the page, by keyboard alone: every kind, from nothing and from a case, what the
// server refuses, and texts that want to be more than text.

import assert from "node:assert/strict";
import { hostile } from "./strings.mjs";
import { address, shot, show, start, texts, until } from "./tools.mjs";

export const options = { hash: "#/silences" };
export const steps = [];
const step = (name, run) => steps.push([name, run]);

const closed = (page) => until(page, () => !document.querySelector("dialog[open]"));
/** The label of the field that has the focus, or what a button says. */
const focused = (page) => page.evaluate(() => (document.activeElement.type === "radio" ? "" : (document.activeElement.getAttribute("aria-label") ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent)));

/** What is posted while something runs, and the status of the answer. */
async function posted(page, run) {
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/exemptions") && response.request().method() === "POST");
  await run();
  const response = await answer;
  return [response.status(), response.request().postDataJSON()];
}

/** Goes on to the field of that label. */
async function tabTo(page, label) {
  for (let n = 0; n < 30; n++) {
    if ((await focused(page)).startsWith(label)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`no field ${label}`);
}

async function typed(page, label, text) {
  await tabTo(page, label);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

/** In the order of the form: what is typed in which field, and the scope that is sent. */
const KINDS = [
  ["travel", [["Person", "hris:E1"], ["Countries", "JP, NL"]], { person: "hris:E1", countries: ["JP", "NL"] }],
  ["device_refresh", [["People", "hris:E1 hris:E2"]], { persons: ["hris:E1", "hris:E2"] }],
  ["incident", [["Incident", "INC7"], ["Led by", "hris:E3"], ["Agents", "id-a12"]], { incident: "INC7", commander: "hris:E3", agents: ["id-a12"] }],
  ["maintenance", [["Feed", "callback"]], { feed: "callback" }],
  ["batch", [["Job", "svc-1"], ["Accounts", "hris:E1"], ["In an hour", "40"]], { principal: "svc-1", targets: ["hris:E1"], budget_per_hour: 40 }],
  ["allow_list", [["Number or", "caller-91bc"], ["People at most", "9"]], { entity: "caller|caller-91bc", max: 9 }],
  ["shared_device", [["Kind", "device"], ["Device or", "dev-7"], ["People at most", "4"]], { entity: "device|dev-7", max: 4 }],
  ["delegation", [["Person", "hris:E1"], ["Delegates", "hris:E9"]], { person: "hris:E1", delegates: ["hris:E9"] }],
  ["drill", [["Account", "glass-1"]], { account: "glass-1" }],
  ["policy", [["Ticket types", "catalogue-7"]], { ticket_types: ["catalogue-7"] }],
];

step("each of the ten kinds is made by keyboard, and listed", async ({ page }) => {
  await page.waitForSelector(".view-head .primary");
  for (const [n, [kind, fields, scope]] of KINDS.entries()) {
    await page.keyboard.press("E");
    await page.waitForSelector("dialog[open]");
    assert.equal(await page.$$eval("dialog .option", (options) => options.length), KINDS.length);
    await page.keyboard.press(String(Math.min(9, n + 1)));
    if (n === 9) await page.keyboard.press("ArrowDown");
    for (const [label, text] of fields) await typed(page, label, text);
    await typed(page, "Why", `declared as ${kind}`);
    if (n === 0) await typed(page, "Your name", "anna");
    const before = Date.now();
    const [status, body] = await posted(page, () => page.keyboard.press("Control+Enter"));
    assert.equal(status, 201, kind);
    assert.deepEqual([body.kind, body.scope, body.reason, body.owner], [kind, scope, `declared as ${kind}`, "anna"]);
    assert.ok(Math.abs(body.valid_to - before - 7 * 86_400_000) < 120_000 && Math.abs(body.valid_from - before) < 120_000, "a week from now on");
    await closed(page);
    await until(page, (reason) => [...document.querySelectorAll("td.because")].some((cell) => cell.textContent === reason), `declared as ${kind}`);
  }
  await shot(page, "exemptions-made");
});

step("what the server refuses is said at its field, and the rest stays", async ({ page }) => {
  await page.keyboard.press("E");
  await page.keyboard.press("1");
  await typed(page, "Person", "hris:E1");
  await typed(page, "Countries", "Japan");
  await page.keyboard.press("Control+Enter");
  assert.ok(await page.isVisible("dialog[open]"), "nothing is sent without a reason");
  await typed(page, "Why", "a fair");
  const [refused] = await posted(page, () => page.keyboard.press("Control+Enter"));
  assert.equal(refused, 400);
  await page.waitForSelector(".field-fault");
  assert.match(await page.textContent(".field:has(.field-fault)"), /Countries.*Japan is no ISO country code/);
  assert.equal(await focused(page), "Countries");
  assert.equal(await page.getAttribute("dialog [aria-invalid]", "aria-describedby").then((ids) => ids.endsWith("-fault")), true);
  assert.equal(await page.isHidden("dialog .fault"), true, "it is said once");
  await shot(page, "exempt-refused");
  await typed(page, "Countries", "JP");
  await page.fill("dialog input[type=datetime-local] >> nth=1", "2030-01-01T00:00");
  const [late] = await posted(page, () => page.keyboard.press("Control+Enter"));
  assert.equal(late, 400);
  await until(page, () => document.querySelector(".field-fault")?.textContent.includes("90 days"));
  assert.match(await focused(page), /^Until/);
  assert.equal((await page.$$(".field-fault")).length, 1);
  await tabTo(page, "90 days");
  await page.keyboard.press("Enter");
  const [taken, body] = await posted(page, () => page.keyboard.press("Control+Enter"));
  assert.deepEqual([taken, body.reason], [201, "a fair"]);
  await closed(page);
});

step("a case fills it in: what fits stands first", async ({ page }) => {
  await show(page, start[5].finding_info.uid);
  await page.keyboard.press("E");
  await page.waitForSelector("dialog[open]");
  assert.equal(await page.$eval("dialog .kind input:checked", (radio) => radio.value), "allow_list");
  await typed(page, "Why", "the number of the front desk in Leeds");
  await shot(page, "exempt-caller");
  const [status, body] = await posted(page, () => page.keyboard.press("Control+Enter"));
  assert.equal(status, 201);
  assert.equal(body.scope.entity, `caller|${start[5].resources[0].uid}`);
  assert.ok(body.scope.max >= 1 && body.valid_from < start[5].finding_info.first_seen_time, "it holds for what was seen");
  await closed(page);
  await show(page, start[2].finding_info.uid);
  await page.keyboard.press("E");
  await page.waitForSelector("dialog[open]");
  assert.equal(await page.$eval("dialog .kind input:checked", (radio) => radio.value), "travel");
  await tabTo(page, "Countries");
  assert.equal(await page.evaluate(() => document.activeElement.value), "NL");
  await page.focus("dialog .kind input:checked");
  await page.keyboard.press("2");
  await tabTo(page, "People");
  assert.equal(await page.evaluate(() => document.activeElement.value), start[2].resources[0].uid);
  await page.keyboard.press("Escape");
  await closed(page);
});

step("hostile texts are texts, in the form and in the list", async ({ page }) => {
  const bad = ['"><img src=x onerror=hit=1>', "${hit=1}", ...hostile.filter((text) => /[<&]/.test(text)).slice(0, 4)].map((text) => text.replace(/\s+/g, " ").trim().slice(0, 120));
  await page.goto(`${address}/#/silences`);
  await page.waitForSelector(".view-head .primary");
  for (const text of bad) {
    await page.keyboard.press("E");
    await page.waitForSelector("dialog[open]");
    await page.check('dialog input[value="drill"]');
    await tabTo(page, "Account");
    await page.keyboard.insertText(text);
    await tabTo(page, "Why");
    await page.keyboard.insertText(text);
    assert.equal(await page.$$eval("dialog .told *", (nodes) => nodes.filter((node) => !["B", "BDI"].includes(node.tagName)).length), 0);
    const [status] = await posted(page, () => page.keyboard.press("Control+Enter"));
    assert.equal(status, 201, text);
    await closed(page);
    await until(page, (start) => [...document.querySelectorAll("td.because")].some((cell) => cell.textContent.startsWith(start)), text.slice(0, 5));
  }
  assert.deepEqual(await page.$$eval("td.because *, td.covers *", (nodes) => nodes.filter((node) => node.tagName !== "BDI").map((node) => node.outerHTML)), []);
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  assert.ok((await texts(page, "td.because")).some((text) => text.includes("<img")));
});
