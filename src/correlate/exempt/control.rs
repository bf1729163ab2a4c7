//! The entries of the control topic: exemptions, silences, dispositions, assignments, declared sources.

use serde::{Deserialize, Serialize};

use crate::collect::entity::Entity;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::{DAY_MS, Timestamp};
use crate::correlate::control::SourceDeclared;
use crate::correlate::exempt::read;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::score::Severity;

/// No exemption or silence lasts longer: what is still needed then is declared again.
pub const SPAN_MS_MAX: i64 = 90 * DAY_MS;

/// The kinds of exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person is on a journey.
    Travel,
    /// New devices are handed out.
    DeviceRefresh,
    /// The desk works through a declared incident.
    Incident,
    /// A feed of evidence is down.
    Maintenance,
    /// A job works through a list.
    Batch,
    /// A number or address that speaks for many.
    AllowList,
    /// A device or number that many share.
    SharedDevice,
    /// Somebody acts for a person.
    Delegation,
    /// The use of an emergency account is practised.
    Drill,
    /// A control that cannot be had, by decision.
    Policy,
}

impl Kind {
    /// The word in control entries and alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Travel => "travel",
            Self::DeviceRefresh => "device_refresh",
            Self::Incident => "incident",
            Self::Maintenance => "maintenance",
            Self::Batch => "batch",
            Self::AllowList => "allow_list",
            Self::SharedDevice => "shared_device",
            Self::Delegation => "delegation",
            Self::Drill => "drill",
            Self::Policy => "policy",
        }
    }
}

/// What an exemption covers. People are identity ids; a number, device or address is the id of its
/// entity, as alerts show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// `travel`: who, and to which countries (ISO).
    Travel {
        /// The person.
        person: String,
        /// ISO codes.
        countries: Vec<String>,
    },
    /// `device_refresh`: who gets one.
    DeviceRefresh {
        /// The people.
        persons: Vec<String>,
    },
    /// `incident`: who works on it.
    Incident {
        /// Number of the incident.
        incident: String,
        /// Who leads.
        commander: String,
        /// Who recovers accounts in it.
        agents: Vec<String>,
    },
    /// `maintenance`: the evidence that cannot be seen.
    Maintenance {
        /// The evidence.
        feed: Evidence,
    },
    /// `batch`: the job and its list.
    Batch {
        /// The job's identity.
        principal: String,
        /// Accounts on its list.
        targets: Vec<String>,
        /// How many it may recover in an hour.
        budget_per_hour: u32,
    },
    /// `allow_list` and `shared_device`: the thing and how many people may stand behind it.
    Shared {
        /// Caller, device or address.
        entity: Entity,
        /// The most people.
        max: u32,
    },
    /// `delegation`: who acts for whom.
    Delegation {
        /// The person.
        person: String,
        /// Who may act.
        delegates: Vec<String>,
    },
    /// `drill`: the emergency account.
    Drill {
        /// Its identity.
        account: String,
    },
    /// `policy`: one-person teams, and ticket types that approve themselves.
    Policy {
        /// People who approve their own requests.
        persons: Vec<String>,
        /// Ticket types.
        ticket_types: Vec<String>,
    },
}

/// An exemption in force for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// Kind.
    pub kind: Kind,
    /// What it covers.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// First moment.
    pub valid_from: Timestamp,
    /// First moment after it.
    pub valid_to: Timestamp,
}

/// A silence: what matches every named list is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Patterns; all active ones of a case must be among them.
    pub patterns: Vec<String>,
    /// Entities.
    pub entities: Vec<Entity>,
    /// Tiers.
    pub tiers: Vec<Tier>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// First moment.
    pub valid_from: Timestamp,
    /// First moment after it.
    pub valid_to: Timestamp,
}

/// An analyst's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// Nothing happened.
    FalsePositive,
    /// A takeover.
    TruePositive,
    /// Not to be looked at.
    Disregard,
    /// It happened and was allowed.
    Benign,
    /// A test.
    Test,
    /// Nobody can tell.
    InsufficientData,
    /// Another alert says it.
    Duplicate,
}

impl Opinion {
    /// OCSF `verdict_id`.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::FalsePositive => 1,
            Self::TruePositive => 2,
            Self::Disregard => 3,
            Self::Benign => 5,
            Self::Test => 6,
            Self::InsufficientData => 7,
            Self::Duplicate => 10,
        }
    }
}

/// What an analyst decided of one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// Alert id.
    pub alert: EventId,
    /// The entity of its case.
    #[serde(deserialize_with = "read::entity")]
    pub entity: Entity,
    /// The revision seen.
    pub revision: u32,
    /// The verdict.
    pub verdict: Opinion,
    /// Who decided.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// Who has a case: nothing follows from it but who is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Alert id.
    pub alert: EventId,
    /// The entity of its case.
    #[serde(deserialize_with = "read::entity")]
    pub entity: Entity,
    /// The revision seen.
    pub revision: u32,
    /// Who has it from now on; `None`: nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    pub assignee: Option<String>,
    /// Who said so.
    pub owner: String,
}

/// A source that is no longer configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRemoved {
    /// Its name.
    pub name: String,
}

/// One entry of the control topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlEntry {
    /// An exemption.
    Exemption(Exemption),
    /// A silence.
    Silence(Silence),
    /// An analyst's verdict.
    Disposition(Disposition),
    /// Who has a case.
    Assignment(Assignment),
    /// A source.
    SourceDeclared(SourceDeclared),
    /// A source no more.
    SourceRemoved(SourceRemoved),
}

impl ControlEntry {
    /// How many places it takes: a listed person counts as one.
    #[must_use]
    pub fn places(&self) -> usize {
        self.names().count().max(1)
    }

    /// First moment and first moment after it, of what holds for a while.
    #[must_use]
    pub const fn valid(&self) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Exemption(e) => Some((e.valid_from, e.valid_to)),
            Self::Silence(s) => Some((s.valid_from, s.valid_to)),
            Self::Disposition(_)
            | Self::Assignment(_)
            | Self::SourceDeclared(_)
            | Self::SourceRemoved(_) => None,
        }
    }

    /// The identities and entities that an exemption names: whose cases it may change. None means
    /// any.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let scope = match self {
            Self::Exemption(exemption) => Some(&exemption.scope),
            Self::Silence(_)
            | Self::Disposition(_)
            | Self::Assignment(_)
            | Self::SourceDeclared(_)
            | Self::SourceRemoved(_) => None,
        };
        let (one, many): (Option<&str>, &[String]) = match scope {
            Some(Scope::Travel { person, .. } | Scope::Delegation { person, .. }) => {
                (Some(person), &[])
            }
            Some(Scope::DeviceRefresh { persons } | Scope::Policy { persons, .. }) => {
                (None, persons)
            }
            Some(Scope::Incident { agents, .. }) => (None, agents),
            Some(Scope::Batch { targets, .. }) => (None, targets),
            Some(Scope::Shared { entity, .. }) => (Some(&entity.id), &[]),
            Some(Scope::Drill { account }) => (Some(account), &[]),
            Some(Scope::Maintenance { .. }) | None => (None, &[]),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }
}
