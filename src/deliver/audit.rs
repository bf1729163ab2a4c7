//! Audit records for people: read, narrowed to a question, as a row, a line and a file.

use serde::Deserialize;

use crate::collect::time::Timestamp;

pub mod export;
pub mod row;
pub mod timeline;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Who {
    /// Identity id.
    pub uid: String,
    /// Masked name.
    pub name: Option<String>,
    /// Tier at event time.
    pub tier: String,
}

/// How identity was proved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Proof {
    /// Method.
    pub method: String,
    /// Strength, 0–4.
    pub strength: u8,
}

/// Why something was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Reason {
    /// Code.
    pub code: Option<String>,
    /// Quality of the statement.
    pub quality: Option<String>,
}

/// One control around a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Control {
    /// What is known.
    pub state: String,
    /// How it was done.
    pub detail: Option<String>,
}

/// The controls around a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Controls {
    /// A live ticket.
    pub ticket: Control,
    /// A proof of identity.
    pub verify: Control,
    /// A call-back to a number of record.
    pub callback: Control,
    /// A second person.
    pub approval: Control,
}

impl Controls {
    /// All four with the names that people read.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &Control); 4] {
        [
            ("ticket", &self.ticket),
            ("verification", &self.verify),
            ("call-back", &self.callback),
            ("second person", &self.approval),
        ]
    }
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// Key of the control record.
    pub id: String,
    /// Its kind; `removed` where it was taken back.
    pub kind: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The alert.
    pub alert: Option<String>,
    /// What was said of it.
    pub verdict: Option<String>,
    /// Who has it.
    pub assignee: Option<String>,
    /// From when on it holds.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
}

/// The record of a source behind it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Source {
    /// Source system.
    pub system: String,
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// An audit record, as far as people ask for it. Fields of newer versions are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AuditRecord {
    /// Record id.
    pub id: String,
    /// Stage: `recorded`, `settled` or `decided`.
    pub stage: String,
    /// Version within the stage.
    pub version: u32,
    /// Event id.
    pub event: String,
    /// Event time.
    pub time: Timestamp,
    /// What happened.
    pub action: String,
    /// Recovery class.
    pub class: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// The entity that wrote it.
    pub entity: String,
    /// Whose account.
    pub target: Option<Who>,
    /// Who asked.
    pub requester: Option<Who>,
    /// Who performed it.
    pub agent: Option<Who>,
    /// What performed it.
    pub agent_kind: String,
    /// By somebody else than the person.
    pub by_admin: bool,
    /// Who approved or reviewed.
    pub approver: Option<Who>,
    /// Whether the approver may.
    pub eligible: Option<String>,
    /// Channel.
    pub channel: Option<String>,
    /// Ticket.
    pub ticket: Option<String>,
    /// Call.
    pub call: Option<String>,
    /// Proof of identity.
    pub verification: Option<Proof>,
    /// Reason.
    pub reason: Option<Reason>,
    /// Controls, when they are decided.
    pub controls: Option<Controls>,
    /// What somebody decided.
    pub decision: Option<Decision>,
    /// Origin.
    pub source: Source,
    /// Number in the chain.
    pub number: u64,
}

impl AuditRecord {
    /// Reads the value of a record; `None` if it is no audit record.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// Whether it tells the controls of a recovery.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.stage == "settled"
    }

    /// Who answers for a decision.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.decision.as_ref()?.owner.as_deref()
    }

    /// The person whose case was decided.
    #[must_use]
    pub fn decided_on(&self) -> Option<&str> {
        self.decision.as_ref()?;
        self.entity.strip_prefix("identity|")
    }
}

/// Which records are asked for. What is `None` does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Event time, from this moment on.
    pub from: Option<Timestamp>,
    /// Event time, before this moment.
    pub to: Option<Timestamp>,
    /// Whose account it was, who asked, or whose case was decided.
    pub person: Option<String>,
    /// Who performed, approved or decided it.
    pub agent: Option<String>,
    /// The ticket, by the number that people see.
    pub ticket: Option<String>,
}

impl Question {
    /// Whether a record is asked for.
    #[must_use]
    pub fn asks_for(&self, record: &AuditRecord) -> bool {
        let is = |who: &Option<Who>, id: &str| who.as_ref().is_some_and(|who| who.uid == id);
        let any = |id: &Option<String>, roles: [&Option<Who>; 2], other: Option<&str>| {
            id.as_ref()
                .is_none_or(|id| roles.iter().any(|who| is(who, id)) || other == Some(id))
        };
        let numbered = |number: &String| {
            let ticket = record.ticket.as_ref();
            ticket.is_some_and(|ticket| ticket.eq_ignore_ascii_case(number))
        };
        self.from.is_none_or(|from| record.time >= from)
            && self.to.is_none_or(|to| record.time < to)
            && any(
                &self.person,
                [&record.target, &record.requester],
                record.decided_on(),
            )
            && any(
                &self.agent,
                [&record.agent, &record.approver],
                record.owner(),
            )
            && self.ticket.as_ref().is_none_or(numbered)
    }
}

/// An audit record and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The record.
    pub record: AuditRecord,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl Placed {
    /// What records are ordered by: event time, then where they lie.
    #[must_use]
    pub const fn order(&self) -> (Timestamp, i32, i64) {
        (self.record.time, self.partition, self.offset)
    }
}
