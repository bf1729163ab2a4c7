// The audit log: who did what to whose account, of a time, a person, an agent or a ticket.

import { note } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { save } from "./export.js";
import { HEADS, recordsTable, row, since } from "./records.js";
import { ask, load, Unknown } from "./session.js";

const FIELDS = [
  ["from", "From", "date"],
  ["to", "to", "date"],
  ["person", "Person", "text"],
  ["agent", "Agent", "text"],
  ["ticket", "Ticket", "text"],
];
/** Midnight in UTC of a day as it was typed; the day named last is part of it. */
const moment = (name, value) => (/^\d{4}-\d\d-\d\d$/.test(value) ? String(Date.parse(`${value}T00:00:00Z`) + (name === "to" ? 86_400_000 : 0)) : value);

function question(query) {
  const asked = new URLSearchParams();
  for (const [name] of FIELDS) if (query.get(name)) asked.set(name, moment(name, query.get(name)));
  return asked;
}

async function csv(asked) {
  try {
    const response = await ask(`/api/v1/audit?${asked}`, { headers: { accept: "text/csv" } });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    save("deskwarden-audit.csv", await response.blob());
  } catch (error) {
    if (!(error instanceof Unknown)) note(`The records cannot be had: ${error.message}.`, { bad: true });
  }
}

export async function auditView(node, place, { go }) {
  const asked = question(place.query);
  const url = `/api/v1/audit?${asked}`;
  const answer = await load(url);
  const inputs = FIELDS.map(([name, text, type]) => [name, el("label", {}, text, el("input", { type, value: place.query.get(name) ?? "", maxlength: "200", name }))]);
  const form = el("form", { class: "bar-row" }, inputs.map(([, label]) => label), el("button", { class: "primary", type: "submit" }, "Show"), el("button", { type: "button", onclick: () => csv(asked) }, "CSV"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const next = new URLSearchParams(inputs.map(([name, label]) => [name, label.querySelector("input").value.trim()]).filter(([, value]) => value));
    go(`#/audit${next.size ? `?${next}` : ""}`);
  });
  put(
    node,
    el("header", { class: "view-head" }, el("div", {}, el("h1", {}, "Audit log"), el("p", { class: "muted" }, "Every recovery, verification, call-back, approval, review and override, as it lies in the topic. Days are those of UTC."))),
    form,
    recordsTable("Records", url, answer, [...HEADS, "Record"], (one, entry) => {
      const made = row(one);
      made.append(el("td", { class: "hash" }, el("code", { class: "at", title: "partition and offset in the audit topic" }, one.audit), el("code", { class: "at", title: "hash" }, said(String(entry?.record?.hash ?? "").slice(0, 12)))));
      return made;
    }),
    since(answer.since) ?? "",
  );
}
