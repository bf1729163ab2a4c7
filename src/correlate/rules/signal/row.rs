//! One row of a signal, `field|modifier: value`, read and checked against the vocabulary.

use super::{Compare, Field, RECOVERY_CLASSES, Row, Test};
use crate::collect::event::{
    Action, AgentKind, AppClass, Band, Channel, Claim, Cue, Direction, FactorType, Origin, Outcome,
    PolicyClass, PolicyEffect, ReasonQuality, RequestClass, Ternary, Tier, VerificationMethod,
};

/// Name and type of every field.
const FIELDS: [(&str, Field, Kind); 33] = [
    ("action", Field::Action, Kind::Word),
    ("item", Field::Item, Kind::Word),
    ("part_of", Field::PartOf, Kind::Word),
    ("outcome", Field::Outcome, Kind::Word),
    ("recovery", Field::Recovery, Kind::Word),
    ("admin_performed", Field::AdminPerformed, Kind::Flag),
    ("channel", Field::Channel, Kind::Word),
    ("contact.direction", Field::Direction, Kind::Word),
    ("contact.to_desk", Field::ToDesk, Kind::Flag),
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
pub enum Kind {
    /// Words of a closed vocabulary.
    Word,
    /// Any text.
    Text,
    /// Whole numbers, with comparisons.
    Number,
    /// True or false.
    Flag,
}

/// Name, kind of value and vocabulary of every field, for schemas and editors.
pub fn fields() -> impl Iterator<Item = (&'static str, Kind, Vec<&'static str>)> {
    FIELDS
        .iter()
        .map(|(name, field, kind)| (*name, *kind, vocabulary(*field)))
}

/// Why a row does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// What is wrong.
    pub what: String,
    /// The nearest thing that would be right.
    pub did_you_mean: Option<String>,
}

impl RowFault {
    /// A fault without a suggestion.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            did_you_mean: None,
        }
    }
}

/// Compiles one row of a signal: `name|modifier` and its values.
///
/// # Errors
/// Unknown field, modifier or word, or a value of the wrong type.
pub fn row(key: &str, values: &[String]) -> Result<Row, RowFault> {
    let (name, modifier) = key.split_once('|').unwrap_or((key, ""));
    let Some((_, field, kind)) = FIELDS.iter().find(|(known, ..)| *known == name) else {
        let known = FIELDS.iter().map(|(name, ..)| *name);
        return Err(unknown("field", name, known));
    };
    if modifier == "exists" {
        return flag(values).map(|wanted| Row {
            field: *field,
            test: Test::Exists(wanted),
        });
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
    Ok(Row {
        field: *field,
        test,
    })
}

fn words_test(field: Field, values: &[String]) -> Result<Test, RowFault> {
    if values == ["any"] {
        return Ok(Test::Exists(true));
    }
    let known = vocabulary(field);
    if known.is_empty() {
        return Ok(Test::Text(values.to_vec()));
    }
    let mut mask = 0_u128;
    for value in values {
        let place = known.iter().position(|word| word == value);
        let Some(place) = place.and_then(|place| u32::try_from(place).ok()) else {
            return Err(unknown("value", value, known.into_iter()));
        };
        mask |= 1 << place;
    }
    Ok(Test::In(mask))
}

/// The words of a field, each at the place that its value has in the enumeration.
fn vocabulary(field: Field) -> Vec<&'static str> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "numbers, flags and texts have no words"
    )]
    match field {
        Field::Action => Action::ALL.iter().map(|a| a.as_str()).collect(),
        Field::Item => vec!["event", "contact", "ticket"],
        Field::PartOf => vec!["contact", "ticket"],
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
    RowFault::new(format!("expected {wanted}"))
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
    use crate::correlate::view::Stands;

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
            one("pressure.score|gte", "60").unwrap().test,
            Test::Number(Compare::Gte, 60)
        );
        assert!(one("pressure.score", "many").is_err());
        assert!(one("admin_performed", "maybe").is_err());
        assert_eq!(one("recovery", "any").unwrap().test, Test::Exists(true));
    }

    #[test]
    fn every_word_stands_at_the_place_of_its_value() {
        let order =
            |places: Vec<usize>| assert!(places.into_iter().enumerate().all(|(n, p)| n == p));
        order(Action::ALL.iter().map(|v| *v as usize).collect());
        order(Outcome::ALL.iter().map(|v| *v as usize).collect());
        order(Channel::ALL.iter().map(|v| *v as usize).collect());
        order(Direction::ALL.iter().map(|v| *v as usize).collect());
        order(Origin::ALL.iter().map(|v| *v as usize).collect());
        order(RequestClass::ALL.iter().map(|v| *v as usize).collect());
        order(Claim::ALL.iter().map(|v| *v as usize).collect());
        order(Band::ALL.iter().map(|v| *v as usize).collect());
        order(Cue::ALL.iter().map(|v| *v as usize).collect());
        order(
            VerificationMethod::ALL
                .iter()
                .map(|v| *v as usize)
                .collect(),
        );
        order(AgentKind::ALL.iter().map(|v| *v as usize).collect());
        order(Tier::ALL.iter().map(|v| *v as usize).collect());
        order(Ternary::ALL.iter().map(|v| *v as usize).collect());
        order(FactorType::ALL.iter().map(|v| *v as usize).collect());
        order(AppClass::ALL.iter().map(|v| *v as usize).collect());
        order(PolicyClass::ALL.iter().map(|v| *v as usize).collect());
        order(PolicyEffect::ALL.iter().map(|v| *v as usize).collect());
        order(ReasonQuality::ALL.iter().map(|v| *v as usize).collect());
        order(RECOVERY_CLASSES.iter().map(|(_, v)| *v as usize).collect());
        let stands = [Stands::Event, Stands::Contact, Stands::Ticket];
        order(stands.iter().map(|v| *v as usize).collect());
    }
}
