// A verdict on one case or on several: what it is, why, and who says so.

import { choice, field, form, note, open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { me, send, Unknown } from "./session.js";
import { VERDICTS, VERDICT_NAMES } from "./words.js";

/** Sent at once, of many: the server takes 50 questions a second. */
const AT_ONCE = 4;

/** Who answers for it, where the server knows nobody by a name. */
export function owner() {
  if (me.name) return { node: null, input: null, value: () => undefined };
  const input = el("input", { type: "text", required: true, maxlength: "120", autocomplete: "name", value: localStorage.getItem("owner") ?? "" });
  const value = () => {
    localStorage.setItem("owner", input.value.trim());
    return input.value.trim();
  };
  return { node: field("Your name", input, "The server asks nobody for a token, so it cannot know."), input, value };
}

export const reason = (hint) => el("textarea", { rows: "3", required: true, maxlength: "2000", placeholder: hint });

async function one(id, body) {
  const answer = await send("POST", `/api/v1/alerts/${encodeURIComponent(id)}/disposition`, body);
  return { id, ...answer, alert: id };
}

/** Sends a verdict for each; what became of them. */
async function all(cases, body, store) {
  const result = { closed: 0, recorded: [], failed: [] };
  const waiting = [...cases];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        const answer = await one(next.id, { ...body, revision: next.revision });
        store.decide(next.id, answer);
        if (answer.closes) result.closed += 1;
        else result.recorded.push([next, answer.newest_revision]);
      } catch (error) {
        if (error instanceof Unknown) throw error;
        result.failed.push([next, error.message]);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, cases.length) }, work));
  return result;
}

/** Asks for a verdict on cases and sends it. */
export function decide(cases, store, { done = () => {} } = {}) {
  const many = cases.length > 1;
  const verdict = choice("What was it?", "verdict", VERDICTS, "");
  for (const radio of verdict.set.querySelectorAll("input")) radio.required = true;
  const why = reason("What you looked at, and whom you asked");
  const by = owner();
  const changed = el("p", { class: "warn", role: "alert", hidden: true });
  let after = () => {};
  const about = many ? el("p", { class: "muted" }, `${cases.length} open cases, each as it is shown now.`) : el("p", { class: "muted" }, said(cases[0].who.name || "unknown"), `, revision ${cases[0].revision}. The case closes, for good.`);
  const made = form([about, changed, verdict.set, field("Why", why, "It goes into the record, under your name."), by.node], {
    submit: many ? `Decide ${cases.length} cases` : "Decide",
    cancel: () => window.close(),
    send: async () => {
      const body = { verdict: verdict.value(), reason: why.value.trim(), owner: by.value() };
      if (!body.reason) throw new Error("a reason is needed");
      const { closed, recorded, failed } = await all(cases, body, store);
      if (failed.length) {
        cases = failed.map(([each]) => each);
        const names = failed.slice(0, 3).map(([each, message]) => `${each.who.name || each.id}: ${message}`);
        throw new Error(`${closed + recorded.length ? `${closed + recorded.length} sent, ` : ""}${failed.length} not taken. ${names.join(". ")}`);
      }
      window.close();
      done();
      after = () => tell(body.verdict, closed, recorded);
      after();
    },
  });
  const stale = () => {
    const newer = cases.filter((each) => (store.cases.get(each.id)?.revision ?? 0) > each.revision);
    changed.hidden = newer.length === 0;
    put(changed, many ? `${newer.length} of them changed meanwhile: their verdict is recorded, and they stay open.` : `Revision ${store.cases.get(cases[0].id)?.revision} came meanwhile. Look at it first: a verdict on revision ${cases[0].revision} is recorded, and the case stays open.`);
  };
  store.addEventListener("change", stale);
  const window = open(many ? `Decide ${cases.length} cases` : "Decide this case", made, { onclose: () => store.removeEventListener("change", stale) });
}

function tell(verdict, closed, recorded) {
  const name = VERDICT_NAMES[verdict];
  if (closed) note(closed === 1 ? `${name}. The case closes.` : `${name}. ${closed} cases close.`);
  if (recorded.length === 1) note(`${name} is recorded for revision ${recorded[0][0].revision}. The case has revision ${recorded[0][1]} by now and stays open: look again.`, { bad: true });
  else if (recorded.length) note(`${name} is recorded for ${recorded.length} cases that changed meanwhile; they stay open.`, { bad: true });
}
