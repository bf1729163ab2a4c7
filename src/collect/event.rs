//! The canonical event, version 1: one fact from a source, whatever product reported it.
//!
//! A mapper fills what the vendor said. `identify` then stamps what the directory knows about the
//! people in it, and the last step replaces personal values by keyed ones. Absent groups are
//! `None`. The same types are the JSON form of a `canonical` source.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use crate::collect::action::Action;
use crate::collect::time::{TimeQuality, Timestamp};
pub use crate::collect::words::*;

/// First 128 bits of SHA-256 over (tenant, product, native id, part): deduplication key and evidence
/// id in one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// Reads 32 hexadecimal characters.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        (text.len() == 32 && text.is_ascii()).then_some(())?;
        u128::from_str_radix(text, 16)
            .ok()
            .map(|n| Self(n.to_be_bytes()))
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl std::fmt::Debug for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = SmolStr::deserialize(deserializer)?;
            Self::from_hex(&text)
                .ok_or_else(|| serde::de::Error::custom("an event id is 32 hexadecimal characters"))
        } else {
            <[u8; 16]>::deserialize(deserializer).map(Self)
        }
    }
}

/// Where an event came from: product and Kafka coordinates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Configured name of the source, e.g. `okta`.
    pub system: SmolStr,
    /// Product, e.g. `okta`; part of the event id.
    pub product: SmolStr,
    /// Feed of the product, e.g. `system_log`.
    pub feed: SmolStr,
    /// Source topic.
    pub topic: SmolStr,
    /// Source partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

/// One name of a person, as a source writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    /// What kind of name. Required.
    pub kind: HandleKind,
    /// Normalised value; after the keyed step an HMAC (hex) for personal kinds.
    pub value: SmolStr,
    /// Form for people, e.g. `+1•••0100`; made before the value is keyed.
    #[serde(default)]
    pub masked: Option<SmolStr>,
    /// Organisation or instance that issued an id.
    #[serde(default)]
    pub issuer: Option<SmolStr>,
}

/// How sure we are who a role is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Resolution {
    /// Result.
    pub status: ResolutionStatus,
    /// True for ids, logins and verified mail; false for numbers and private mail.
    pub strong: bool,
    /// Identity ids where ambiguous; for a conflict the other one.
    pub candidates: Vec<SmolStr>,
    /// Handle kind and system that decided.
    pub via: Option<SmolStr>,
    /// The directory was older than its limit.
    pub stale: bool,
}

/// A person or machine in an event. `identity` and everything below it is stamped by `collect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// Names as the source gave them.
    pub handles: Vec<Handle>,
    /// Identity id (`<system>:<native id>`), or the pseudo-identity (`pseudo:<hash>`).
    pub identity: Option<SmolStr>,
    /// Account the handle belongs to (`<system>:<id>`).
    pub account: Option<SmolStr>,
    /// Since when the account exists.
    pub account_since: Option<Timestamp>,
    /// How sure.
    pub resolution: Resolution,
    /// Tier at event time.
    pub tier: Tier,
    /// Employment at event time.
    pub lifecycle: Lifecycle,
    /// Identity id of the manager.
    pub manager: Option<SmolStr>,
    /// Identity ids of delegates, at most 16.
    pub delegates: Vec<SmolStr>,
}

impl Role {
    /// Somebody whom the directory knows by a strong name.
    #[must_use]
    pub fn resolved(identity: impl Into<SmolStr>) -> Self {
        Self {
            identity: Some(identity.into()),
            resolution: Resolution {
                status: ResolutionStatus::Resolved,
                strong: true,
                ..Resolution::default()
            },
            ..Self::default()
        }
    }
}

/// What the directory says of a target beyond its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct TargetFacts {
    /// When the phone of record last changed.
    pub phone_at: Option<Timestamp>,
    /// When the private e-mail of record last changed.
    pub email_at: Option<Timestamp>,
    /// When the manager last changed.
    pub manager_at: Option<Timestamp>,
}

/// What else is known of who performed the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// What it is.
    pub kind: AgentKind,
    /// Role the vendor names.
    pub role: Option<SmolStr>,
    /// Session of the agent.
    pub session_id: Option<SmolStr>,
    /// Stamped from the directory.
    pub on_shift: Ternary,
    /// Highest tier the agent may recover.
    pub may_act_on: Option<Tier>,
    /// Allowed recoveries an hour.
    pub budget_per_hour: Option<u32>,
    /// Whether the agent may skip a control.
    pub may_override: Ternary,
}

/// What an approver decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Approver {
    /// Decision.
    pub decision: Option<Decision>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Whether the approver may approve this; stamped.
    pub eligible: Ternary,
}

/// Direction and origin of a call or chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Contact {
    /// Between whom.
    pub direction: Option<Direction>,
    /// From where.
    pub origin: Origin,
}

/// The ticket an event names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct TicketRef {
    /// Source system.
    pub system: SmolStr,
    /// Native id, e.g. ServiceNow `sys_id`. Entity id is `<system>:<id>`.
    pub id: SmolStr,
    /// Number people see, e.g. `INC0010047`.
    pub key: Option<SmolStr>,
    /// Type or table.
    pub kind: Option<SmolStr>,
    /// State, mapped.
    pub status: Option<TicketStatus>,
    /// Priority, 1 = highest.
    pub priority: Option<i64>,
    /// Escalation level.
    pub escalation: Option<i64>,
    /// Category.
    pub category: Option<SmolStr>,
    /// Order of snapshots with one time.
    pub version: Option<i64>,
    /// Identity ids or handles of assignees.
    pub assignee: Vec<SmolStr>,
    /// Opened.
    pub opened_at: Option<Timestamp>,
    /// Closed.
    pub closed_at: Option<Timestamp>,
    /// The event is a full snapshot to be compared with the last one.
    pub snapshot: bool,
}

/// The contact (call or chat) an event names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct CallRef {
    /// Source system.
    pub system: SmolStr,
    /// Native id of this leg.
    pub id: SmolStr,
    /// Id of the first leg. Entity id is `<system>:<root_id>`.
    pub root_id: SmolStr,
    /// Order of several versions of one record.
    pub version: Option<i64>,
    /// Queue name.
    pub queue: Option<SmolStr>,
    /// How it began, as the vendor says.
    pub initiation: Option<SmolStr>,
    /// Start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// First agent connection.
    pub agent_connected_at: Option<Timestamp>,
    /// Seconds connected to an agent.
    pub connected_s: Option<i64>,
}

/// Vendor correlation ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Correlation {
    /// Groups the records of one human action.
    pub native_txn: Option<SmolStr>,
    /// Session.
    pub session: Option<SmolStr>,
}

/// Whose number it is, at event time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct PhoneOwner {
    /// Identity id.
    pub identity: SmolStr,
    /// Of record since.
    pub since: Option<Timestamp>,
}

/// Numbers of a contact or call-back, E.164 before they are keyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Phone {
    /// Caller number.
    pub ani: Option<Handle>,
    /// ISO country of it.
    pub ani_country: Option<SmolStr>,
    /// Dialled number of ours.
    pub dnis: Option<SmolStr>,
    /// Number called back.
    pub callback_number: Option<Handle>,
    /// Owners of the number called back, else of `ani`, at most 64; empty = nobody's; absent = not looked up.
    pub of_record: Option<Vec<PhoneOwner>>,
}

/// The device used or enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// Id; keyed.
    pub id: Option<SmolStr>,
    /// Name.
    pub name: Option<SmolStr>,
    /// ios, android, windows …
    pub platform: Option<SmolStr>,
    /// Managed by the organisation.
    pub managed: Option<bool>,
    /// Registered.
    pub registered: Option<bool>,
    /// Fingerprint; keyed.
    pub fingerprint: Option<SmolStr>,
    /// The vendor says it is new.
    pub new_device: Option<bool>,
}

/// Where an action came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Address; keyed.
    pub ip: Option<SmolStr>,
    /// Form for people.
    pub ip_masked: Option<SmolStr>,
    /// Autonomous system.
    pub asn: Option<u32>,
    /// Its name.
    pub as_org: Option<SmolStr>,
    /// Known proxy.
    pub is_proxy: Option<bool>,
    /// User agent, at most 256 characters.
    pub user_agent: Option<SmolStr>,
    /// Country, as the source writes it or ISO.
    pub country: Option<SmolStr>,
    /// City.
    pub city: Option<SmolStr>,
}

/// An authentication factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Factor {
    /// Type.
    pub factor_type: Option<FactorType>,
    /// Id; keyed.
    pub id: Option<SmolStr>,
    /// Number or address it is bound to; keyed.
    pub target_hash: Option<SmolStr>,
}

/// Application opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// Id.
    pub id: Option<SmolStr>,
    /// Name.
    pub name: Option<SmolStr>,
    /// Class.
    pub class: Option<AppClass>,
}

/// Policy changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Class.
    pub class: Option<PolicyClass>,
    /// Effect.
    pub effect: Option<PolicyEffect>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Class.
    pub class: RequestClass,
    /// Claims of the requester.
    pub claims: Vec<Claim>,
}

/// Why a control was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Reason {
    /// Code.
    pub code: Option<SmolStr>,
    /// Quality.
    pub quality: Option<ReasonQuality>,
    /// Hash of the text, first 16 hex.
    pub hash: Option<SmolStr>,
}

/// A phrase found in a text; offsets are bytes of the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CueSpan {
    /// Cue; `None` for an n-gram span. Required key.
    #[serde(default)]
    pub cue: Option<Cue>,
    /// Id of the phrase.
    pub phrase_id: SmolStr,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Pressure language of one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Pressure {
    /// 0–100.
    pub score_pct: u8,
    /// Last requester turn minus first.
    pub trend_pct: i8,
    /// Band.
    pub band: Band,
    /// Only a part was read.
    pub truncated: bool,
    /// What was found.
    pub cues: Vec<CueSpan>,
    /// Version of the phrases.
    pub lexicon_version: SmolStr,
}

/// What is kept of a text: never the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Text {
    /// Score and cues.
    pub pressure: Pressure,
    /// requester, agent or system.
    pub speaker: Option<SmolStr>,
    /// Offset within a call.
    pub offset_ms: Option<i64>,
}

/// A proof of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// Method.
    pub method: Option<VerificationMethod>,
    /// 0–4, where a mapping sets it.
    pub strength: Option<u8>,
    /// Who did it, identity id.
    pub by: Option<SmolStr>,
    /// When, if recorded apart.
    pub time: Option<Timestamp>,
}

/// A statement of risk by the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Risk {
    /// Kind.
    pub kind: Option<RiskKind>,
    /// Level, as the vendor says.
    pub level: Option<SmolStr>,
    /// 0–100.
    pub score: Option<u8>,
    /// Reason codes, ours and the vendor's.
    pub reasons: Vec<SmolStr>,
}

/// One changed field, as hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// recovery_phone, requester, assignee, state … or `custom:<name>`.
    pub field_class: SmolStr,
    /// Hash of the old value.
    pub old_hash: Option<SmolStr>,
    /// Hash of the new value.
    pub new_hash: Option<SmolStr>,
}

/// One canonical event. Roles follow our words: the vendor's "actor" is the agent, its "target" the
/// person whose account it is; for a login both are the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Derived id; made by `collect` where a canonical source leaves it out.
    #[serde(default)]
    pub event_id: EventId,
    /// Origin.
    #[serde(default)]
    pub source: Source,
    /// The vendor's own name of the action.
    #[serde(default)]
    pub vendor_action: SmolStr,
    /// Event time.
    #[serde(default)]
    pub time: Timestamp,
    /// A second stamp, or that of the envelope.
    #[serde(default)]
    pub observed_time: Option<Timestamp>,
    /// Kafka timestamp of the source record.
    #[serde(default)]
    pub ingest_ts: Timestamp,
    /// How exact `time` is.
    #[serde(default)]
    pub time_quality: TimeQuality,
    /// `time` was more than 5 min ahead of `ingest_ts` and set to it.
    #[serde(default)]
    pub clock_clamped: bool,
    /// What the source is about.
    pub domain: Domain,
    /// What happened.
    pub action: Action,
    /// How it ended.
    #[serde(default)]
    pub outcome: Outcome,
    /// The vendor's reason.
    #[serde(default)]
    pub outcome_reason: Option<SmolStr>,
    /// Agent and target are one account in the vendor's own ids.
    #[serde(default)]
    pub self_service: Option<bool>,
    /// Channel.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Whose account it is.
    #[serde(default)]
    pub target: Option<Box<Role>>,
    /// Who asks.
    #[serde(default)]
    pub requester: Option<Box<Role>>,
    /// Who performed it.
    #[serde(default)]
    pub agent: Option<Box<Role>>,
    /// Who approved or reviewed.
    #[serde(default)]
    pub approver: Option<Box<Role>>,
    /// Who speaks: number, chat handle, voiceprint.
    #[serde(default)]
    pub caller: Option<Box<Role>>,
    /// Directory facts of the target.
    #[serde(default)]
    pub target_facts: Option<Box<TargetFacts>>,
    /// Facts of the agent.
    #[serde(default)]
    pub agent_facts: Option<Box<Agent>>,
    /// The decision.
    #[serde(default)]
    pub approval: Option<Box<Approver>>,
    /// Direction and origin.
    #[serde(default)]
    pub contact: Option<Box<Contact>>,
    /// Ticket.
    #[serde(default)]
    pub ticket_ref: Option<Box<TicketRef>>,
    /// Contact.
    #[serde(default)]
    pub call_ref: Option<Box<CallRef>>,
    /// Vendor correlation.
    #[serde(default)]
    pub correlation: Option<Box<Correlation>>,
    /// Numbers.
    #[serde(default)]
    pub phone: Option<Box<Phone>>,
    /// Device.
    #[serde(default)]
    pub device: Option<Box<Device>>,
    /// Network.
    #[serde(default)]
    pub network: Option<Box<Network>>,
    /// Factor.
    #[serde(default)]
    pub factor: Option<Box<Factor>>,
    /// Application.
    #[serde(default)]
    pub app: Option<Box<App>>,
    /// Policy.
    #[serde(default)]
    pub policy: Option<Box<Policy>>,
    /// Request.
    #[serde(default)]
    pub request: Option<Box<Request>>,
    /// Reason.
    #[serde(default)]
    pub reason: Option<Box<Reason>>,
    /// Text.
    #[serde(default)]
    pub text: Option<Box<Text>>,
    /// Verification.
    #[serde(default)]
    pub verification: Option<Box<Verification>>,
    /// Risk.
    #[serde(default)]
    pub risk: Option<Box<Risk>>,
    /// Fields that changed.
    #[serde(default)]
    pub changed: Vec<Change>,
    /// The rule or forwarding leads outside (mail events).
    #[serde(default)]
    pub mail_external: Option<bool>,
}

impl Event {
    /// An event with what every one has; groups are filled in afterwards.
    #[must_use]
    pub fn new(domain: Domain, action: Action, time: Timestamp) -> Self {
        Self {
            event_id: EventId::default(),
            source: Source::default(),
            vendor_action: SmolStr::default(),
            time,
            observed_time: None,
            ingest_ts: time,
            time_quality: TimeQuality::Exact,
            clock_clamped: false,
            domain,
            action,
            outcome: Outcome::Unknown,
            outcome_reason: None,
            self_service: None,
            channel: None,
            target: None,
            requester: None,
            agent: None,
            approver: None,
            caller: None,
            target_facts: None,
            agent_facts: None,
            approval: None,
            contact: None,
            ticket_ref: None,
            call_ref: None,
            correlation: None,
            phone: None,
            device: None,
            network: None,
            factor: None,
            app: None,
            policy: None,
            request: None,
            reason: None,
            text: None,
            verification: None,
            risk: None,
            changed: Vec::new(),
            mail_external: None,
        }
    }
}
