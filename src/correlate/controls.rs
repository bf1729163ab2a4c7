//! The control entries that a partition holds: declared sources, exemptions, silences, each as the
//! record it came as and as what it means.

use std::collections::BTreeMap;

use crate::collect::time::Timestamp;
use crate::correlate::control::SourceDeclared;
use crate::correlate::exempt::{self, Assignment, ControlEntry, Disposition, InForce};
use crate::correlate::partition_state::Source;

/// What a control entry changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Nothing, or nothing that cases depend on.
    Nothing,
    /// The declared sources.
    Sources,
    /// Exemptions: open cases are looked at again.
    Exemptions,
    /// An analyst's verdict on one case.
    Disposed(Box<Disposition>),
    /// Who has a case: it is not held here, as nothing that is detected depends on it.
    Assigned(Box<Assignment>),
    /// It cannot be read, or found no place.
    Refused,
}

/// Control entries in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls {
    records: BTreeMap<String, Vec<u8>>,
    sources: BTreeMap<String, Source>,
    in_force: InForce,
}

impl Controls {
    /// The declared sources, by name.
    #[must_use]
    pub const fn sources(&self) -> &BTreeMap<String, Source> {
        &self.sources
    }

    /// Exemptions and silences.
    #[must_use]
    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The records held, by key.
    #[must_use]
    pub const fn records(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.records
    }

    /// Takes a record of the control topic; `None` takes the one with this key back.
    pub fn put(&mut self, id: &str, json: Option<&[u8]>) -> Changed {
        let Some(json) = json else {
            return self.remove(id);
        };
        let Ok(entry) = exempt::control(id, json) else {
            return Changed::Refused;
        };
        let changed = match entry {
            ControlEntry::Disposition(disposition) => {
                return Changed::Disposed(Box::new(disposition));
            }
            ControlEntry::Assignment(assignment) => {
                return Changed::Assigned(Box::new(assignment));
            }
            ControlEntry::SourceRemoved(removed) => {
                return self.remove(&format!("source/{}", removed.name));
            }
            ControlEntry::SourceDeclared(declared) => {
                self.sources
                    .insert(declared.name.clone(), declared.source());
                Changed::Sources
            }
            ControlEntry::Silence(_) => self.hold(id, entry, Changed::Nothing),
            ControlEntry::Exemption(_) => self.hold(id, entry, Changed::Exemptions),
        };
        if changed != Changed::Refused {
            self.records.insert(id.to_owned(), json.to_vec());
        }
        changed
    }

    fn hold(&mut self, id: &str, entry: ControlEntry, changed: Changed) -> Changed {
        match self.in_force.put(id, entry) {
            Ok(()) => changed,
            Err(exempt::Full) => {
                self.records.remove(id);
                Changed::Refused
            }
        }
    }

    fn remove(&mut self, id: &str) -> Changed {
        if self.records.remove(id).is_none() {
            return Changed::Nothing;
        }
        if let Some(name) = id.strip_prefix("source/") {
            self.sources.remove(name);
            return Changed::Sources;
        }
        match self.in_force.remove(id) {
            Some(ControlEntry::Exemption(_)) => Changed::Exemptions,
            Some(_) | None => Changed::Nothing,
        }
    }

    /// Forgets what no event can be under any more.
    pub fn expire(&mut self, horizon: Timestamp) {
        for id in self.in_force.expire(horizon) {
            self.records.remove(&id);
        }
    }

    /// Declares a source by what it means, as a record of `topics apply` does.
    pub fn declare(&mut self, declared: &SourceDeclared) {
        let id = format!("source/{}", declared.name);
        let record = crate::correlate::control::Control::SourceDeclared(declared.clone());
        let json = serde_json::to_vec(&record).unwrap_or_default();
        self.put(&id, Some(&json));
    }
}
