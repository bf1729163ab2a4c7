// Reads an alert (OCSF Detection Finding) into what the page shows. Anything may be missing or of
// another type than expected; nothing here throws.

import { FAMILIES, lane, LANES } from "./words.js";

const text = (value) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const number = (value) => (Number.isFinite(value) ? value : 0);
const list = (value) => (Array.isArray(value) ? value : []);
const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

/** Value of a finding or a family at most, in hundredths of a point. */
const VALUE_MAX = 9_500;
const FURTHER_PATTERN = 1_000;
const COUNTED_MIN = 100;
/** By OCSF `verdict_id`. */
const VERDICTS = { 1: "false_positive", 2: "true_positive", 3: "disregard", 5: "benign", 6: "test", 7: "insufficient_data", 10: "duplicate" };

function names(value) {
  return list(value).map((one) => text(one) || text(object(one).name) || text(object(one).control)).filter(Boolean);
}

function person(user) {
  const one = object(user);
  return text(one.name) || text(one.email_addr) || text(one.uid) || text(user);
}

/** The tags of an event, by name; several values are one text. */
function tagsOf(value) {
  const found = new Map();
  for (const one of list(value).map(object)) {
    const values = list(one.values).map(text).filter(Boolean);
    found.set(text(one.name), values.length ? values.join(", ") : text(one.value));
  }
  return found;
}

function event(value) {
  const one = object(value);
  const tags = tagsOf(one.tags);
  const action = text(one.type);
  const named = tags.get("lane") ?? "";
  return {
    id: text(one.uid),
    action,
    title: text(one.title),
    time: number(one.created_time),
    until: Number(tags.get("until")) || 0,
    product: text(object(one.product).name),
    at: tags.get("source") ?? "",
    lane: LANES.includes(named) ? named : lane(action),
    outcome: tags.get("outcome") ?? "",
    finding: tags.get("finding") ?? "",
    details: details(tags),
  };
}

const TOLD = new Set(["source", "lane", "outcome", "finding", "until"]);

/** What else is known of an event: what it is, the name that people know, and the id. */
function details(tags) {
  const found = [];
  for (const [name, value] of tags) {
    if (TOLD.has(name) || !value || name.endsWith("_name")) continue;
    found.push([name, tags.get(`${name}_name`) || value, value]);
  }
  return found;
}

function finding(value) {
  const one = object(value);
  const data = object(one.data);
  const pattern = text(data.pattern);
  const roles = Object.entries(object(data.roles)).map(([role, who]) => [role, person(who), text(object(who).uid)]);
  return {
    id: text(one.uid),
    pattern,
    branch: text(data.branch),
    name: text(one.name).replace(/^HDT-\d+[a-z]?\s+/i, "") || pattern,
    family: text(data.family),
    points: number(data.points),
    state: text(data.state) || (number(one.verdict_id) === 3 ? "retracted" : "active"),
    endedBy: text(data.ended_by),
    exemption: text(data.exemption),
    relayedFrom: text(data.relayed_from),
    threshold: object(data.threshold),
    span: number(object(data.window).end_time) - number(object(data.window).start_time),
    missing: names(data.missing_controls),
    anchor: text(data.anchor),
    events: list(data.events).map(text),
    eventCount: number(data.events_count),
    channel: text(data.channel),
    ticket: text(data.ticket),
    reason: text(data.reason_code),
    roles: roles.filter(([, who]) => who),
  };
}

function term(value) {
  const one = object(value);
  return {
    term: text(one.term),
    pattern: text(one.pattern),
    finding: text(one.finding),
    family: text(one.family),
    kind: text(one.kind),
    points: number(one.points),
    multiplier: number(one.tier_x100),
    value: number(one.value),
    event: text(one.event),
    at: text(one.at),
    exemption: text(one.exemption),
  };
}

function control(value) {
  const one = object(value);
  return { name: text(one.control), state: text(one.state), detail: text(one.detail), event: text(one.event) };
}

/** The sentence of an alert without the name before it, which stands beside it. */
function sentence(message, names) {
  const name = names.find((one) => one && message.startsWith(`${one}: `));
  const bare = name ? message.slice(name.length + 2) : message;
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}

/** What every part of the page needs of an alert. */
export function read(doc) {
  const top = object(doc);
  const meta = object(top.metadata);
  const info = object(top.finding_info);
  const extra = object(top.unmapped);
  const who = object(list(top.resources)[0]);
  const findings = list(top.evidences).map(finding);
  const events = list(info.related_events).map(event).sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  const severity = Math.min(5, Math.max(1, Math.trunc(number(top.severity_id)) || 1));
  return {
    id: text(info.uid),
    revision: number(meta.sequence),
    isOpen: number(top.activity_id) !== 3 && number(top.status_id) !== 4,
    isSuppressed: number(top.status_id) === 3,
    assignee: text(object(top.assignee).name),
    closedBy: text(top.status_detail),
    verdict: VERDICTS[number(top.verdict_id)] ?? "",
    comment: text(top.comment),
    severity,
    score: Math.min(100, Math.max(0, number(top.risk_score))),
    time: number(top.time),
    first: number(info.first_seen_time) || number(top.start_time) || number(top.time),
    last: number(info.last_seen_time) || number(top.end_time) || number(top.time),
    title: text(info.title),
    message: sentence(text(top.message) || text(info.title), [text(who.name), `${text(who.type)} ${text(who.uid)}`, text(who.uid)]),
    who: { name: text(who.name) || text(who.uid), id: text(who.uid), kind: text(who.type), tier: text(who.criticality) },
    confidence: number(top.confidence_score),
    page: extra.page === true,
    pageReason: text(extra.page_reason),
    ruleOfTwo: extra.rule_of_two === true,
    before: object(extra.before),
    previous: text(extra.previous_case),
    linked: text(extra.linked_identity),
    campaign: text(meta.correlation_uid),
    labels: list(meta.labels).map(text),
    missing: names(extra.missing_controls),
    controls: list(extra.controls).map(control),
    advice: text(object(top.remediation).desc),
    tickets: list(top.tickets).map((t) => ({ id: text(object(t).uid), url: text(object(t).src_url) })),
    sources: list(info.data_sources).map(text),
    findings,
    events,
    eventCount: number(info.related_events_count) || events.length,
    isTruncated: extra.evidence_truncated === true,
    explain: list(extra.explain).map(term),
  };
}

/** Ties and events kept of a case in the list. */
const BRIEF_MAX = 32;
/** People and things of a case by which it is grouped, and tied to others. */
const TIES = new Set(["agent", "caller", "device", "address", "call", "ticket"]);

function ties(one) {
  const found = new Map();
  for (const event of one.events) {
    for (const [kind, name, id] of event.details) if (TIES.has(kind)) found.set(`${kind}|${id}`, { kind, name, id });
  }
  for (const f of one.findings) {
    for (const [role, name, id] of f.roles) if (role === "agent" && id) found.set(`agent|${id}`, { kind: role, name, id });
  }
  // The person is no agent of the own case: devices are enrolled by their owners.
  found.delete(`agent|${one.who.id}`);
  return [...found.values()].slice(0, BRIEF_MAX);
}

/** What the list needs of a case: thousands of them are kept. */
export function brief(one) {
  const { id, revision, isOpen, isSuppressed, closedBy, verdict, severity, score, time, first, last, who, page, pageReason, eventCount } = one;
  // The last revision says only that it is closed.
  const message = isOpen ? one.message : one.title || one.message;
  const active = patterns(one).map(({ pattern, branch, name, family }) => ({ pattern, branch, name, family }));
  return { id, revision, isOpen, isSuppressed, closedBy, verdict, severity, score, time, first, last, message, who, page, pageReason, eventCount, patterns: active, ties: ties(one), events: one.events.slice(0, BRIEF_MAX).map((event) => event.id) };
}

/** The active patterns of a case with their families, each once. */
export function patterns(one) {
  const found = new Map();
  for (const f of one.findings) if (f.state === "active" && !found.has(f.pattern)) found.set(f.pattern, f);
  return [...found.values()].sort((a, b) => b.points - a.points);
}

/**
 * The score, term by term: families in the order of the arithmetic, each with the findings that
 * decide it. All in hundredths of a point; the parts of the families add up to the total. Computed
 * from the terms of the findings alone, so that it can be compared with what the alert says.
 */
export function waterfall(one) {
  const rows = deciding(one);
  let rest = 10_000;
  const families = [];
  for (const family of FAMILIES) {
    const own = rows.filter((row) => row.family === family);
    if (!own.length) continue;
    const worth = own.filter((row) => row.value >= COUNTED_MIN);
    const distinct = new Set(worth.map((row) => row.pattern)).size;
    const largest = Math.max(0, ...worth.map((row) => row.value));
    const further = distinct > 1 ? FURTHER_PATTERN * (distinct - 1) : 0;
    const value = distinct ? Math.min(VALUE_MAX, largest + further) : 0;
    const after = Math.floor((rest * (10_000 - value) + 5_000) / 10_000);
    families.push({ family, rows: own, largest, further, distinct, value, before: rest, part: rest - after });
    rest = after;
  }
  const total = 10_000 - rest;
  return { families, total, score: Math.floor((total + 50) / 100) };
}

/** The findings that the explanation lists, each with its terms, which add up to its value. */
function deciding(one) {
  const byFinding = new Map();
  for (const t of one.explain) {
    const key = t.finding || t.pattern;
    if (!key) continue;
    const row = byFinding.get(key) ?? { pattern: t.pattern, family: t.family, terms: [], value: 0 };
    row.terms.push(t);
    row.value += t.value;
    row.finding = one.findings.find((f) => f.id === t.finding);
    byFinding.set(key, row);
  }
  return [...byFinding.values()];
}
