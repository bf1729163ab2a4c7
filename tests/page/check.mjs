// Drives the page in Chromium: `node check.mjs ADDRESS GUARDED DEMO VIEWER ANALYST ADMIN`: a server, one
// that asks who is there, the demo, and tokens of the second. PAGE_ONLY names the parts to run, all if empty.
// Asks the test for a new alert by printing `publish JSON`.

import { browser, open, run } from "./tools.mjs";

const PARTS = ["access", "pictures", "queue", "case", "events", "decide", "exempt", "views", "story", "speed", "hostile"];
const only = (process.env.PAGE_ONLY ?? "").split(/[\s,]+/).filter(Boolean);
let count = 0;
for (const name of PARTS) {
  if (only.length && !only.includes(name)) continue;
  const { steps, options = {} } = await import(`./${name}.mjs`);
  const made = await open(options);
  await run(steps, made);
  await made.context.close();
  count += steps.length;
}
await browser.close();
console.log(`ok: ${count} steps`);
