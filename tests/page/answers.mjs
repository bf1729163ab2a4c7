// What the server answers for the views of a person, an agent, a thing, patterns, audit and search:
// the same forms, with people of example.com.

import { readFileSync } from "node:fs";

const MIDNIGHT = 1_793_491_200_000;
const at = (minutes) => MIDNIGHT + minutes * 60_000;
const hex = (n, length) => n.toString(16).padStart(length, "0");

const PEOPLE = {
  nora: { uid: "id-7f3a", name: "n…@example.com", tier: "executive" },
  tom: { uid: "id-c4410", name: "t…@partner.example", tier: "contractor" },
  ben: { uid: "id-a12", name: "b…@example.com", tier: "standard" },
  lea: { uid: "id-5510", name: "l…@example.com", tier: "standard" },
};
/** The records that the test servers hold, newest first. */
const RECORDS = JSON.parse(readFileSync(new URL("audit.json", import.meta.url), "utf8"))
  .map((record, n) => ({ partition: 0, offset: n, record }))
  .reverse();

const CASES = [
  { id: "2706c619fe73f0cf112473c6ee02e66c", title: "new device signed in 8 min after password, MFA and recovery contact reset, no ticket, no call-back", severity_id: 5, subject: { kind: "identity", ...PEOPLE.nora }, score: 99, is_open: true, time: at(515), patterns: ["HDT-05", "HDT-04", "HDT-01"] },
  { id: "283bb9deef02e6843abfb538efa1eca7", title: "cleared by a ticket", severity_id: 2, subject: { kind: "identity", ...PEOPLE.lea }, score: 31, is_open: false, time: at(300), patterns: ["HDT-01"] },
];
const tail = { records: RECORDS, total: RECORDS.length, next: null };
const since = at(-40_000);

const named = (kind, shown, name_use, strength, from = null, to = null) => ({ kind, shown, name_use, strength, from, to });
const DIRECTORY = {
  read_at: at(-60), tier: "executive", lifecycle: "active", manager: "id-5510", delegates: [], desk: false,
  accounts: [
    { account: "hris:7f3a", joined_by: "root", tier: "executive", lifecycle: "active", created: null, deleted: null, names: [named("employee_id", "7f3a", "employee_id", "S2"), named("email", "n…@example.com", "primary_mail", "S2", at(-900_000)), named("phone", "+1•••0100", "mobile", "S1", at(-900_000), at(-20_000)), named("phone", "+1•••0177", "mobile", "S1", at(-20_000))] },
    { account: "okta:00u7f3a", joined_by: "employee_id", tier: "executive", lifecycle: "active", created: at(-900_000), deleted: null, names: [named("okta_id", "00u7f3a", "id", "S3"), named("login", "n…@example.com", "login", "S2")] },
    { account: "servicenow:5137153cc611227c000bbd1bd8cd2005", joined_by: "mail", tier: "standard", lifecycle: "active", created: null, deleted: null, names: [named("snow_sys_id", "5137153cc611227c000bbd1bd8cd2005", "id", "S3")] },
  ],
};

export const answers = {
  "/api/v1/identities/": { identity: PEOPLE.nora, directory: DIRECTORY, since, counts: { recoveries: 3, by_admin: 3, tickets: 1, contacts: 1, verifications: 1 }, agents: [{ ...PEOPLE.ben, recoveries: 3, last: at(487) }, { ...PEOPLE.lea, recoveries: 1, last: at(-4_000) }], cases: CASES, ...tail },
  "/api/v1/agents/": {
    agent: PEOPLE.ben,
    since,
    counts: { recoveries: 41, identities: 33, overrides: 2, overrides_without_reason: 1, self_approved: 0, settled: 38, ticket_missing: 9, verify_missing: 0, callback_missing: 12, approval_missing: 1 },
    days: Array.from({ length: 30 }, (_, n) => ({ day: at((n - 29) * 1_440), recoveries: [0, 2, 1, 0, 3, 0, 0, 1, 4, 7][n % 10] })),
    peers: { agents: 12, recoveries_median: 8, recoveries_p95: 35, rank: 1 },
    identities: [{ ...PEOPLE.nora, recoveries: 3, last: at(487) }, { ...PEOPLE.tom, recoveries: 2, last: at(420) }],
    cases: CASES,
    ...tail,
  },
  "/api/v1/pivots/": { kind: "caller", id: "caller-91bc", identities: [{ ...PEOPLE.nora, cases: [CASES[0].id] }, { ...PEOPLE.tom, cases: [] }, { ...PEOPLE.lea, cases: [CASES[1].id] }], cases: CASES, ...tail },
  "/api/v1/search": {
    results: [
      { kind: "alert", id: CASES[0].id, name: "n…@example.com", detail: CASES[0].title },
      { kind: "identity", id: "id-7f3a", name: "n…@example.com", detail: "" },
      { kind: "agent", id: "id-a12", name: "b…@example.com", detail: "" },
      { kind: "ticket", id: "INC0041187", name: "INC0041187", detail: "" },
      { kind: "caller", id: "caller-91bc", name: "+44•••0177", detail: "" },
    ],
  },
  "/api/v1/patterns": {
    patterns: [
      { id: "HDT-01", pattern: "HDT-01", title: "Ghost reset (no ticket)", description: "A recovery that no ticket asked for.", false_positives: ["The ticket is written after the call."], version: 1, status: "enabled", family: "governance", attacks: ["T1656"], points: 45, min_tier: "standard", waits_for: "ticket", cases: 190, open: 31, last: at(515), verdicts: { true_positive: 4, false_positive: 19, benign: 30, other: 2 } },
      { id: "HDT-04a", pattern: "HDT-04", title: "Full strip, three classes", description: "Password, factors and recovery data within minutes.", false_positives: [], version: 1, status: "enabled", family: "sequence", attacks: ["T1556.006"], points: 70, min_tier: "standard", waits_for: null, cases: 12, open: 3, last: at(487), verdicts: { true_positive: 7, false_positive: 0, benign: 1, other: 0 } },
      { id: "HDT-09", pattern: "HDT-09", title: "One caller, many people", description: "One number asks for several people.", false_positives: [], version: 2, status: "shadow", family: "velocity", attacks: [], points: 70, min_tier: "standard", waits_for: null, cases: 0, open: 0, last: null, verdicts: { true_positive: 0, false_positive: 0, benign: 0, other: 0 } },
    ],
  },
  "/api/v1/silences": {
    total: 1,
    silences: [{ kind: "silence", id: `silence/${hex(1, 32)}`, holds: true, scope: { entities: ["identity|id-c4410"], patterns: ["HDT-01", "HDT-03"] }, reason: "moves to a new team, agreed with the desk", owner: "anna", valid_from: Date.now() - 3_600_000, valid_to: Date.now() + 25_200_000 }],
  },
  "/api/v1/exemptions": {
    total: 2,
    exemptions: [
      { kind: "travel", id: `exemption/${hex(2, 32)}`, holds: true, scope: { person: "id-7f3a", countries: ["JP", "KR"] }, reason: "a fair", owner: "anna", valid_from: Date.now() - 86_400_000, valid_to: Date.now() + 6 * 86_400_000 },
      { kind: "policy", id: `exemption/${hex(3, 32)}`, holds: false, scope: { ticket_types: ["password self-service"], persons: [] }, reason: "approved by the owner of the process", owner: "ada", valid_from: Date.now() + 86_400_000, valid_to: Date.now() + 60 * 86_400_000 },
    ],
  },
  "/api/v1/sources": {
    asked_at: at(600),
    sources: [
      { name: "okta", product: "okta", topic: "okta.system-log", domains: ["idp"], evidence: [], partitions: 6, lag: 12, counted: { consumed: 81_240, rejected: { no_id: 3 }, ignored: { unread: 64_002 }, clamped: 0, event_time_lag_s: 2.4, is_degraded: false } },
      { name: "desk", product: "servicenow", topic: "servicenow.tables", domains: ["ticket"], evidence: ["ticket", "approval"], partitions: 3, lag: 0, counted: { consumed: 1_204, rejected: { not_json: 911, no_time: 4 }, ignored: {}, clamped: 2, event_time_lag_s: 61, is_degraded: true } },
      { name: "calls", product: "amazon_connect", topic: "amazon-connect.contacts", domains: ["contact"], evidence: ["callback"], partitions: 0, lag: null, counted: null },
    ],
  },
  "/api/v1/dead-letters": {
    letters: [
      { time: at(590), reason: "schema", stage: "collect", error: "no `sys_class_name` and no known columns: not a ServiceNow row", topic: "servicenow.tables", partition: 1, offset: 4_411, length: 902, sha256: hex(1, 64) },
      { time: at(580), reason: "decode", stage: "collect", error: "EOF while parsing a value at column 9", topic: "servicenow.tables", partition: 0, offset: 4_402, length: 8, sha256: hex(2, 64) },
    ],
    total: 915,
    unreadable: 0,
  },
  "/api/v1/pipeline": {
    asked_at: at(600),
    groups: [
      { stage: "collect", group: "deskwarden.collect", members: [["desk-0", "/10.0.0.4"], ["desk-1", "/10.0.0.5"]], lag: 12, fault: null, partitions: [{ topic: "okta.system-log", partition: 0, position: 88_120, end: 88_132, lag: 12, member: "desk-0" }, { topic: "okta.system-log", partition: 1, position: 70_001, end: 70_001, lag: 0, member: "desk-1" }] },
      { stage: "correlate", group: "deskwarden.correlate", members: [], lag: 4, fault: null, partitions: [{ topic: "deskwarden.events.v1", partition: 0, position: null, end: 4, lag: 4, member: null }] },
      { stage: "sink on-call", group: "deskwarden.sink.on-call", members: [], lag: 0, fault: "the group may not be described: give it DESCRIBE", partitions: [] },
    ],
  },
  "/api/v1/config": {
    settings: [
      { setting: "http.listen", value: "127.0.0.1:8040", origin: "default" },
      { setting: "kafka.brokers", value: "[kafka:9092]", origin: "deskwarden.yaml:4" },
      { setting: "key", value: "***", origin: "environment DESKWARDEN__KEY" },
    ],
  },
  "/api/v1/audit": { ...tail, total: 1_204, next: "c2", since },
};

/** Answers in place of the server; `change` may alter what is answered. */
export async function answer(context, change = (body) => body) {
  for (const [path, body] of Object.entries(answers)) {
    await context.route((url) => url.pathname.startsWith(path), (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify(change(structuredClone(body))) }));
  }
}
