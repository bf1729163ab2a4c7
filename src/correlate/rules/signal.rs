//! Signals: named predicates over a seen fact, compiled from `field|modifier: value` rows.

use crate::collect::event::Action;
use crate::collect::event::{
    AgentKind, AppClass, Band, Channel, Claim, Cue, Direction, FactorType, Origin, Outcome,
    PolicyClass, PolicyEffect, ReasonQuality, RequestClass, Ternary, Tier, VerificationMethod,
};
use crate::correlate::fact::RecoveryClass;
use crate::correlate::view::{Seen, Stands, is_callback};

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

/// Name and type of every field.
const FIELDS: [(&str, Field, Kind); 31] = [
    ("action", Field::Action, Kind::Word),
    ("item", Field::Item, Kind::Word),
    ("outcome", Field::Outcome, Kind::Word),
    ("recovery", Field::Recovery, Kind::Word),
    ("admin_performed", Field::AdminPerformed, Kind::Flag),
    ("channel", Field::Channel, Kind::Word),
    ("contact.direction", Field::Direction, Kind::Word),
    ("contact.origin", Field::Origin, Kind::Word),
    ("request.class", Field::RequestClass, Kind::Word),
    ("request.claims", Field::Claims, Kind::Word),
    ("pressure.strong", Field::PressureStrong, Kind::Flag),
    ("pressure.band", Field::PressureBand, Kind::Word),
    ("pressure.score", Field::PressureScore, Kind::Number),
    ("pressure.cues", Field::PressureCues, Kind::Word),
    ("verification.method", Field::VerificationMethod, Kind::Word),
    (
        "verification.strength",
        Field::VerificationStrength,
        Kind::Number,
    ),
    ("callback", Field::Callback, Kind::Flag),
    ("call_ref.connected_s", Field::ConnectedS, Kind::Number),
    ("risk.voice", Field::VoiceRisk, Kind::Number),
    ("agent.kind", Field::AgentKind, Kind::Word),
    ("target.tier", Field::TargetTier, Kind::Word),
    ("approver.eligible", Field::Eligible, Kind::Word),
    ("factor.type", Field::FactorType, Kind::Word),
    ("app.class", Field::AppClass, Kind::Word),
    ("policy.class", Field::PolicyClass, Kind::Word),
    ("policy.effect", Field::PolicyEffect, Kind::Word),
    ("network.is_proxy", Field::IsProxy, Kind::Flag),
    ("network.country", Field::Country, Kind::Text),
    ("network.asn", Field::Asn, Kind::Number),
    ("device.managed", Field::Managed, Kind::Flag),
    ("reason.quality", Field::ReasonQuality, Kind::Word),
];

/// What values a field can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Text,
    Number,
    Flag,
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

/// Why a row does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// What is wrong.
    pub what: String,
    /// The nearest thing that would be right.
    pub did_you_mean: Option<String>,
}

/// Compiles one row of a signal: `name|modifier` and its values.
///
/// # Errors
/// Unknown field, modifier or word, or a value of the wrong type.
pub fn row(key: &str, values: &[String]) -> Result<(Field, Test), RowFault> {
    let (name, modifier) = key.split_once('|').unwrap_or((key, ""));
    let Some((_, field, kind)) = FIELDS.iter().find(|(known, ..)| *known == name) else {
        let known = FIELDS.iter().map(|(name, ..)| *name);
        return Err(unknown("field", name, known));
    };
    if modifier == "exists" {
        return flag(values).map(|wanted| (*field, Test::Exists(wanted)));
    }
    let test = match kind {
        Kind::Flag => Test::Flag(flag(values)?),
        Kind::Number => number_test(modifier, values)?,
        Kind::Word | Kind::Text => {
            if !modifier.is_empty() {
                return Err(unknown("modifier", modifier, ["exists"].into_iter()));
            }
            words_test(*field, values)?
        }
    };
    Ok((*field, test))
}

fn words_test(field: Field, values: &[String]) -> Result<Test, RowFault> {
    if values == ["any"] {
        return Ok(Test::Exists(true));
    }
    let known = vocabulary(field);
    if !known.is_empty() {
        for value in values {
            if !known.contains(&value.as_str()) {
                return Err(unknown("value", value, known.into_iter()));
            }
        }
    }
    Ok(Test::In(values.to_vec()))
}

fn vocabulary(field: Field) -> Vec<&'static str> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "numbers, flags and texts have no words"
    )]
    match field {
        Field::Action => Action::ALL.iter().map(|a| a.as_str()).collect(),
        Field::Item => vec!["event", "contact", "ticket"],
        Field::Outcome => Outcome::ALL.iter().map(|v| v.as_str()).collect(),
        Field::Recovery => RECOVERY_CLASSES.iter().map(|(name, _)| *name).collect(),
        Field::Channel => Channel::ALL.iter().map(|v| v.as_str()).collect(),
        Field::Direction => Direction::ALL.iter().map(|v| v.as_str()).collect(),
        Field::Origin => Origin::ALL.iter().map(|v| v.as_str()).collect(),
        Field::RequestClass => RequestClass::ALL.iter().map(|v| v.as_str()).collect(),
        Field::Claims => Claim::ALL.iter().map(|v| v.as_str()).collect(),
        Field::PressureBand => Band::ALL.iter().map(|v| v.as_str()).collect(),
        Field::PressureCues => Cue::ALL.iter().map(|v| v.as_str()).collect(),
        Field::VerificationMethod => VerificationMethod::ALL.iter().map(|v| v.as_str()).collect(),
        Field::AgentKind => AgentKind::ALL.iter().map(|v| v.as_str()).collect(),
        Field::TargetTier => Tier::ALL.iter().map(|v| v.as_str()).collect(),
        Field::Eligible => Ternary::ALL.iter().map(|v| v.as_str()).collect(),
        Field::FactorType => FactorType::ALL.iter().map(|v| v.as_str()).collect(),
        Field::AppClass => AppClass::ALL.iter().map(|v| v.as_str()).collect(),
        Field::PolicyClass => PolicyClass::ALL.iter().map(|v| v.as_str()).collect(),
        Field::PolicyEffect => PolicyEffect::ALL.iter().map(|v| v.as_str()).collect(),
        Field::ReasonQuality => ReasonQuality::ALL.iter().map(|v| v.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn number_test(modifier: &str, values: &[String]) -> Result<Test, RowFault> {
    let compare = match modifier {
        "" => Compare::Eq,
        "lt" => Compare::Lt,
        "lte" => Compare::Lte,
        "gte" => Compare::Gte,
        "gt" => Compare::Gt,
        other => {
            return Err(unknown(
                "modifier",
                other,
                ["lt", "lte", "gte", "gt", "exists"].into_iter(),
            ));
        }
    };
    let [value] = values else {
        return Err(wrong("one number"));
    };
    value
        .parse()
        .map(|number| Test::Number(compare, number))
        .map_err(|_| wrong("a number"))
}

fn flag(values: &[String]) -> Result<bool, RowFault> {
    match values {
        [one] if one == "true" => Ok(true),
        [one] if one == "false" => Ok(false),
        _ => Err(wrong("true or false")),
    }
}

fn wrong(wanted: &str) -> RowFault {
    RowFault {
        what: format!("expected {wanted}"),
        did_you_mean: None,
    }
}

/// A fault that names the nearest known word, where one is near.
pub fn unknown<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k str>) -> RowFault {
    let near = known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    RowFault {
        what: format!("unknown {what} `{name}`"),
        did_you_mean: near.map(|(_, candidate)| candidate.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_checked_against_the_vocabulary() {
        let one = |key: &str, value: &str| row(key, &[value.to_owned()]);
        assert!(one("action", "mfa.enrolled").is_ok());
        assert_eq!(
            one("action", "mfa.enroled")
                .unwrap_err()
                .did_you_mean
                .unwrap(),
            "mfa.enrolled"
        );
        assert_eq!(
            one("chanel", "voice").unwrap_err().did_you_mean.unwrap(),
            "channel"
        );
        assert!(one("channel|gte", "voice").is_err());
        assert_eq!(
            one("pressure.score|gte", "60").unwrap().1,
            Test::Number(Compare::Gte, 60)
        );
        assert!(one("pressure.score", "many").is_err());
        assert!(one("admin_performed", "maybe").is_err());
        assert_eq!(one("recovery", "any").unwrap().1, Test::Exists(true));
    }
}
