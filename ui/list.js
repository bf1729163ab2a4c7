// The open cases: one row each, in an order that does not move under the eye.

import { patterns } from "./alert.js";
import { el, put, said } from "./dom.js";
import { day, minute, range, span } from "./time.js";
import { known, plain, SEVERITIES } from "./words.js";

const KINDS = { identity: "person", caller: "caller", ticket: "ticket", agent: "agent", device: "device", address: "address", contact: "call" };

export const kindName = (kind) => known(KINDS, kind) ?? plain(kind);

export function tier(name) {
  return name && name !== "standard" ? el("span", { class: `tier t-${name.replace(/[^a-z_]/g, "")}` }, plain(name)) : null;
}

export function chips(one, most = 5) {
  const found = patterns(one);
  const more = found.length - most;
  return [
    found.slice(0, most).map((f) => el("span", { class: `chip f-${f.family}`, title: f.name }, el("i", { class: "dot" }), f.pattern + f.branch)),
    more > 0 && el("span", { class: "chip more" }, `+${more}`),
  ];
}

function row(one, store, chosen) {
  const severity = SEVERITIES[one.severity];
  const today = day(one.time) === day(Date.now());
  return el(
    "li",
    {
      class: `case s-${severity}${one.id === chosen ? " chosen" : ""}${one.isOpen ? "" : " closed"}${store.unseen.has(one.id) ? " unseen" : ""}`,
      "data-id": one.id,
      role: "option",
      "aria-selected": String(one.id === chosen),
      id: `case-${one.id}`,
    },
    el("div", { class: "score", title: severity }, one.score),
    el(
      "div",
      { class: "what" },
      el(
        "div",
        { class: "who" },
        said(one.who.name || "unknown", { class: "name" }),
        tier(one.who.tier),
        one.who.kind !== "identity" && el("span", { class: "kind" }, kindName(one.who.kind)),
        el("time", { class: "when" }, today ? minute(one.time) : `${day(one.time)} ${minute(one.time)}`),
      ),
      el("div", { class: "line" }, said(one.message)),
      el(
        "div",
        { class: "foot" },
        one.page && el("span", { class: "chip page", title: one.pageReason || "pages" }, "pages"),
        !one.isOpen && el("span", { class: "chip" }, `closed · ${plain(one.closedBy)}`),
        one.isSuppressed && el("span", { class: "chip" }, "silenced"),
        chips(one),
        el("span", { class: "range" }, `${range(one.first, one.last)} · ${span(one.last - one.first)}`),
      ),
    ),
  );
}

/** What stands there while there is nothing to list. */
function nothing(store) {
  if (store.state === "locked") return [];
  if (store.state !== "live") {
    return [1, 2, 3, 4, 5].map(() => el("li", { class: "ghost", "aria-hidden": "true" }, el("div", { class: "score" }), el("div", { class: "what" }, el("div", { class: "g g1" }), el("div", { class: "g g2" }), el("div", { class: "g g3" }))));
  }
  const isFiltered = [...store.filter.keys()].some((name) => name !== "status");
  return el(
    "li",
    { class: "empty" },
    el("div", { class: isFiltered ? "empty-mark none" : "empty-mark", "aria-hidden": "true" }, isFiltered ? "0" : "✓"),
    el("b", {}, isFiltered ? "No case matches" : "No open case"),
    el("p", {}, isFiltered ? "Loosen the filters above, or clear the search." : "Deskwarden is watching. A new case appears here by itself, within a second."),
  );
}

/** Draws the list anew. */
export function draw(node, store, chosen) {
  const rows = store.order.map((id) => store.cases.get(id)).filter(Boolean);
  put(node, rows.length ? rows.map((one) => row(one, store, chosen)) : nothing(store));
  point(node, chosen);
}

/** Tells screen readers which row is meant. */
function point(node, chosen) {
  if (chosen) node.setAttribute("aria-activedescendant", `case-${chosen}`);
  else node.removeAttribute("aria-activedescendant");
}

/** Draws one row anew, where it stands. */
export function redraw(node, store, chosen, id) {
  point(node, chosen);
  const old = node.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const one = store.cases.get(id);
  if (!old || !one) return;
  const fresh = row(one, store, chosen);
  if (!old.classList.contains("chosen") || store.unseen.has(id)) fresh.classList.add("flash");
  old.replaceWith(fresh);
}
