//! What is kept of an event: the projection that patterns read, with its origin.
//!
//! Kept events, the facts folded from calls and tickets and the facts that relays carry are all
//! this one type, so that a signal means the same wherever its evidence came from.

mod parts;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::collect::event::{
    Action, AgentKind, AppClass, Band, Channel, Claim, Cue, Direction, Event, EventId, FactorType,
    Origin, Outcome, PhoneOwner, PolicyClass, PolicyEffect, ReasonQuality, RequestClass, RiskKind,
    Role, Ternary, VerificationMethod,
};
use crate::collect::time::{DAY_MS, TimeQuality, Timestamp};
pub use parts::{
    ContactPart, Coordinates, DeviceFact, Person, PressureFact, RecoveryClass, TicketPart,
    VerificationFact,
};

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
    pub caller: Option<SmolStr>,
    /// The same for people, e.g. `+1•••0100`.
    pub caller_masked: Option<SmolStr>,
    /// ISO country of the caller's number.
    pub caller_country: Option<SmolStr>,
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
    pub txn: Option<SmolStr>,
    /// Version of a record or snapshot.
    pub version: i64,
    /// Device or factor.
    pub device: Option<DeviceFact>,
    /// Address; keyed.
    pub ip: Option<SmolStr>,
    /// The same for people.
    pub ip_masked: Option<SmolStr>,
    /// Autonomous system.
    pub asn: Option<u32>,
    /// Country.
    pub country: Option<SmolStr>,
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
    pub reason: Option<(ReasonQuality, Option<SmolStr>)>,
    /// Code of a stated reason.
    pub reason_code: Option<SmolStr>,
    /// Clamped by `collect`.
    pub clock_clamped: bool,
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
            caller_masked: phone
                .and_then(|p| p.ani.as_ref())
                .and_then(|h| h.masked.clone()),
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
            ip_masked: network.and_then(|n| n.ip_masked.clone()),
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
            reason_code: event.reason.as_deref().and_then(|r| r.code.clone()),
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
        let keys = |fact: &'_ Self| fact.device.iter().flat_map(DeviceFact::keys).count();
        if keys(self) == 0 && keys(other) == 0 {
            return self.ip.is_some() && self.ip == other.ip;
        }
        let mut mine = self.device.iter().flat_map(DeviceFact::keys);
        mine.any(|key| {
            let mut theirs = other.device.iter().flat_map(DeviceFact::keys);
            theirs.any(|other| other == key)
        })
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
