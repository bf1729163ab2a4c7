// The command that plays the time around a case again: with rules that were changed, or to show how it came.

import { note, open } from "./dialog.js";
import { el } from "./dom.js";
import { placeOf } from "./record.js";
import { load } from "./session.js";
import { full } from "./time.js";

const HOUR_MS = 3_600_000;
/** Records of so long before the first event and after the last: what should have come, and what came late. */
const BEFORE_MS = 24 * HOUR_MS;
const AFTER_MS = 4 * HOUR_MS;
/** What may stand in a command as it is. */
const PLAIN = /^[A-Za-z0-9][\w.-]{0,248}$/;

/** Sources as configured; where the brokers are not asked, those of the case's own events. */
async function sources(one) {
  try {
    const answer = await load("/api/v1/sources");
    const found = (answer.sources ?? []).filter((source) => !(source.domains ?? []).includes("directory")).map((source) => [String(source.name), String(source.topic)]);
    if (found.length) return { found, isConfigured: true };
  } catch {
    // The case itself names some.
  }
  const own = one.events.map((event) => [event.product, placeOf(event)?.topic ?? ""]);
  return { found: [...new Map(own.map((pair) => [pair.join(" "), pair])).values()], isConfigured: false };
}

function command({ found, isConfigured }, from, to) {
  const usable = found.filter((pair) => pair.every((part) => PLAIN.test(part)));
  if (!usable.length) return "";
  const topics = [...new Set(usable.map(([, topic]) => topic))];
  const read = topics.map((topic) => `kcat -C -q -e -b "$BROKERS" -t ${topic} -o s@${from} -o e@${to} > ${topic}.jsonl`);
  const parts = ["deskwarden replay", isConfigured && "--config deskwarden.yaml", ...usable.map(([name, topic]) => `--source ${name}=${topic}.jsonl`), "--format timeline"];
  return [...read, parts.filter(Boolean).join(" \\\n  ")].join("\n");
}

/** Shows the command for a case, and copies it where the browser lets it. */
export async function replay(one) {
  const [from, to] = [one.first - BEFORE_MS, one.last + AFTER_MS];
  const known = await sources(one);
  const text = command(known, from, to);
  if (!text) return note("The case names no source whose records could be read.", { bad: true });
  const area = el("textarea", { rows: String(Math.min(14, text.split("\n").length)), readonly: true, "aria-label": "The command", spellcheck: "false", wrap: "off", class: "command" });
  area.value = text;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      box.close();
      note("Copied.");
    } catch {
      area.focus();
      area.select();
      status.textContent = "The browser does not let the page copy it: take it from the field.";
    }
  };
  const status = el("p", { class: "muted", role: "status" });
  const box = open(
    "Replay command",
    [
      el("p", {}, "Reads the records from ", el("b", {}, full(from)), " until ", el("b", {}, full(to)), " out of the topics, as far as these still keep them, and plays them without any broker. Nothing is written to a topic."),
      area,
      el("p", { class: "muted" }, known.isConfigured ? "" : "Only sources from which this case has events are known here: add the others, or controls that only they show are not looked for. ", "Add --directory SYSTEM=FILE with an export of your people, or nobody has a tier and accounts are not joined."),
      status,
      el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, "Close"), el("button", { class: "primary", "data-first": true, onclick: copy }, "Copy")),
    ],
    { wide: true },
  );
}
