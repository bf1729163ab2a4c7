//! The open cases of a receiver that forgets what is not said again, such as Alertmanager: kept by
//! partition, so that whoever takes a partition over says what is open in it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::collect::time::Timestamp;
use crate::deliver::encode::alertmanager::{self, Alertmanager, Change, Open};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::edge::clock;
use crate::edge::log::Partition;

use super::{Ready, ms};

/// Alerts of one request; one has some kilobytes.
const CHUNK_MAX: usize = 500;

/// The open cases.
#[derive(Debug)]
pub(super) struct OpenCases {
    repeat_interval: Duration,
    resolve_timeout: Duration,
    settings: Alertmanager,
    said: Option<Instant>,
    cases: BTreeMap<Partition, BTreeMap<String, Open>>,
}

impl OpenCases {
    pub(super) const fn new(
        repeat_interval: Duration,
        resolve_timeout: Duration,
        masking: Masking,
    ) -> Self {
        Self {
            repeat_interval,
            resolve_timeout,
            settings: Alertmanager { masking },
            said: None,
            cases: BTreeMap::new(),
        }
    }

    /// Takes in a revision; what is to be said of it: it fires, or what fired has ended.
    pub(super) fn take(
        &mut self,
        partition: &Partition,
        notice: &Notice,
        decision: Decision,
    ) -> Vec<Open> {
        if let Decision::Withhold(_) = decision {
            return Vec::new();
        }
        let cases = self.cases.entry(partition.clone()).or_default();
        let held = cases.get(&notice.dedup_key);
        let Change { firing, mut ended } = Change::of(notice, decision, &self.settings, held);
        match &firing {
            Some(open) => drop(cases.insert(notice.dedup_key.clone(), open.clone())),
            None => drop(cases.remove(&notice.dedup_key)),
        }
        ended.extend(firing);
        ended
    }

    /// The body that says one revision by itself; what fired before it is told from the record.
    pub(super) fn alone(&self, ready: &Ready, now: Timestamp) -> String {
        let Change { firing, mut ended } =
            Change::of(&ready.notice, ready.decision, &self.settings, None);
        ended.extend(firing);
        self.body(&ended, now)
    }

    /// The partition belongs to somebody else.
    pub(super) fn forget(&mut self, partition: &Partition) {
        self.cases.remove(partition);
    }

    /// Bodies that say again what is open, once it is time.
    pub(super) fn again(&mut self, now: Timestamp) -> Vec<String> {
        let is_due = self
            .said
            .is_none_or(|said| said.elapsed() >= self.repeat_interval);
        if !is_due || self.cases.values().all(BTreeMap::is_empty) {
            return Vec::new();
        }
        self.said = Some(clock::monotonic());
        let open: Vec<Open> = self
            .cases
            .values()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        open.chunks(CHUNK_MAX)
            .map(|open| self.body(open, now))
            .collect()
    }

    /// The body that says this; what fires holds until the time is over in which it is said again.
    pub(super) fn body(&self, alerts: &[Open], now: Timestamp) -> String {
        alertmanager::alerts(alerts, now, ms(self.resolve_timeout))
    }
}
