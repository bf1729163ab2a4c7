//! What a field holds in one seen fact, and whether a test of it holds. Nothing is allocated here.

use super::{Compare, Field, Test};
use crate::collect::event::RequestClass;
use crate::correlate::view::{Seen, Stands, is_callback, is_to_desk};

/// What a field holds in one fact.
enum Held<'a> {
    /// Words of the field's vocabulary, a bit per word.
    Words(u128),
    Text(&'a str),
    Number(i64),
    Flag(bool),
    Nothing,
}

/// Whether a test of a field holds. A missing field is "no match"; it never joins two people.
pub(super) fn holds(field: Field, test: &Test, seen: &Seen<'_>) -> bool {
    match (test, held(field, seen)) {
        (Test::Exists(wanted), held) => *wanted != matches!(held, Held::Nothing),
        (Test::In(mask), Held::Words(words)) => mask & words != 0,
        (Test::Text(list), Held::Text(text)) => {
            list.iter().any(|item| item.eq_ignore_ascii_case(text))
        }
        (Test::Number(compare, wanted), Held::Number(number)) => match compare {
            Compare::Lt => number < *wanted,
            Compare::Lte => number <= *wanted,
            Compare::Eq => number == *wanted,
            Compare::Gte => number >= *wanted,
            Compare::Gt => number > *wanted,
        },
        (Test::Flag(wanted), Held::Flag(flag)) => flag == *wanted,
        _ => false,
    }
}

/// The word at a place of its vocabulary.
fn word<'a>(place: Option<u32>) -> Held<'a> {
    place.map_or(Held::Nothing, |place| Held::Words(1 << place))
}

fn words<'a>(places: impl Iterator<Item = u32>) -> Held<'a> {
    let mask = places.fold(0_u128, |mask, place| mask | 1 << place);
    if mask == 0 {
        Held::Nothing
    } else {
        Held::Words(mask)
    }
}

fn number<'a>(number: Option<i64>) -> Held<'a> {
    number.map_or(Held::Nothing, Held::Number)
}

fn held<'a>(field: Field, seen: &Seen<'a>) -> Held<'a> {
    let fact = seen.fact;
    match field {
        Field::Action => word(Some(fact.action as u32)),
        Field::Item => word(Some(seen.stands as u32)),
        Field::PartOf => words(
            [(seen.contact.is_some(), 0), (seen.ticket.is_some(), 1)]
                .into_iter()
                .filter_map(|(is, place)| is.then_some(place)),
        ),
        Field::Outcome => word(Some(fact.outcome as u32)),
        Field::Recovery => word(fact.recovery_class().map(|class| class as u32)),
        Field::AdminPerformed => Held::Flag(fact.admin_performed()),
        Field::Channel => word(fact.channel.map(|v| v as u32)),
        Field::Direction => word(fact.direction.map(|v| v as u32)),
        Field::ToDesk => Held::Flag(is_to_desk(fact)),
        Field::Origin => word(Some(fact.origin as u32)),
        Field::RequestClass => word(Some(request_class(seen) as u32)),
        Field::Claims => words(fact.claims.iter().map(|claim| *claim as u32)),
        Field::PressureStrong
        | Field::PressureBand
        | Field::PressureScore
        | Field::PressureCues => held_pressure(field, seen),
        Field::VerificationMethod => {
            let method = fact.verification.as_ref().and_then(|v| v.method);
            word(method.map(|v| v as u32))
        }
        Field::VerificationStrength => {
            number(fact.verification.as_ref().map(|v| i64::from(v.strength)))
        }
        Field::Callback => Held::Flag(is_callback(fact)),
        Field::ConnectedS => number(fact.connected_s),
        Field::VoiceRisk => number(fact.voice_risk.map(i64::from)),
        Field::AgentKind => word(Some(fact.agent_kind as u32)),
        Field::TargetTier => word(seen.target().map(|t| t.tier as u32)),
        Field::Eligible => word(Some(fact.eligible as u32)),
        Field::FactorType => word(fact.factor_type.map(|v| v as u32)),
        Field::AppClass => word(fact.app.map(|v| v as u32)),
        Field::PolicyClass => word(fact.policy.and_then(|p| p.0).map(|v| v as u32)),
        Field::PolicyEffect => word(fact.policy.and_then(|p| p.1).map(|v| v as u32)),
        Field::IsProxy => Held::Flag(fact.is_proxy),
        Field::Country => fact.country.as_deref().map_or(Held::Nothing, Held::Text),
        Field::Asn => number(fact.asn.map(i64::from)),
        Field::Managed => fact
            .device
            .as_ref()
            .and_then(|d| d.managed)
            .map_or(Held::Nothing, Held::Flag),
        Field::ReasonQuality => word(fact.reason.as_ref().map(|r| r.0 as u32)),
    }
}

/// What was asked for: by the event itself, else by the ticket or call it came with.
fn request_class(seen: &Seen<'_>) -> RequestClass {
    let known = |class: RequestClass| class != RequestClass::Unknown;
    if known(seen.fact.request) || seen.stands != Stands::Event {
        return seen.fact.request;
    }
    let ticket = seen.ticket.map(|ticket| ticket.item.request);
    let contact = seen.contact.map(|contact| contact.item.request);
    [ticket, contact]
        .into_iter()
        .flatten()
        .find(|class| known(*class))
        .unwrap_or(RequestClass::Unknown)
}

fn held_pressure<'a>(field: Field, seen: &Seen<'a>) -> Held<'a> {
    let Some(pressure) = &seen.fact.pressure else {
        return Held::Nothing;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "called with the four pressure fields"
    )]
    match field {
        Field::PressureStrong => Held::Flag(pressure.strong()),
        Field::PressureBand => word(Some(pressure.band as u32)),
        Field::PressureScore => Held::Number(i64::from(pressure.score_pct)),
        _ => words(pressure.cues.iter().map(|cue| *cue as u32)),
    }
}
