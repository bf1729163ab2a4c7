//! What happened: the events of a case as rows of a timeline, with their lanes.

use crate::collect::event::{Action, EventId, Outcome};
use crate::collect::time::{HOUR_MS, Timestamp};
use crate::correlate::alert::item::{Who, anchors, ticket_of};
use crate::correlate::alert::{Given, seen_of, words};
use crate::correlate::fact::{Coordinates, Fact};
use crate::correlate::finding::Cause;
use crate::correlate::view::{Seen, Stands};
use smol_str::SmolStr;

/// Events an alert lists.
pub const EVENTS_MAX: usize = 100;
/// What happened so long before the first evidence belongs to the story.
const BEFORE_MS: i64 = 2 * HOUR_MS;
/// And so long after the last.
const AFTER_MS: i64 = HOUR_MS;

/// A lane of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Tickets.
    Ticket,
    /// Calls and chats.
    Call,
    /// Verifications, call-backs, approvals, reviews, overrides.
    Control,
    /// What was taken off the account or given back to it.
    Recovery,
    /// Devices and factors.
    Device,
    /// Sign-ins and sessions.
    Session,
    /// Roles, policies, mail rules, reports.
    Other,
}

impl Lane {
    /// The word in alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Call => "call",
            Self::Control => "control",
            Self::Recovery => "recovery",
            Self::Device => "device",
            Self::Session => "session",
            Self::Other => "other",
        }
    }

    fn of(fact: &Fact) -> Self {
        if fact.recovery_class().is_some() {
            return Self::Recovery;
        }
        let name = fact.action.as_str();
        match name.split_once('.').map_or(name, |(group, _)| group) {
            "ticket" if fact.action == Action::TicketOverride => Self::Control,
            "ticket" => Self::Ticket,
            "contact" => Self::Call,
            "verify" | "callback" | "approval" | "review" => Self::Control,
            "credential" if fact.action == Action::CredentialTempUsed => Self::Session,
            "credential" | "account" => Self::Recovery,
            "mfa" | "device" => Self::Device,
            "auth" | "session" => Self::Session,
            _ => Self::Other,
        }
    }
}

/// One row of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Event id.
    pub id: EventId,
    /// Event time.
    pub time: Timestamp,
    /// Last moment of a call.
    pub until: Option<Timestamp>,
    /// What happened.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Its lane.
    pub lane: Lane,
    /// In words.
    pub title: String,
    /// Origin.
    pub source: Coordinates,
    /// A finding stands on it.
    pub anchor: bool,
    /// A finding cites it.
    pub cited: bool,
    /// Recovery class.
    pub class: Option<&'static str>,
    /// Whose account.
    pub target: Option<Who>,
    /// Who performed it.
    pub agent: Option<Who>,
    /// Who asked.
    pub requester: Option<Who>,
    /// Who approved.
    pub approver: Option<Who>,
    /// Who spoke.
    pub caller: Option<Who>,
    /// From where.
    pub address: Option<Who>,
    /// Country.
    pub country: Option<SmolStr>,
    /// Device or factor.
    pub device: Option<SmolStr>,
    /// Ticket, by the number people see.
    pub ticket: Option<SmolStr>,
    /// Call.
    pub call: Option<SmolStr>,
    /// Channel.
    pub channel: Option<&'static str>,
    /// Method and strength of a verification.
    pub proof: Option<(&'static str, u8)>,
    /// Cues of pressure language.
    pub cues: Vec<&'static str>,
}

/// What happened, in order, bounded: anchors first, then what findings cite, then the newest; and
/// the true number.
pub(super) fn happenings(given: &Given<'_>) -> (Vec<Happening>, usize) {
    let case = &given.revision.case;
    let cited = cited_ids(given);
    let (from, to) = (case.first.minus(BEFORE_MS), case.last.plus(AFTER_MS));
    let mut ids: Vec<EventId> = given
        .view
        .seen
        .iter()
        .filter(|seen| {
            let near = seen.fact.time > from && seen.fact.time <= to;
            cited.binary_search(&seen.fact.id).is_ok() || (near && tells(seen))
        })
        .map(|seen| seen.fact.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let count = ids.len();
    let mut rows: Vec<Happening> = ids
        .into_iter()
        .filter_map(|id| seen_of(given.view, id))
        .map(|seen| row(given, seen, &cited))
        .collect();
    rows.sort_by_key(|row| {
        let rank = match (row.anchor, row.cited) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        (rank, std::cmp::Reverse((row.time, row.id)))
    });
    rows.truncate(EVENTS_MAX);
    rows.sort_by_key(|row| (row.time, row.id));
    (rows, count)
}

/// Whether a fact belongs into the timeline though no finding cites it.
fn tells(seen: &Seen<'_>) -> bool {
    seen.stands != Stands::Event || seen.fact.action != Action::Other
}

/// Everything that findings, their counter-evidence and their ends cite, sorted.
fn cited_ids(given: &Given<'_>) -> Vec<EventId> {
    let case = &given.revision.case;
    let struck = case.struck.iter().map(|struck| &struck.finding);
    let mut ids: Vec<EventId> = case.struck.iter().filter_map(|struck| struck.by).collect();
    for finding in case.findings.iter().chain(struck) {
        ids.extend(&finding.evidence);
        ids.extend(
            finding
                .counters
                .iter()
                .filter_map(|(_, cause)| match cause {
                    Cause::Event(id) => Some(*id),
                    Cause::Exemption(_) => None,
                }),
        );
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn row(given: &Given<'_>, seen: &Seen<'_>, cited: &[EventId]) -> Happening {
    let fact = seen.fact;
    let who = |person: &Option<crate::correlate::fact::Person>| person.as_ref().map(Who::of);
    let thing = |uid: &Option<SmolStr>, name: &Option<SmolStr>| {
        uid.as_ref().map(|uid| Who {
            uid: uid.clone(),
            name: name.clone(),
        })
    };
    let until = seen
        .contact
        .filter(|_| seen.stands == Stands::Contact)
        .and_then(|contact| contact.ended);
    Happening {
        id: fact.id,
        time: fact.time,
        until,
        action: fact.action,
        outcome: fact.outcome,
        lane: Lane::of(fact),
        title: words::row_title(fact),
        source: fact.at.clone(),
        anchor: anchors(given, fact.id),
        cited: cited.binary_search(&fact.id).is_ok(),
        class: fact
            .recovery_class()
            .map(crate::correlate::fact::RecoveryClass::as_str),
        target: who(&fact.target).filter(|who| who.uid != given.entity.id),
        agent: who(&fact.agent),
        requester: who(&fact.requester),
        approver: who(&fact.approver),
        caller: thing(&fact.caller, &fact.caller_masked),
        address: thing(&fact.ip, &fact.ip_masked),
        country: fact.country.clone(),
        device: fact
            .device
            .as_ref()
            .and_then(|device| device.keys().next().map(SmolStr::from)),
        ticket: ticket_of(fact),
        call: fact.contact.as_ref().map(|contact| contact.key.clone()),
        channel: fact.channel.map(crate::collect::event::Channel::as_str),
        proof: fact.verification.as_ref().map(|v| {
            let method = v.method.map_or("not_recorded", |m| m.as_str());
            (method, v.strength)
        }),
        cues: fact
            .pressure
            .iter()
            .flat_map(|pressure| pressure.cues.iter().map(|cue| cue.as_str()))
            .collect(),
    }
}
