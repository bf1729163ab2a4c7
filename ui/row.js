// One case as a row of the list, and the small marks that rows and cases share.

import { el, said, svg, visible } from "./dom.js";
import { day, full, minute, range, span } from "./time.js";
import { known, plain, SEVERITIES, VERDICT_NAMES } from "./words.js";

const KINDS = { identity: "person", caller: "caller", ticket: "ticket", agent: "agent", device: "device", address: "address", contact: "call" };

export const kindName = (kind) => known(KINDS, kind) ?? plain(kind);

export function tier(name) {
  return name && name !== "standard" ? el("span", { class: `tier t-${name.replace(/[^a-z_]/g, "")}` }, plain(name)) : null;
}

/** Patterns as marks, so many at most. */
export function chips(patterns, most = 5) {
  const more = patterns.length - most;
  return [
    patterns.slice(0, most).map((f) => el("span", { class: `chip f-${f.family}`, title: f.name }, el("i", { class: "dot" }), f.pattern + f.branch)),
    more > 0 && el("span", { class: "chip more", title: patterns.slice(most).map((f) => f.pattern + f.branch).join(", ") }, `+${more}`),
  ];
}

/** What of a case somebody decided, in two words. */
function decision(one, answer) {
  if (!one.isOpen) return one.closedBy === "disposition" && one.verdict ? (known(VERDICT_NAMES, one.verdict) ?? plain(one.verdict)) : `closed · ${plain(one.closedBy)}`;
  if (!answer) return null;
  const name = known(VERDICT_NAMES, answer.record?.verdict) ?? "decided";
  return answer.closes ? `${name} · closing` : `${name} · recorded`;
}

/** Who has a case, as a mark. */
export function taken(name) {
  return el("span", { class: "chip taken", title: `taken by ${visible(name)}` }, svg("svg", { viewBox: "0 0 12 12", class: "person", "aria-hidden": "true" }, svg("circle", { cx: 6, cy: 3.4, r: 2.4 }), svg("path", { d: "M1.4 11a4.6 4.6 0 0 1 9.2 0z" })), said(name));
}

/** A row; `state` says what the page knows of the case beside the case itself. */
export function row(one, { chosen, picked, unseen, answer, assignee, mayPick, href, place, count }) {
  const severity = SEVERITIES[one.severity];
  const today = day(one.time) === day(Date.now());
  const classes = ["case", `s-${severity}`, chosen && "chosen", !one.isOpen && "closed", unseen && "unseen", picked && "picked"];
  const decided = decision(one, answer);
  const name = one.who.name || "unknown";
  return el(
    "li",
    { class: classes.filter(Boolean).join(" "), "data-id": one.id, "aria-posinset": place, "aria-setsize": count },
    el(
      "a",
      { class: "case-link", href, tabindex: "-1", "aria-current": chosen ? "true" : null },
      el("span", { class: "case-score" }, el("b", { class: "score", title: severity }, one.score), one.page && el("span", { class: "pages", title: one.pageReason || "somebody is paged" }, "pages")),
      el(
        "span",
        { class: "what" },
        el("span", { class: "who" }, said(name, { class: "name" }), tier(one.who.tier), one.who.kind !== "identity" && el("span", { class: "kind" }, kindName(one.who.kind)), el("time", { class: "when", title: full(one.time) }, today ? minute(one.time) : day(one.time))),
        el("span", { class: "line" }, said(one.message)),
        el(
          "span",
          { class: "foot" },
          decided && el("span", { class: "chip decided" }, decided),
          assignee && taken(assignee),
          one.isSuppressed && el("span", { class: "chip" }, "silenced"),
          chips(one.patterns, Math.max(1, 3 - [decided, one.isSuppressed, assignee].filter(Boolean).length)),
          el("span", { class: "range", title: range(one.first, one.last) }, `${one.eventCount} ${one.eventCount === 1 ? "event" : "events"}${one.last > one.first ? ` in ${span(one.last - one.first)}` : ""}`),
        ),
      ),
    ),
    mayPick && one.isOpen && el("input", { type: "checkbox", class: "pick", checked: picked, tabindex: "-1", "aria-label": `Select ${name}`, title: "Select (x)" }),
  );
}
