//! Who has which case: the newest assignment of each alert, as the control topic tells.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Assignments remembered: twice the cases that are held where nothing else is configured. The oldest go.
const ASSIGNED_MAX: usize = 20_000;

/// Assignments by alert.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    /// Alert → when it was assigned, and to whom.
    cases: BTreeMap<String, (u64, Arc<str>)>,
    /// The same alerts in the order in which they were assigned.
    turns: BTreeMap<u64, String>,
    turn: u64,
}

impl Assigned {
    /// Who has a case from now on; `None`: nobody. Whether another assignment was forgotten for it.
    pub(crate) fn put(&mut self, alert: &str, assignee: Option<&str>) -> bool {
        if let Some((turn, _)) = self.cases.remove(alert) {
            self.turns.remove(&turn);
        }
        let Some(assignee) = assignee else {
            return false;
        };
        self.turn += 1;
        self.turns.insert(self.turn, alert.to_owned());
        self.cases
            .insert(alert.to_owned(), (self.turn, assignee.into()));
        if self.cases.len() <= ASSIGNED_MAX {
            return false;
        }
        if let Some((_, oldest)) = self.turns.pop_first() {
            self.cases.remove(&oldest);
        }
        true
    }

    /// Who has a case.
    pub(crate) fn of(&self, alert: &str) -> Option<Arc<str>> {
        self.cases
            .get(alert)
            .map(|(_, assignee)| Arc::clone(assignee))
    }

    /// All assignments, in order of the alerts.
    pub(crate) fn all(&self) -> Vec<(String, Arc<str>)> {
        let cases = self.cases.iter();
        cases
            .map(|(alert, (_, assignee))| (alert.clone(), Arc::clone(assignee)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_assignment_holds_until_it_is_released() {
        let mut assigned = Assigned::default();
        assigned.put("a", Some("anna"));
        assigned.put("b", Some("bea"));
        assigned.put("a", Some("carl"));
        assert_eq!(assigned.of("a").as_deref(), Some("carl"));
        assigned.put("b", None);
        assigned.put("c", None);
        assert_eq!(assigned.of("b"), None);
        assert_eq!(assigned.all(), [("a".to_owned(), "carl".into())]);
    }

    #[test]
    fn the_oldest_is_forgotten_and_that_is_told() {
        let mut assigned = Assigned::default();
        for n in 0..ASSIGNED_MAX {
            assert!(!assigned.put(&n.to_string(), Some("anna")));
        }
        assert!(!assigned.put("0", Some("bea")), "it has its place");
        assert!(assigned.put("new", Some("anna")));
        assert_eq!(
            (assigned.of("1"), assigned.all().len()),
            (None, ASSIGNED_MAX)
        );
        assert_eq!(assigned.of("0").as_deref(), Some("bea"));
        assert_eq!(assigned.turns.len(), ASSIGNED_MAX);
    }
}
