// What the server answers for the views of a person, an agent, a thing, patterns, audit and search:
// the same forms, with people of example.com.

const MIDNIGHT = 1_793_491_200_000;
const at = (minutes) => MIDNIGHT + minutes * 60_000;
const hex = (n, length) => n.toString(16).padStart(length, "0");

const PEOPLE = {
  nora: { uid: "id-7f3a", name: "n…@example.com", tier: "executive" },
  tom: { uid: "id-c4410", name: "t…@partner.example", tier: "contractor" },
  ben: { uid: "id-a12", name: "b…@example.com", tier: "standard" },
  lea: { uid: "id-5510", name: "l…@example.com", tier: "standard" },
};
const CONTROLS = { ticket: { state: "missing" }, verify: { state: "no_evidence_source" }, callback: { state: "missing" }, approval: { state: "not_due" } };

let number = 0;
function record(minutes, action, more = {}) {
  number += 1;
  const system = /^(contact|callback|verify)/.test(action) ? "amazon_connect" : /^(ticket|approval|review)/.test(action) ? "servicenow" : "okta";
  const source = { system, topic: `${system}.events`, partition: 3, offset: 88_000 + number };
  return {
    partition: 2,
    offset: 400 + number,
    record: { id: hex(number, 64), stage: "recorded", version: 1, event: hex(number, 32), time: at(minutes), action, outcome: "success", entity: "identity|id-7f3a", target: PEOPLE.nora, agent: PEOPLE.ben, agent_kind: "desk", by_admin: true, source, number, prev: hex(number - 1, 64), hash: hex(number * 7_919, 64), ...more },
  };
}

const RECORDS = [
  record(481, "contact.started", { call: "c-5512", channel: "voice", agent: undefined, by_admin: false }),
  record(485, "credential.password_reset", { class: "password", channel: "admin_console" }),
  record(486, "mfa.reset_all", { class: "factor" }),
  record(487, "account.recovery_changed", { class: "recovery_data" }),
  record(491, "mfa.enrolled", { agent: PEOPLE.nora, agent_kind: "end_user", by_admin: false }),
  record(515, "credential.password_reset", { class: "password", stage: "settled", event: hex(2, 32), controls: CONTROLS }),
  record(530, "callback.attempted", { outcome: "failure", call: "c-5519", connected_s: 0 }),
  record(560, "verify.result", { verification: { method: "video", strength: 4 } }),
  record(600, "ticket.override", { ticket: "INC0041187", reason: { code: "urgent", quality: "short" } }),
].reverse();

const CASES = [
  { id: "2706c619fe73f0cf112473c6ee02e66c", title: "n…@example.com: new device signed in 8 min after password, MFA and recovery contact reset, no ticket, no call-back", severity_id: 5, score: 99, is_open: true, time: at(515), patterns: ["HDT-05", "HDT-04", "HDT-01"] },
  { id: "283bb9deef02e6843abfb538efa1eca7", title: "l…@example.com: cleared by a ticket", severity_id: 2, score: 31, is_open: false, time: at(300), patterns: ["HDT-01"] },
];
const tail = { records: RECORDS, total: RECORDS.length, next: null };
const since = at(-40_000);

export const answers = {
  "/api/v1/identities/": { identity: PEOPLE.nora, since, counts: { recoveries: 3, by_admin: 3, tickets: 1, contacts: 1, verifications: 1 }, agents: [{ ...PEOPLE.ben, recoveries: 3, last: at(487) }, { ...PEOPLE.lea, recoveries: 1, last: at(-4_000) }], cases: CASES, ...tail },
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
      { kind: "alert", id: CASES[0].id, name: CASES[0].title, detail: "critical, open" },
      { kind: "identity", id: "id-7f3a", name: "n…@example.com", detail: "executive" },
      { kind: "agent", id: "id-a12", name: "b…@example.com", detail: "41 recoveries" },
      { kind: "ticket", id: "INC0041187", name: "INC0041187", detail: "" },
      { kind: "caller", id: "caller-91bc", name: "+44•••0177", detail: "3 people" },
    ],
  },
  "/api/v1/patterns": {
    since,
    patterns: [
      { pattern: "HDT-01", branch: "", name: "Ghost reset (no ticket)", family: "governance", version: 1, state: "active", findings: 214, cases: 190, open: 31, last: at(515), verdicts: { true_positive: 4, false_positive: 19, benign: 30 } },
      { pattern: "HDT-04", branch: "a", name: "Full strip, three classes", family: "sequence", version: 1, state: "active", findings: 12, cases: 12, open: 3, last: at(487), verdicts: { true_positive: 7, false_positive: 0, benign: 1 } },
      { pattern: "HDT-09", branch: "", name: "One caller, many people", family: "velocity", version: 2, state: "shadow", findings: 0, cases: 0, open: 0, last: null, verdicts: { true_positive: 0, false_positive: 0, benign: 0 } },
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
  "/api/v1/audit": { ...tail, total: 1_204, next: "c2", since },
};

/** Answers in place of the server; `change` may alter what is answered. */
export async function answer(context, change = (body) => body) {
  for (const [path, body] of Object.entries(answers)) {
    await context.route((url) => url.pathname.startsWith(path), (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify(change(structuredClone(body))) }));
  }
}
