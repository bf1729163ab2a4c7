//! Signals: named predicates over a seen fact, compiled from `field|modifier: value` rows.

mod row;

use crate::collect::event::{
    Action, AppClass, Channel, Direction, FactorType, PolicyClass, PolicyEffect, VerificationMethod,
};
use crate::correlate::fact::RecoveryClass;
use crate::correlate::view::{Seen, Stands, is_callback};
pub use row::{RowFault, row, unknown};

/// A field a signal may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Canonical action.
    Action,
    /// `event`, `contact` (a whole call) or `ticket` (a whole ticket).
    Item,
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
    /// Origin of a contact.
    Origin,
    /// Request class.
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
    /// One of these words; `any` becomes [`Test::Exists`].
    In(Vec<String>),
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

/// A compiled signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Every row holds.
    All(Vec<(Field, Test)>),
    /// Every row holds, whatever the fact stands for: narrows another signal.
    Narrow(Vec<(Field, Test)>),
    /// Some alternative holds.
    Any(Vec<Self>),
    /// Both hold.
    Both(Box<Self>, Box<Self>),
}

impl Signal {
    /// Whether a seen fact is this signal.
    #[must_use]
    pub fn matches(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::All(rows) => {
                let asks_item = rows.iter().any(|(field, _)| *field == Field::Item);
                (asks_item || seen.stands == Stands::Event)
                    && rows.iter().all(|(field, test)| holds(*field, test, seen))
            }
            Self::Narrow(rows) => rows.iter().all(|(field, test)| holds(*field, test, seen)),
            Self::Any(signals) => signals.iter().any(|signal| signal.matches(seen)),
            Self::Both(a, b) => a.matches(seen) && b.matches(seen),
        }
    }

    /// The actions the signal may stand on; `None` = any. What no rule names is not kept.
    #[must_use]
    pub fn actions(&self) -> Option<Vec<Action>> {
        match self {
            Self::All(rows) | Self::Narrow(rows) => {
                rows.iter().find_map(|(field, test)| match (field, test) {
                    (Field::Action, Test::In(names)) => {
                        Some(names.iter().filter_map(|n| Action::from_name(n)).collect())
                    }
                    (Field::Recovery, _) => Some(RECOVERY_ACTIONS.to_vec()),
                    (Field::Callback, _) => Some(vec![Action::CallbackCompleted]),
                    (Field::Item, _) => Some(Vec::new()),
                    _ => None,
                })
            }
            Self::Any(signals) => {
                let all: Option<Vec<_>> = signals.iter().map(Self::actions).collect();
                all.map(|lists| lists.concat())
            }
            Self::Both(a, b) => a.actions().or_else(|| b.actions()),
        }
    }
}

const RECOVERY_ACTIONS: [Action; 11] = [
    Action::CredentialPasswordReset,
    Action::MfaResetAll,
    Action::MfaRemoved,
    Action::MfaChanged,
    Action::MfaEnrolled,
    Action::CredentialTempIssued,
    Action::MfaBypassGranted,
    Action::AccountUnlocked,
    Action::AccountEnabled,
    Action::AccountRecoveryChanged,
    Action::SessionChallengeDisabled,
];

/// What a field holds in one fact.
enum Held {
    Words(Vec<&'static str>),
    Text(String),
    Number(i64),
    Flag(bool),
    Nothing,
}

fn holds(field: Field, test: &Test, seen: &Seen<'_>) -> bool {
    let held = held(field, seen);
    match (test, held) {
        (Test::Exists(wanted), held) => *wanted != matches!(held, Held::Nothing),
        (Test::In(list), Held::Words(words)) => words
            .iter()
            .any(|word| list.iter().any(|item| item == word)),
        (Test::In(list), Held::Text(text)) => {
            list.iter().any(|item| item.eq_ignore_ascii_case(&text))
        }
        (Test::Number(compare, wanted), Held::Number(number)) => match compare {
            Compare::Lt => number < *wanted,
            Compare::Lte => number <= *wanted,
            Compare::Eq => number == *wanted,
            Compare::Gte => number >= *wanted,
            Compare::Gt => number > *wanted,
        },
        (Test::Flag(wanted), Held::Flag(flag)) => flag == *wanted,
        // A missing field is "no match"; it never joins two people.
        _ => false,
    }
}

fn word(word: Option<&'static str>) -> Held {
    word.map_or(Held::Nothing, |word| Held::Words(vec![word]))
}

fn held(field: Field, seen: &Seen<'_>) -> Held {
    let fact = seen.fact;
    match field {
        Field::Action => word(Some(fact.action.as_str())),
        Field::Item => word(Some(match seen.stands {
            Stands::Event => "event",
            Stands::Contact => "contact",
            Stands::Ticket => "ticket",
        })),
        Field::Outcome => word(Some(fact.outcome.as_str())),
        Field::Recovery => word(fact.recovery_class().map(class_name)),
        Field::AdminPerformed => Held::Flag(fact.admin_performed()),
        Field::Channel => word(fact.channel.map(Channel::as_str)),
        Field::Direction => word(fact.direction.map(Direction::as_str)),
        Field::Origin => word(Some(fact.origin.as_str())),
        Field::RequestClass => word(Some(fact.request.as_str())),
        Field::Claims => some_words(fact.claims.iter().map(|claim| claim.as_str())),
        Field::PressureStrong
        | Field::PressureBand
        | Field::PressureScore
        | Field::PressureCues => held_pressure(field, seen),
        Field::VerificationMethod => {
            let method = fact.verification.as_ref().and_then(|v| v.method);
            word(method.map(VerificationMethod::as_str))
        }
        Field::VerificationStrength => {
            number(fact.verification.as_ref().map(|v| i64::from(v.strength)))
        }
        Field::Callback => Held::Flag(is_callback(fact)),
        Field::ConnectedS => number(fact.connected_s),
        Field::VoiceRisk => number(fact.voice_risk.map(i64::from)),
        Field::AgentKind => word(Some(fact.agent_kind.as_str())),
        Field::TargetTier => word(fact.target.as_ref().map(|t| t.tier.as_str())),
        Field::Eligible => word(Some(fact.eligible.as_str())),
        Field::FactorType => word(fact.factor_type.map(FactorType::as_str)),
        Field::AppClass => word(fact.app.map(AppClass::as_str)),
        Field::PolicyClass => word(fact.policy.and_then(|p| p.0).map(PolicyClass::as_str)),
        Field::PolicyEffect => word(fact.policy.and_then(|p| p.1).map(PolicyEffect::as_str)),
        Field::IsProxy => Held::Flag(fact.is_proxy),
        Field::Country => fact.country.clone().map_or(Held::Nothing, Held::Text),
        Field::Asn => number(fact.asn.map(i64::from)),
        Field::Managed => fact
            .device
            .as_ref()
            .and_then(|d| d.managed)
            .map_or(Held::Nothing, Held::Flag),
        Field::ReasonQuality => word(fact.reason.as_ref().map(|r| r.0.as_str())),
    }
}

fn held_pressure(field: Field, seen: &Seen<'_>) -> Held {
    let Some(pressure) = &seen.fact.pressure else {
        return Held::Nothing;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "called with the four pressure fields"
    )]
    match field {
        Field::PressureStrong => Held::Flag(pressure.strong()),
        Field::PressureBand => word(Some(pressure.band.as_str())),
        Field::PressureScore => Held::Number(i64::from(pressure.score_pct)),
        _ => some_words(pressure.cues.iter().map(|cue| cue.as_str())),
    }
}

fn some_words(words: impl Iterator<Item = &'static str>) -> Held {
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        Held::Nothing
    } else {
        Held::Words(words)
    }
}

fn number(number: Option<i64>) -> Held {
    number.map_or(Held::Nothing, Held::Number)
}
