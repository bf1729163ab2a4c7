//! The content of an audit record.

use serde::Serialize;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use crate::collect::entity::Entity;
use crate::collect::event::{EventId, Ternary};
use crate::correlate::audit::{Decision, Stage, record_id};
use crate::correlate::fact::{Coordinates, Fact, Person, RecoveryClass};
use crate::correlate::recovery_controls::{Control, Controls};

/// Somebody, by id, masked name and tier at event time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// Identity id.
    pub uid: SmolStr,
    /// Masked name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<SmolStr>,
    /// Tier.
    pub tier: &'static str,
}

/// How identity was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Method.
    pub method: &'static str,
    /// Strength, 0–4.
    pub strength: u8,
}

/// Why something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<SmolStr>,
    /// Quality of the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<&'static str>,
    /// Hash of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<SmolStr>,
}

/// The content, field by field, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Body {
    /// Record id.
    pub id: String,
    /// Stage.
    pub stage: &'static str,
    /// Version within the stage, from 1.
    pub version: u32,
    /// Event id.
    pub event: EventId,
    /// Event time.
    pub time: i64,
    /// What happened.
    pub action: &'static str,
    /// Recovery class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// How it ended.
    pub outcome: &'static str,
    /// The entity that writes the record.
    pub entity: String,
    /// Whose account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Who>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<Who>,
    /// Who performed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Who>,
    /// What performed it.
    pub agent_kind: &'static str,
    /// By somebody else than the person.
    pub by_admin: bool,
    /// Who approved or reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<Who>,
    /// Whether the approver may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligible: Option<&'static str>,
    /// Channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'static str>,
    /// Ticket, by the number people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<SmolStr>,
    /// Call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<SmolStr>,
    /// Proof of identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Proof>,
    /// Seconds connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_s: Option<i64>,
    /// Identities whose number of record was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_record: Option<Vec<SmolStr>>,
    /// Reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Controls around a recovery.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "controls")]
    pub controls: Option<Controls>,
    /// What somebody decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Origin.
    #[serde(serialize_with = "source")]
    pub source: Coordinates,
}

impl Body {
    /// What a fact says by itself.
    #[must_use]
    pub fn of(entity: &Entity, fact: &Fact, stage: Stage, version: u32) -> Self {
        let person = |person: &Option<Person>| person.as_ref().map(who);
        let approved = fact.approver.is_some();
        Self {
            id: record_id(fact.id, stage, version),
            stage: stage.as_str(),
            version,
            event: fact.id,
            time: fact.time.0,
            action: fact.action.as_str(),
            class: fact.recovery_class().map(RecoveryClass::as_str),
            outcome: fact.outcome.as_str(),
            entity: entity.to_string(),
            target: person(&fact.target),
            requester: person(&fact.requester),
            agent: person(&fact.agent),
            agent_kind: fact.agent_kind.as_str(),
            by_admin: fact.admin_performed(),
            approver: person(&fact.approver),
            eligible: approved.then_some(Ternary::as_str(fact.eligible)),
            channel: fact.channel.map(crate::collect::event::Channel::as_str),
            ticket: fact
                .ticket
                .as_ref()
                .map(|ticket| ticket.number.clone().unwrap_or_else(|| ticket.key.clone())),
            call: fact.contact.as_ref().map(|contact| contact.key.clone()),
            verification: fact.verification.as_ref().map(|v| Proof {
                method: v.method.map_or("not_recorded", |method| method.as_str()),
                strength: v.strength,
            }),
            connected_s: fact.connected_s,
            of_record: fact
                .of_record
                .as_ref()
                .map(|owners| owners.iter().map(|owner| owner.identity.clone()).collect()),
            reason: reason(fact),
            controls: None,
            decision: None,
            source: fact.at.clone(),
        }
    }

    /// First 128 bits of SHA-256 over the content.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        // Writing to memory cannot fail, and every field here has a fixed form.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let mut digest = [0; 16];
        for (to, from) in digest.iter_mut().zip(Sha256::digest(bytes)) {
            *to = from;
        }
        digest
    }

    /// Gives a settled record its version and id.
    pub(super) fn renumber(&mut self, event: EventId, version: u32) {
        self.version = version;
        self.id = record_id(event, Stage::Settled, version);
    }
}

/// A person as a record names them.
pub(super) fn who(person: &Person) -> Who {
    Who {
        uid: person.identity.clone(),
        name: person.masked.clone(),
        tier: person.tier.as_str(),
    }
}

/// The stated reason of a fact.
pub(super) fn reason(fact: &Fact) -> Option<Reason> {
    if fact.reason.is_none() && fact.reason_code.is_none() {
        return None;
    }
    let stated = fact.reason.as_ref();
    Some(Reason {
        code: fact.reason_code.clone(),
        quality: stated.map(|(quality, _)| quality.as_str()),
        hash: stated.and_then(|(_, hash)| hash.clone()),
    })
}

#[derive(Serialize)]
struct ControlBody<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct ControlsBody<'a> {
    ticket: ControlBody<'a>,
    verify: ControlBody<'a>,
    callback: ControlBody<'a>,
    approval: ControlBody<'a>,
}

fn controls<S: serde::Serializer>(
    controls: &Option<Controls>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    fn body(control: &Control) -> ControlBody<'_> {
        ControlBody {
            state: control.state.as_str(),
            event: control.event,
            detail: control.detail.as_deref(),
        }
    }
    controls
        .as_ref()
        .map(|controls| ControlsBody {
            ticket: body(&controls.ticket),
            verify: body(&controls.verify),
            callback: body(&controls.callback),
            approval: body(&controls.approval),
        })
        .serialize(serializer)
}

#[derive(Serialize)]
struct SourceBody<'a> {
    system: &'a str,
    topic: &'a str,
    partition: i32,
    offset: i64,
}

fn source<S: serde::Serializer>(at: &Coordinates, serializer: S) -> Result<S::Ok, S::Error> {
    let body = SourceBody {
        system: &at.system,
        topic: &at.topic,
        partition: at.partition,
        offset: at.offset,
    };
    body.serialize(serializer)
}
