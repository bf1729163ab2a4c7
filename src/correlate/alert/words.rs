//! The words of an alert: what happened in one plain sentence, and what to do now.

use crate::collect::entity::EntityKind;
use crate::collect::event::{Action, Channel, Tier};
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::correlate::alert::item::{Item, State};
use crate::correlate::alert::{Given, cited, recovery_of, seen_of};
use crate::correlate::case::Closing;
use crate::correlate::fact::{Fact, RecoveryClass};
use crate::correlate::finding::Finding;
use crate::correlate::score::{Family, Severity};

/// Characters of the sentence: with severity and score before it, it fits a lock screen.
pub const MESSAGE_CHARS_MAX: usize = 106;

/// The sentence of a revision.
pub(super) fn message(given: &Given<'_>, name: Option<&str>) -> String {
    let who = name.map_or_else(|| unnamed(given), str::to_owned);
    let case = &given.revision.case;
    let ending = match case.closed {
        None => None,
        Some(Closing::Retracted) => Some(cleared(given)),
        Some(Closing::QuietPeriod) => Some("closed, nothing new for a day".to_owned()),
        Some(Closing::MaxAge) => Some("closed after a week".to_owned()),
        Some(Closing::Disposition) => Some("closed by an analyst".to_owned()),
        Some(Closing::Linked) => Some("closed, the directory now names the person".to_owned()),
    };
    let clauses = ending.map_or_else(|| clauses(given), |ending| vec![ending]);
    let mut sentence = format!("{who}: ");
    let mut first = true;
    for clause in clauses {
        let more = if first { clause } else { format!(", {clause}") };
        if !first && sentence.chars().count() + more.chars().count() > MESSAGE_CHARS_MAX {
            break;
        }
        sentence.push_str(&more);
        first = false;
    }
    sentence.chars().take(MESSAGE_CHARS_MAX).collect()
}

fn unnamed(given: &Given<'_>) -> String {
    let what = match given.entity.kind {
        EntityKind::Identity => "account",
        EntityKind::Contact => "call",
        EntityKind::Ticket => "ticket",
        EntityKind::Agent => "agent",
        EntityKind::Caller => "caller",
        EntityKind::Device => "device",
        EntityKind::Address => "address",
    };
    let id: String = given.entity.id.chars().take(24).collect();
    format!("{what} {id}")
}

/// What took the last finding back.
fn cleared(given: &Given<'_>) -> String {
    let by = given.revision.case.struck.last().and_then(|s| s.by);
    let fact = by.and_then(|id| seen_of(given.view, id)).map(|s| s.fact);
    match fact {
        Some(fact) => format!("cleared by {}", control_words(fact.action)),
        None => "cleared, what was missing has been seen".to_owned(),
    }
}

fn control_words(action: Action) -> &'static str {
    let name = action.as_str();
    match name.split_once('.').map_or(name, |(group, _)| group) {
        "ticket" => "a ticket",
        "verify" => "a verification",
        "callback" => "a call-back",
        "approval" | "review" => "a second person",
        "contact" => "a call record",
        _ => "later evidence",
    }
}

/// What was done, in order of event time; then what was missing, worst first.
fn clauses(given: &Given<'_>) -> Vec<String> {
    let mut best: Vec<&Finding> = given.revision.case.findings.iter().collect();
    best.retain(|f| f.suppressed.is_none());
    best.sort_by_key(|f| (std::cmp::Reverse(f.value_cp), f.time, f.id));
    let mut patterns: Vec<&str> = Vec::new();
    best.retain(|f| {
        let new = !patterns.contains(&f.pattern.as_str());
        if new {
            patterns.push(&f.pattern);
        }
        new
    });
    let (missing, mut acts): (Vec<&Finding>, Vec<&Finding>) =
        best.iter().partition(|f| without(f).is_some());
    acts.sort_by_key(|f| (f.time, f.id));
    let after = acts.len() > 1;
    let mut clauses: Vec<String> = acts.iter().map(|f| act(given, f, after)).collect();
    if clauses.is_empty() {
        let facts = cited(given, best.iter().copied());
        let done = recovery_of(&facts).map(|fact| format!("{} by the desk", row_title(fact)));
        clauses.extend(done);
    }
    clauses.extend(missing.into_iter().filter_map(without).map(str::to_owned));
    if clauses.is_empty() {
        clauses.push("expected, under an exemption".to_owned());
    }
    clauses
}

/// The words of a pattern that only says what is missing or how it was asked.
fn without(finding: &Finding) -> Option<&'static str> {
    match finding.rule.as_str() {
        "HDT-01" => Some("no ticket"),
        "HDT-02" => Some("no verification"),
        "HDT-03a" => Some("no call-back"),
        "HDT-03b" => Some("call-back to a number not of record"),
        "HDT-15" => Some("under pressure"),
        _ => None,
    }
}

/// What a finding says was done; shorter where other clauses stand beside it.
fn act(given: &Given<'_>, finding: &Finding, beside: bool) -> String {
    let facts = cited(given, std::iter::once(finding));
    let span = spell(finding.span.1.since(finding.span.0));
    let have = finding.threshold.0;
    match finding.rule.as_str() {
        "HDT-04a" | "HDT-04b" => format!("{} reset in {span}", classes(&facts)),
        "HDT-05" if beside => "new device signed in".to_owned(),
        "HDT-05" => format!("new device signed in {span} after the reset"),
        "HDT-07a" => format!("{have} recovery requests in {span}"),
        "HDT-07b" => format!("{have} recoveries in {span}"),
        "HDT-09a" | "HDT-09b" => format!("asked for {have} people in {span}"),
        "HDT-12a" => "the requester approved their own request".to_owned(),
        "HDT-12b" => "the approver answers to the requester".to_owned(),
        "HDT-12c" => "the approver carried it out".to_owned(),
        "HDT-12d" => "asked for, approved and received by one person".to_owned(),
        other => {
            let rule = given.rules.iter().find(|rule| rule.id == other);
            rule.map_or_else(|| finding.pattern.clone(), |rule| rule.title.to_lowercase())
        }
    }
}

fn classes(facts: &[&Fact]) -> String {
    let mut classes: Vec<RecoveryClass> = facts.iter().filter_map(|f| f.recovery_class()).collect();
    classes.sort_unstable();
    classes.dedup();
    let names: Vec<&str> = classes
        .into_iter()
        .map(|class| match class {
            RecoveryClass::Password => "password",
            RecoveryClass::Factor => "MFA",
            RecoveryClass::Bypass => "bypass code",
            RecoveryClass::Unlock => "lock",
            RecoveryClass::RecoveryData => "recovery contact",
            RecoveryClass::Session => "session protection",
        })
        .collect();
    match names.split_last() {
        None => "account".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A span for people: `45 s`, `8 min`, `5 h`, `3 d`.
#[must_use]
pub fn spell(ms: i64) -> String {
    match ms {
        ..120_000 => format!("{} s", ms / SECOND_MS),
        120_000..7_200_000 => format!("{} min", ms / MINUTE_MS),
        7_200_000..172_800_000 => format!("{} h", ms / HOUR_MS),
        _ => format!("{} d", ms / DAY_MS),
    }
}

/// An event in words, for its row of the timeline.
pub(super) fn row_title(fact: &Fact) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is told by the name of the action"
    )]
    let words = match fact.action {
        Action::CredentialPasswordReset => "password reset",
        Action::MfaResetAll => "all factors reset",
        Action::MfaRemoved => "factor removed",
        Action::MfaEnrolled => "factor enrolled",
        Action::DeviceRegistered => "device registered",
        Action::AccountRecoveryChanged => "recovery contact changed",
        Action::AccountUnlocked => "account unlocked",
        Action::AccountEnabled => "account enabled",
        Action::CredentialTempIssued => "temporary credential issued",
        Action::MfaBypassGranted => "bypass granted",
        Action::AuthLogin => "sign-in",
        Action::AuthAppAccess => "application opened",
        Action::SessionRevoked => "sessions revoked",
        Action::ContactStarted if fact.channel == Some(Channel::Voice) => "call",
        Action::ContactStarted => "contact",
        Action::ContactUtterance => "said on the call",
        Action::TicketOpened => "ticket opened",
        Action::VerifyResult => "identity verification",
        Action::CallbackCompleted => "call-back",
        Action::ApprovalGranted => "approval",
        Action::ReviewCompleted => "review",
        other => return other.as_str().replace(['.', '_'], " "),
    };
    words.to_owned()
}

/// The title of a case.
pub(super) fn title(kind: EntityKind, tier: Tier) -> String {
    let whom = match tier {
        Tier::Standard => "an account",
        Tier::Contractor => "a contractor",
        Tier::Executive => "an executive",
        Tier::Privileged => "an administrator",
        Tier::BreakGlass => "an emergency account",
        Tier::Machine => "a machine account",
    };
    match kind {
        EntityKind::Identity => format!("Help-desk takeover of {whom}"),
        EntityKind::Ticket => format!("Irregular recovery ticket for {whom}"),
        EntityKind::Contact => "Irregular call".to_owned(),
        EntityKind::Agent => "Agent out of the ordinary".to_owned(),
        EntityKind::Caller => "One caller, several people".to_owned(),
        EntityKind::Device => "One device, several people".to_owned(),
        EntityKind::Address => "One address, several people".to_owned(),
    }
}

/// The patterns of the listed findings, each once.
pub(super) fn description(items: &[Item]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        let state = match item.state {
            State::Active => "",
            State::Suppressed => " (expected)",
            State::Retracted => " (retracted)",
        };
        let line = format!("{} {}{state}", item.finding.rule, item.title);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("; ")
}

/// What to do now, by the lead pattern.
pub(super) fn advice(given: &Given<'_>, lead: Option<&str>) -> &'static str {
    match given.revision.case.closed {
        Some(Closing::Retracted) => {
            return "Nothing more to do: later evidence shows what was missing.";
        }
        Some(Closing::Disposition) => return "Closed by an analyst; the comment says why.",
        Some(Closing::Linked) => return "Go on with the alerts of the person named here.",
        Some(Closing::QuietPeriod | Closing::MaxAge) | None => {}
    }
    match lead {
        Some("HDT-01") => {
            "Ask the agent who requested this recovery and why there is no ticket. If nobody can \
             say, reset the account again, end its sessions and call the person on a number of \
             record."
        }
        Some("HDT-03") => {
            "Call the person, or their manager, on a number of record that is older than a week. \
             Until they confirm the recovery, suspend the account and end its sessions."
        }
        Some("HDT-04") => {
            "Suspend the account and end its sessions now. Call the person on a number of record; \
             restore factors and recovery contacts only in person or by video."
        }
        Some("HDT-05") => {
            "End the sessions of the new device and remove it. Suspend the account until the person \
             has been reached on a number of record, and look at what the session did."
        }
        Some("HDT-07") => {
            "Stop further recoveries of this account. Call the person on a number of record and ask \
             whether the requests are theirs."
        }
        Some("HDT-09") => {
            "Tell the desk not to act on this caller. Review each account it asked for: undo \
             recoveries that the person does not confirm on a number of record."
        }
        Some("HDT-12") => {
            "Have somebody independent review the request, and the recoveries done under it. Undo \
             those that cannot be justified."
        }
        Some("HDT-15") => {
            "Listen to the call, and have the desk verify the person again, by call-back to a \
             number of record."
        }
        _ => {
            "Call the person on a number of record. Until they confirm what was done, suspend the \
             account and end its sessions."
        }
    }
}

/// Why it pages, or does not.
pub(super) fn page_reason(given: &Given<'_>) -> &'static str {
    let judgement = &given.revision.judgement;
    let families = judgement.total.weighty().count();
    if judgement.verdict.page {
        return if families >= 2 {
            "two families"
        } else {
            "sequence on an executive or higher tier"
        };
    }
    let sequence = judgement.total.weighty().any(|f| f == Family::Sequence);
    match (given.entity.kind, judgement.rule_of_two) {
        (EntityKind::Identity, true) if judgement.only_weak => "the person is not known for sure",
        (EntityKind::Identity, true) => "below high",
        (EntityKind::Identity, false) if judgement.verdict.severity < Severity::High => {
            "below high"
        }
        (EntityKind::Identity, false) if sequence => "one family, on a tier below executive",
        (EntityKind::Identity, false) => "one family",
        _ => "only people page",
    }
}
