// A case to take along: the document as it is, or a text for a ticket.

import { waterfall } from "./alert.js";
import { note, open } from "./dialog.js";
import { el, visible } from "./dom.js";
import { kindName } from "./row.js";
import { ask, Unknown } from "./session.js";
import { clock, day, full, span } from "./time.js";
import { points } from "./waterfall.js";
import { action, LANE_NAMES, plain, SEVERITIES } from "./words.js";

/** Hands a file to the browser. */
export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The OCSF document of a case, byte for byte. */
export async function download(id) {
  try {
    const response = await ask(`/api/v1/alerts/${encodeURIComponent(id)}`);
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    save(`deskwarden-${id.replace(/[^\w-]/g, "").slice(0, 40)}.json`, await response.blob());
  } catch (error) {
    if (!(error instanceof Unknown)) note(`The document cannot be had: ${error.message}.`, { bad: true });
  }
}

/** A text that Markdown takes for nothing but text. */
const plainly = (text) => visible(String(text).replace(/\s+/g, " ")).replace(/[\\`*_{}[\]<>()#+!|~@$^=-]/g, "\\$&").replace(/(\w):\/\//g, "$1:\\//");

/** A case as Markdown. */
export function markdown(one) {
  const lines = [
    `# ${plainly(one.who.name || one.who.id)}: ${plainly(one.isOpen ? one.message : `${one.title}. ${one.message}`)}`,
    "",
    `- Score **${one.score}**, ${SEVERITIES[one.severity]}${one.page ? ", pages" : ""}; ${one.isOpen ? "open" : `closed: ${plainly(plain(one.closedBy))}`}`,
    `- ${plainly(kindName(one.who.kind))} ${plainly(one.who.id)}${one.who.tier ? `, ${plainly(plain(one.who.tier))}` : ""}`,
    `- ${plainly(full(one.first))} to ${plainly(full(one.last))}, ${span(one.last - one.first)}`,
    `- Case ${plainly(one.id)}, revision ${one.revision}`,
    "",
    "## Missing controls",
    "",
    ...(one.missing.length ? one.missing.map((name) => `- ${plainly(plain(name))}`) : ["None that this case stands on."]),
    "",
    "## What happened",
    "",
    "| Time | Where | What | Details | Source |",
    "|---|---|---|---|---|",
    ...one.events.map((e) => `| ${day(e.time)} ${clock(e.time)} | ${LANE_NAMES[e.lane]} | ${plainly(action(e.action))} | ${e.details.map(([name, value]) => `${plainly(plain(name))} ${plainly(value)}`).join(", ")} | ${plainly(e.at || e.product)} |`),
    "",
    `## Why ${one.score}`,
    "",
    ...waterfall(one).families.map((part) => `- ${part.family} +${points(part.part)}: ${part.rows.map((row) => `${plainly(row.pattern)} ${plainly(row.finding?.name ?? "")}`).join(", ")}`),
    "",
    "## What to do",
    "",
    plainly(one.advice) || "The alert brings no advice.",
    "",
  ];
  return lines.join("\n");
}

/** Puts a case into the clipboard; where that is not allowed, shows the text to be copied. */
export async function copyMarkdown(one) {
  const text = markdown(one);
  try {
    await navigator.clipboard.writeText(text);
    note("Copied as Markdown.");
  } catch {
    const area = el("textarea", { rows: "18", readonly: true, "data-first": true, "aria-label": "The case as Markdown" });
    area.value = text;
    const { close } = open("The case as Markdown", [el("p", { class: "muted" }, "The browser does not let the page copy it: take it from here."), area, el("div", { class: "buttons" }, el("button", { onclick: () => close() }, "Close"))], { wide: true });
    area.select();
  }
}
