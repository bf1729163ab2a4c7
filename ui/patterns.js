// The patterns: what each found, and what people made of it.

import { el, put, said } from "./dom.js";
import { held, list } from "./records.js";
import { among } from "./route.js";
import { load } from "./session.js";
import { day, minute } from "./time.js";
import { plain } from "./words.js";

const count = (value) => (Number.isFinite(value) ? value : 0);

function share(verdicts = {}) {
  const [wrong, right, benign] = [count(verdicts.false_positive), count(verdicts.true_positive), count(verdicts.benign)];
  const all = wrong + right + benign;
  return all ? { text: `${Math.round(((wrong + benign) / all) * 100)} %`, title: `${right} true, ${benign} benign, ${wrong} false` } : { text: "–", title: "nothing was decided yet" };
}

function row(one) {
  const { text, title } = share(one.verdicts);
  const v = one.verdicts ?? {};
  const id = `${one.pattern ?? ""}${one.branch ?? ""}`;
  return el(
    "tr",
    { class: `f-${String(one.family ?? "").replace(/[^a-z]/g, "")}` },
    el("td", {}, el("a", { class: "chip", href: among("", new URLSearchParams({ pattern: String(one.pattern ?? "") })), title: "Open cases with it" }, el("i", { class: "dot" }), said(id))),
    el("td", { class: "a" }, el("b", {}, said(one.name))),
    el("td", {}, said(plain(one.family))),
    el("td", {}, el("span", { class: `state-chip ${one.state === "active" ? "active" : "shadow"}` }, said(plain(one.state)))),
    el("td", { class: "num" }, count(one.findings)),
    el("td", { class: "num" }, count(one.cases)),
    el("td", { class: "num" }, count(one.open)),
    el("td", { class: "num" }, `${count(v.true_positive)} / ${count(v.benign)} / ${count(v.false_positive)}`),
    el("td", { class: "num", title }, text),
    el("td", { class: "t" }, Number.isFinite(one.last) ? `${day(one.last)} ${minute(one.last)}` : el("span", { class: "muted" }, "never")),
    el("td", { class: "num" }, said(one.version)),
  );
}

export async function patternsView(node) {
  const answer = await load("/api/v1/patterns");
  const found = list(answer.patterns);
  const heads = ["Pattern", "Name", "Family", "State", "Findings", "Cases", "Open", "True / benign / false", "Not a takeover", "Last", "Version"];
  const right = new Set(["Findings", "Cases", "Open", "True / benign / false", "Not a takeover", "Version"]);
  put(
    node,
    el("header", { class: "view-head" }, el("div", {}, el("h1", {}, "Patterns"), el("p", { class: "muted" }, "What each found, and what was decided of the cases in which it weighs."))),
    el("section", { class: "card" }, found.length ? el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Patterns" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col", class: right.has(name) ? "num" : "" }, name)))), el("tbody", {}, found.map(row)))) : el("p", { class: "none" }, "No pattern is loaded.")),
    held(answer.since) ?? "",
  );
}
