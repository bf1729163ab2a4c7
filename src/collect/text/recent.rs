//! Readings of the texts that were read lately: a ticket repeats its description with every change, and
//! several events come of one change.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::collect::event::Text;
use crate::collect::text::{Lexicon, Speaker};

/// Readings of a generation.
const GENERATION_MAX: usize = 1_024;
/// Shorter texts are read as fast as they are found.
const BYTES_MIN: usize = 64;

/// 128 bits of seeded hashes stand for a text: nobody can aim at a collision, and no text is kept.
type Key = (u64, u64);

/// Two generations: what was asked for in neither goes.
#[derive(Debug, Default)]
pub struct Readings {
    seeds: (DefaultHashBuilder, DefaultHashBuilder),
    young: HashMap<Key, Text>,
    old: HashMap<Key, Text>,
}

impl Readings {
    /// What [`Lexicon::read`] says of a text, always of one lexicon.
    pub fn read(&mut self, lexicon: &Lexicon, text: &str, role: Speaker) -> Text {
        if text.len() < BYTES_MIN {
            return lexicon.read(text, role);
        }
        let key = (
            self.seeds.0.hash_one((text, role)),
            self.seeds.1.hash_one((role, text)),
        );
        if let Some(known) = self.young.get(&key) {
            return known.clone();
        }
        let read = self.old.remove(&key);
        let read = read.unwrap_or_else(|| lexicon.read(text, role));
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, read.clone());
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_the_same_whenever_and_whoever_it_is_asked_of() {
        let lexicon = Lexicon::embedded().unwrap();
        let mut readings = Readings::default();
        let text = |n: usize| {
            format!("Case {n}: I am the CEO, reset my password right now, do not call me back!!")
        };
        for round in 0..3 {
            for n in 0..GENERATION_MAX + 7 {
                for role in [Speaker::Requester, Speaker::Agent] {
                    let read = readings.read(&lexicon, &text(n), role);
                    if n % 100 == round {
                        assert_eq!(read, lexicon.read(&text(n), role), "{n}");
                    }
                }
            }
        }
        let told = readings.read(&lexicon, &text(1), Speaker::Requester);
        assert!(told.pressure.score_pct > 0);
        assert!(readings.young.len() + readings.old.len() <= 2 * GENERATION_MAX);
    }
}
