// The swim lanes: what happened in which order, and what did not happen.

import { svg } from "./dom.js";
import { pinMark } from "./pin.js";
import { clock, day, span } from "./time.js";
import { action, controlLane, LANE_NAMES, LANES, plain } from "./words.js";

const LEFT = 104;
const RIGHT = 184;
/** Heights, less of them where the window is low. */
let LANE = 52;
let BAND = 17;
const BANDS_MAX = 6;
const GAP_MIN = 34;
/** A gap of hours may not push minutes together: the scale is logarithmic in the gaps. */
const weight = (ms) => Math.min(7, Math.max(0.75, Math.log2(1 + ms / 15_000)));
const LETTER = 6.1;

const short = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

/** Marks that a timeline is divided into at most by grouping alone. */
const GROUPS = 24;

/** Neighbours of one kind in one lane become one mark, while it stays short beside the whole. */
function marks(events) {
  const found = [];
  const longest = Math.max(120_000, ((events.at(-1)?.time ?? 0) - (events[0]?.time ?? 0)) / GROUPS);
  for (const event of events) {
    const last = found.at(-1);
    if (last && last.lane === event.lane && last.action === event.action && last.outcome === event.outcome && event.time - last.until <= 60_000 && event.time - last.time <= longest) {
      last.events.push(event);
      last.until = event.time;
    } else {
      const { lane, action, outcome, time } = event;
      found.push({ lane, action, outcome, time, until: time, ends: event.until, events: [event] });
    }
  }
  found.forEach((mark, n) => (mark.number = n + 1));
  return found;
}

function places(found, width) {
  const gaps = found.map((mark, n) => (n === 0 ? 0 : mark.time === found[n - 1].time ? 0.75 : weight(mark.time - found[n - 1].until)));
  const whole = gaps.reduce((a, b) => a + b, 0) || 1;
  const room = Math.max(width - LEFT - RIGHT - 96, (found.length - 1) * GAP_MIN);
  const least = Math.min(GAP_MIN, room / Math.max(1, found.length - 1));
  const spare = room - least * (found.length - 1);
  let x = LEFT + 48;
  found.forEach((mark, n) => {
    if (n > 0) x += least + (spare * gaps[n]) / whole;
    mark.x = x;
  });
  return Math.max(width, x + 48 + RIGHT);
}

/** Bars above the lanes: which events a pattern stands on. */
function bands(one, found) {
  const byEvent = new Map(found.flatMap((mark) => mark.events.map((event) => [event.id, mark])));
  const byRule = new Map();
  for (const f of one.findings.filter((f) => f.state === "active")) {
    const on = f.events.map((id) => byEvent.get(id)).filter(Boolean);
    if (!on.length) continue;
    const band = byRule.get(f.pattern + f.branch) ?? { f, on: new Set(), times: 0 };
    band.times += 1;
    on.forEach((mark) => band.on.add(mark));
    byRule.set(f.pattern + f.branch, band);
  }
  return [...byRule.values()].slice(0, BANDS_MAX).map(({ f, on, times }) => {
    const all = [...on];
    return { f, times, on: all, from: Math.min(...all.map((m) => m.x)), to: Math.max(...all.map((m) => m.x)) };
  });
}

function drawBand({ f, times, from, to, on }, n, end, bottom) {
  const y = 2 + n * BAND;
  const label = short(`${f.pattern}${f.branch} ${f.name}`, 44) + (times > 1 ? ` ×${times}` : "");
  const wide = label.length * LETTER + 16;
  const right = to + 10 + wide < end;
  return svg(
    "g",
    { class: `band f-${f.family}` },
    svg("title", {}, `${f.pattern}${f.branch} ${f.name}${f.span > 0 ? `: within ${span(f.span)}` : ""}`),
    svg("rect", { x: from - 16, y: y + 6, width: to - from + 32, height: bottom - y - 6, rx: 6, class: "window" }),
    svg("line", { x1: from, x2: Math.max(to, from + 1), y1: y + 6, y2: y + 6, class: "band-line" }),
    on.map((mark) => svg("circle", { cx: mark.x, cy: y + 6, r: 3.5, class: "band-dot" })),
    svg("text", { x: right ? to + 10 : from - 10, y: y + 10, class: "band-name", "text-anchor": right ? "start" : "end" }, label),
  );
}

/** The names of the marks, where they do not cover each other; below, else above, else none. */
function labels(found, y) {
  const taken = new Map();
  return found.map((mark) => {
    const text = short(action(mark.action), 22) + (mark.events.length > 1 ? ` ×${mark.events.length}` : "");
    const half = (text.length * LETTER) / 2 + 3;
    for (const side of ["below", "above"]) {
      const key = `${mark.lane}/${side}`;
      if (mark.x - half > (taken.get(key) ?? -Infinity)) {
        taken.set(key, mark.x + half);
        const dy = side === "below" ? 24 : -15;
        return svg("text", { x: mark.x, y: y(mark.lane) + dy, class: "mark-name", "text-anchor": "middle" }, text);
      }
    }
    return null;
  });
}

function drawMark(mark, y, anchors, pick, isPinned) {
  const isAnchor = mark.events.some((event) => event.finding === "anchor" || anchors.has(event.id));
  const failed = /fail|den/.test(mark.outcome);
  const first = mark.events[0];
  const title = [`${mark.number}. ${action(mark.action)}`, clock(mark.time), first.title, mark.outcome, first.at].filter(Boolean).join(" · ");
  const press = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    pick(mark.number);
  };
  return svg(
    "g",
    { class: `mark l-${mark.lane}${isAnchor ? " anchor" : ""}${failed ? " failed" : ""}`, "data-number": mark.number, "data-event": first.id, role: "button", "aria-label": title, tabindex: mark.number === 1 ? "0" : "-1", onclick: () => pick(mark.number), onkeydown: press },
    svg("title", {}, title),
    isAnchor && svg("circle", { cx: mark.x, cy: y, r: 15, class: "halo" }),
    svg("circle", { cx: mark.x, cy: y, r: 11, class: "dot" }),
    svg("text", { x: mark.x, y: y + 4, class: "mark-number", "text-anchor": "middle" }, mark.number),
    isPinned && pinMark({ x: mark.x + 5, y: y - 21, width: 12, height: 14 }),
  );
}

/** How long a call lasted: a bar to the place of its end among the marks. */
function lasting(mark, found, y) {
  if (mark.ends <= mark.time) return null;
  const before = found.findLast((other) => other.time <= mark.ends);
  const after = found[found.indexOf(before) + 1];
  const share = after ? (mark.ends - before.time) / (after.time - before.time) : 0;
  const end = before.x + (after ? (after.x - before.x) * share : 24);
  return svg("rect", { x: mark.x, y: y(mark.lane) - 11, width: Math.max(0, end - mark.x), height: 22, rx: 11, class: `lasts l-${mark.lane}` });
}

/** The way through the lanes, in order of time. */
function path(found, y) {
  let d = "";
  found.forEach((mark, n) => {
    const at = y(mark.lane);
    if (n === 0) d += `M${mark.x} ${at}`;
    else {
      const middle = (found[n - 1].x + mark.x) / 2;
      d += `C${middle} ${y(found[n - 1].lane)} ${middle} ${at} ${mark.x} ${at}`;
    }
  });
  return svg("path", { d, class: "way" });
}

/** What asks for a recovery; the last before it is what it was done upon. */
const ASKED = /^(contact\.(started|agent_connected)|ticket\.opened|approval\.requested|credential\.reset_requested)$/;

/** The marks of the story: asked for, approved, done, enrolled, signed in. Each only after the one before. */
function chain(found) {
  const done = found.findIndex((mark) => mark.lane === "recovery" && !/fail|den/.test(mark.outcome));
  if (done < 0) return [];
  const before = found.slice(0, done);
  const after = (from, is) => found.slice(from + 1).find(is);
  const asked = before.findLast((mark) => ASKED.test(mark.action));
  const approved = before.findLast((mark) => mark.action === "approval.granted" && (!asked || mark.number > asked.number));
  const enrolled = after(done, (mark) => mark.lane === "device");
  const session = after(enrolled ? enrolled.number - 1 : done, (mark) => mark.lane === "session" && mark.action === "auth.login");
  const end = enrolled ?? session;
  const last = end && found.findLast((mark) => mark.lane === "recovery" && mark.number < end.number);
  return [asked, approved, found[done], last !== found[done] && last, enrolled, session].filter(Boolean);
}

/** Arrows along the story. */
function arrows(found, y) {
  const story = chain(found);
  if (story.length < 2) return null;
  const head = svg("marker", { id: "arrow-head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0 8 4 0 8z", class: "arrow-head" }));
  const lines = story.slice(1).map((mark, n) => {
    const from = story[n];
    const [x1, y1, x2, y2] = [from.x, y(from.lane), mark.x, y(mark.lane)];
    const long = Math.hypot(x2 - x1, y2 - y1) || 1;
    // From rim to rim; the rings around the anchors are wider.
    const [ux, uy] = [((x2 - x1) / long) * 13, ((y2 - y1) / long) * 13];
    return svg("line", { x1: x1 + ux, y1: y1 + uy, x2: x2 - ux * 1.3, y2: y2 - uy * 1.3, class: "arrow", "marker-end": "url(#arrow-head)" });
  });
  return [svg("defs", {}, head), lines];
}

/** Times below the lanes, and how long it took from one to the next where that is to be seen. */
function axis(found, y) {
  const parts = [];
  let free = -Infinity;
  let lastDay = "";
  found.forEach((mark, n) => {
    parts.push(svg("line", { x1: mark.x, x2: mark.x, y1: y - 4, y2: y + 2, class: "tick" }));
    if (mark.x - 29 > free) {
      free = mark.x + 29;
      parts.push(svg("text", { x: mark.x, y: y + 16, class: "time", "text-anchor": "middle" }, clock(mark.time)));
      if (day(mark.time) !== lastDay) {
        lastDay = day(mark.time);
        parts.push(svg("text", { x: mark.x, y: y + 30, class: "day", "text-anchor": "middle" }, lastDay));
      }
    }
    const before = found[n - 1];
    const gap = before ? mark.time - before.until : 0;
    // Between the two times, as far as there is room beside them.
    if (before && gap >= 60_000 && mark.x - before.x > 62 + (span(gap).length + 1) * LETTER) {
      parts.push(svg("text", { x: (before.x + mark.x) / 2, y: y + 16, class: "gap", "text-anchor": "middle" }, `+${span(gap)}`));
    }
  });
  return parts;
}

/** The systems that tell of a lane. */
const systemsOf = (events, name) => [...new Set(events.filter((event) => event.lane === name).map((event) => plain(event.product)))].filter(Boolean).join(", ");

/** A lane with its name, who tells of it and, at its end, what is missing in it. */
function laneRow(name, n, top, width, missing, systems) {
  const y = top + n * LANE;
  const gone = missing.filter((control) => controlLane(control) === name).slice(0, 2);
  return [
    svg("rect", { x: 0, y, width, height: LANE, class: n % 2 ? "lane odd" : "lane" }),
    svg("text", { x: 12, y: y + LANE / 2 - (systems ? 2 : -4), class: "lane-name" }, LANE_NAMES[name]),
    systems && svg("text", { x: 12, y: y + LANE / 2 + 12, class: "lane-system" }, short(systems, 16)),
    gone.map((control, k) => {
      const middle = y + LANE / 2 + (gone.length === 1 ? 0 : k === 0 ? -LANE / 4 : LANE / 4);
      // The first words say which; the rest stands beside the timeline.
      const name = control.replace(/ (to|for|of) .*/, "");
      const label = name.length > 16 ? short(name, 21) : `no ${name}`;
      return svg(
        "g",
        { class: "missing" },
        svg("title", {}, `missing: ${control}`),
        svg("rect", { x: width - RIGHT + 10, y: middle - 10, width: RIGHT - 20, height: 20, rx: 10 }),
        svg("text", { x: width - RIGHT / 2, y: middle + 4, "text-anchor": "middle" }, `✕ ${label}`),
      );
    }),
  ];
}

/** The next mark when an arrow is pressed on one. */
function arrow(event) {
  const marks = [...event.currentTarget.querySelectorAll(".mark")];
  const at = marks.indexOf(event.target.closest(".mark"));
  const next = marks[at + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? NaN)];
  if (at < 0 || !next) return;
  event.preventDefault();
  marks[at].setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

/**
 * The timeline as an SVG of at least this width; `pick` hears which mark was chosen, `pins` says whether an
 * event is pinned.
 */
export function timeline(one, width, pick, pins = () => false) {
  [LANE, BAND] = innerHeight < 820 ? [44, 15] : [52, 17];
  const found = marks(one.events);
  const whole = places(found, Math.max(width, 560));
  const rows = bands(one, found);
  const top = rows.length ? 10 + rows.length * BAND : 0;
  const bottom = top + LANES.length * LANE;
  const y = (lane) => top + LANES.indexOf(lane) * LANE + LANE / 2 - 3;
  const anchors = new Set(one.findings.filter((f) => f.state === "active").map((f) => f.anchor));
  const drawn = svg(
    "svg",
    { class: "timeline", width: whole, height: bottom + 38, viewBox: `0 0 ${whole} ${bottom + 38}`, role: "group", "aria-label": "Timeline of the events by lane", onkeydown: arrow },
    LANES.map((name, n) => laneRow(name, n, top, whole, one.missing, systemsOf(one.events, name))),
    found.map((mark) => svg("line", { x1: mark.x, x2: mark.x, y1: y(mark.lane), y2: bottom, class: "drop" })),
    found.map((mark) => lasting(mark, found, y)),
    rows.map((row, n) => drawBand(row, n, whole - 12, bottom)),
    path(found, y),
    arrows(found, y),
    labels(found, y),
    found.map((mark) => drawMark(mark, y(mark.lane), anchors, pick, mark.events.some(pins))),
    axis(found, bottom + 4),
  );
  return { drawn, marks: found };
}
