//! What is kept of an event: the projection that patterns read, with its origin.
//!
//! Kept events, the facts folded from calls and tickets and the facts that relays carry are all
//! this one type, so that a signal means the same wherever its evidence came from.

use serde::{Deserialize, Serialize};

use crate::collect::event::{
    Action, AgentKind, AppClass, Band, CallRef, Channel, Claim, Cue, Direction, Event, EventId,
    FactorType, Lifecycle, Origin, Outcome, PhoneOwner, PolicyClass, PolicyEffect, ReasonQuality,
    RequestClass, ResolutionStatus, RiskKind, Role, Ternary, TicketRef, TicketStatus, Tier,
    VerificationMethod,
};
use crate::collect::time::{DAY_MS, TimeQuality, Timestamp};

/// Where a fact came from: coordinates of the source record, which survive re-partitioning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Coordinates {
    /// Configured name of the source.
    pub system: String,
    /// Source topic.
    pub topic: String,
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
    pub identity: String,
    /// Tier at event time.
    pub tier: Tier,
    /// Resolved by a number or a private address only.
    pub weak: bool,
    /// The directory behind the stamp was older than its limit.
    pub stale: bool,
    /// Employment at event time.
    pub lifecycle: Lifecycle,
    /// Identity id of the manager.
    pub manager: Option<String>,
    /// Identity ids of delegates.
    pub delegates: Vec<String>,
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
            tier: role.tier,
            weak: role.resolution.status == ResolutionStatus::Resolved && !role.resolution.strong,
            stale: role.resolution.stale,
            lifecycle: role.lifecycle,
            manager: role.manager.clone(),
            delegates: role.delegates.clone(),
        })
    }
}

/// The recovery classes of `PATTERNS`: what was taken off or given back to an account.
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
    pub id: Option<String>,
    /// Fingerprint.
    pub fingerprint: Option<String>,
    /// Factor id.
    pub factor: Option<String>,
    /// Number or address a factor is bound to.
    pub factor_target: Option<String>,
    /// Managed by the organisation.
    pub managed: Option<bool>,
    /// ios, android, windows …
    pub platform: Option<String>,
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
    pub key: String,
    /// Leg of the contact.
    pub leg: String,
    /// Start, where the record names it.
    pub started_at: Option<Timestamp>,
    /// End, where the record names it.
    pub ended_at: Option<Timestamp>,
}

impl ContactPart {
    fn of(call: &CallRef) -> Self {
        Self {
            key: format!("{}:{}", call.system, call.root_id),
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
    pub key: String,
    /// Number people see.
    pub number: Option<String>,
    /// State.
    pub status: Option<TicketStatus>,
    /// Assignees.
    pub assignee: Vec<String>,
    /// Opened, where the record names it.
    pub opened_at: Option<Timestamp>,
    /// Closed, where the record names it.
    pub closed_at: Option<Timestamp>,
    /// A full snapshot: what it does not name is empty, not unknown.
    pub snapshot: bool,
}

impl TicketPart {
    fn of(ticket: &TicketRef) -> Self {
        Self {
            key: format!("{}:{}", ticket.system, ticket.id),
            number: ticket.key.clone(),
            status: ticket.status,
            assignee: ticket.assignee.clone(),
            opened_at: ticket.opened_at,
            closed_at: ticket.closed_at,
            snapshot: ticket.snapshot,
        }
    }
}

/// One kept fact. Ordered by (time, id); arrival order plays no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Event id.
    pub id: EventId,
    /// Event time.
    pub time: Timestamp,
    /// How exact it is.
    pub quality: TimeQuality,
    /// Origin.
    pub at: Coordinates,
    /// What happened.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose account.
    pub target: Option<Person>,
    /// Who asked.
    pub requester: Option<Person>,
    /// Who performed it.
    pub agent: Option<Person>,
    /// What performed it.
    pub agent_kind: AgentKind,
    /// Who approved or reviewed.
    pub approver: Option<Person>,
    /// Whether the approver may approve this.
    pub eligible: Ternary,
    /// Number or handle that spoke; keyed.
    pub caller: Option<String>,
    /// ISO country of the caller's number.
    pub caller_country: Option<String>,
    /// Self-service as the vendor says.
    pub self_service: Option<bool>,
    /// Channel.
    pub channel: Option<Channel>,
    /// Direction of a contact.
    pub direction: Option<Direction>,
    /// Origin of a contact.
    pub origin: Origin,
    /// The contact it belongs to.
    pub contact: Option<ContactPart>,
    /// The ticket it belongs to.
    pub ticket: Option<TicketPart>,
    /// Vendor transaction.
    pub txn: Option<String>,
    /// Version of a record or snapshot.
    pub version: i64,
    /// Device or factor.
    pub device: Option<DeviceFact>,
    /// Address; keyed.
    pub ip: Option<String>,
    /// Autonomous system.
    pub asn: Option<u32>,
    /// Country.
    pub country: Option<String>,
    /// Known proxy.
    pub is_proxy: bool,
    /// Factor type.
    pub factor_type: Option<FactorType>,
    /// Application class.
    pub app: Option<AppClass>,
    /// Policy class and effect.
    pub policy: Option<(Option<PolicyClass>, Option<PolicyEffect>)>,
    /// What was asked for.
    pub request: RequestClass,
    /// Claims of the requester.
    pub claims: Vec<Claim>,
    /// Pressure language.
    pub pressure: Option<PressureFact>,
    /// Method, strength and time of a verification.
    pub verification: Option<VerificationFact>,
    /// Owners of the number called back; `None` = not looked up.
    pub of_record: Option<Vec<PhoneOwner>>,
    /// Seconds connected.
    pub connected_s: Option<i64>,
    /// Voice risk, 0–100.
    pub voice_risk: Option<u8>,
    /// Quality and hash of a stated reason.
    pub reason: Option<(ReasonQuality, Option<String>)>,
    /// Clamped by `collect`.
    pub clock_clamped: bool,
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

impl Fact {
    /// Projects a canonical event.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one projection, a line per field")]
    pub fn of(event: &Event) -> Self {
        let person = |role: &Option<Box<Role>>| role.as_deref().and_then(Person::of);
        let network = event.network.as_deref();
        let phone = event.phone.as_deref();
        Self {
            id: event.event_id,
            time: event.time,
            quality: event.time_quality,
            at: Coordinates {
                system: event.source.system.clone(),
                topic: event.source.topic.clone(),
                partition: event.source.partition,
                offset: event.source.offset,
            },
            action: event.action,
            outcome: event.outcome,
            target: person(&event.target),
            requester: person(&event.requester),
            agent: person(&event.agent),
            agent_kind: event
                .agent_facts
                .as_deref()
                .map_or(AgentKind::Unknown, |a| a.kind),
            approver: person(&event.approver),
            eligible: event
                .approval
                .as_deref()
                .map_or(Ternary::Unknown, |a| a.eligible),
            caller: phone.and_then(|p| p.ani.as_ref()).map(|h| h.value.clone()),
            caller_country: phone.and_then(|p| p.ani_country.clone()),
            self_service: event.self_service,
            channel: event.channel,
            direction: event.contact.as_deref().and_then(|c| c.direction),
            origin: event
                .contact
                .as_deref()
                .map_or(Origin::Unknown, |c| c.origin),
            contact: event.call_ref.as_deref().map(ContactPart::of),
            ticket: event.ticket_ref.as_deref().map(TicketPart::of),
            txn: event
                .correlation
                .as_deref()
                .and_then(|c| c.native_txn.clone()),
            version: version_of(event),
            device: device_of(event),
            ip: network.and_then(|n| n.ip.clone()),
            asn: network.and_then(|n| n.asn),
            country: network.and_then(|n| n.country.clone()),
            is_proxy: network.and_then(|n| n.is_proxy).unwrap_or(false),
            factor_type: event.factor.as_deref().and_then(|f| f.factor_type),
            app: event.app.as_deref().and_then(|a| a.class),
            policy: event.policy.as_deref().map(|p| (p.class, p.effect)),
            request: event
                .request
                .as_deref()
                .map_or(RequestClass::Unknown, |r| r.class),
            claims: event
                .request
                .as_deref()
                .map(|r| r.claims.clone())
                .unwrap_or_default(),
            pressure: pressure_of(event),
            verification: verification_of(event),
            of_record: phone.and_then(|p| p.of_record.clone()),
            connected_s: event.call_ref.as_deref().and_then(|c| c.connected_s),
            voice_risk: voice_risk_of(event),
            reason: event
                .reason
                .as_deref()
                .and_then(|r| r.quality.map(|quality| (quality, r.hash.clone()))),
            clock_clamped: event.clock_clamped,
        }
    }

    /// The place in the order of facts.
    #[must_use]
    pub fn order(&self) -> (Timestamp, EventId) {
        (self.time, self.id)
    }

    /// Done by somebody else than the person: agent and target differ, or the agent is staff or a
    /// machine. An unknown agent, or self-service, is not.
    #[must_use]
    pub fn admin_performed(&self) -> bool {
        if self.self_service == Some(true) {
            return false;
        }
        match (&self.agent, &self.target) {
            (Some(agent), Some(target)) if agent.identity == target.identity => false,
            (Some(_), Some(_)) => true,
            _ => matches!(
                self.agent_kind,
                AgentKind::Desk
                    | AgentKind::Admin
                    | AgentKind::Service
                    | AgentKind::ApiToken
                    | AgentKind::Bot
            ),
        }
    }

    /// The recovery class of a successful recovery action; `None` for everything else.
    #[must_use]
    pub fn recovery_class(&self) -> Option<RecoveryClass> {
        if self.outcome != Outcome::Success {
            return None;
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the closed list of recovery actions"
        )]
        match self.action {
            Action::CredentialPasswordReset => Some(RecoveryClass::Password),
            Action::MfaResetAll | Action::MfaRemoved => Some(RecoveryClass::Factor),
            Action::MfaChanged | Action::MfaEnrolled if self.admin_performed() => {
                Some(RecoveryClass::Factor)
            }
            Action::CredentialTempIssued | Action::MfaBypassGranted => Some(RecoveryClass::Bypass),
            Action::AccountUnlocked | Action::AccountEnabled => Some(RecoveryClass::Unlock),
            Action::AccountRecoveryChanged => Some(RecoveryClass::RecoveryData),
            Action::SessionChallengeDisabled => Some(RecoveryClass::Session),
            _ => None,
        }
    }

    /// Whether a number of record of one of `owners` was called back, of record for `days` or more
    /// before `moment`. `None` where the number was not looked up.
    #[must_use]
    pub fn of_record_for(&self, owners: &[&str], days: i64, moment: Timestamp) -> Option<bool> {
        let recorded = self.of_record.as_ref()?;
        Some(recorded.iter().any(|owner| {
            owners.contains(&owner.identity.as_str())
                && owner
                    .since
                    .is_some_and(|since| moment.since(since) >= days * DAY_MS)
        }))
    }

    /// The same device: equal in one of its keys, or, where neither names any, at the same address.
    #[must_use]
    pub fn same_device(&self, other: &Self) -> bool {
        let keys = |fact: &Self| -> Vec<String> {
            fact.device
                .iter()
                .flat_map(DeviceFact::keys)
                .map(str::to_owned)
                .collect()
        };
        let (mine, theirs) = (keys(self), keys(other));
        if mine.is_empty() && theirs.is_empty() {
            return self.ip.is_some() && self.ip == other.ip;
        }
        mine.iter().any(|key| theirs.contains(key))
    }
}

fn version_of(event: &Event) -> i64 {
    let call = event.call_ref.as_deref().and_then(|c| c.version);
    let ticket = event.ticket_ref.as_deref().and_then(|t| t.version);
    call.or(ticket).unwrap_or(0)
}

fn device_of(event: &Event) -> Option<DeviceFact> {
    let (device, factor) = (event.device.as_deref(), event.factor.as_deref());
    if device.is_none() && factor.is_none() {
        return None;
    }
    Some(DeviceFact {
        id: device.and_then(|d| d.id.clone()),
        fingerprint: device.and_then(|d| d.fingerprint.clone()),
        factor: factor.and_then(|f| f.id.clone()),
        factor_target: factor.and_then(|f| f.target_hash.clone()),
        managed: device.and_then(|d| d.managed),
        platform: device.and_then(|d| d.platform.clone()),
    })
}

fn pressure_of(event: &Event) -> Option<PressureFact> {
    let pressure = &event.text.as_deref()?.pressure;
    let mut cues: Vec<Cue> = pressure.cues.iter().filter_map(|span| span.cue).collect();
    cues.sort_unstable();
    cues.dedup();
    (pressure.band != Band::None || !cues.is_empty()).then_some(PressureFact {
        score_pct: pressure.score_pct,
        band: pressure.band,
        cues,
    })
}

fn verification_of(event: &Event) -> Option<VerificationFact> {
    let verification = event.verification.as_deref()?;
    let by_method = verification.method.map_or(0, VerificationMethod::strength);
    Some(VerificationFact {
        method: verification.method,
        strength: verification.strength.unwrap_or(by_method).min(4),
        mapped_time: verification.time,
    })
}

fn voice_risk_of(event: &Event) -> Option<u8> {
    event
        .risk
        .as_deref()
        .filter(|r| r.kind == Some(RiskKind::Voice))
        .and_then(|r| r.score)
}
