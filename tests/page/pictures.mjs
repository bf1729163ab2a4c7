// A picture of each view in both themes, for a person to look at; and what axe says of each.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { answer } from "./answers.mjs";
import { places, windows } from "./places.mjs";
import { address, lead, open, shot, shots, show } from "./tools.mjs";

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
