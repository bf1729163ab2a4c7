// The patterns: what each looks for and found, and what people made of it.

import { el, put, said } from "./dom.js";
import { list } from "./records.js";
import { among } from "./route.js";
import { load } from "./session.js";
import { day, minute } from "./time.js";
import { plain } from "./words.js";

const count = (value) => (Number.isFinite(value) ? value : 0);

/** Of the decided cases those that were no takeover. */
function wrong(verdicts) {
  const [no, yes, allowed] = ["false_positive", "true_positive", "benign"].map((name) => count(verdicts?.[name]));
  const all = no + yes + allowed;
  return all ? `${Math.round(((no + allowed) / all) * 100)} %` : el("span", { class: "muted" }, "–");
}

function about(one) {
  const mistaken = list(one.false_positives);
  const attacks = list(one.attacks);
  return el(
    "details",
    { class: "about" },
    el("summary", {}, el("b", {}, said(one.title))),
    el("p", {}, said(one.description)),
    mistaken.length > 0 && [el("h3", {}, "Also looks like this"), el("ul", {}, mistaken.map((text) => el("li", {}, said(text))))],
    attacks.length > 0 && el("p", { class: "muted" }, "ATT&CK ", said(attacks.join(", "))),
  );
}

function row(one) {
  const v = one.verdicts ?? {};
  const decided = ["true_positive", "benign", "false_positive", "other"].map((name) => count(v[name]));
  return el(
    "tr",
    { class: `f-${String(one.family ?? "").replace(/[^a-z]/g, "")}` },
    el("td", {}, el("a", { class: "chip", href: among("", new URLSearchParams({ pattern: String(one.pattern ?? "") })), title: "Its open cases" }, el("i", { class: "dot" }), said(one.id))),
    el("td", { class: "covers" }, about(one)),
    el("td", { class: "l" }, said(plain(one.family))),
    el("td", { class: "l" }, el("span", { class: `state-chip ${one.status === "enabled" ? "active" : "shadow"}` }, said(plain(one.status)))),
    el("td", { class: "l" }, one.waits_for ? ["waits for ", said(plain(one.waits_for))] : "at once"),
    el("td", { class: "num" }, count(one.points)),
    el("td", { class: "num" }, count(one.cases)),
    el("td", { class: "num" }, count(one.open)),
    decided.map((n) => el("td", { class: n ? "num" : "num muted" }, n)),
    el("td", { class: "num" }, wrong(v)),
    el("td", { class: "t" }, Number.isFinite(one.last) ? `${day(one.last)} ${minute(one.last)}` : el("span", { class: "muted" }, "never")),
  );
}

const HEADS = ["Pattern", "Looks for", "Family", "State", "Speaks", "Points", "Cases", "Open", "True", "Benign", "False", "Other", "No takeover", "Last"];
const NUMBERS = new Set(HEADS.slice(5, 13));

export async function patternsView(node) {
  const found = list((await load("/api/v1/patterns")).patterns);
  put(
    node,
    el("header", { class: "view-head" }, el("div", {}, el("h1", {}, "Patterns"), el("p", { class: "muted" }, "What each looks for, how often it was right, and what was decided of its cases, of those that are held."))),
    el("section", { class: "card" }, found.length ? el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Patterns" }, el("table", {}, el("thead", {}, el("tr", {}, HEADS.map((name) => el("th", { scope: "col", class: NUMBERS.has(name) ? "num" : "" }, name)))), el("tbody", {}, found.map(row)))) : el("p", { class: "none" }, "No pattern is loaded.")),
  );
}
