// Records that could not be used: which there are, and feeding them in again.

import { choice, field, form, note, open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { list } from "./records.js";
import { load, Refused, send } from "./session.js";
import { clock, day } from "./time.js";
import { plain } from "./words.js";

const HOUR_MS = 3_600_000;
const SHOWN_MAX = 50;
const SPANS = [
  ["1", "The last hour", ""],
  ["24", "The last day", ""],
  ["0", "All that are kept", "two weeks, if nothing else is set"],
];
const LEFT = { other_stage: "of a later stage, which had used its record", cut: "too long: only the beginning was kept", no_source: "of a topic that is no source here", repeated: "the same record as another one" };

/** What came of it, in words. */
function outcome({ fed, left }) {
  const told = Object.entries(left ?? {}).map(([why, count]) => `${count} left: ${LEFT[why] ?? plain(why)}`);
  return [`${fed} ${fed === 1 ? "record is" : "records are"} fed in again.`, ...told].join(" ");
}

/** Asks which, and feeds them in. */
function feedIn(letters, after) {
  const span = choice("Written when", "span", SPANS, "24");
  const reasons = [...new Set(letters.map((one) => String(one.reason)))].sort();
  const why = el("select", { "aria-label": "Why" }, el("option", { value: "" }, "any reason"), reasons.map((name) => el("option", { value: name }, plain(name))));
  const made = form([el("p", {}, "Mend the cause first. Each record goes once to the topic that it came from; what was used before counts once, and what cannot be used still comes back here."), span.set, field("Why", why)], {
    submit: "Feed them in again",
    cancel: () => box.close(),
    send: async () => {
      const hours = Number(span.value());
      const body = { since: hours ? Date.now() - hours * HOUR_MS : 0 };
      if (why.value) body.reason = why.value;
      const done = await send("POST", "/api/v1/dead-letters/replay", body);
      box.close();
      note(outcome(done));
      after();
    },
  });
  const box = open("Feed records in again?", made);
}

function row(one) {
  return el(
    "tr",
    {},
    el("td", { class: "t" }, `${day(one.time)} ${clock(one.time)}`),
    el("td", {}, said(plain(one.reason))),
    el("td", {}, el("code", {}, said(`${one.topic}/${one.partition}/${one.offset}`))),
    el("td", { class: "covers" }, said(one.error)),
    el("td", { class: "num" }, `${one.length} B`),
  );
}

const HEADS = ["Written", "Why", "Record", "What was wrong", "Size"];

/** Fills a section with them. */
export async function letters(section) {
  const heading = (count) => el("h2", {}, "Records that could not be used", el("small", {}, ` ${count}`));
  let found;
  try {
    found = await load("/api/v1/dead-letters");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    put(section, heading(""), el("p", { class: "none" }, said(error.message)));
    return;
  }
  const all = list(found.letters);
  const shown = all.slice(0, SHOWN_MAX);
  const count = found.total > shown.length ? `newest ${shown.length} of ${found.total}` : shown.length;
  if (!shown.length) return put(section, heading(""), el("p", { class: "none" }, "None: every record was used."));
  const body = el("table", {}, el("thead", {}, el("tr", {}, HEADS.map((name) => el("th", { scope: "col", class: name === "Size" ? "num" : "" }, name)))), el("tbody", {}, shown.map(row)));
  put(section, heading(count), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Records that could not be used" }, body), el("div", { class: "more-row" }, el("button", { onclick: () => feedIn(all, () => letters(section)) }, "Feed in again…")));
}
