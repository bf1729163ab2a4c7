// A picture of each view in both themes, for a person to look at.

import assert from "node:assert/strict";
import { address, lead, open, shot, shots, show, start, until } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

const CASES = [
  ["case", lead],
  ["counter", start[4].finding_info.uid],
  ["caller", start[5].finding_info.uid],
  ["ticket", start[6].finding_info.uid],
];

for (const scheme of ["dark", "light"]) {
  step(`pictures, ${scheme}`, async () => {
    const { context, page, bad } = await open({ scheme });
    await page.waitForSelector(".case");
    await page.keyboard.press("/");
    await page.keyboard.type("example");
    await until(page, () => document.querySelectorAll(".case").length < 10);
    await page.keyboard.press("Escape");
    await shot(page, `list-${scheme}`);
    for (const [name, id] of CASES) {
      await page.goto(`${address}/#/alerts/${id}?text=example`);
      await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
      await shot(page, `${name}-${scheme}`);
      const height = await page.evaluate(() => document.querySelector(".detail").scrollHeight + 50);
      await page.setViewportSize({ width: 1440, height });
      await shot(page, `${name}-${scheme}-whole`);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    await show(page, lead);
    await page.setViewportSize({ width: 1280, height: 760 });
    await shot(page, `narrow-${scheme}`);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await shot(page, `keys-${scheme}`);
    await page.keyboard.press("Escape");
    await page.goto(`${address}/#/?text=nobody`);
    await page.waitForSelector(".empty");
    await shot(page, `empty-${scheme}`);
    assert.deepEqual(bad, []);
    await context.close();
  });
}

step("a case on paper", async () => {
  const { context, page } = await open({ scheme: "dark" });
  await show(page, lead);
  await page.pdf({ path: `${shots}/case.pdf`, format: "A4", printBackground: true });
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 794, height: 1123 });
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, "rgb(255, 255, 255)", "paper is light");
  assert.equal(await page.isVisible(".bar-top"), false);
  assert.equal(await page.isVisible(".side"), false);
  assert.equal(await page.isVisible(".actions"), false);
  await page.screenshot({ path: `${shots}/case-print.png`, fullPage: true });
  await context.close();
});
