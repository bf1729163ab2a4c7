//! The parts of a kept fact: where it came from, who is in it, what a device, call, ticket or proof is.

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

use crate::collect::event::{
    Band, CallRef, Cue, Handle, Lifecycle, ResolutionStatus, Role, TicketRef, TicketStatus, Tier,
    VerificationMethod,
};
use crate::collect::time::Timestamp;

/// Where a fact came from: coordinates of the source record, which survive re-partitioning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Coordinates {
    /// Configured name of the source.
    pub system: SmolStr,
    /// Source topic.
    pub topic: SmolStr,
    /// Source partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

impl std::fmt::Display for Coordinates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// A person or machine in a role, as `collect` stamped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Identity id or pseudo-identity.
    pub identity: SmolStr,
    /// Name for people, masked by `collect`, e.g. `a…@example.com`.
    pub masked: Option<SmolStr>,
    /// Tier at event time.
    pub tier: Tier,
    /// Resolved by a number or a private address only.
    pub weak: bool,
    /// The directory behind the stamp was older than its limit.
    pub stale: bool,
    /// Employment at event time.
    pub lifecycle: Lifecycle,
    /// Identity id of the manager.
    pub manager: Option<SmolStr>,
    /// Identity ids of delegates.
    pub delegates: Vec<SmolStr>,
}

impl Person {
    /// The person of a role, where it was resolved or stands under a pseudo-identity. Candidates of
    /// an ambiguous resolution are nobody.
    #[must_use]
    pub fn of(role: &Role) -> Option<Self> {
        let known = !matches!(role.resolution.status, ResolutionStatus::Ambiguous);
        let identity = role.identity.clone().filter(|_| known)?;
        Some(Self {
            identity,
            masked: masked_of(&role.handles),
            tier: role.tier,
            weak: role.resolution.status == ResolutionStatus::Resolved && !role.resolution.strong,
            stale: role.resolution.stale,
            lifecycle: role.lifecycle,
            manager: role.manager.clone(),
            delegates: role.delegates.clone(),
        })
    }
}

/// The name that tells people most: a mail address before a number before an id.
fn masked_of(handles: &[Handle]) -> Option<SmolStr> {
    let named = handles.iter().filter(|handle| handle.masked.is_some());
    named
        .min_by_key(|handle| handle.kind)
        .and_then(|handle| handle.masked.clone())
}

/// The recovery classes: what was taken off or given back to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryClass {
    /// Password reset.
    Password,
    /// Factors removed, reset or, by an admin, enrolled.
    Factor,
    /// A temporary credential or a bypass.
    Bypass,
    /// Unlocked or enabled.
    Unlock,
    /// Recovery phone or e-mail changed.
    RecoveryData,
    /// Protection of the session lifted.
    Session,
}

impl RecoveryClass {
    /// The word in rules, alerts and audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Factor => "factor",
            Self::Bypass => "bypass",
            Self::Unlock => "unlock",
            Self::RecoveryData => "recovery_data",
            Self::Session => "session",
        }
    }
}

/// Pressure language found in one text, without the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressureFact {
    /// 0–100.
    pub score_pct: u8,
    /// Band.
    pub band: Band,
    /// Cues, each once, in the order of their list.
    pub cues: Vec<Cue>,
}

impl PressureFact {
    /// Strong: band high, or band low with a score of 60 or more.
    #[must_use]
    pub fn strong(&self) -> bool {
        match self.band {
            Band::High => true,
            Band::Low => self.score_pct >= 60,
            Band::None => false,
        }
    }
}

/// What a device or factor can be recognised by; keyed values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceFact {
    /// Device id.
    pub id: Option<SmolStr>,
    /// Fingerprint.
    pub fingerprint: Option<SmolStr>,
    /// Factor id.
    pub factor: Option<SmolStr>,
    /// Number or address a factor is bound to.
    pub factor_target: Option<SmolStr>,
    /// Managed by the organisation.
    pub managed: Option<bool>,
    /// ios, android, windows …
    pub platform: Option<SmolStr>,
}

impl DeviceFact {
    /// The values it is known by, strongest first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        [
            &self.id,
            &self.fingerprint,
            &self.factor,
            &self.factor_target,
        ]
        .into_iter()
        .filter_map(Option::as_deref)
    }
}

/// What an event says of the call or chat it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPart {
    /// `<system>:<root id>`: the id of the contact entity.
    pub key: SmolStr,
    /// Leg of the contact.
    pub leg: SmolStr,
    /// Start, where the record names it.
    pub started_at: Option<Timestamp>,
    /// End, where the record names it.
    pub ended_at: Option<Timestamp>,
}

impl ContactPart {
    /// The part of an event's call reference.
    #[must_use]
    pub fn of(call: &CallRef) -> Self {
        Self {
            key: format_smolstr!("{}:{}", call.system, call.root_id),
            leg: call.id.clone(),
            started_at: call.started_at,
            ended_at: call.ended_at,
        }
    }
}

/// What an event says of the ticket it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketPart {
    /// `<system>:<id>`: the id of the ticket entity.
    pub key: SmolStr,
    /// Number people see.
    pub number: Option<SmolStr>,
    /// Type or table.
    pub kind: Option<SmolStr>,
    /// State.
    pub status: Option<TicketStatus>,
    /// Assignees.
    pub assignee: Vec<SmolStr>,
    /// Opened, where the record names it.
    pub opened_at: Option<Timestamp>,
    /// Closed, where the record names it.
    pub closed_at: Option<Timestamp>,
    /// A full snapshot: what it does not name is empty, not unknown.
    pub snapshot: bool,
}

impl TicketPart {
    /// The part of an event's ticket reference.
    #[must_use]
    pub fn of(ticket: &TicketRef) -> Self {
        Self {
            key: format_smolstr!("{}:{}", ticket.system, ticket.id),
            number: ticket.key.clone(),
            kind: ticket.kind.clone(),
            status: ticket.status,
            assignee: ticket.assignee.clone(),
            opened_at: ticket.opened_at,
            closed_at: ticket.closed_at,
            snapshot: ticket.snapshot,
        }
    }
}

/// A proof of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationFact {
    /// Method.
    pub method: Option<VerificationMethod>,
    /// Strength 0–4, from the mapping or the method.
    pub strength: u8,
    /// Time of the proof, if it was mapped apart from the event's.
    pub mapped_time: Option<Timestamp>,
}
