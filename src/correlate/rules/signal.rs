//! Signals: named predicates over a seen fact, compiled from `field|modifier: value` rows.
//!
//! The vocabularies are closed, so a list of words is a set of bits, and a test is one instruction.

mod domain;
mod held;
mod row;

use crate::collect::event::{Action, Outcome};
use crate::correlate::fact::{Fact, RecoveryClass};
use crate::correlate::view::{Seen, Stands};
pub use domain::{Domain, Outcomes, outcome_bit};
use held::holds;
pub use row::{Kind, RowFault, fields, row, unknown};

/// A field a signal may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Canonical action.
    Action,
    /// `event`, `contact` (a whole call) or `ticket` (a whole ticket).
    Item,
    /// `contact`, `ticket`: what an event came with.
    PartOf,
    /// Outcome.
    Outcome,
    /// Recovery class.
    Recovery,
    /// Done by somebody else than the person.
    AdminPerformed,
    /// Channel.
    Channel,
    /// Direction of a contact.
    Direction,
    /// A contact to the desk; a source that names no direction delivers such contacts.
    ToDesk,
    /// Origin of a contact.
    Origin,
    /// Request class: that of the event, else that of the call or ticket it came with.
    RequestClass,
    /// Claims of the requester.
    Claims,
    /// Strong pressure language.
    PressureStrong,
    /// Pressure band.
    PressureBand,
    /// Pressure score, 0–100.
    PressureScore,
    /// Pressure cues.
    PressureCues,
    /// Method of a verification.
    VerificationMethod,
    /// Strength of a verification, 0–4.
    VerificationStrength,
    /// A completed call-back that reached somebody, its number looked up.
    Callback,
    /// Seconds connected.
    ConnectedS,
    /// Voice risk, 0–100.
    VoiceRisk,
    /// What performed the action.
    AgentKind,
    /// Tier of the target.
    TargetTier,
    /// Whether the approver may approve.
    Eligible,
    /// Factor type.
    FactorType,
    /// Application class.
    AppClass,
    /// Policy class.
    PolicyClass,
    /// Policy effect.
    PolicyEffect,
    /// Known proxy.
    IsProxy,
    /// Country of the network.
    Country,
    /// Autonomous system.
    Asn,
    /// Managed device.
    Managed,
    /// Quality of a stated reason.
    ReasonQuality,
}

const RECOVERY_CLASSES: [(&str, RecoveryClass); 6] = [
    ("password", RecoveryClass::Password),
    ("factor", RecoveryClass::Factor),
    ("bypass", RecoveryClass::Bypass),
    ("unlock", RecoveryClass::Unlock),
    ("recovery_data", RecoveryClass::RecoveryData),
    ("session", RecoveryClass::Session),
];

/// The name of a recovery class in rules and alerts.
#[must_use]
pub fn class_name(class: RecoveryClass) -> &'static str {
    RECOVERY_CLASSES
        .iter()
        .find(|(_, c)| *c == class)
        .map_or("", |(name, _)| name)
}

/// What a row of a signal asks of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these words of a closed vocabulary, a bit per word in its order.
    In(u128),
    /// One of these texts, in any letter case.
    Text(Vec<String>),
    /// Compared as numbers.
    Number(Compare, i64),
    /// Exactly this flag.
    Flag(bool),
    /// Present at all, or absent.
    Exists(bool),
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `|lt`
    Lt,
    /// `|lte`
    Lte,
    /// no modifier
    Eq,
    /// `|gte`
    Gte,
    /// `|gt`
    Gt,
}

/// One row of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it looks at.
    pub field: Field,
    /// What it asks.
    pub test: Test,
}

/// A compiled signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    node: Node,
    domain: Domain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// Every row holds.
    All(Vec<Row>),
    /// Some alternative holds.
    Any(Vec<Signal>),
    /// Both hold.
    Both(Box<Signal>, Box<Signal>),
}

impl Signal {
    /// Every row holds, of an event unless a row asks for a whole contact or ticket.
    #[must_use]
    pub fn all(rows: Vec<Row>) -> Self {
        let domain = Domain::of_rows(&rows, false);
        Self {
            node: Node::All(rows),
            domain,
        }
    }

    /// Every row holds, whatever the fact stands for: narrows another signal.
    #[must_use]
    pub fn narrow(rows: Vec<Row>) -> Self {
        let domain = Domain::of_rows(&rows, true);
        Self {
            node: Node::All(rows),
            domain,
        }
    }

    /// Some alternative holds.
    #[must_use]
    pub fn any(signals: Vec<Self>) -> Self {
        let domain = signals
            .iter()
            .fold(Domain::NOTHING, |all, one| all.either(&one.domain));
        Self {
            node: Node::Any(signals),
            domain,
        }
    }

    /// Both hold.
    #[must_use]
    pub fn both(a: Self, b: Self) -> Self {
        let domain = a.domain.both(&b.domain);
        Self {
            node: Node::Both(Box::new(a), Box::new(b)),
            domain,
        }
    }

    /// What it can match at all.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Whether a seen fact is this signal.
    #[must_use]
    pub fn matches(&self, seen: &Seen<'_>) -> bool {
        self.may(seen) && self.rows_hold(seen)
    }

    /// Whether an event that came by itself is this signal.
    #[must_use]
    pub fn matches_alone(&self, fact: &Fact) -> bool {
        let outcomes = self.domain.outcomes(fact.action);
        outcomes & outcome_bit(fact.outcome) != 0 && self.rows_hold(&Seen::alone(fact))
    }

    /// Whether it may match an event of this action and outcome that came by itself.
    #[must_use]
    pub fn may_alone(&self, action: Action, outcome: Outcome) -> bool {
        self.domain.outcomes(action) & outcome_bit(outcome) != 0
    }

    fn may(&self, seen: &Seen<'_>) -> bool {
        match seen.stands {
            Stands::Event if seen.is_alone() => self.domain.alone().has(seen.fact.action),
            Stands::Event => self.domain.with_others().has(seen.fact.action),
            Stands::Contact => self.domain.contact,
            Stands::Ticket => self.domain.ticket,
        }
    }

    fn rows_hold(&self, seen: &Seen<'_>) -> bool {
        match &self.node {
            Node::All(rows) => rows.iter().all(|row| holds(row.field, &row.test, seen)),
            Node::Any(signals) => signals.iter().any(|signal| signal.matches(seen)),
            Node::Both(a, b) => a.rows_hold(seen) && b.rows_hold(seen),
        }
    }
}
