// What is done with single events of a case: their source record, pins, and playing their time again.

import assert from "node:assert/strict";
import { hostile } from "./strings.mjs";
import { address, lead, open, shot, show, start, texts, until, viewer } from "./tools.mjs";

export const options = { hash: `#/alerts/${lead}` };
export const steps = [];
const step = (name, run) => steps.push([name, run]);

const fifth = start[2].finding_info.related_events.find((event) => event.tags.some((tag) => tag.value === "okta.system-log/3/881255")) ?? start[2].finding_info.related_events[5];
const place = fifth.tags.find((tag) => tag.name === "source").value;
const RECORD = {
  topic: place.split("/")[0],
  partition: Number(place.split("/")[1]),
  offset: Number(place.split("/")[2]),
  timestamp: fifth.created_time + 95_000,
  length: 2_048,
  source: "okta",
  items: [
    { item: 0, ignored: "unread" },
    { item: 1, event: { event_id: fifth.uid, action: fifth.type, time: fifth.created_time, target: { identity: "id-7f3a", handles: ["n@example.com", "+12025550100"] }, device: { id: "dev-1", trusted: false }, labels: [] } },
    { item: 2, reject: { reason: "no_time", detail: "there is none" } },
  ],
};
const json = (body, status = 200) => ({ status, contentType: status === 200 ? "application/json" : "application/problem+json", body: JSON.stringify(body) });
const RECORDS = "**/api/v1/records/**";
/** What the server answers of records at the moment. One route stays for all steps: taking it out and in again lets a request through now and then. */
let records = () => json(RECORD);
const closed = (page) => until(page, () => !document.querySelector("dialog[open]"));

/** Picks the event by its mark, with the arrows. */
async function picked(page) {
  await show(page, lead);
  await page.focus('.mark[data-number="1"]');
  while ((await page.evaluate(() => document.activeElement.dataset.event)) !== fifth.uid) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`tr.picked[data-event="${fifth.uid}"]`);
}

step("the source record of an event is shown beside the case, by keyboard", async ({ context, page }) => {
  let asked = "";
  await context.route(RECORDS, (route) => {
    asked = new URL(route.request().url()).pathname;
    return route.fulfill(records());
  });
  await picked(page);
  await page.keyboard.press("r");
  await page.waitForSelector(".record-lines");
  assert.equal(asked, `/api/v1/records/${place}`);
  assert.match(await page.textContent(".record .facts"), /source okta.*in the topic since .*1 min 35 s after it happened/);
  assert.deepEqual(await texts(page, ".record-lines > div > dt"), ["event_id", "action", "time", "target", "device", "labels"]);
  assert.deepEqual(await texts(page, ".record-lines .inner .inner dd code"), ["n@example.com", "+12025550100"], "nested keys are indented");
  assert.equal(await page.$eval(".record-item.it", (one) => one.open), true);
  assert.match(await page.textContent(".record .told"), /Item 1 of 3: it says nothing/);
  assert.match(await page.textContent(".record .fault"), /Item 3 of 3: it could not be used: no time: there is none/);
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog") !== null));
  await shot(page, "record-dark");
  await page.keyboard.press("Escape");
  await closed(page);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.event), fifth.uid, "the focus is where it was");
  await page.keyboard.press("l");
  await page.focus(`tr[data-event="${fifth.uid}"] .source-record`);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".record-lines");
  await shot(page, "record-light");
  await page.keyboard.press("Enter");
  await closed(page);
  assert.equal(await page.evaluate(() => document.activeElement.className), "source-record");
  await page.keyboard.press("l");
});

step("where a record cannot be had, it is said what to do", async ({ page }) => {
  for (const [status, title, advice] of [[404, "This record is gone.", /does not keep it any more.*look there at/], [403, "Source records are for analysts.", /Ask one of them/]]) {
    records = () => json({ detail: "offset 7 is below the beginning" }, status);
    await page.keyboard.press("r");
    await page.waitForSelector(".record-lost");
    assert.match(await page.textContent(".record-lost .fault"), new RegExp(`${title} offset 7`));
    assert.match(await page.textContent(".record-lost"), advice);
    if (status === 404) await shot(page, "record-gone");
    await page.keyboard.press("Escape");
    await closed(page);
  }
  let asked = 0;
  records = () => (++asked === 1 ? json({ detail: "the brokers do not answer" }, 503) : json(RECORD));
  await page.keyboard.press("r");
  await page.waitForSelector(".record-lost button");
  await page.focus(".record-lost button");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".record-lines");
  await page.keyboard.press("Escape");
  await closed(page);
});

step("hostile records are text", async ({ page }) => {
  const event = Object.fromEntries(hostile.slice(0, 200).map((text, n) => [`${text.slice(0, 80)} ${n}`, n % 2 ? text : { [text.slice(0, 80)]: [text, n] }]));
  records = () => json({ ...RECORD, source: hostile[3], items: [{ item: 0, event }, { item: 1, reject: { reason: hostile[5], detail: hostile[9] } }, { item: 2, ignored: hostile[7] }, { item: "x", event: null }] });
  await page.keyboard.press("r");
  await page.waitForSelector(".record-item");
  await page.$eval(".record-item", (one) => (one.open = true));
  const tags = await page.$$eval("dialog *", (nodes) => [...new Set(nodes.map((node) => node.localName))].sort());
  assert.deepEqual(tags, ["b", "bdi", "button", "code", "dd", "details", "div", "dl", "dt", "h2", "p", "small", "span", "summary"].filter((tag) => tags.includes(tag)));
  assert.ok((await page.$$(".record-lines dt")).length >= 300);
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  await page.keyboard.press("Escape");
  await closed(page);
});

step("who may only read is not offered records", async () => {
  const { context, page, bad } = await open({ token: viewer, hash: `#/alerts/${lead}` });
  await page.waitForSelector("tr[data-event]");
  assert.equal((await page.$$(".source-record")).length, 0);
  assert.equal((await page.$$(".holder")).length, 0, "and takes no cases");
  assert.deepEqual(bad, []);
  await context.close();
});

step("events are pinned in the address, and printed with the case", async ({ page }) => {
  await picked(page);
  await page.keyboard.press("p");
  await page.waitForSelector(".pinned:not([hidden])");
  const hash = await page.evaluate(() => location.hash);
  assert.equal(hash, `#/alerts/${lead}?pins=${fifth.uid.slice(0, 8)}`);
  assert.equal((await page.$$(".timeline .pin-mark")).length, 1);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.event), fifth.uid, "the focus stays at the mark");
  await page.focus('tr[data-number="1"] .pin');
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelectorAll(".pins li").length === 2);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true");
  await shot(page, "pinned-dark");
  // Whoever is sent the address sees them, whatever else it says.
  await page.goto(`${address}/#/`);
  await page.goto(`${address}/#/alerts/${lead}?pins=${fifth.uid.slice(0, 8)},<img src=x onerror=hit=1>,%22%3E,ffffffff`);
  await page.waitForSelector(".pinned:not([hidden])");
  assert.equal((await page.$$(".pins li")).length, 1);
  assert.match(await page.textContent(".pins li"), new RegExp(place));
  await page.keyboard.press("j");
  assert.ok(!(await page.evaluate(() => location.hash)).includes("pins"), "they belong to one case");
  await page.goBack();
  await page.goto(`${address}/${hash}`);
  await page.waitForSelector(".pinned:not([hidden])");
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.isVisible(".pins li"));
  assert.equal(await page.isVisible(".case-page .pin"), false);
  await page.emulateMedia({ media: "screen" });
  await page.focus(`tr[data-event="${fifth.uid}"] .pin`);
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelector(".pinned").hidden && !location.hash.includes("pins"));
});

step("the command that plays this time again is shown before it is copied", async ({ context, page }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const replay = async () => {
    await page.focus('.actions button[aria-label="Replay command"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog textarea");
    return page.inputValue("dialog textarea");
  };
  const text = await replay();
  const [from, to] = [start[2].finding_info.first_seen_time - 86_400_000, start[2].finding_info.last_seen_time + 4 * 3_600_000];
  assert.ok(text.includes(`kcat -C -q -e -b "$BROKERS" -t okta.system-log -o s@${from} -o e@${to} > okta.system-log.jsonl`), text);
  assert.match(text, /deskwarden replay \\\n {2}--source amazon_connect=connect\.events\.jsonl \\\n {2}--source okta=okta\.system-log\.jsonl \\\n {2}--format timeline$/);
  assert.match(await page.textContent("dialog"), /Only sources from which this case has events/);
  await shot(page, "replay");
  await page.keyboard.press("Enter");
  await closed(page);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
  const source = (name, topic, domains) => ({ name, topic, domains, product: "okta" });
  const sources = [source("desk", "servicenow.tables", ["ticket"]), source("people", "hr", ["directory"]), source("x; rm -rf ~", "t", []), source("y", "$(id)", [])];
  await context.route("**/api/v1/sources", (route) => route.fulfill(json({ sources })));
  const configured = await replay();
  assert.match(configured, /deskwarden replay \\\n {2}--config deskwarden\.yaml \\\n {2}--source desk=servicenow\.tables\.jsonl \\\n {2}--format timeline$/);
  assert.ok(!/rm -rf|\$\(id\)|hr\.jsonl/.test(configured), "nothing of it is run by whoever pastes it");
  await page.keyboard.press("Escape");
  await context.unroute("**/api/v1/sources");
});
