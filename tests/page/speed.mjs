// How fast: a case of 200 events, 5,000 open cases, a feed of 20 changes a second. Machines that run
// tests are shared: of several rounds the best counts, and every figure is printed.

import assert from "node:assert/strict";
import { address, known, open, publish, session, shot, start, until } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

const ROUNDS = 5;
const MANY = 5_000;
const A_SECOND = 20;
const SECONDS = 4;
const big = `b16${"0".repeat(29)}`;
const idOf = (n) => `feed${String(n).padStart(28, "0")}`;
const told = (name, figures) => console.log(`measured: ${name}: ${figures}`);

/** A case of 200 events, with the findings of the takeover. */
function large() {
  const alert = structuredClone(start[2]);
  const [first] = alert.finding_info.related_events;
  alert.finding_info.uid = big;
  alert.metadata.sequence = 1;
  alert.activity_id = 1;
  alert.time += 7_200_000;
  const actions = ["ticket.updated", "contact.utterance", "credential.password_reset", "mfa.enrolled", "auth.login"];
  for (let n = alert.finding_info.related_events.length; n < 200; n++) {
    alert.finding_info.related_events.push({ ...structuredClone(first), uid: String(n).padStart(32, "0"), type: actions[n % 5], created_time: first.created_time + n * 37_000, tags: [{ name: "source", value: `okta.system-log/3/${n}` }, { name: "agent", value: "id-a12" }, { name: "agent_name", value: "b…@example.com" }, { name: "address", value: `addr-${n}` }] });
  }
  alert.finding_info.related_events_count = 200;
  return alert;
}

/** A small case of somebody, the n-th. */
function small(n, revision = 1) {
  const alert = structuredClone(start[8]);
  const agent = n % 40;
  alert.finding_info.uid = idOf(n);
  Object.assign(alert.metadata, { uid: `${idOf(n)}:${revision}`, sequence: revision });
  alert.activity_id = revision === 1 ? 1 : 2;
  alert.time = start[0].time - (MANY - n) * 1_000 + revision;
  alert.risk_score = 30 + (n % 60);
  alert.severity_id = 2 + (n % 3);
  alert.resources[0] = { uid: `id-${n}`, name: `p${n}…@example.com`, type: "identity", criticality: "standard" };
  for (const event of alert.finding_info.related_events) event.tags = [...event.tags.filter((tag) => !tag.name.startsWith("agent")), { name: "agent", value: `id-agent-${agent}` }, { name: "agent_name", value: `a${agent}…@example.com` }];
  return alert;
}

/** The first case of the list, with how many there are and from where the feed goes on. */
const part = (page) => page.evaluate(() => fetch("/api/v1/alerts?status=open&limit=1").then((answer) => answer.json()));
let before = "";

step("a case of 200 events is there within 300 ms of the answer", async ({ page }) => {
  publish(large());
  await known(page, big);
  const times = [];
  for (let n = 0; n < ROUNDS; n++) {
    await page.evaluate(() => (location.hash = "#/"));
    await page.waitForSelector(".welcome");
    times.push(
      await page.evaluate(async (id) => {
        const frame = () => new Promise((go, fail) => requestAnimationFrame(go) && setTimeout(fail, 5_000, Error("no frame in 5 s")));
        performance.clearResourceTimings();
        location.hash = `#/alerts/${id}`;
        const begin = performance.now();
        while (document.querySelector(".links .id")?.textContent !== id) {
          if (performance.now() - begin > 5_000) return `never drawn: ${document.querySelector(".detail")?.textContent.slice(0, 400)}`;
          await frame();
        }
        // The frame in which it was drawn has ended.
        await frame();
        const asked = performance.getEntriesByType("resource").find((one) => one.name.endsWith(`${id}/revisions`));
        return performance.now() - asked.responseEnd;
      }, big),
    );
  }
  told("case of 200 events, answer to picture, ms", times.map((time) => (Number.isFinite(time) ? Math.round(time) : time)).join(" "));
  assert.ok(times.every(Number.isFinite), `${times}`);
  await until(page, () => document.querySelectorAll("td.t").length === 200);
  assert.ok(Math.min(...times) <= 300, `${times}`);
  await shot(page, "large");
});

step("5,000 open cases: the first at once, all of them when they are wanted, few of them drawn", async ({ page }) => {
  before = (await part(page)).position;
  for (let n = 0; n < MANY; n++) publish(small(n));
  await known(page, idOf(MANY - 1));
  const { context, page: fresh, bad } = await open();
  const { total } = await part(fresh);
  assert.ok(total >= MANY, `${total}`);
  await fresh.waitForSelector(".case");
  const first = await fresh.evaluate(() => performance.now());
  const drawn = () => fresh.$$eval("*", (nodes) => nodes.length);
  assert.match(await fresh.textContent(".count"), /^60 of 5,\d\d\d open$/);
  await shot(fresh, "many");
  const nodes = await drawn();
  const begin = Date.now();
  await fresh.keyboard.press("g");
  await fresh.keyboard.press("g");
  await fresh.keyboard.press("g");
  await until(fresh, (total) => document.querySelector(".count").textContent.startsWith(total.toLocaleString("en-GB")), total);
  const all = Date.now() - begin;
  assert.equal(await fresh.inputValue(".filters select"), "agent");
  assert.ok((await drawn()) < 2 * nodes, "what is out of sight is not drawn");
  await shot(fresh, "many-grouped");
  await fresh.keyboard.press("g");
  const scrolls = await fresh.evaluate(async () => {
    const frame = () => new Promise((go) => requestAnimationFrame(go));
    const list = document.querySelector(".cases");
    const times = [];
    for (let n = 0; n < 40; n++) {
      list.scrollTop = (list.scrollHeight * n) / 40;
      const begin = performance.now();
      await frame();
      times.push(performance.now() - begin);
    }
    list.scrollTop = list.scrollHeight;
    await frame();
    await frame();
    return times.sort((a, b) => a - b);
  });
  const last = await fresh.$$eval(".case", (rows) => rows.at(-1).getAttribute("aria-posinset"));
  assert.equal(Number(last), total);
  told("5,000 cases", `first rows ${Math.round(first)} ms after the start of the load, all of them ${all} ms later, ${nodes} elements; a jump in the list ${Math.round(scrolls[20])} ms, at most ${Math.round(scrolls.at(-1))}`);
  assert.deepEqual(bad, []);
  await context.close();
});

step("what the feed brings and the list has as well is one case, and counted once", async () => {
  const { context, page, bad } = await session();
  // As if the list had been read long before the feed began.
  await context.route("**/api/v1/alerts?*limit=60*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), position: before } });
  });
  await page.goto(address);
  await until(page, () => /^\d{3}|^\d,/.test(document.querySelector(".pill").textContent));
  const { total } = await part(page);
  await page.keyboard.press("g");
  await until(page, (total) => document.querySelector(".count").textContent === `${total.toLocaleString("en-GB")} open`, total);
  await page.keyboard.press("Escape");
  assert.deepEqual(bad, []);
  await context.close();
});

/** Frames a second and the longest of them, for a while. */
const frames = (page) =>
  page.evaluate(async (ms) => {
    const gaps = [];
    const begin = performance.now();
    let last = begin;
    while (last - begin < ms) {
      await new Promise((go) => requestAnimationFrame(go));
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    return { rate: (gaps.length * 1_000) / (last - begin), longest: Math.max(...gaps) };
  }, SECONDS * 1_000);

/** The same while the feed runs, and the work of the page for each change. */
async function fed(page, round) {
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable");
  const metrics = async () => Object.fromEntries((await client.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  const before = await metrics();
  const counted = frames(page);
  const changes = SECONDS * A_SECOND;
  // The rate is what is tested: this one waits for time.
  for (let n = 0; n < changes; n++) {
    publish(n % 4 ? small(MANY - 1 - (n % 30), 2 + round * 100 + n) : small(MANY + round * 1_000 + n));
    await new Promise((go) => setTimeout(go, 1_000 / A_SECOND));
  }
  const { rate, longest } = await counted;
  const after = await metrics();
  const each = (name) => ((after[name] - before[name]) * 1_000) / changes;
  await client.detach();
  return { rate, longest, script: each("ScriptDuration"), layout: each("LayoutDuration") + each("RecalcStyleDuration") };
}

step("as many frames a second while the feed runs as without it", async () => {
  const { context, page, bad } = await open({ hash: `#/alerts/${big}` });
  await page.waitForSelector(".case-page .links");
  const rounds = [];
  for (let n = 0; n < 3; n++) {
    const { rate: idle } = await frames(page);
    rounds.push({ idle, ...(await fed(page, n)) });
  }
  for (const { idle, rate, longest, script, layout } of rounds) told("feed of 20 changes a second, over 5,000 cases with one of 200 events open", `${rate.toFixed(1)} frames/s (${idle.toFixed(1)} without it), longest gap ${longest.toFixed(0)} ms; ${script.toFixed(2)} ms of script and ${layout.toFixed(2)} ms of layout a change`);
  assert.ok(rounds.some(({ idle, rate }) => rate >= 0.9 * idle), "the feed takes more than a tenth of the frames that this machine has");
  assert.ok(Math.min(...rounds.map(({ script, layout }) => script + layout)) <= 16, "a change costs less than a frame");
  assert.match(await page.textContent(".pill"), /new/);
  assert.deepEqual(bad, []);
  await context.close();
});
