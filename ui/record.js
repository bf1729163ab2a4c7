// The source record behind an event, as it was understood: a drawer beside the case.

import { open } from "./dialog.js";
import { el, put, said } from "./dom.js";
import { load, Refused, Unknown } from "./session.js";
import { full, span } from "./time.js";
import { action, plain } from "./words.js";

/** Lines of one event that are shown at most, and how deep they may lie: canonical events are smaller. */
const LINES_MAX = 400;
const DEPTH_MAX = 8;
/** Milliseconds since 1970 that are worth reading as a date: from 2001 on. */
const MOMENT_MIN = 1_000_000_000_000;

/** Topic, partition and offset of an event, if its place is one. */
export function placeOf(event) {
  const [, topic, partition, offset] = /^([\w.-]{1,249})\/(\d{1,9})\/(\d{1,18})$/.exec(event.at) ?? [];
  return topic ? { topic, partition, offset } : null;
}

const isMoment = (name, value) => Number.isInteger(value) && value >= MOMENT_MIN && /(^|_)(ts|time|at|until|from|since)$/.test(name);

function lines(value, depth, left) {
  const pairs = Array.isArray(value) ? value.map((one, n) => [String(n + 1), one]) : Object.entries(value);
  return pairs.map(([name, one]) => {
    if (left.lines-- <= 0) return null;
    const isInner = one !== null && typeof one === "object" && Object.keys(one).length > 0;
    if (isInner && depth < DEPTH_MAX) return el("div", { class: "inner" }, el("dt", {}, said(name)), el("dd", {}, el("dl", {}, lines(one, depth + 1, left))));
    const shown = one !== null && typeof one === "object" ? JSON.stringify(one) : String(one);
    return el("div", {}, el("dt", {}, said(name)), el("dd", {}, el("code", {}, said(shown)), isMoment(name, one) && el("small", {}, ` ${full(one)}`)));
  });
}

/** What became of one item of the record. */
function item(one, event, count) {
  const number = count > 1 ? `Item ${Number(one.item) + 1} of ${count}` : "";
  if (one.event && typeof one.event === "object") {
    const left = { lines: LINES_MAX };
    const list = el("dl", { class: "record-lines" }, lines(one.event, 0, left));
    const isIt = one.event.event_id === event.id;
    return el("details", { class: `record-item${isIt ? " it" : ""}`, open: isIt || count === 1 }, el("summary", {}, el("b", {}, said(action(String(one.event.action ?? "")))), " ", el("span", { class: "muted" }, isIt && count > 1 ? `${number}, the event of this row` : number)), list, left.lines < 0 && el("p", { class: "muted" }, `The first ${LINES_MAX} lines.`));
  }
  const reject = one.reject && typeof one.reject === "object" ? one.reject : null;
  const why = reject ? [said(plain(reject.reason)), ": ", said(String(reject.detail ?? ""))] : said(plain(one.ignored));
  return el("p", { class: reject ? "fault" : "told" }, number && `${number}: `, reject ? "it could not be used: " : "it says nothing that is looked for: ", why);
}

function whole(answer, event) {
  const items = Array.isArray(answer.items) ? answer.items : [];
  const arrived = Number.isInteger(answer.timestamp) ? answer.timestamp : NaN;
  const late = arrived - event.time;
  return [
    el("p", { class: "facts" }, answer.source && el("span", {}, "source ", el("b", {}, said(answer.source))), Number.isFinite(arrived) && el("span", {}, "in the topic since ", el("b", {}, full(arrived))), Number.isFinite(late) && late >= 1_000 && el("span", {}, `${span(late)} after it happened`)),
    items.length ? items.map((one) => item(one, event, items.length)) : el("p", { class: "told" }, "The record holds nothing that is read."),
  ];
}

/** What is to be done where the record cannot be had. */
function lost(error, event, place, again) {
  const retry = el("button", { onclick: again }, "Try again");
  const words = {
    403: ["Source records are for analysts.", "Ask one of them, or whoever gives out the roles."],
    404: ["This record is gone.", `The topic ${place.topic} does not keep it any more, or is no source here. What was made of it stands in the case and in the audit log. The original is in ${plain(event.product) || "the source system"}: look there at ${full(event.time)}.`],
  };
  const [title, text] = words[error.status] ?? ["The record cannot be had at the moment.", "The brokers do not answer, or are asked too much. Nothing is lost: try again."];
  return el("div", { class: "record-lost" }, el("p", { class: "fault", role: "alert" }, el("b", {}, title), " ", said(error.message)), el("p", {}, said(text)), !words[error.status] && retry);
}

/** Opens the drawer with the record of an event. */
export function showRecord(event) {
  const place = placeOf(event);
  if (!place) return;
  const body = el("div", { class: "record", "aria-live": "polite" });
  const close = el("button", { class: "primary", "data-first": true, onclick: () => drawer.close() }, "Close");
  const drawer = open(`Source record: ${action(event.action)}`, [el("p", {}, el("code", { class: "record-place" }, said(event.at))), body, el("div", { class: "buttons" }, close)]);
  drawer.dialog.classList.add("drawer");
  const ask = async () => {
    put(body, el("p", { class: "muted" }, "Reading it from the topic…"));
    try {
      const answer = await load(`/api/v1/records/${encodeURIComponent(place.topic)}/${place.partition}/${place.offset}`);
      put(body, whole(answer, event));
    } catch (error) {
      if (error instanceof Unknown) return drawer.close();
      if (!(error instanceof Refused)) throw error;
      put(body, lost(error, event, place, ask));
    }
  };
  ask();
}
