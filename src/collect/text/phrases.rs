//! The phrase files of `language/phrases/` and the one automaton that finds them all.
//!
//! A phrase is matched on folded words. `*` at its end accepts any ending of the last word, `*` at
//! its start any beginning of the first; `left … right` is a pair with at most [`PAIR_WINDOW`] words
//! between. No phrase reaches across the end of a sentence. A word of negation within
//! [`NEGATION_WINDOW`] words before a phrase, in the same clause, cancels it, unless the phrase
//! itself begins with one.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::LexiconError;
use super::fold::{Folded, fold};
use super::segment::Markers;
use crate::collect::words::Cue;

/// Most words between the halves of a pair.
pub(super) const PAIR_WINDOW: usize = 6;

/// Words before a phrase in which a negation cancels it.
pub(super) const NEGATION_WINDOW: usize = 3;

/// Most matches kept of one turn.
pub(super) const MAX_HITS: usize = 256;

/// Highest weight of a phrase.
const MAX_WEIGHT: u8 = 60;

/// What a phrase stands for: one of the cues, a request, or the offer of a normal check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Manipulation.
    Cue(Cue),
    /// Asks for an identity, access or verification action.
    Ask,
    /// Offers or accepts the normal check, or says there is no hurry.
    Mitigation,
}

impl Group {
    /// The cue, unless it is one of the two helper groups.
    pub(super) const fn cue(self) -> Option<Cue> {
        match self {
            Self::Cue(cue) => Some(cue),
            Self::Ask | Self::Mitigation => None,
        }
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.as_str() {
            "ask" => Ok(Self::Ask),
            "mitigation" => Ok(Self::Mitigation),
            cue => {
                let cue: serde::de::value::StrDeserializer<'_, D::Error> = cue.into_deserializer();
                Cue::deserialize(cue).map(Self::Cue)
            }
        }
    }
}

/// Where a phrase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    /// Anywhere in the requester's words.
    #[default]
    Any,
    /// Only where the requester also asks for something, anywhere in the text.
    Ask,
    /// Only near such a request, in the same turn.
    Near,
}

/// One language file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageFile {
    language: String,
    negation: Vec<String>,
    speakers: SpeakersFile,
    templates: Vec<String>,
    closers: Vec<String>,
    phrases: Vec<PhraseFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpeakersFile {
    requester: Vec<String>,
    agent: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseFile {
    id: String,
    phrase: String,
    cue: Group,
    weight: u8,
    #[serde(default)]
    scope: Scope,
}

/// A checked phrase.
#[derive(Debug)]
pub(super) struct Phrase {
    /// Unique over all languages, e.g. `en.urgency.right_now`.
    pub(super) id: String,
    pub(super) group: Group,
    pub(super) weight: u8,
    pub(super) scope: Scope,
    language: usize,
    negated_itself: bool,
    pair: bool,
}

/// Which half of which phrase a pattern of the automaton is.
#[derive(Debug, Clone, Copy)]
struct Half {
    phrase: usize,
    second: bool,
}

/// A phrase found in one turn; token indices, and bytes of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) phrase: usize,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All phrases of all languages, compiled.
#[derive(Debug)]
pub(super) struct Phrases {
    phrases: Vec<Phrase>,
    automaton: AhoCorasick,
    halves: Vec<Vec<Half>>,
    negation: Vec<Vec<String>>,
    /// What structures a text, in all languages.
    pub(super) markers: Markers,
}

impl Phrases {
    /// Parses and compiles language files.
    pub(super) fn compile(files: &[&str]) -> Result<Self, LexiconError> {
        let mut patterns: BTreeMap<String, Vec<Half>> = BTreeMap::new();
        let mut phrases: Vec<Phrase> = Vec::new();
        let mut negation = Vec::new();
        let mut markers = Markers::default();
        let mut ids = BTreeMap::new();
        for (language, text) in files.iter().enumerate() {
            let file: LanguageFile =
                serde_saphyr::from_str(text).map_err(|e| LexiconError::Parse(e.to_string()))?;
            let words: Vec<String> = file.negation.iter().map(|w| folded(w)).collect();
            take_markers(&mut markers, &file);
            for entry in file.phrases {
                if ids.insert(entry.id.clone(), ()).is_some() {
                    return Err(LexiconError::Phrase(entry.id, "the id stands twice"));
                }
                if !entry.id.starts_with(&file.language) || entry.weight > MAX_WEIGHT {
                    return Err(LexiconError::Phrase(entry.id, "language or weight"));
                }
                let halves: Vec<&str> = entry.phrase.split('…').map(str::trim).collect();
                if halves.len() > 2 || halves.iter().any(|half| folded(half).is_empty()) {
                    return Err(LexiconError::Phrase(entry.id, "one phrase or one pair"));
                }
                for (index, half) in halves.iter().enumerate() {
                    for pattern in spellings(half) {
                        patterns.entry(pattern).or_default().push(Half {
                            phrase: phrases.len(),
                            second: index == 1,
                        });
                    }
                }
                let begins = halves.first().map(|half| folded(half)).unwrap_or_default();
                phrases.push(Phrase {
                    id: entry.id,
                    group: entry.cue,
                    weight: entry.weight,
                    scope: entry.scope,
                    language,
                    negated_itself: begins.split(' ').any(|w| words.iter().any(|n| n == w)),
                    pair: halves.len() == 2,
                });
            }
            negation.push(words);
        }
        let automaton = AhoCorasick::new(patterns.keys())
            .map_err(|error| LexiconError::Automaton(error.to_string()))?;
        Ok(Self {
            phrases,
            automaton,
            halves: patterns.into_values().collect(),
            negation,
            markers,
        })
    }

    /// Number of phrases.
    pub(super) fn len(&self) -> usize {
        self.phrases.len()
    }

    /// The phrase a hit names.
    pub(super) fn get(&self, hit: &Hit) -> Option<&Phrase> {
        self.phrases.get(hit.phrase)
    }

    /// Every phrase in a folded turn, in order of its start; of two nested phrases of one group
    /// the longer. The flag says that there were more than are kept.
    pub(super) fn find(&self, turn: &Folded) -> (Vec<Hit>, bool) {
        let mut open: BTreeMap<usize, Hit> = BTreeMap::new();
        let mut hits: Vec<Hit> = Vec::new();
        let mut cancelled: BTreeSet<(Group, usize, usize)> = BTreeSet::new();
        let mut full = false;
        for found in self.automaton.find_overlapping_iter(&turn.text) {
            let halves = self.halves.get(found.pattern().as_usize());
            for half in halves.into_iter().flatten() {
                let Some(phrase) = self.phrases.get(half.phrase) else {
                    continue;
                };
                let Some(mut hit) = locate(turn, half.phrase, found.start(), found.end()) else {
                    continue;
                };
                if phrase.pair && !half.second {
                    open.insert(half.phrase, hit);
                    continue;
                }
                if phrase.pair {
                    let Some(left) = open.get(&half.phrase) else {
                        continue;
                    };
                    if !reaches(turn, left.last, hit.first) {
                        continue;
                    }
                    (hit.first, hit.start) = (left.first, left.start);
                }
                if self.cancelled(turn, phrase, hit.first) {
                    cancelled.insert((phrase.group, hit.first, hit.last));
                    continue;
                }
                if hits.len() >= MAX_HITS {
                    full = true;
                    break;
                }
                hits.push(hit);
            }
        }
        // Languages share words: one that is negated in its own language is so in the others.
        hits.retain(|hit| {
            self.get(hit)
                .is_some_and(|phrase| !cancelled.contains(&(phrase.group, hit.first, hit.last)))
        });
        (self.settle(hits), full)
    }

    /// Sorts the hits and drops those inside a longer one of the same group.
    fn settle(&self, mut hits: Vec<Hit>) -> Vec<Hit> {
        hits.sort_by_key(|hit| (hit.first, std::cmp::Reverse(hit.last), hit.phrase));
        let mut reach: BTreeMap<Group, usize> = BTreeMap::new();
        hits.retain(|hit| {
            let Some(phrase) = self.phrases.get(hit.phrase) else {
                return false;
            };
            let fresh = reach.get(&phrase.group).is_none_or(|end| hit.last > *end);
            if fresh {
                reach.insert(phrase.group, hit.last);
            }
            fresh
        });
        hits
    }

    /// A word of negation stands closely before the phrase, in its clause.
    fn cancelled(&self, turn: &Folded, phrase: &Phrase, first: usize) -> bool {
        if phrase.negated_itself {
            return false;
        }
        let words = self.negation.get(phrase.language);
        for back in 0..NEGATION_WINDOW {
            let here = first.saturating_sub(back);
            if here == 0 || turn.tokens.get(here).is_none_or(|token| token.clause) {
                return false;
            }
            let word = turn.word(here - 1);
            if words.is_some_and(|words| words.iter().any(|negation| negation == word)) {
                return true;
            }
        }
        false
    }
}

fn take_markers(markers: &mut Markers, file: &LanguageFile) {
    let lower = |list: &[String]| list.iter().map(|s| s.to_lowercase()).collect::<Vec<_>>();
    markers.requester.extend(lower(&file.speakers.requester));
    markers.agent.extend(lower(&file.speakers.agent));
    markers.templates.extend(lower(&file.templates));
    markers.closers.extend(lower(&file.closers));
}

/// Folded words with single spaces between.
fn folded(text: &str) -> String {
    let out = fold(text, std::slice::from_ref(&(0..text.len())));
    out.text.trim().trim_end_matches('.').trim_end().to_owned()
}

/// The patterns of one phrase half: as folded, and with umlauts written as two letters.
fn spellings(half: &str) -> Vec<String> {
    let (core, prefix) = half.strip_suffix('*').map_or((half, false), |c| (c, true));
    let (core, suffix) = core.strip_prefix('*').map_or((core, false), |c| (c, true));
    let lower = core.to_lowercase();
    let expanded = lower
        .replace('ä', "ae")
        .replace('ö', "oe")
        .replace('ü', "ue");
    let mut out: Vec<String> = [core, expanded.as_str()]
        .into_iter()
        .map(folded)
        .filter(|words| !words.is_empty())
        .map(|words| {
            let (before, after) = (if suffix { "" } else { " " }, if prefix { "" } else { " " });
            format!("{before}{words}{after}")
        })
        .collect();
    out.dedup();
    out
}

/// The tokens and original bytes of a match in the folded text.
fn locate(turn: &Folded, phrase: usize, start: usize, end: usize) -> Option<Hit> {
    let space = |at: usize| turn.text.as_bytes().get(at) == Some(&b' ');
    let last_byte = end.checked_sub(1)?;
    let first = turn.token_at(start + usize::from(space(start)))?;
    let last = turn.token_at(last_byte - usize::from(space(last_byte)))?;
    let (from, to) = (turn.tokens.get(first)?, turn.tokens.get(last)?);
    Some(Hit {
        phrase,
        first,
        last,
        start: from.source.start,
        end: to.source.end,
    })
}

/// The second half of a pair stands after the first, near enough, in the same sentence.
fn reaches(turn: &Folded, left: usize, right: usize) -> bool {
    right > left
        && right - left <= PAIR_WINDOW + 1
        && turn
            .tokens
            .get(left..right)
            .is_some_and(|between| between.iter().all(|token| !token.stop))
}
