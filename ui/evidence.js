// What a case stands on: its findings, and the events, each with its source.

import { el, said } from "./dom.js";
import { pinMark } from "./pin.js";
import { placeOf } from "./record.js";
import { entity, pinOf, to } from "./route.js";
import { may } from "./session.js";
import { clock, day, span } from "./time.js";
import { points } from "./waterfall.js";
import { action, isKnown, known, LANE_NAMES, plain } from "./words.js";

/** What a detail of an event is, as an entity that has a view. */
const KINDS = { agent: "agent", requester: "identity", approver: "identity", target: "identity", caller: "caller", device: "device", address: "address", ticket: "ticket", call: "contact" };

/** Whether something did not come about, as far as its source says so. */
export const hasFailed = (event) => event.outcome !== "" && !["success", "unknown"].includes(event.outcome);

/** A name that leads to the view of what it names, if that has one. */
export function ref(kind, whole, id) {
  // Nobody reads a hash to its end; the address has all of it.
  const name = /^[0-9a-f]{32}$/.test(whole) ? `${whole.slice(0, 8)}…` : whole;
  const href = id && (kind === "case" ? to("alerts", id) : entity(known(KINDS, kind) ?? kind, id));
  return href ? el("a", { href, class: "ref-link" }, said(name)) : said(name);
}

const STATE = { active: "counts", retracted: "retracted", suppressed: "suppressed" };

function threshold(f) {
  const { have, need } = f.threshold;
  return Number.isFinite(have) && Number.isFinite(need) && need > 1 ? `${have}, needs ${need}` : "";
}

/** The findings, those that count first. */
export function findings(one, numbers) {
  const order = { active: 0, suppressed: 1, retracted: 2 };
  const sorted = [...one.findings].sort((a, b) => (known(order, a.state) ?? 3) - (known(order, b.state) ?? 3) || b.points - a.points);
  return el(
    "section",
    { class: "card", "data-part": "findings" },
    el("h2", {}, "Findings"),
    el(
      "ul",
      { class: "findings" },
      sorted.map((f) =>
        el(
          "li",
          { class: `finding f-${f.family} ${f.state === "active" ? "" : "struck"}` },
          el("div", { class: "f-head" }, el("span", { class: `chip f-${f.family}` }, el("i", { class: "dot" }), f.pattern + f.branch), el("span", { class: "f-name" }, said(f.name)), el("span", { class: "f-points" }, f.state === "active" ? points(f.points) : "0.00")),
          el(
            "div",
            { class: "f-more" },
            f.state !== "active" && el("b", {}, known(STATE, f.state) ?? f.state, f.exemption && [" by exemption ", said(f.exemption)], f.endedBy && [" by ", numbers.get(f.endedBy) ? `event ${numbers.get(f.endedBy)}` : el("code", {}, said(f.endedBy))]),
            threshold(f) && el("span", {}, threshold(f)),
            f.span > 0 && el("span", {}, `in ${span(f.span)}`),
            f.channel && el("span", {}, "by ", said(plain(f.channel))),
            f.reason && el("span", {}, "reason ", said(f.reason)),
            f.relayedFrom && el("span", {}, "told by ", el("code", {}, said(f.relayedFrom))),
            f.missing.map((name) => el("span", { class: "gone" }, "✕ ", said(plain(name)))),
            f.roles.filter(([, who, id]) => who !== one.who.name && id !== one.who.id).map(([role, who, id]) => el("span", {}, `${plain(role)} `, ref(role, who, id))),
            f.events.length > 0 && el("span", {}, "on ", [...new Set(f.events.map((id) => numbers.get(id)).filter(Boolean))].map((n) => el("span", { class: "ref", "data-ref": n }, n))),
          ),
        ),
      ),
    ),
  );
}

/** What is done with one event: its record is shown, it is pinned. */
function does(mark, event, { pins, act }) {
  const name = `event ${mark.number}, ${action(event.action)}`;
  const isPinned = pins.has(pinOf(event.id));
  return el(
    "td",
    { class: "do" },
    event.id && el("button", { class: "pin", "aria-pressed": String(isPinned), "aria-label": `Pin ${name}`, title: isPinned ? "Take the pin off (p)" : "Pin (p)", onclick: () => act.pin(event) }, pinMark()),
    may("analyst") && placeOf(event) && el("button", { class: "source-record", "aria-label": `Source record of ${name}`, title: "Source record (r)", onclick: () => act.record(event) }, "record"),
  );
}

/** The pinned events, as they are printed with the case. */
export function pinnedEvents(marks, pins) {
  const found = marks.flatMap((mark) => mark.events.filter((event) => pins.has(pinOf(event.id))).map((event) => [mark.number, event]));
  if (!found.length) return null;
  const rows = found.map(([number, event]) => el("li", {}, pinMark(), el("span", { class: "ref", "data-ref": number }, number), el("time", {}, `${day(event.time)} ${clock(event.time)}`), el("b", {}, action(event.action)), el("span", {}, event.details.map(([name, value, id]) => el("span", { class: "tag" }, `${plain(name)} `, ref(name, value, id)))), el("code", { class: "at" }, said(event.at))));
  return [el("h2", {}, "Pinned", el("small", {}, " in the address: who opens it sees them")), el("ul", { class: "pins" }, rows)];
}

/** The events, row by row. */
export function table(one, marks, page) {
  const rows = marks.flatMap((mark) =>
    mark.events.map((event) =>
      el(
        "tr",
        { "data-number": mark.number, "data-event": event.id },
        el("td", { class: "n" }, mark.number),
        el("td", { class: "t" }, clock(event.time)),
        el("td", { class: "l" }, LANE_NAMES[event.lane]),
        el("td", { class: "a" }, el("b", {}, action(event.action)), hasFailed(event) && el("span", { class: "outcome" }, plain(event.outcome)), !isKnown(event.action) && event.title && el("div", { class: "muted" }, said(event.title))),
        el("td", { class: "d" }, event.details.map(([name, value, id]) => el("span", { class: "tag" }, `${plain(name)} `, ref(name, value, id)))),
        el("td", { class: "src" }, said(event.product), event.at && el("code", { class: "at" }, said(event.at))),
        does(mark, event, page),
      ),
    ),
  );
  const hidden = one.eventCount - one.events.length;
  return [
    el("h2", {}, "Events", hidden > 0 && el("small", {}, ` ${one.events.length} of ${one.eventCount} shown`)),
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Events" }, el("table", {}, el("thead", {}, el("tr", {}, ["#", "Time", "Lane", "What", "Details", "Source"].map((name) => el("th", { scope: "col" }, name)), el("td", { class: "do" }))), el("tbody", {}, rows))),
  ];
}
