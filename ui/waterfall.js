// The score, term by term, adding up to the number.

import { waterfall } from "./alert.js";
import { el, svg } from "./dom.js";
import { counter, FAMILY_MEANING, plain, SEVERITIES } from "./words.js";

/** Hundredths of a point as points. */
export const points = (cp) => {
  const sign = cp < 0 ? "−" : "";
  const whole = Math.abs(cp);
  const rest = String(whole % 100).padStart(2, "0");
  return `${sign}${Math.floor(whole / 100)}.${rest}`;
};
const factor = (x100) => `${Math.floor(x100 / 100)}.${String(x100 % 100).padStart(2, "0")}`;

/** A bar from one value to another, of 10,000. */
function bar(from, to, kind) {
  const wide = Math.max(0.4, (to - from) / 100);
  return svg(
    "svg",
    { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 0, width: 100, height: 10, class: "bar-ground" }),
    from > 0 && svg("rect", { x: 0, y: 4.6, width: from / 100, height: 0.8, class: "bar-lead" }),
    svg("rect", { x: from / 100, y: 1, width: wide, height: 8, class: `bar-fill ${kind}` }),
  );
}

/** What a term is, in words, and how it is reckoned. */
function said(t) {
  const times = `${t.points} × ${factor(t.multiplier)}`;
  switch (t.term) {
    case "points":
      return [null, `${times} = ${points(t.value)}`, ""];
    case "bonus":
      return ["more: a worse circumstance", `+ ${times} = ${points(t.value)}`, ""];
    case "cap":
      return ["at most 95: nothing alone is certain", points(t.value), "w-soft"];
    case "counter":
      return [`less: ${counter(t.kind)}${t.exemption ? ` (${t.exemption})` : ""}`, points(t.value), "w-counter"];
    case "floor":
      return ["not below zero", `+${points(t.value)}`, "w-soft"];
    case "suppressed":
      return [`expected: exemption ${t.exemption}`, points(t.value), "w-counter"];
    default:
      return [plain(t.term), points(t.value), ""];
  }
}

function findingRow(row) {
  const lines = row.terms.map((t) => {
    const [words, sum, kind] = said(t);
    const name = words ?? [el("span", { class: "w-pattern" }, `${row.pattern}${row.finding?.branch ?? ""}`), " ", row.finding?.name ?? ""];
    return [el("div", { class: `w-finding ${words ? "w-more" : ""} ${kind}` }, name, t.at && el("code", { class: "at", title: "topic, partition and offset of the event" }, t.at)), el("div", { class: `w-sum ${kind}` }, sum)];
  });
  const left = row.terms.length > 1 && [el("div", { class: "w-finding w-more w-left" }, "makes"), el("div", { class: "w-sum w-left" }, points(row.value))];
  return [lines, left];
}

function familyValue(part) {
  if (part.distinct === 0) return "Nothing is left of it";
  if (part.distinct < 2) return `${points(part.value)} alone`;
  return `${points(part.largest)} the largest + ${points(part.further)} for ${part.distinct - 1} more = ${points(part.value)}${part.value < part.largest + part.further ? " at most" : ""}`;
}

/** The whole explanation of a score. */
export function explain(one) {
  const sum = waterfall(one);
  let from = 0;
  const families = sum.families.map((part) => {
    const to = from + part.part;
    const row = el(
      "details",
      { class: `w-family f-${part.family}`, id: `family-${part.family}`, open: true },
      el(
        "summary",
        {},
        el("span", { class: "w-name" }, el("i", { class: "dot" }), plain(part.family), el("small", {}, FAMILY_MEANING[part.family] ?? "")),
        bar(from, to, `f-${part.family}`),
        el("span", { class: "w-part", "data-cp": part.part }, `+${points(part.part)}`),
      ),
      el("div", { class: "w-terms" }, part.rows.map(findingRow)),
      el("p", { class: "w-how" }, `${familyValue(part)}; it takes ${points(part.value)} % of the ${points(part.before)} that ${from === 0 ? "there are" : "are left"}: `, el("b", {}, points(part.part))),
    );
    from = to;
    return row;
  });
  const agrees = sum.score === one.score;
  return el(
    "div",
    { class: "waterfall" },
    families,
    el(
      "div",
      { class: `w-total s-${SEVERITIES[one.severity]}` },
      el("span", { class: "w-name" }, "Score"),
      bar(0, sum.total, "total"),
      el("span", { class: "w-part", "data-cp": sum.total }, points(sum.total)),
      el("span", { class: "w-score" }, one.score),
    ),
    !agrees && el("p", { class: "w-how warn" }, `The terms shown add up to ${sum.score}; the alert says ${one.score}. ${one.isTruncated ? "Evidence was cut at its limit." : "See the document for all terms."}`),
    el("p", { class: "w-how" }, verdict(one)),
  );
}

function verdict(one) {
  const two = one.ruleOfTwo ? "The rule of two holds" : "The rule of two does not hold, so the severity stops at high";
  const page = one.page ? "it pages" : "it does not page";
  return `${two}; ${page}${one.pageReason ? `: ${one.pageReason}` : ""}.`;
}
