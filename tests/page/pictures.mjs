// A picture of each view in both themes, for a person to look at; and what axe says of each.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { answer } from "./answers.mjs";
import { places, windows } from "./places.mjs";
import { address, lead, open, session, shot, shots, show } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);
const AXE = readFileSync(process.env.PAGE_AXE, "utf8");

/** What axe finds that keeps somebody out. */
async function checked(page, name) {
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? node.failureSummary}`).join(" | ")}`);
  });
  assert.deepEqual(found, [], name);
}

for (const scheme of ["dark", "light"]) {
  step(`every view, ${scheme}: a picture, and nothing that keeps somebody out`, async () => {
    const { context, page, bad } = await open({ scheme });
    await answer(context);
    for (const [name, [hash, isThere]] of Object.entries(places)) {
      await page.goto(`${address}/${hash}`);
      await isThere(page);
      await page.evaluate(AXE);
      await page.evaluate(() => Promise.allSettled(document.getAnimations().map((one) => one.finish())));
      await shot(page, `${name}-${scheme}`);
      await checked(page, `${name}, ${scheme}`);
    }
    await show(page, lead);
    for (const [name, [key, selector]] of Object.entries(windows)) {
      await page.keyboard.press(key);
      await page.waitForSelector(selector);
      await shot(page, `${name}-${scheme}`);
      await checked(page, `${name}, ${scheme}`);
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog[open]", { state: "detached" });
    }
    const height = await page.evaluate(() => document.querySelector(".detail").scrollHeight + 50);
    await page.setViewportSize({ width: 1440, height });
    await shot(page, `case-${scheme}-whole`);
    await page.setViewportSize({ width: 1280, height: 760 });
    await shot(page, `case-${scheme}-narrow`);
    assert.deepEqual(bad, []);
    await context.close();
  });
}

step("a case on paper: light, nothing to press, nothing cut", async () => {
  const { context, page } = await open({ scheme: "dark" });
  await show(page, lead);
  await page.pdf({ path: `${shots}/case.pdf`, format: "A4", printBackground: true });
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 794, height: 1123 });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  for (const part of [".bar-top", ".side", ".actions"]) assert.equal(await page.isVisible(part), false, part);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "as wide as the paper");
  assert.ok(await page.evaluate(() => document.querySelector(".links").getBoundingClientRect().bottom > 1_123 && document.documentElement.scrollHeight > 1_123), "all of it, on several pages");
  await page.screenshot({ path: `${shots}/case-print.png`, fullPage: true });
  await context.close();
});

step("what is there while nothing is: loading, not filled yet, gone, unknown", async () => {
  const { context, page } = await session();
  let release = () => {};
  const held = new Promise((go) => (release = go));
  const isList = (url) => url.pathname === "/api/v1/alerts";
  await context.route(isList, (route) => held.then(() => route.fallback()));
  await page.goto(address);
  await page.waitForSelector(".ghost");
  assert.equal(await page.textContent(".state"), "loading");
  await shot(page, "state-loading");
  release();
  await page.waitForSelector(".case");
  // A server that still reads its topics is asked again.
  await context.unroute(isList);
  await context.route(isList, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: "{}" }));
  await page.reload();
  await page.waitForSelector(".ghost");
  assert.equal(await page.textContent(".state"), "loading");
  await context.unroute(isList);
  await page.waitForSelector(".state.live");
  // A case that takes its time, one that cannot be had, and one that nobody knows.
  let answer = () => {};
  const slow = new Promise((go) => (answer = go));
  await context.route("**/revisions", (route) => slow.then(() => route.abort()));
  await page.evaluate((id) => (location.hash = `#/alerts/${id}`), lead);
  await page.waitForSelector(".waiting");
  await shot(page, "state-case-loading");
  answer();
  await page.waitForSelector(".welcome:has-text('cannot be loaded')");
  await shot(page, "state-case-lost");
  await context.unroute("**/revisions");
  await page.click(".welcome .primary");
  await page.waitForSelector(".case-page h1");
  // One that is shown stays when it cannot be read anew.
  await context.route("**/revisions", (route) => route.abort());
  const asked = page.waitForRequest("**/revisions");
  await page.keyboard.press("u");
  await asked;
  await page.keyboard.press("u");
  assert.ok(await page.isVisible(".case-page h1"));
  await context.unroute("**/revisions");
  await page.evaluate(() => (location.hash = "#/alerts/nobody"));
  await page.waitForSelector(".welcome:has-text('No such case')");
  await shot(page, "state-case-unknown");
  await context.close();
});
