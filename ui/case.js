// One case: who, what happened in which order, what was missing, why this score, what to do.

import { patterns, waterfall } from "./alert.js";
import { open } from "./dialog.js";
import { el, put, said, svg } from "./dom.js";
import { findings, pinnedEvents, table } from "./evidence.js";
import { keep } from "./keep.js";
import { linked } from "./linked.js";
import { entity, pinOf, to } from "./route.js";
import { kindName, taken, tier } from "./row.js";
import { may } from "./session.js";
import { timeline } from "./timeline.js";
import { clock, day, full, range, span } from "./time.js";
import { explain } from "./waterfall.js";
import { known, plain, SEVERITIES, VERDICT_NAMES } from "./words.js";

function ring(one) {
  const around = 2 * Math.PI * 34;
  return svg(
    "svg",
    { class: "ring", viewBox: "0 0 80 80", role: "img", "aria-label": `score ${one.score}, ${SEVERITIES[one.severity]}` },
    svg("circle", { cx: 40, cy: 40, r: 34, class: "ring-ground" }),
    svg("circle", { cx: 40, cy: 40, r: 34, class: "ring-fill", "stroke-dasharray": `${(around * one.score) / 100} ${around}`, transform: "rotate(-90 40 40)" }),
    svg("text", { x: 40, y: 48, class: "ring-score", "text-anchor": "middle" }, one.score),
  );
}

/** How a case stands, in a few words. */
function standing(one, answer) {
  if (!one.isOpen) {
    const verdict = one.closedBy === "disposition" && one.verdict;
    return el("span", { class: "closed-as" }, verdict ? `closed: ${known(VERDICT_NAMES, verdict) ?? plain(verdict)}` : `closed: ${plain(one.closedBy)}`);
  }
  const open = one.isSuppressed ? "open, silenced" : "open";
  if (!answer) return el("span", {}, open);
  const name = known(VERDICT_NAMES, answer.record?.verdict) ?? "decided";
  return [el("span", {}, open), el("span", { class: "closed-as" }, answer.closes ? `${name}: closing` : `${name} is recorded for revision ${answer.record?.revision}; this is a newer one`)];
}

/** The parts of the score in one bar: what it is made of, before any number is read. */
function makeup(one) {
  const sum = waterfall(one);
  if (!sum.families.length) return null;
  let x = 0;
  const bars = sum.families.map((part) => {
    const bar = svg("rect", { x: x / 100, y: 0, width: Math.max(0.6, part.part / 100 - 0.4), height: 8, class: `makeup-part f-${part.family}` });
    x += part.part;
    return bar;
  });
  return el(
    "div",
    { class: "makeup" },
    svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "makeup-bar", "aria-hidden": "true" }, svg("rect", { x: 0, y: 0, width: 100, height: 8, class: "bar-ground" }), bars),
    el("ul", {}, sum.families.map((part) => el("li", { class: `f-${part.family}` }, el("i", { class: "dot" }), `${part.family} `, el("b", {}, `+${Math.round(part.part / 100)}`), el("span", { class: "muted" }, [...new Set(part.rows.map((row) => row.pattern))].join(" "))))),
  );
}

function actions(one, act) {
  const button = (text, key, run, kind = "") => el("button", { class: kind, title: `${text} (${key})`, onclick: run }, text, el("kbd", { "aria-hidden": "true" }, key));
  return el(
    "div",
    { class: "actions" },
    may("analyst") && one.isOpen && button("Decide", "d", act.d, "primary"),
    may("analyst") && button("Silence", "s", act.s),
    may("analyst") && button("Exempt", "E", act.E),
    button("Markdown", "m", act.m),
    button("OCSF", "e", act.e),
    el("button", { title: "The command that plays this time again", "aria-label": "Replay command", onclick: act.replay }, "Replay"),
    el("button", { title: "Print (Ctrl P)", onclick: () => print() }, "Print"),
  );
}

/** Who has the case, and what can be done about it. */
function holder(one, name, act) {
  const mayAct = may("analyst") && one.isOpen;
  if (!name && !mayAct) return null;
  return el(
    "div",
    { class: "holder" },
    name ? [el("span", { class: "muted" }, one.isOpen ? "taken by" : "was with"), taken(name)] : el("span", { class: "muted" }, "nobody has it"),
    mayAct && [!name && el("button", { title: "Take (t)", onclick: act.take }, "Take", el("kbd", { "aria-hidden": "true" }, "t")), name && el("button", { onclick: act.release }, "Release"), el("button", { onclick: act.assign }, "Assign")],
  );
}

function head(one, told, { store, act }) {
  const severity = SEVERITIES[one.severity];
  const rose = one.revision > 1 && one.before.severity_id && one.before.severity_id !== one.severity;
  const page = entity(one.who.kind, one.who.id);
  const name = said(one.who.name || "unknown", { class: "name" });
  return el(
    "header",
    { class: `head s-${severity}`, "data-part": "head" },
    ring(one),
    el(
      "div",
      { class: "head-text" },
      el(
        "div",
        { class: "eyebrow" },
        el("span", { class: "severity" }, severity),
        rose && el("span", {}, `was ${known(SEVERITIES, one.before.severity_id) ?? "?"}`),
        one.page && el("span", { class: "chip page" }, "pages"),
        standing(one, store.decided.get(one.id)),
        el("span", {}, `revision ${one.revision}`),
        el("span", { class: "grow" }),
        actions(one, act),
      ),
      el("div", { class: "subject" }, page ? el("a", { href: page, title: `All of this ${kindName(one.who.kind)}` }, name) : name, tier(one.who.tier), el("span", { class: "muted" }, kindName(one.who.kind), one.who.id && one.who.id !== one.who.name && [" ", el("code", {}, said(one.who.id))]), holder(one, store.assigned.get(one.id), act)),
      el("h1", {}, said(told.message)),
      told !== one && el("p", { class: "comment" }, said(one.message), one.comment && [": “", said(one.comment), "”"]),
      makeup(one),
      el("div", { class: "facts" }, el("span", {}, `${day(one.first)}, ${range(one.first, one.last)}, `, el("b", {}, span(one.last - one.first))), one.confidence > 0 && el("span", {}, `identity certain to ${one.confidence} %`), one.sources.length > 0 && el("span", {}, "seen in ", said(one.sources.map(plain).join(", ")))),
    ),
  );
}

/** Sentences of an advice as steps. */
function steps(text) {
  const found = text.split(/(?<=[.;])\s+(?=[A-Z0-9])|\n+/).map((s) => s.replace(/^\d+[.)]\s*/, "").trim());
  return found.filter(Boolean).slice(0, 12);
}

function todo(one, told) {
  const advice = steps(told.advice);
  return el(
    "section",
    { class: "card todo", "data-part": "todo" },
    el("h2", {}, one.isOpen ? "What to do now" : "What was to be done"),
    advice.length ? el("ol", {}, advice.map((step) => el("li", {}, el("span", {}, said(step))))) : el("p", { class: "muted" }, "The alert brings no advice."),
  );
}

function controls(one) {
  const gone = [...new Set(one.missing)];
  return el(
    "section",
    { class: "card controls", "data-part": "controls" },
    el("h2", {}, "Missing controls"),
    gone.length ? el("ul", {}, gone.map((name) => el("li", { class: "gone" }, el("span", { class: "cross", "aria-hidden": "true" }, "✕"), said(plain(name))))) : el("p", { class: "muted" }, "None that this case stands on."),
    el("div", { class: "others" }, others(one, gone)),
    one.tickets.length > 0 && el("p", { class: "tickets" }, el("span", { class: "muted" }, one.tickets.length === 1 ? "Ticket " : "Tickets "), one.tickets.map(ticket)),
  );
}

const CONTROL = {
  present: ["✓", "there"],
  missing: ["✕", "there lacks"],
  no_evidence_source: ["?", "there unknown"],
  not_due: ["–", "there unknown"],
};
const CONTROL_WORDS = { no_evidence_source: "no source tells", not_due: "not asked for here" };

/** The controls that no finding stands on: kept, or nobody can say. */
function others(one, gone) {
  const rest = one.controls.filter((c) => !(c.state === "missing" && gone.some((name) => name.startsWith(c.name))));
  return rest.map((c) => {
    const [sign, kind] = known(CONTROL, c.state) ?? ["·", "there unknown"];
    return el("div", { class: kind }, el("span", { "aria-hidden": "true" }, sign), el("span", {}, said(plain(c.name)), " ", el("small", {}, known(CONTROL_WORDS, c.state) ?? said(plain(c.detail)))));
  });
}

function ticket(t) {
  const page = entity("ticket", t.id);
  return el("span", { class: "ticket" }, page ? el("a", { href: page }, said(t.id)) : el("code", {}, said(t.id)), /^https:\/\//.test(t.url) && [" ", el("button", { class: "link", onclick: () => ask(t.url) }, "open")]);
}

/** A link that came with the data is opened only by somebody who has read where it leads. */
function ask(url) {
  const go = () => {
    window.open(url, "_blank", "noopener,noreferrer");
    close();
  };
  const { close } = open("Open this address?", [el("p", {}, el("code", {}, said(url))), el("div", { class: "buttons" }, el("button", { "data-first": true, onclick: () => close() }, "Stay"), el("button", { class: "primary", onclick: go }, "Open"))]);
}

function history(revisions, one) {
  if (revisions.length < 2) return null;
  return el(
    "section",
    { class: "card", "data-part": "history" },
    el("h2", {}, "How it came about"),
    el(
      "ol",
      { class: "history" },
      revisions.map((r) => el("li", { class: `s-${SEVERITIES[r.severity]}${r.revision === one.revision ? " now" : ""}` }, el("span", { class: "score" }, r.score), el("span", {}, el("time", {}, clock(r.time)), r.isOpen ? "" : ` · closed: ${plain(r.closedBy)}`), el("span", { class: "muted" }, patterns(r).map((f) => f.pattern + f.branch).join(" ")))),
    ),
  );
}

function links(one) {
  return el(
    "footer",
    { class: "links", "data-part": "links" },
    one.previous && el("a", { href: to("alerts", one.previous) }, "the case before this one"),
    one.linked && el("span", {}, "is now known as ", el("a", { href: to("identities", one.linked) }, el("code", {}, said(one.linked)))),
    one.campaign && one.campaign !== one.id && el("a", { href: to("alerts", one.campaign) }, "the campaign it belongs to"),
    one.labels.filter((l) => !/^(family|tier):/.test(l)).map((l) => el("span", { class: "chip" }, plain(l))),
    el("span", { class: "muted" }, `${full(one.time)} · `, el("code", { class: "id" }, said(one.id))),
  );
}

/** The event that was picked last, of which case: it stays so when the case is drawn anew. */
const picked = { id: "", event: "" };

/** The event of a case that was picked last, if one was. */
export const pickedEvent = (one) => (picked.id === one.id ? one.events.find((event) => event.id === picked.event) : undefined);

/** Shows a case in a node; returns what has to be called when the node is gone. */
export function caseView(detail, one, revisions, page) {
  // Drawn anew it is laid out whole at once, so that nothing moves.
  const node = el("article", { class: `case-page s-${SEVERITIES[one.severity]}${page.isAgain ? " whole" : ""}` });
  const lanes = el("div", { class: "scroll lanes", tabindex: "0", role: "group", "aria-label": "Timeline, scrolls sideways" });
  put(detail, node);
  const pinCard = el("section", { class: "card pinned", "data-part": "pinned", hidden: true });
  const events = el("section", { class: "card", "data-part": "events" });
  let marks = [];
  const show = (number) => {
    for (const each of node.querySelectorAll("[data-number], [data-ref]")) each.classList.toggle("picked", (each.dataset.number ?? each.dataset.ref) === String(number));
  };
  const pick = (number) => {
    Object.assign(picked, { id: one.id, event: marks[number - 1]?.events[0].id ?? "" });
    show(number);
    node.querySelector(`tr[data-number="${number}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const showPicked = () => {
    const mark = picked.id === one.id && marks.find((mark) => mark.events.some((event) => event.id === picked.event));
    if (mark) show(mark.number);
  };
  const drawLanes = () => {
    const made = timeline(one, lanes.clientWidth, pick, (event) => page.pins().has(pinOf(event.id)));
    marks = made.marks;
    keep(lanes, () => put(lanes, made.drawn));
    showPicked();
  };
  // The last revision of a closed case says that it is closed; the one before, what it is about.
  const told = one.isOpen ? one : (revisions.findLast((revision) => revision.isOpen) ?? one);
  put(node, head(one, told, page), el("div", { class: "two" }, todo(one, told), controls(one)), el("section", { class: "card wide", "data-part": "lanes" }, el("h2", {}, "What happened, in order"), lanes), pinCard);
  drawLanes();
  const numbers = new Map(marks.flatMap((mark) => mark.events.map((event) => [event.id, mark.number])));
  node.append(
    el("div", { class: "two even" }, el("section", { class: "card", "data-part": "why" }, el("h2", {}, `Why ${one.score}`), explain(one)), el("div", { class: "stack" }, findings(one, numbers), history(revisions, one) ?? "", linked(one, page.store, page.query) ?? "")),
    events,
    links(one),
  );
  const drawPins = () => {
    const pins = page.pins();
    const found = pinnedEvents(marks, pins);
    pinCard.hidden = !found;
    put(pinCard, found ?? "");
    keep(events, () => put(events, table(one, marks, { pins, act: page.act })));
    showPicked();
  };
  const repin = () => {
    drawLanes();
    drawPins();
  };
  drawPins();
  addEventListener("pins", repin);
  node.addEventListener("click", (event) => {
    if (event.target.closest("a, button")) return;
    const ref = event.target.closest("[data-ref], tr[data-number]");
    if (ref) pick(Number(ref.dataset.ref ?? ref.dataset.number));
  });
  let width = lanes.clientWidth;
  const watch = new ResizeObserver(() => {
    if (Math.abs(lanes.clientWidth - width) > 8) {
      width = lanes.clientWidth;
      drawLanes();
    }
  });
  watch.observe(lanes);
  return () => {
    watch.disconnect();
    removeEventListener("pins", repin);
  };
}
