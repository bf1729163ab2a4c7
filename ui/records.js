// Audit records: as events of a timeline, and as rows.

import { el, put, said } from "./dom.js";
import { hasFailed, ref } from "./evidence.js";
import { among } from "./route.js";
import { load, Unknown } from "./session.js";
import { note } from "./dialog.js";
import { clock, day, full, minute, span } from "./time.js";
import { action, known, lane, LANE_NAMES, plain, SEVERITIES, VERDICT_NAMES } from "./words.js";

const text = (value) => (typeof value === "string" ? value : Number.isFinite(value) ? String(value) : "");
const whole = (value) => (Number.isFinite(value) ? value : 0);
const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
export const list = (value) => (Array.isArray(value) ? value : []);

/** Somebody, by the name that people know. */
export function who(value) {
  const one = object(value);
  return { id: text(one.uid), name: text(one.name) || text(one.uid), tier: text(one.tier) };
}

const ROLES = ["target", "requester", "agent", "approver"];
const CONTROL_NAMES = { ticket: "ticket", verify: "verification", callback: "call-back", approval: "second person" };

/** What somebody decided: of which case, why, until when. */
function decided(decision) {
  const found = [["owner", text(decision.owner), ""], ["why", text(decision.reason), ""]];
  if (text(decision.alert)) found.unshift(["case", text(decision.alert).slice(0, 8), text(decision.alert)]);
  if (Number.isFinite(decision.valid_to)) found.push(["until", full(decision.valid_to), ""]);
  return found.filter(([, name]) => name);
}

/** A record as the page shows it; anything may be missing. */
export function read(entry) {
  const record = object(object(entry).record);
  const source = object(record.source);
  const details = ROLES.filter((role) => record[role]).map((role) => [role, who(record[role]).name, who(record[role]).id]);
  for (const [name, id] of [["ticket", record.ticket], ["call", record.call]]) if (text(id)) details.push([name, text(id), text(id)]);
  if (text(record.channel)) details.push(["channel", plain(record.channel), ""]);
  if (record.verification) details.push(["proof", `${plain(text(object(record.verification).method))}, strength ${whole(object(record.verification).strength)}`, ""]);
  if (Number.isFinite(record.connected_s)) details.push(["connected", span(record.connected_s * 1000), ""]);
  const reason = object(record.reason);
  if (text(reason.code) || text(reason.quality)) details.push(["reason", [text(reason.code), plain(text(reason.quality))].filter(Boolean).join(", "), ""]);
  const decision = object(record.decision);
  if (record.decision) details.push(...decided(decision));
  const controls = Object.entries(CONTROL_NAMES).map(([key, name]) => ({ name, state: text(object(object(record.controls)[key]).state) }));
  return {
    id: text(record.event),
    stage: text(record.stage),
    action: text(record.action),
    title: "",
    time: whole(record.time),
    until: 0,
    product: text(source.system),
    at: source.topic ? `${text(source.topic)}/${whole(source.partition)}/${whole(source.offset)}` : "",
    audit: `${whole(object(entry).partition)}/${whole(object(entry).offset)}`,
    lane: lane(text(record.action)),
    outcome: text(record.outcome),
    decision: record.decision ? text(decision.verdict) || text(decision.kind) : "",
    finding: "",
    byAdmin: record.by_admin === true,
    details,
    controls: record.controls ? controls.filter((c) => c.state) : [],
  };
}

/** The events of records, oldest first, each once. */
export function events(records) {
  const found = new Map(records.filter((one) => one.stage === "recorded").map((one) => [one.id, one]));
  return [...found.values()].sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}

const SIGNS = { present: ["✓", "kept"], missing: ["✕", "lack"], no_evidence_source: ["?", "muted"], not_due: ["–", "muted"] };

function controls(one) {
  return one.controls.map(({ name, state }) => {
    const [sign, kind] = known(SIGNS, state) ?? ["·", "muted"];
    return el("span", { class: `tag ${kind}`, title: plain(state) }, `${sign} ${name}`);
  });
}

/** The kind of a decision, as a title. */
const named = (kind) => `${kind.charAt(0).toUpperCase()}${plain(kind).slice(1)}`;

export const HEADS = ["Time", "Where", "What", "Details", "Source"];

/** A record as a row. */
export function row(one) {
  return el(
    "tr",
    {},
    el("td", { class: "t" }, `${day(one.time)} `, clock(one.time)),
    el("td", { class: "l" }, one.decision ? "Decision" : LANE_NAMES[one.lane]),
    el("td", { class: "a" }, el("b", {}, one.decision ? said(known(VERDICT_NAMES, one.decision) ?? named(one.decision)) : action(one.action)), one.decision && el("span", { class: "muted" }, " decided"), one.stage === "settled" && el("span", { class: "muted" }, " controls decided"), hasFailed(one) && el("span", { class: "outcome" }, plain(one.outcome))),
    el("td", { class: "d" }, one.details.map(([name, value, id]) => el("span", { class: "tag" }, `${plain(name)} `, ref(name, value, id))), controls(one)),
    el("td", { class: "src" }, said(one.product), one.at && el("code", { class: "at" }, said(one.at))),
  );
}

/** A table that loads its next part on demand. `answer` is the first one. */
export function recordsTable(title, url, answer, heads = HEADS, make = row) {
  const body = el("tbody", {}, list(answer.records).map((one) => make(read(one), one)));
  const count = el("small", {});
  const button = el("button", { onclick: more });
  const foot = el("div", { class: "more-row" }, button);
  let { next } = answer;
  const tell = () => {
    put(count, ` ${body.children.length} of ${whole(answer.total).toLocaleString("en-GB")}`);
    put(button, "Show more");
    foot.hidden = !next;
  };
  async function more() {
    button.disabled = true;
    try {
      const part = await load(`${url}${url.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(next)}`);
      next = part.next;
      body.append(...list(part.records).map((one) => make(read(one), one)));
      tell();
    } catch (error) {
      if (!(error instanceof Unknown)) note(error.message, { bad: true });
    } finally {
      button.disabled = false;
    }
  }
  tell();
  if (!body.children.length) return el("section", { class: "card" }, el("h2", {}, title), el("p", { class: "none" }, "No record is held."));
  return el("section", { class: "card" }, el("h2", {}, title, count), el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)))), body)), foot);
}

/** Cases in short, as an answer of the server lists them. */
export function caseList(cases, title = "Cases") {
  const rows = list(cases).map((value) => {
    const one = object(value);
    const severity = SEVERITIES[Math.min(5, Math.max(1, Math.trunc(whole(one.severity_id)) || 1))];
    return el("li", { class: `s-${severity}${one.is_open ? "" : " done"}` }, el("span", { class: "score" }, whole(one.score)), el("a", { href: among(text(one.id), new URLSearchParams()) }, said([text(object(one.subject).name), text(one.title) || text(one.id)].filter(Boolean).join(": "))), el("span", { class: "muted" }, said(list(one.patterns).map(text).join(" "))), el("span", { class: "end" }, one.is_open ? "" : "closed · ", `${day(whole(one.time))} ${minute(whole(one.time))}`));
  });
  return el("section", { class: "card" }, el("h2", {}, title, rows.length > 0 && el("small", {}, ` ${rows.length}`)), rows.length ? el("ul", { class: "mini" }, rows) : el("p", { class: "none" }, "None among the newest."));
}

/** A number with what it counts; `bad` where it should be none. */
export function tile(value, name, bad = false) {
  const none = !whole(value);
  return el("div", { class: `tile${bad && !none ? " bad" : ""}${none ? " zero" : ""}` }, el("b", {}, Number.isFinite(value) ? value.toLocaleString("en-GB") : "–"), el("span", {}, name));
}

/** Since when records are held: what is older is not counted. */
export const since = (ms) => (Number.isFinite(ms) ? el("p", { class: "muted" }, `Of the records held since ${day(ms)} ${minute(ms)}.`) : null);
