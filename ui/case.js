// One case: who, what happened in which order, what was missing, why this score, what to do.

import { patterns } from "./alert.js";
import { el, put, said, svg } from "./dom.js";
import { chips, kindName, tier } from "./list.js";
import { timeline } from "./timeline.js";
import { clock, day, full, range, span } from "./time.js";
import { explain, points } from "./waterfall.js";
import { action, isKnown, known, LANE_NAMES, plain, SEVERITIES } from "./words.js";

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

function head(one) {
  const severity = SEVERITIES[one.severity];
  const rose = one.revision > 1 && one.before.severity_id && one.before.severity_id !== one.severity;
  return el(
    "header",
    { class: `head s-${severity}` },
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
        el("span", {}, one.isOpen ? (one.isSuppressed ? "open, silenced" : "open") : `closed: ${plain(one.closedBy)}`),
        el("span", {}, `revision ${one.revision}`),
      ),
      el("h1", {}, said(one.message)),
      el(
        "div",
        { class: "subject" },
        said(one.who.name || "unknown", { class: "name" }),
        tier(one.who.tier),
        el("span", { class: "muted" }, kindName(one.who.kind), one.who.id && one.who.id !== one.who.name && [" ", el("code", {}, said(one.who.id))]),
      ),
      el("div", { class: "facts" }, el("span", {}, `${day(one.first)}, ${range(one.first, one.last)}`), el("span", {}, `in ${span(one.last - one.first)}`), one.confidence > 0 && el("span", {}, `identity certain to ${one.confidence} %`), chips(one, 12)),
    ),
  );
}

/** Sentences of an advice as steps. */
function steps(text) {
  const found = text.split(/(?<=[.;])\s+(?=[A-Z0-9])|\n+/).map((s) => s.replace(/^\d+[.)]\s*/, "").trim());
  return found.filter(Boolean).slice(0, 12);
}

function todo(one) {
  const advice = steps(one.advice);
  return el(
    "section",
    { class: "card todo" },
    el("h2", {}, "What to do now"),
    advice.length ? el("ol", {}, advice.map((step) => el("li", {}, said(step)))) : el("p", { class: "muted" }, "The alert brings no advice."),
  );
}

function controls(one) {
  const gone = [...new Set(one.missing)];
  return el(
    "section",
    { class: "card controls" },
    el("h2", {}, "Missing controls"),
    gone.length ? el("ul", {}, gone.map((name) => el("li", { class: "gone" }, el("span", { class: "cross", "aria-hidden": "true" }, "✕"), said(plain(name))))) : el("p", { class: "muted" }, "None that this case stands on."),
    others(one, gone),
    one.tickets.length > 0 && el("div", { class: "tickets" }, el("h3", {}, "Tickets"), one.tickets.map(ticket)),
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
  if (!/^https:\/\//.test(t.url)) return el("code", { class: "ticket" }, said(t.id));
  return el("button", { class: "link", onclick: () => ask(t.url) }, said(t.id || t.url));
}

/** A link that came with the data is opened only by somebody who has read where it leads. */
function ask(url) {
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const go = () => {
    window.open(url, "_blank", "noopener,noreferrer");
    close();
  };
  const dialog = el("dialog", {}, el("h2", {}, "Open this address?"), el("p", {}, el("code", {}, said(url))), el("div", { class: "buttons" }, el("button", { onclick: close }, "Stay"), el("button", { class: "primary", onclick: go }, "Open")));
  document.body.append(dialog);
  dialog.showModal();
}

const STATE = { active: "counts", retracted: "retracted", suppressed: "suppressed" };

function threshold(f) {
  const { have, need } = f.threshold;
  return Number.isFinite(have) && Number.isFinite(need) && need > 1 ? `${have}, needs ${need}` : "";
}

function findings(one, numbers) {
  const order = { active: 0, suppressed: 1, retracted: 2 };
  const sorted = [...one.findings].sort((a, b) => (known(order, a.state) ?? 3) - (known(order, b.state) ?? 3) || b.points - a.points);
  return el(
    "section",
    { class: "card" },
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
            f.roles.filter(([, who]) => who !== one.who.name && who !== one.who.id).map(([role, who]) => el("span", {}, `${plain(role)} `, el("code", {}, said(who)))),
            f.events.length > 0 && el("span", {}, "on ", [...new Set(f.events.map((id) => numbers.get(id)).filter(Boolean))].map((n) => el("span", { class: "ref", "data-ref": n }, n))),
          ),
        ),
      ),
    ),
  );
}

function table(one, marks) {
  const rows = marks.flatMap((mark) =>
    mark.events.map((event) =>
      el(
        "tr",
        { "data-number": mark.number },
        el("td", { class: "n" }, mark.number),
        el("td", { class: "t" }, clock(event.time)),
        el("td", {}, LANE_NAMES[event.lane]),
        el("td", { class: "a" }, el("b", {}, action(event.action)), event.outcome && event.outcome !== "success" && el("span", { class: "outcome" }, plain(event.outcome)), !isKnown(event.action) && event.title && el("div", { class: "muted" }, said(event.title))),
        el("td", { class: "d" }, event.details.map(([name, value]) => el("span", { class: "tag" }, `${plain(name)} `, said(value)))),
        el("td", { class: "src" }, said(event.product), event.at && el("code", { class: "at" }, said(event.at))),
      ),
    ),
  );
  const hidden = one.eventCount - one.events.length;
  return el(
    "section",
    { class: "card" },
    el("h2", {}, "Events", hidden > 0 && el("small", {}, ` ${one.events.length} of ${one.eventCount} shown`)),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["#", "Time", "Lane", "What", "Details", "Source"].map((name) => el("th", {}, name)))), el("tbody", {}, rows))),
  );
}

function history(revisions, one) {
  if (revisions.length < 2) return null;
  return el(
    "section",
    { class: "card" },
    el("h2", {}, "How it came about"),
    el(
      "ol",
      { class: "history" },
      revisions.map((r) => el("li", { class: `s-${SEVERITIES[r.severity]}${r.revision === one.revision ? " now" : ""}` }, el("span", { class: "score" }, r.score), el("span", {}, el("time", {}, clock(r.time)), r.isOpen ? "" : ` · closed: ${plain(r.closedBy)}`), el("span", { class: "muted" }, patterns(r).map((f) => f.pattern + f.branch).join(" ")))),
    ),
  );
}

function links(one) {
  const to = (id, text) => el("a", { href: `#/alerts/${encodeURIComponent(id)}` }, text);
  return el(
    "footer",
    { class: "links" },
    one.previous && to(one.previous, "the case before this one"),
    one.linked && el("span", {}, "is now known as ", el("code", {}, said(one.linked))),
    one.campaign && one.campaign !== one.id && to(one.campaign, "the campaign it belongs to"),
    one.labels.filter((l) => !/^(family|tier):/.test(l)).map((l) => el("span", { class: "chip" }, plain(l))),
    el("span", { class: "muted" }, `${full(one.time)} · `, el("code", {}, said(one.id))),
    el("a", { href: `/api/v1/alerts/${encodeURIComponent(one.id)}`, target: "_blank", rel: "noopener" }, "OCSF document"),
  );
}

/** Shows a case in a node; returns what has to be called when the node is gone. */
export function show(node, one, revisions) {
  const lanes = el("div", { class: "scroll lanes", tabindex: "0", "aria-label": "Timeline, scrolls sideways" });
  let marks = [];
  const pick = (number) => {
    for (const each of node.querySelectorAll("[data-number], [data-ref]")) {
      const is = each.dataset.number === String(number) || each.dataset.ref === String(number);
      each.classList.toggle("picked", is);
    }
    node.querySelector(`tr[data-number="${number}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const drawLanes = () => {
    const made = timeline(one, lanes.clientWidth, pick);
    marks = made.marks;
    put(lanes, made.drawn);
  };
  const timelineCard = el("section", { class: "card wide" }, el("h2", {}, "What happened, in order"), lanes);
  put(node, head(one), el("div", { class: "two" }, todo(one), controls(one)), timelineCard);
  drawLanes();
  const numbers = new Map(marks.flatMap((mark) => mark.events.map((event) => [event.id, mark.number])));
  node.append(
    el("div", { class: "two even" }, el("section", { class: "card" }, el("h2", {}, `Why ${one.score}`), explain(one)), el("div", { class: "stack" }, findings(one, numbers), history(revisions, one))),
    table(one, marks),
    links(one),
  );
  node.addEventListener("click", (event) => {
    const ref = event.target.closest("[data-ref], tr[data-number]");
    if (ref) pick(ref.dataset.ref ?? ref.dataset.number);
  });
  let width = lanes.clientWidth;
  const watch = new ResizeObserver(() => {
    if (Math.abs(lanes.clientWidth - width) > 8) {
      width = lanes.clientWidth;
      drawLanes();
    }
  });
  watch.observe(lanes);
  return () => watch.disconnect();
}
