// What ids of the closed vocabularies are called for people.

export const SEVERITIES = ["", "informational", "low", "medium", "high", "critical"];

export const TIERS = ["standard", "contractor", "executive", "privileged", "break_glass", "machine"];

export const FAMILIES = ["governance", "sequence", "velocity", "impersonation"];

export const FAMILY_MEANING = {
  governance: "a control was missing or broken",
  sequence: "the order of events is that of a takeover",
  velocity: "too often, or one thing touching many",
  impersonation: "the caller or the contact itself",
};

export const LANES = ["ticket", "call", "recovery", "device", "session"];

export const LANE_NAMES = {
  ticket: "Ticket",
  call: "Call",
  recovery: "Recovery",
  device: "Device",
  session: "Session",
};

const ACTIONS = {
  "access.app_consent": "App consent given",
  "access.group_added": "Added to a group",
  "access.group_removed": "Taken from a group",
  "access.policy_changed": "Policy changed",
  "access.role_granted": "Role granted",
  "access.role_revoked": "Role revoked",
  "account.created": "Account created",
  "account.deleted": "Account deleted",
  "account.disabled": "Account disabled",
  "account.enabled": "Account enabled",
  "account.locked": "Account locked",
  "account.profile_changed": "Profile changed",
  "account.recovery_changed": "Recovery data changed",
  "account.unlocked": "Account unlocked",
  "approval.bypassed": "Approval bypassed",
  "approval.granted": "Approved",
  "approval.rejected": "Rejected",
  "approval.requested": "Approval asked for",
  "auth.app_access": "App opened",
  "auth.impersonation_start": "Impersonation begun",
  "auth.login": "Signed in",
  "auth.logout": "Signed out",
  "auth.mfa_challenge": "Push sent",
  "auth.mfa_user_denied": "Push denied",
  "auth.mfa_verify": "Factor used",
  "callback.attempted": "Call-back tried",
  "callback.completed": "Called back",
  "callback.requested": "Call-back asked for",
  "contact.agent_connected": "Agent took the call",
  "contact.category": "Call category",
  "contact.ended": "Call ended",
  "contact.queued": "Call queued",
  "contact.started": "Call came in",
  "contact.supervisor_joined": "Supervisor joined",
  "contact.transferred": "Call transferred",
  "contact.utterance": "Said on the call",
  "contact.wrapup": "Call wrapped up",
  "credential.api_token_created": "API token created",
  "credential.password_change": "Password changed",
  "credential.password_reset": "Password reset",
  "credential.reset_requested": "Reset asked for",
  "credential.secret_viewed": "Secret viewed",
  "credential.temp_issued": "Temporary pass issued",
  "credential.temp_used": "Temporary pass used",
  "device.changed": "Device changed",
  "device.registered": "Device registered",
  "device.removed": "Device removed",
  "mail.forwarding_changed": "Mail forwarding set",
  "mail.notice_deleted": "Notice deleted",
  "mail.rule_created": "Mail rule created",
  "mfa.bypass_granted": "MFA bypass granted",
  "mfa.bypass_removed": "MFA bypass ended",
  "mfa.changed": "Factor changed",
  "mfa.enrolled": "Factor enrolled",
  "mfa.removed": "Factor removed",
  "mfa.reset_all": "All factors reset",
  "review.completed": "Reviewed",
  "risk.detected": "Risk seen by the IdP",
  "risk.user_reported": "Person reported it",
  "session.challenge_disabled": "Protection lifted",
  "session.remote_control": "Remote control",
  "session.revoked": "Sessions revoked",
  "ticket.assigned": "Ticket assigned",
  "ticket.closed": "Ticket closed",
  "ticket.commented": "Ticket comment",
  "ticket.escalated": "Ticket escalated",
  "ticket.opened": "Ticket opened",
  "ticket.override": "Control overridden",
  "ticket.reopened": "Ticket reopened",
  "ticket.requester_changed": "Requester changed",
  "ticket.resolved": "Ticket resolved",
  "ticket.updated": "Ticket changed",
  "verify.result": "Identity checked",
  "verify.started": "Check begun",
};

/** What a table says of a key that came with the data; nothing of what every object has. */
export const known = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

/** Whether an action has words of its own here. */
export const isKnown = (id) => Object.hasOwn(ACTIONS, id);

/** What happened, in two or three words. */
export function action(id) {
  const words = known(ACTIONS, id);
  if (words) return words;
  const bare = id.replace(/^[a-z]+\./, "").replaceAll("_", " ");
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}

/** Where on the timeline an action belongs. */
export function lane(id) {
  if (/^(ticket|approval|review)\./.test(id)) return "ticket";
  if (/^(contact|callback|verify)\./.test(id)) return "call";
  if (/^(mfa\.enrolled|device\.)/.test(id)) return "device";
  if (/^(mfa|account|credential\.(?!temp_used)|session\.challenge_disabled)/.test(id)) return "recovery";
  return "session";
}

const CONTROLS = [
  [/call-?_?back/i, "call"],
  [/verif|proof|identity check/i, "call"],
  [/approv|review|independent|second person|separation/i, "ticket"],
  [/ticket/i, "ticket"],
];

/** The lane in which a control would stand. */
export function controlLane(text) {
  return CONTROLS.find(([pattern]) => pattern.test(text))?.[1] ?? "ticket";
}

const COUNTERS = {
  verified: "identity verified on the call or in person",
  callback: "called back on the number of record",
  second_person: "a second person approved or reviewed it",
  expected: "declared travel or new device",
};

/** Why a finding is worth less. */
export function counter(kind) {
  return known(COUNTERS, kind) ?? kind.replaceAll("_", " ");
}

/** What can be decided of a case: its word in records, its name, what it means. */
export const VERDICTS = [
  ["true_positive", "True positive", "a takeover, or an attempt at one"],
  ["benign", "Benign", "it happened, and was allowed"],
  ["false_positive", "False positive", "it did not happen so"],
  ["insufficient_data", "Insufficient data", "nobody can tell"],
  ["duplicate", "Duplicate", "another case says it"],
  ["test", "Test", "somebody tried it out"],
  ["disregard", "Disregard", "not to be looked at"],
];
export const VERDICT_NAMES = Object.fromEntries(VERDICTS.map(([id, name]) => [id, name]));

/** An id with underscores, for people. */
export function plain(id) {
  return String(id ?? "").replaceAll("_", " ");
}
