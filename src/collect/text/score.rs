//! The score of the phrases found, and every number it depends on.
//!
//! The rule: pressure is a request for an identity, access or verification action **together
//! with** manipulation. Cues without such a request stay below the band `low`; a request without a
//! cue scores 0. Device loss alone is no manipulation. Absence of anything never lowers a score;
//! only the spoken offer of a normal check (MITIGATION) does.
//!
//! The thresholds are set by hand. They are to be replaced by those of the trained model, which are
//! calibrated per language (low = 5 %, high = 2 % false positives).

use std::collections::BTreeMap;

use super::phrases::{Group, Hit, Phrases, Scope};
use crate::collect::words::{Band, Cue};

/// Score from which a text is in the band `low`.
pub(super) const LOW_FROM_PCT: u8 = 30;
/// Score from which it is in the band `high`.
pub(super) const HIGH_FROM_PCT: u8 = 55;
/// Highest score of a text that asks for nothing.
pub(super) const NO_ASK_CAP_PCT: u8 = LOW_FROM_PCT - 1;
/// Most that MITIGATION takes away.
const MITIGATION_CAP: u32 = 30;
/// Added where a text with a cue and a request is disguised.
const OBFUSCATION_BONUS: u32 = 15;
/// Share of disguised characters from which it counts.
const OBFUSCATION_FROM_PCT: usize = 2;
/// Words between a phrase of scope `near` and the request.
const NEAR_WINDOW: usize = 14;

/// What was found in one requester turn.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Phrases in order.
    pub(super) hits: Vec<Hit>,
    /// Share of disguised characters.
    pub(super) obfuscation_pct: usize,
}

/// Whether the words contain a request of the kind that matters. Asking to skip a check, or
/// refusing one, is one too.
pub(super) fn asks(readings: &[Reading], phrases: &Phrases) -> bool {
    readings
        .iter()
        .flat_map(|r| &r.hits)
        .filter_map(|hit| phrases.get(hit))
        .any(|phrase| {
            matches!(
                phrase.group,
                Group::Ask | Group::Cue(Cue::BypassRequest | Cue::VerificationRefusal)
            )
        })
}

/// Drops the hits whose scope does not hold.
pub(super) fn apply_scopes(reading: &mut Reading, phrases: &Phrases, asked: bool) {
    let asks: Vec<(usize, usize)> = reading
        .hits
        .iter()
        .filter(|hit| phrases.get(hit).is_some_and(|p| p.group == Group::Ask))
        .map(|hit| (hit.first, hit.last))
        .collect();
    reading.hits.retain(|hit| {
        phrases.get(hit).is_some_and(|phrase| match phrase.scope {
            Scope::Any => true,
            Scope::Ask => asked,
            Scope::Near => asks.iter().any(|(first, last)| {
                hit.first <= last + NEAR_WINDOW && *first <= hit.last + NEAR_WINDOW
            }),
        })
    });
}

/// Score of one turn, 0–100: per cue its best phrase, and half of the second best.
pub(super) fn turn_score(reading: &Reading, phrases: &Phrases, asked: bool) -> u8 {
    let mut weights: BTreeMap<Group, BTreeMap<usize, u32>> = BTreeMap::new();
    for hit in &reading.hits {
        if let Some(phrase) = phrases.get(hit) {
            let group = weights.entry(phrase.group).or_default();
            group.insert(hit.phrase, u32::from(phrase.weight));
        }
    }
    let (mut sum, mut relief) = (0_u32, 0_u32);
    for (group, weights) in weights {
        let mut weights: Vec<u32> = weights.into_values().collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let mut best = weights.into_iter();
        let first = best.next().unwrap_or_default();
        let value = first + best.next().unwrap_or_default() / 2;
        if group == Group::Mitigation {
            relief = value.min(MITIGATION_CAP);
        } else if group != Group::Ask {
            sum += value;
        }
    }
    if sum > 0 && asked && reading.obfuscation_pct >= OBFUSCATION_FROM_PCT {
        sum += OBFUSCATION_BONUS;
    }
    let cap = if asked { 100 } else { NO_ASK_CAP_PCT };
    let score = sum.saturating_sub(relief).min(u32::from(cap));
    u8::try_from(score).unwrap_or(cap)
}

/// Band of a score.
pub(super) fn band(score_pct: u8) -> Band {
    match score_pct {
        HIGH_FROM_PCT.. => Band::High,
        LOW_FROM_PCT.. => Band::Low,
        _ => Band::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_follow_the_thresholds() {
        assert_eq!(band(0), Band::None);
        assert_eq!(band(NO_ASK_CAP_PCT), Band::None);
        assert_eq!(band(LOW_FROM_PCT), Band::Low);
        assert_eq!(band(HIGH_FROM_PCT), Band::High);
        assert_eq!(band(100), Band::High);
    }
}
