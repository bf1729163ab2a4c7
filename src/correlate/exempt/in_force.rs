//! The exemptions and silences a partition holds, and the look-ups in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::entity::Entity;
use crate::collect::event::Tier;
use crate::collect::time::Timestamp;
use crate::correlate::exempt::control::{ControlEntry, Exemption, Kind, Scope, Silence};
use crate::correlate::rules::rule::Evidence;
use crate::correlate::score::Severity;

/// Places that exemptions and silences take together; a listed person takes one. Every partition
/// holds all of them.
pub const CONTROLS_MAX: usize = 10_000;

/// There is no place for another one. What is refused here only leaves alerts louder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("exemptions and silences name more than {CONTROLS_MAX} people and scopes together")]
pub struct Full;

/// What a silence is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The entity of the case.
    pub entity: &'a Entity,
    /// Its active patterns.
    pub patterns: &'a [&'a str],
    /// Its tier.
    pub tier: Tier,
    /// Its severity.
    pub severity: Severity,
    /// Event time of the revision.
    pub time: Timestamp,
}

/// Exemptions and silences by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InForce {
    entries: BTreeMap<String, ControlEntry>,
    /// Ids of the entries that name somebody, by who or what they name.
    by_name: BTreeMap<String, BTreeSet<String>>,
    /// Ids of the entries that name nobody: silences, maintenance, ticket types.
    unnamed: BTreeSet<String>,
    places: usize,
}

impl InForce {
    /// Nothing in force.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an exemption or silence in force, in place of the one with its id. Other entries are not
    /// held here.
    ///
    /// # Errors
    /// [`Full`] where it does not fit; the one with its id then stays out of force too.
    pub fn put(&mut self, id: &str, entry: ControlEntry) -> Result<(), Full> {
        self.remove(id);
        if entry.valid().is_none() {
            return Ok(());
        }
        let places = entry.places();
        if self.places + places > CONTROLS_MAX {
            return Err(Full);
        }
        let mut named = false;
        for name in entry.names() {
            named = true;
            let ids = self.by_name.entry(name.to_owned()).or_default();
            ids.insert(id.to_owned());
        }
        let by_type = matches!(
            &entry,
            ControlEntry::Exemption(Exemption { scope: Scope::Policy { ticket_types, .. }, .. })
                if !ticket_types.is_empty()
        );
        if !named || by_type {
            self.unnamed.insert(id.to_owned());
        }
        self.places += places;
        self.entries.insert(id.to_owned(), entry);
        Ok(())
    }

    /// Whether [`Self::put`] would find a place for an entry under an id of its own.
    #[must_use]
    pub fn has_room(&self, entry: &ControlEntry) -> bool {
        entry.valid().is_none() || self.places + entry.places() <= CONTROLS_MAX
    }

    /// Takes an entry out of force, and returns it.
    pub fn remove(&mut self, id: &str) -> Option<ControlEntry> {
        let entry = self.entries.remove(id)?;
        for name in entry.names() {
            if let Some(ids) = self.by_name.get_mut(name) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_name.remove(name);
                }
            }
        }
        self.unnamed.remove(id);
        self.places -= entry.places();
        Some(entry)
    }

    /// Takes out what no event can be under any more: ended before `horizon`, the time of the oldest
    /// event that may still come. The ids of these.
    pub fn expire(&mut self, horizon: Timestamp) -> Vec<String> {
        let over = |entry: &ControlEntry| entry.valid().is_some_and(|(_, to)| to <= horizon);
        let ids: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, entry)| over(entry))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &ids {
            self.remove(id);
        }
        ids
    }

    /// An entry by id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&ControlEntry> {
        self.entries.get(id)
    }

    /// Entries in order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &ControlEntry)> {
        self.entries.iter().map(|(id, entry)| (id.as_str(), entry))
    }

    /// Exemptions that name `name` and hold at a moment, in order of their ids.
    pub(super) fn naming<'a>(
        &'a self,
        name: &'a str,
        time: Timestamp,
    ) -> impl Iterator<Item = (&'a str, &'a Exemption)> {
        let ids = self.by_name.get(name).into_iter().flatten();
        ids.filter_map(move |id| self.exemption(id, time))
    }

    /// Exemptions that name nobody and hold at a moment.
    pub(super) fn unnamed(&self, time: Timestamp) -> impl Iterator<Item = (&str, &Exemption)> {
        self.unnamed
            .iter()
            .filter_map(move |id| self.exemption(id, time))
    }

    fn exemption<'a>(&'a self, id: &'a str, time: Timestamp) -> Option<(&'a str, &'a Exemption)> {
        let ControlEntry::Exemption(exemption) = self.entries.get(id)? else {
            return None;
        };
        let holds = exemption.valid_from <= time && time < exemption.valid_to;
        holds.then_some((id, exemption))
    }

    /// The maintenance under which an obligation that needs `feed` is not judged: its anchor lies in
    /// it.
    #[must_use]
    pub fn maintenance(&self, feed: Evidence, anchor: Timestamp) -> Option<&str> {
        self.unnamed(anchor)
            .find(|(_, e)| e.kind == Kind::Maintenance && e.scope == Scope::Maintenance { feed })
            .map(|(id, _)| id)
    }

    /// The silence that a case stands under.
    #[must_use]
    pub fn silence_of(&self, subject: &Subject<'_>) -> Option<&str> {
        self.unnamed.iter().find_map(|id| {
            let ControlEntry::Silence(silence) = self.entries.get(id)? else {
                return None;
            };
            matches(silence, subject).then_some(id.as_str())
        })
    }
}

/// Every list that names something must match; of the patterns of a case all must be named, or one
/// that nobody silenced would go unheard.
fn matches(silence: &Silence, subject: &Subject<'_>) -> bool {
    let holds = silence.valid_from <= subject.time && subject.time < silence.valid_to;
    let named = |pattern: &&str| silence.patterns.iter().any(|p| p == pattern);
    let some = !subject.patterns.is_empty();
    let patterns = silence.patterns.is_empty() || (some && subject.patterns.iter().all(named));
    let entities = silence.entities.is_empty() || silence.entities.contains(subject.entity);
    let tiers = silence.tiers.is_empty() || silence.tiers.contains(&subject.tier);
    let severities =
        silence.severities.is_empty() || silence.severities.contains(&subject.severity);
    holds && patterns && entities && tiers && severities
}
