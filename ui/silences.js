// Silences and exemptions: what is not told or not counted, until when, by whom and why.

import { owner, reason } from "./decide.js";
import { field, form, note, open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { covers as exempted, exempt, kindOf } from "./exempt.js";
import { keep } from "./keep.js";
import { load, may, send, Unknown } from "./session.js";
import { silence, words } from "./silence.js";
import { day, full, minute, span } from "./time.js";
import { plain } from "./words.js";

const AGAIN_MS = 30_000;

/** What an entry covers; a scope that is not as expected is shown as it is. */
function covers(entry) {
  try {
    const text = entry.kind === "silence" ? words(entry.scope) : exempted(entry);
    if (text) return text;
  } catch {
    // Shown as it is.
  }
  return JSON.stringify(entry.scope ?? {});
}

const moment = (value) => (typeof value === "number" ? value : Date.parse(value));

/** How much of its time is over, as a bar. */
function left(entry) {
  const [from, to, now] = [moment(entry.valid_from), moment(entry.valid_to), Date.now()];
  const text = now < from ? `begins in ${span(from - now)}` : `${span(to - now)} left`;
  return [el("b", {}, text), el("div", { class: "muted" }, `${day(from)} ${minute(from)} → ${day(to)} ${minute(to)}`)];
}

function end(entry, what, after) {
  const why = reason("Why it is not needed any more");
  const by = owner();
  const made = form([el("p", {}, said(covers(entry)), "."), el("p", { class: "muted" }, what === "silence" ? "What comes from now on is delivered again." : "What comes from now on counts again."), field("Why", why), by.node], {
    submit: `End this ${what}`,
    cancel: () => box.close(),
    send: async () => {
      if (!why.value.trim()) throw new Error("a reason is needed");
      const query = new URLSearchParams({ reason: why.value.trim() });
      if (by.value()) query.set("owner", by.value());
      await send("DELETE", `/api/v1/${what}s/${encodeURIComponent(entry.id)}?${query}`);
      box.close();
      note(`The ${what} has ended.`);
      after();
    },
  });
  const box = open(`End this ${what}?`, made);
}

function table(entries, what, after) {
  const row = (entry) =>
    el(
      "tr",
      { class: entry.holds ? "" : "ahead" },
      el("td", {}, el("span", { class: entry.holds ? "chip holds" : "chip" }, entry.holds ? "in force" : "ahead")),
      what === "exemption" && el("td", {}, kindOf(entry.kind)),
      el("td", { class: "covers" }, said(covers(entry))),
      el("td", { class: "because" }, said(entry.reason)),
      el("td", {}, said(entry.owner)),
      el("td", { class: "t", title: `until ${full(moment(entry.valid_to))}` }, left(entry)),
      may("analyst") && el("td", { class: "do" }, el("button", { onclick: () => end(entry, what, after), "aria-label": `End this ${what}: ${covers(entry).slice(0, 80)}` }, "End")),
    );
  const heads = ["", what === "exemption" && "Kind", "Covers", "Why", "Owner", "Time", may("analyst") && ""].filter((name) => name !== false);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${what}s` }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((name) => (name ? el("th", { scope: "col" }, name) : el("td", {}))))), el("tbody", {}, entries.map(row))));
}

/** Whether an entry names somebody or something. */
function names(value, id) {
  if (typeof value === "string") return value === id || value.endsWith(`|${id}`);
  return value !== null && typeof value === "object" && Object.values(value).some((one) => names(one, id));
}

/** What is in force or ahead for somebody, as a section; nothing where there is none. */
export async function heldFor(id) {
  const [quiet, exempt] = await Promise.all([load("/api/v1/silences"), load("/api/v1/exemptions")]).catch(() => [{}, {}]);
  const found = [...(quiet.silences ?? []), ...(exempt.exemptions ?? [])].filter((entry) => names(entry.scope, id));
  if (!found.length) return null;
  const rows = found.map((entry) => el("li", {}, el("span", { class: entry.holds ? "chip holds" : "chip" }, plain(entry.kind)), el("span", {}, said(covers(entry)), el("span", { class: "muted" }, " · ", said(entry.reason), " · ", said(entry.owner))), el("span", { class: "end" }, left(entry)[0])));
  return el("section", { class: "card" }, el("h2", {}, "Silences and exemptions"), el("ul", { class: "mini" }, rows));
}

function none(text, more) {
  return el("p", { class: "none" }, text, more && el("span", { class: "muted" }, ` ${more}`));
}

/** Shows what is in force or ahead, kept fresh. */
export async function silencesView(node) {
  const silences = el("section", { class: "card" });
  const exemptions = el("section", { class: "card" });
  const add = may("analyst") && el("button", { class: "primary", title: "New silence (s)", onclick: () => silence(null, draw) }, "New silence");
  const addExemption = may("analyst") && el("button", { class: "primary", title: "New exemption (E)", onclick: () => exempt(null, draw) }, "New exemption");
  const draw = async () => {
    const [quiet, exempt] = await Promise.all([load("/api/v1/silences"), load("/api/v1/exemptions")]);
    const ordered = (entries) => [...(entries ?? [])].sort((a, b) => moment(a.valid_to) - moment(b.valid_to));
    const of = (entries) => entries.length > 0 && el("small", {}, ` ${entries.length}`);
    const [held, allowed] = [ordered(quiet.silences), ordered(exempt.exemptions)];
    keep(silences, () => put(silences, el("h2", {}, "Silences", of(held)), held.length ? table(held, "silence", again) : none("Nothing is silenced.", "Every case is delivered to those whom it calls.")));
    keep(exemptions, () => put(exemptions, el("h2", {}, "Exemptions", of(allowed)), allowed.length ? table(allowed, "exemption", again) : none("Nothing is exempt.", "A journey, new devices, a phone that many share: declare it, and it is not held against anybody.")));
  };
  const again = () =>
    draw().catch((error) => {
      if (!(error instanceof Unknown)) note(error.message, { bad: true });
    });
  await draw();
  put(node, el("header", { class: "view-head" }, el("div", {}, el("h1", {}, "Silences and exemptions"), el("p", { class: "muted" }, "A silence keeps cases from being delivered; an exemption keeps findings from counting. Each ends by itself, after 90 days at most.")), el("div", { class: "buttons" }, add, addExemption)), silences, exemptions);
  const timer = setInterval(() => !document.hidden && draw().catch(() => {}), AGAIN_MS);
  addEventListener("silences", again);
  return () => {
    clearInterval(timer);
    removeEventListener("silences", again);
  };
}
