//! How the stages stand, whichever instance does the work: asked of the brokers when somebody wants to
//! know, and not again for a moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::Registry;
use prometheus::proto::{Metric, MetricType};
use serde::Serialize;

use crate::edge::clock::{self, Deadline};
use crate::edge::kafka::{GroupWatch, KafkaSettings};
use crate::edge::log::LogError;

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(5);

/// A group of instances and the topics that it reads.
#[derive(Debug, Clone)]
pub struct Group {
    /// The stage, or the sink.
    pub stage: String,
    /// Its topics.
    pub topics: Vec<String>,
    /// Where and under which name it reads.
    pub settings: KafkaSettings,
}

/// A configured source.
#[derive(Debug, Clone, Serialize)]
pub struct ConfiguredSource {
    /// Its name.
    pub name: String,
    /// Its product.
    pub product: String,
    /// Its topic.
    pub topic: String,
    /// What it is about.
    pub domains: Vec<&'static str>,
    /// What its mapping delivers.
    pub evidence: Vec<&'static str>,
}

/// How far a partition is read.
#[derive(Debug, Clone, Serialize)]
pub struct PartitionStanding {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// Where the group goes on; `None` before it has committed anything.
    pub position: Option<i64>,
    /// Where the partition ends.
    pub end: i64,
    /// Records that are not read. Where records come in transactions, the ends of those count too: a few
    /// remain.
    pub lag: i64,
    /// The client that reads it: the instance, if the configuration names no other.
    pub member: Option<String>,
}

/// How a group stands.
#[derive(Debug, Clone, Serialize)]
pub struct GroupStanding {
    /// The stage, or the sink.
    pub stage: String,
    /// Name of the group.
    pub group: String,
    /// Its members: client and host.
    pub members: Vec<(String, String)>,
    /// Its partitions.
    pub partitions: Vec<PartitionStanding>,
    /// Records that are not read, of all.
    pub lag: i64,
    /// Why it cannot be told.
    pub fault: Option<String>,
}

/// What this instance has counted of a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counted {
    /// Items read.
    pub consumed: u64,
    /// Unusable ones, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Those of no interest, by reason.
    pub ignored: BTreeMap<String, u64>,
    /// Events whose time lay too far ahead.
    pub clamped: u64,
    /// Mean age of the newest event of a cycle, s; `None` before the first.
    pub event_time_lag_s: Option<f64>,
    /// Nearly everything is unusable now.
    pub is_degraded: bool,
}

/// How a source stands.
#[derive(Debug, Clone, Serialize)]
pub struct SourceStanding {
    /// As it is configured.
    #[serde(flatten)]
    pub feed: ConfiguredSource,
    /// Partitions of its topic.
    pub partitions: usize,
    /// Records of its topic that are not read.
    pub lag: Option<i64>,
    /// What this instance has counted since it started; `None` if it does not collect.
    pub counted: Option<Counted>,
}

#[derive(Debug, Default)]
struct Known {
    watches: BTreeMap<String, GroupWatch>,
    standing: Vec<GroupStanding>,
    until: Option<Deadline>,
    asked_at: i64,
}

#[derive(Debug)]
struct Shared {
    groups: Vec<Group>,
    feeds: Vec<ConfiguredSource>,
    registry: Registry,
    known: Mutex<Known>,
}

/// What is known of the stages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pipeline(Arc<Shared>);

impl Pipeline {
    /// Of these groups and sources; what this instance counts stands in `registry`.
    #[must_use]
    pub fn new(groups: Vec<Group>, feeds: Vec<ConfiguredSource>, registry: Registry) -> Self {
        Self(Arc::new(Shared {
            groups,
            feeds,
            registry,
            known: Mutex::default(),
        }))
    }

    /// How all groups stand, and when that was asked, ms. Waits for the brokers.
    #[must_use]
    pub fn groups(&self) -> (i64, Vec<GroupStanding>) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.until.as_ref().is_none_or(Deadline::has_passed) {
            let groups = self.0.groups.iter();
            known.standing = groups
                .map(|group| standing(&mut known.watches, group))
                .collect();
            known.until = Some(Deadline::after(FRESH));
            known.asked_at = clock::now().0;
        }
        (known.asked_at, known.standing.clone())
    }

    /// How the configured sources stand. Waits for the brokers.
    #[must_use]
    pub fn sources(&self) -> (i64, Vec<SourceStanding>) {
        let (asked_at, groups) = self.groups();
        let families = self.0.registry.gather();
        let sources = self.0.feeds.iter().map(|feed| {
            let read: Vec<&PartitionStanding> = groups
                .iter()
                .filter(|group| group.stage == "collect")
                .flat_map(|group| &group.partitions)
                .filter(|partition| partition.topic == feed.topic)
                .collect();
            SourceStanding {
                feed: feed.clone(),
                partitions: read.len(),
                lag: (!read.is_empty()).then(|| read.iter().map(|one| one.lag).sum()),
                counted: counted(&families, &feed.name),
            }
        });
        (asked_at, sources.collect())
    }
}

fn standing(watches: &mut BTreeMap<String, GroupWatch>, group: &Group) -> GroupStanding {
    let mut standing = GroupStanding {
        stage: group.stage.clone(),
        group: group.settings.group.clone(),
        members: Vec::new(),
        partitions: Vec::new(),
        lag: 0,
        fault: None,
    };
    if let Err(error) = look(watches, group, &mut standing) {
        standing.fault = Some(error.to_string());
    }
    standing.lag = standing.partitions.iter().map(|one| one.lag).sum();
    standing
}

fn look(
    watches: &mut BTreeMap<String, GroupWatch>,
    group: &Group,
    standing: &mut GroupStanding,
) -> Result<(), LogError> {
    let name = &group.settings.group;
    if !watches.contains_key(name) {
        watches.insert(name.clone(), GroupWatch::connect(&group.settings)?);
    }
    let Some(watch) = watches.get(name) else {
        return Ok(());
    };
    let members = watch.members()?;
    let reader = |topic: &str, number: i32| {
        let reads = |(of, n): &(String, i32)| of == topic && *n == number;
        let found = members.iter().find(|one| one.partitions.iter().any(reads));
        found.map(|one| one.client.clone())
    };
    for topic in &group.topics {
        for reached in watch.reached(topic)? {
            standing.partitions.push(PartitionStanding {
                topic: topic.clone(),
                partition: reached.partition.number,
                position: reached.position,
                end: reached.end,
                lag: reached.lag(),
                member: reader(topic, reached.partition.number),
            });
        }
    }
    standing.members = members
        .into_iter()
        .map(|one| (one.client, one.host))
        .collect();
    Ok(())
}

/// What the metrics of a collector say of a source; `None` where there are none.
fn counted(families: &[prometheus::proto::MetricFamily], source: &str) -> Option<Counted> {
    let mut counted = None;
    for family in families {
        let name = family.name().trim_start_matches("deskwarden_");
        let of_source = |metric: &&Metric| label(metric, "source") == Some(source);
        for metric in family.get_metric().iter().filter(of_source) {
            let known = counted.get_or_insert_with(Counted::default);
            let reason = label(metric, "reason").unwrap_or_default().to_owned();
            let value = number(family.get_field_type(), metric);
            match name {
                "events_consumed_total" => known.consumed = value,
                "events_rejected_total" if value > 0 => drop(known.rejected.insert(reason, value)),
                "events_ignored_total" if value > 0 => drop(known.ignored.insert(reason, value)),
                "clock_clamped_total" => known.clamped = value,
                "pipeline_degraded" => known.is_degraded = value > 0,
                "event_time_lag_seconds" => {
                    let histogram = metric.get_histogram();
                    let count = histogram.get_sample_count();
                    #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
                    let mean = histogram.get_sample_sum() / count as f64;
                    known.event_time_lag_s = (count > 0).then_some(mean);
                }
                _ => {}
            }
        }
    }
    counted
}

fn label<'m>(metric: &'m Metric, name: &str) -> Option<&'m str> {
    let labels = metric.get_label().iter();
    let found = labels.filter(|label| label.name() == name);
    found.map(prometheus::proto::LabelPair::value).next()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "they count things"
)]
fn number(kind: MetricType, metric: &Metric) -> u64 {
    let value = match kind {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::GAUGE => metric.get_gauge().get_value(),
        MetricType::HISTOGRAM | MetricType::SUMMARY | MetricType::UNTYPED => 0.0,
    };
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::metrics::{CollectLabels, CollectMetrics, registry};

    #[test]
    fn a_source_is_told_by_what_was_counted_of_it() {
        let registry = registry().unwrap();
        let labels = CollectLabels {
            sources: &["okta", "desk"],
            rejects: &["no_id", "no_time"],
            ignored: &["unread"],
            resolutions: &["found"],
        };
        let metrics = CollectMetrics::register(&registry, &labels).unwrap();
        metrics.consumed("okta", 12);
        metrics.rejected("okta", "no_id", 3);
        metrics.ignored("okta", "unread", 2);
        metrics.event_time_lag("okta", 2.0);
        metrics.event_time_lag("okta", 4.0);
        metrics.degraded("okta", true);
        metrics.consumed("desk", 5);
        let families = registry.gather();
        let want = Counted {
            consumed: 12,
            rejected: BTreeMap::from([("no_id".to_owned(), 3)]),
            ignored: BTreeMap::from([("unread".to_owned(), 2)]),
            clamped: 0,
            event_time_lag_s: Some(3.0),
            is_degraded: true,
        };
        assert_eq!(counted(&families, "okta"), Some(want));
        assert_eq!(counted(&families, "desk").unwrap().consumed, 5);
        assert_eq!(counted(&families, "other"), None);
    }
}
