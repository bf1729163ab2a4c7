// The browser, and what every step needs of it. Steps wait for conditions, never for time.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const { chromium } = await import(process.env.PAGE_PLAYWRIGHT);
export const shots = process.env.PAGE_SCREENSHOTS;
export const [address, guarded, demo, viewer, analyst, admin] = process.argv.slice(2);
export const { start, later } = JSON.parse(readFileSync(new URL("alerts.json", import.meta.url), "utf8"));
export const lead = start[2].finding_info.uid;
export const browser = await chromium.launch({ executablePath: process.env.PAGE_CHROMIUM, args: ["--no-sandbox"] });

/** Asks the test to publish an alert. */
export const publish = (alert) => console.log(`publish ${JSON.stringify(alert)}`);
export const texts = (page, selector) => page.$$eval(selector, (nodes) => nodes.map((node) => node.textContent));
export const until = (page, check, argument) => page.waitForFunction(check, argument);
/** Waits until the server knows an alert; asks slowly, as the page has the same connections. */
export async function known(page, id) {
  const asked = () => page.evaluate((id) => fetch(`/api/v1/alerts/${id}`).then((answer) => answer.ok), id);
  while (!(await asked())) await new Promise((go) => setTimeout(go, 200));
}
export const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png` });

/** Everything that must not happen on a page. */
export function watch(page) {
  const bad = [];
  page.on("dialog", (dialog) => {
    bad.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => bad.push(`error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    // A lost connection and a refusal are said by the browser itself.
    if (["error", "warning"].includes(message.type()) && !/net::ERR_|Failed to load resource/.test(message.text())) bad.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (![address, guarded, demo, "blob:"].some((known) => request.url().startsWith(known))) bad.push(`request: ${request.url()}`);
  });
  return bad;
}

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };

/** With PAGE_FROM_DISK the files of ui/ come from the disk, so that a change of them needs no build. */
async function fromDisk(context) {
  if (!process.env.PAGE_FROM_DISK) return;
  await context.route(/^[^#?]*:\d+\/(ui\/[^/]+\.\w+)?$/, async (route) => {
    const name = new URL(route.request().url()).pathname.replace(/^\/(ui\/)?/, "") || "index.html";
    const response = await route.fetch({ maxRedirects: 0 });
    const body = readFileSync(new URL(`../../ui/${name}`, import.meta.url));
    await route.fulfill({ status: 200, body, headers: { ...response.headers(), "content-type": TYPES[name.split(".").at(-1)], "content-length": String(body.length) } });
  });
}

/** A browser of its own; `token` signs in at the guarded server. */
export async function session({ scheme = "dark", size = { width: 1440, height: 900 }, token, home = token ? guarded : address, me, ...more } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: size, timezoneId: "Europe/Berlin", locale: "en-GB", ...more });
  await fromDisk(context);
  if (me) await context.route("**/api/v1/me", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify(me) }));
  await context.addInitScript((token) => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    if (token) sessionStorage.setItem("token", token);
  }, token);
  const page = await context.newPage();
  // Patience of a machine that has other work.
  page.setDefaultTimeout(Number(process.env.PAGE_PATIENCE_MS ?? 60_000));
  const bad = watch(page);
  return { context, page, bad, home };
}

/** As `session`, with the page open and fresh. */
export async function open(options = {}) {
  const made = await session(options);
  await made.page.goto(`${made.home}/${options.hash ?? ""}`);
  await made.page.waitForSelector(".state.live");
  return made;
}

/** Opens a case and waits until all of it is there. */
export async function show(page, id, home = address) {
  await page.goto(`${home}/#/alerts/${id}`);
  await until(page, (id) => document.querySelector(".links .id")?.textContent === id, id);
}

/** No step takes longer, on no machine. */
const STEP_MAX_MS = 180_000;
const late = () => new Promise((_, fail) => setTimeout(fail, STEP_MAX_MS, Error("it does not end")).unref());

/** Steps that share a browser; each ends without a complaint of the page. */
export async function run(steps, made) {
  for (const [name, step] of steps) {
    await Promise.race([step(made), late()]).catch(async (error) => {
      await shot(made.page, "failed").catch(() => {});
      throw new Error(`${name}: ${error.stack}`);
    });
    assert.deepEqual(made.bad, [], name);
    console.log(`ok: ${name}`);
  }
}
