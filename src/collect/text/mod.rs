//! Reading the text: pressure language in tickets, chats and calls.
//!
//! `segment → fold → phrases → score`. Language is weak evidence: it modifies what happened and
//! raises nothing alone, and the absence of pressure never lowers anything. What is kept of a text
//! is numbers, phrase ids and offsets, never the words.

mod fold;
mod phrases;
mod recent;
mod score;
mod segment;

pub use recent::Readings;

use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use crate::collect::event::{CueSpan, Pressure, Text};
use phrases::Phrases;
use score::Reading;

/// Most bytes read of one text.
pub const MAX_BYTES: usize = 4096;

/// Most spans kept of one text.
pub const MAX_SPANS: usize = 32;

/// The phrase files shipped with the program.
const EMBEDDED: [&str; 6] = [
    include_str!("../../../language/phrases/en.yaml"),
    include_str!("../../../language/phrases/de.yaml"),
    include_str!("../../../language/phrases/fr.yaml"),
    include_str!("../../../language/phrases/es.yaml"),
    include_str!("../../../language/phrases/pt.yaml"),
    include_str!("../../../language/phrases/other.yaml"),
];

/// Whose words a text holds, as far as the source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Speaker {
    /// The person who asks.
    Requester,
    /// The desk.
    Agent,
    /// A machine.
    System,
    /// Not said: line prefixes decide, else it is read as the requester's.
    #[default]
    Unknown,
}

impl Speaker {
    /// Name in the event; none where the source does not say.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Requester => Some("requester"),
            Self::Agent => Some("agent"),
            Self::System => Some("system"),
            Self::Unknown => None,
        }
    }
}

/// Why phrase files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LexiconError {
    /// Not YAML of the expected form.
    #[error("phrase file: {0}")]
    Parse(String),
    /// An entry breaks a rule.
    #[error("phrase {0}: {1}")]
    Phrase(String, &'static str),
    /// The phrases cannot be compiled together.
    #[error("phrases: {0}")]
    Automaton(String),
}

/// The phrases of all languages, compiled once and shared.
#[derive(Debug)]
pub struct Lexicon {
    phrases: Phrases,
    version: String,
}

impl Lexicon {
    /// The lexicon shipped with the program.
    ///
    /// # Errors
    /// None in a tested build: the embedded files are tested to load.
    pub fn embedded() -> Result<Self, LexiconError> {
        Self::compile(&EMBEDDED)
    }

    /// A lexicon from the texts of language files (form of `language/phrases/*.yaml`).
    ///
    /// # Errors
    /// The first file or phrase that cannot be used.
    pub fn compile(files: &[&str]) -> Result<Self, LexiconError> {
        let mut digest = Sha256::new();
        for file in files {
            digest.update(file.as_bytes());
        }
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
        Ok(Self {
            phrases: Phrases::compile(files)?,
            version: format!("lexicon-{}", hex::encode([a, b, c, d])),
        })
    }

    /// Version: a digest of the phrase files.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Number of phrases, all languages.
    #[must_use]
    pub fn phrase_count(&self) -> usize {
        self.phrases.len()
    }

    /// Reads one text. Total: any text gives an answer.
    #[must_use]
    pub fn read(&self, text: &str, role: Speaker) -> Text {
        let bounded = text
            .get(..text.floor_char_boundary(MAX_BYTES))
            .unwrap_or_default();
        let (turns, cut) = segment::requester_turns(bounded, role, &self.phrases.markers);
        let mut truncated = cut || bounded.len() < text.len();
        let mut readings = Vec::with_capacity(turns.len());
        for turn in &turns {
            let folded = fold::fold(bounded, &turn.parts);
            let (hits, full) = self.phrases.find(&folded);
            truncated |= full;
            readings.push(Reading {
                hits,
                obfuscation_pct: folded.obfuscation_pct(),
            });
        }
        let asked = score::asks(&readings, &self.phrases);
        for reading in &mut readings {
            score::apply_scopes(reading, &self.phrases, asked);
        }
        let scores: Vec<u8> = readings
            .iter()
            .map(|reading| score::turn_score(reading, &self.phrases, asked))
            .collect();
        let score_pct = scores.iter().copied().max().unwrap_or_default();
        let (cues, more) = self.spans(&readings);
        truncated |= more;
        Text {
            pressure: Pressure {
                score_pct,
                trend_pct: trend(&scores),
                band: score::band(score_pct),
                truncated,
                cues,
                lexicon_version: self.version.as_str().into(),
            },
            speaker: role.name().map(SmolStr::from),
            offset_ms: None,
        }
    }

    /// The cue phrases found, in order, and whether there are more than are kept.
    fn spans(&self, readings: &[Reading]) -> (Vec<CueSpan>, bool) {
        let mut spans = Vec::new();
        for hit in readings.iter().flat_map(|reading| &reading.hits) {
            let Some(phrase) = self.phrases.get(hit) else {
                continue;
            };
            let Some(cue) = phrase.group.cue() else {
                continue;
            };
            if spans.len() >= MAX_SPANS {
                return (spans, true);
            }
            spans.push(CueSpan {
                cue: Some(cue),
                phrase_id: phrase.id.as_str().into(),
                start: u32::try_from(hit.start).unwrap_or(u32::MAX),
                end: u32::try_from(hit.end).unwrap_or(u32::MAX),
            });
        }
        (spans, false)
    }
}

/// Last requester turn minus first.
fn trend(scores: &[u8]) -> i8 {
    let (Some(first), Some(last)) = (scores.first(), scores.last()) else {
        return 0;
    };
    i8::try_from(i16::from(*last) - i16::from(*first)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
