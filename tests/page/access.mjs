// Who may see what: the token, and what a viewer is not offered.

import assert from "node:assert/strict";
import { guarded, lead, session, shot, texts, until, viewer } from "./tools.mjs";

export const steps = [];
const step = (name, run) => steps.push([name, run]);

step("a token is asked for, kept for the tab, and forgotten; by keyboard alone", async () => {
  const { context, page, bad } = await session();
  const sent = [];
  page.on("request", (request) => sent.push([request.url(), request.headers().authorization ?? ""]));
  await page.goto(`${guarded}/#/alerts/${lead}`);
  await page.waitForSelector("dialog[open] #token");
  assert.equal(await page.textContent(".state"), "token needed");
  assert.equal((await page.$$(".case, .case-page, .ghost")).length, 0, "nothing is shown");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  await shot(page, "sign-in");
  await page.keyboard.press("Escape");
  assert.ok(await page.isVisible("#token"), "there is nothing behind it");
  await page.keyboard.type("dw_wrong");
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelector("#token-why")?.textContent.includes("not known"));
  await page.keyboard.type(viewer);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".state.live");
  await page.waitForSelector(".case-page h1");
  assert.equal((await page.$$(".case")).length, 5);
  // A new load of the tab is still the same person; another tab is not.
  await page.reload();
  await page.waitForSelector(".case");
  const other = await context.newPage();
  await other.goto(guarded);
  await other.waitForSelector("dialog[open] #token");
  await other.close();
  assert.ok(sent.every(([url]) => !url.includes("dw_")), "no token is in an address");
  assert.ok(sent.some(([url, header]) => url.includes("/stream") && header === `Bearer ${viewer}`));
  assert.equal(await page.evaluate(() => document.cookie + JSON.stringify(localStorage)), "{}");
  await page.focus("text=Sign out");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open] #token");
  assert.equal((await page.$$(".case, .case-page")).length, 0, "nothing is left");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.deepEqual(bad, []);
  await context.close();
});

step("a viewer is offered nothing that a viewer may not do", async () => {
  const { context, page, bad } = await session({ token: viewer });
  await page.goto(`${guarded}/#/alerts/${lead}`);
  await page.waitForSelector(".actions");
  assert.deepEqual(await texts(page, ".actions button"), ["Markdownm", "OCSFe", "Replay", "Print"]);
  assert.equal((await page.$$(".pick")).length, 0);
  for (const key of ["d", "s", "t", "E", "x", "X"]) await page.keyboard.press(key);
  assert.equal((await page.$$("dialog[open]")).length, 0);
  await page.goto(`${guarded}/#/silences`);
  await page.waitForSelector(".view h1");
  assert.equal((await page.$$(".view .primary")).length, 0);
  assert.deepEqual(bad, []);
  await context.close();
});

step("a case that the server puts off is asked for again, and shown", async () => {
  const { context, page, bad } = await session({ token: viewer });
  let asked = 0;
  await context.route("**/revisions", (route) => (++asked < 3 ? route.fulfill({ status: 429, headers: { "retry-after": "1" } }) : route.continue()));
  await page.goto(`${guarded}/#/alerts/${lead}`);
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, lead);
  assert.equal(asked, 3);
  assert.deepEqual(bad, []);
  await context.close();
});
