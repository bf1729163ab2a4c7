//! What is remembered of the partition itself: how far the sources are, log time, and where its
//! input goes on.
//!
//! Two clocks exist: event time, of which the watermarks vouch, and the append time of the blocks
//! (`log_ts`). Both are in the log, so the partition is in the same state at the same entry, whenever
//! and wherever it is read.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::collect::block::SourceWatermark;
use crate::collect::time::{SECOND_MS, Timestamp};
use crate::correlate::audit::AuditHead;
use crate::correlate::rules::rule::Evidence;

/// How much `log_ts` must go by after the watermark passed a deadline, so that relays can arrive.
pub const RELAY_GRACE_MS: i64 = 30 * SECOND_MS;
/// Source partitions remembered; of more the last ones by name are left out, which only delays.
pub const SOURCE_PARTITIONS_MAX: usize = 4_096;

/// A source as `topics apply` declared it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its topic.
    pub topic: String,
    /// Partitions of the topic: while fewer were heard of, the source holds the watermark.
    pub partitions: i32,
    /// How much later than its successors an event of this feed may arrive.
    pub bound_ms: i64,
    /// From how late on an event is labelled late.
    pub lateness_ms: i64,
    /// What its mapping delivers.
    pub evidence: Vec<Evidence>,
}

/// How far the sources are: of each evidence, and of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    evidence: [Timestamp; Evidence::ALL.len()],
    /// The watermark: the minimum over all sources.
    pub all: Timestamp,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            evidence: [Timestamp::MIN; Evidence::ALL.len()],
            all: Timestamp::MIN,
        }
    }
}

impl Marks {
    /// The watermark of the sources that deliver an evidence.
    #[must_use]
    pub fn of(&self, evidence: Evidence) -> Timestamp {
        let found = self.evidence.get(evidence as usize);
        found.copied().unwrap_or(Timestamp::MIN)
    }
}

/// How far one partition of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    watermark: Timestamp,
    /// It counts. One first heard of later (new, or a back-fill) counts from when it has passed the
    /// minimum once.
    joined: bool,
}

/// What is remembered of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionState {
    /// Offset of the next block to read.
    pub next_offset: i64,
    /// Append time of the newest block.
    pub log_ts: Timestamp,
    /// Where the chain of its audit records stands.
    pub audit: AuditHead,
    /// Everything about logins is known since then.
    pub logins_covered_since: Timestamp,
    heard: BTreeMap<String, BTreeMap<i32, Heard>>,
    now: Marks,
    /// How far the sources were at the end of recent seconds of `log_ts`, oldest first.
    recent: VecDeque<(i64, Marks)>,
    /// How far they were [`RELAY_GRACE_MS`] ago.
    settled: Marks,
}

impl Default for PartitionState {
    fn default() -> Self {
        Self {
            next_offset: 0,
            log_ts: Timestamp::MIN,
            audit: AuditHead::default(),
            logins_covered_since: Timestamp::MIN,
            heard: BTreeMap::new(),
            now: Marks::default(),
            recent: VecDeque::new(),
            settled: Marks::default(),
        }
    }
}

impl PartitionState {
    /// The watermark.
    #[must_use]
    pub const fn watermark(&self) -> Timestamp {
        self.now.all
    }

    /// How far the sources are.
    #[must_use]
    pub const fn now(&self) -> &Marks {
        &self.now
    }

    /// How far they were half a minute ago: what decides obligations.
    #[must_use]
    pub const fn settled(&self) -> &Marks {
        &self.settled
    }

    /// Log time passes.
    pub fn advance(&mut self, log_ts: Timestamp) {
        self.log_ts = self.log_ts.max(log_ts);
        // The mark of a second was reached at some moment of it: its end is on the safe side.
        let ripe = |second: i64| {
            let end = second
                .saturating_mul(SECOND_MS)
                .saturating_add(SECOND_MS - 1);
            self.log_ts.since(Timestamp(end)) >= RELAY_GRACE_MS
        };
        while let Some((_, marks)) = self.recent.front().filter(|(second, _)| ripe(*second)) {
            self.settled = *marks;
            self.recent.pop_front();
        }
    }

    /// A collector says how far it is. `sources` are those declared, by name.
    pub fn hear(&mut self, told: &[SourceWatermark], sources: &BTreeMap<String, Source>) {
        for mark in told {
            let bound_ms = sources
                .values()
                .filter(|source| source.topic == mark.topic)
                .map(|source| source.bound_ms)
                .max();
            let Some(bound_ms) = bound_ms else {
                continue;
            };
            let mut watermark = mark.watermark;
            if mark.at_end {
                watermark = watermark.max(self.log_ts.minus(bound_ms));
            }
            self.note(&mark.topic, mark.partition, watermark);
        }
        self.settle(sources);
    }

    fn note(&mut self, topic: &str, partition: i32, watermark: Timestamp) {
        let count: usize = self.heard.values().map(BTreeMap::len).sum();
        let floor = self.now.all;
        let of_topic = match self.heard.get_mut(topic) {
            Some(of_topic) => of_topic,
            None => self.heard.entry(topic.to_owned()).or_default(),
        };
        match of_topic.get_mut(&partition) {
            Some(heard) => heard.watermark = heard.watermark.max(watermark),
            None if count < SOURCE_PARTITIONS_MAX => {
                let joined = floor == Timestamp::MIN;
                let heard = Heard { watermark, joined };
                of_topic.insert(partition, heard);
            }
            None => {}
        }
    }

    /// The declared sources changed: what is no longer declared is not waited for.
    pub fn declare(&mut self, sources: &BTreeMap<String, Source>) {
        self.heard
            .retain(|topic, _| sources.values().any(|source| source.topic == *topic));
        self.settle(sources);
    }

    /// Works out the minima. They never fall.
    fn settle(&mut self, sources: &BTreeMap<String, Source>) {
        let before = self.now;
        for heard in self.heard.values_mut().flat_map(BTreeMap::values_mut) {
            heard.joined |= heard.watermark >= before.all;
        }
        let far = |source: &Source| -> Timestamp {
            let heard = self.heard.get(&source.topic);
            let heard_of = heard.map_or(0, BTreeMap::len);
            if heard_of < usize::try_from(source.partitions).unwrap_or(0) {
                return Timestamp::MIN;
            }
            let joined = heard.into_iter().flat_map(BTreeMap::values);
            let joined = joined.filter(|h| h.joined).map(|h| h.watermark);
            joined.min().unwrap_or(Timestamp::MIN)
        };
        let mut next = Marks::default();
        let mut reached: Vec<(&Source, Timestamp)> = Vec::new();
        for source in sources.values() {
            reached.push((source, far(source)));
        }
        next.all = reached
            .iter()
            .map(|(_, far)| *far)
            .min()
            .unwrap_or(Timestamp::MIN);
        for (slot, (_, evidence)) in next.evidence.iter_mut().zip(Evidence::ALL) {
            let deliver = reached
                .iter()
                .filter(|(source, _)| source.evidence.contains(&evidence))
                .map(|(_, far)| *far);
            *slot = deliver.min().unwrap_or(Timestamp::MIN);
        }
        for (new, old) in next.evidence.iter_mut().zip(before.evidence) {
            *new = (*new).max(old);
        }
        next.all = next.all.max(before.all);
        if next != before {
            self.now = next;
            self.remember(next);
        }
    }

    fn remember(&mut self, marks: Marks) {
        let second = self.log_ts.0.div_euclid(SECOND_MS);
        match self.recent.back_mut() {
            Some((last, held)) if *last == second => *held = marks,
            Some(_) | None => self.recent.push_back((second, marks)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::time::MINUTE_MS;

    fn source(topic: &str, partitions: i32, evidence: &[Evidence]) -> Source {
        Source {
            topic: topic.into(),
            partitions,
            bound_ms: MINUTE_MS,
            lateness_ms: 0,
            evidence: evidence.to_vec(),
        }
    }

    fn told(topic: &str, partition: i32, watermark: i64, at_end: bool) -> SourceWatermark {
        SourceWatermark {
            topic: topic.into(),
            partition,
            domains: Vec::new(),
            watermark: Timestamp(watermark),
            at_end,
        }
    }

    fn declared() -> BTreeMap<String, Source> {
        BTreeMap::from([
            ("desk".into(), source("tickets", 2, &[Evidence::Ticket])),
            ("idp".into(), source("idp", 1, &[])),
        ])
    }

    #[test]
    fn an_evidence_waits_for_the_sources_that_deliver_it_and_all_for_all() {
        let sources = declared();
        let mut state = PartitionState::default();
        state.hear(&[told("tickets", 0, 50, false)], &sources);
        assert_eq!(
            state.now().of(Evidence::Ticket),
            Timestamp::MIN,
            "one partition of two"
        );
        state.hear(&[told("tickets", 1, 40, false)], &sources);
        assert_eq!(state.now().of(Evidence::Ticket), Timestamp(40));
        assert_eq!(
            state.watermark(),
            Timestamp::MIN,
            "the other source was not heard of"
        );
        state.hear(
            &[told("idp", 0, 30, false), told("strange", 0, 1, false)],
            &sources,
        );
        assert_eq!(state.watermark(), Timestamp(30));
        assert_eq!(state.now().of(Evidence::Callback), Timestamp::MIN);
        state.hear(&[told("idp", 0, 20, false)], &sources);
        assert_eq!(state.watermark(), Timestamp(30), "it never falls");
    }

    #[test]
    fn silence_moves_it_once_the_end_was_read() {
        let sources = BTreeMap::from([("idp".to_owned(), source("idp", 1, &[]))]);
        let mut state = PartitionState::default();
        state.advance(Timestamp(10 * MINUTE_MS));
        state.hear(&[told("idp", 0, 0, false)], &sources);
        assert_eq!(state.watermark(), Timestamp(0));
        state.hear(&[told("idp", 0, 0, true)], &sources);
        assert_eq!(state.watermark(), Timestamp(9 * MINUTE_MS));
    }

    #[test]
    fn a_partition_heard_of_later_does_not_hold_the_others_back() {
        let mut sources = BTreeMap::from([("idp".to_owned(), source("idp", 1, &[]))]);
        let mut state = PartitionState::default();
        state.hear(&[told("idp", 0, 100, false)], &sources);
        state.hear(&[told("idp", 1, 10, false)], &sources);
        state.hear(&[told("idp", 0, 200, false)], &sources);
        assert_eq!(state.watermark(), Timestamp(200), "an old back-fill");
        state.hear(
            &[told("idp", 1, 250, false), told("idp", 0, 300, false)],
            &sources,
        );
        assert_eq!(state.watermark(), Timestamp(250), "it joined");
        sources.clear();
        state.declare(&sources);
        state.hear(&[told("idp", 0, 400, false)], &sources);
        assert_eq!(state.watermark(), Timestamp(250), "removed");
    }

    #[test]
    fn what_is_settled_lies_half_a_minute_back() {
        let sources = BTreeMap::from([("d".to_owned(), source("d", 1, &[Evidence::Ticket]))]);
        let mut state = PartitionState::default();
        let settled = |state: &PartitionState| state.settled().of(Evidence::Ticket);
        state.advance(Timestamp(5_200));
        state.hear(&[told("d", 0, 7, false)], &sources);
        state.hear(&[told("d", 0, 8, false)], &sources);
        state.advance(Timestamp(6_000));
        state.hear(&[told("d", 0, 9, false)], &sources);
        state.advance(Timestamp(5_999 + RELAY_GRACE_MS - 1));
        assert_eq!(settled(&state), Timestamp::MIN);
        state.advance(Timestamp(5_999 + RELAY_GRACE_MS));
        assert_eq!(settled(&state), Timestamp(8));
        state.advance(Timestamp(6_999 + RELAY_GRACE_MS));
        assert_eq!(settled(&state), Timestamp(9));
    }
}
