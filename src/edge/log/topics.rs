//! Every topic name, once, with the settings it must have.

use std::sync::Arc;

/// Default of the prefix of topics, groups and transactional ids.
pub const PREFIX_DEFAULT: &str = "deskwarden";
/// Default of the number of partitions of the topics that go by entity.
pub const PARTITIONS_DEFAULT: i32 = 32;

const HOUR_MS: &str = "3600000";
const DAY_MS: &str = "86400000";
/// Two weeks: enough to rebuild every event window.
const FORTNIGHT_MS: &str = "1209600000";
/// Two years: who recovered whose account is asked late.
const AUDIT_MS: &str = "63072000000";
/// 64 MiB: small segments are compacted soon, so that a restore reads little that is stale.
const STATE_SEGMENT_BYTES: &str = "67108864";

/// A topic of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Source accounts and their people; written by `collect`.
    Directory,
    /// Blocks of entries; from `collect` and `correlate` to `correlate`.
    Events,
    /// What `correlate` remembers.
    State,
    /// Alert revisions.
    Alerts,
    /// Who recovered whose account.
    Audit,
    /// Findings of shadow rules.
    Shadow,
    /// What could not be used.
    DeadLetter,
    /// Rule sets, activations, sources, exemptions, silences, dispositions, assignments.
    Control,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Directory,
        Self::Events,
        Self::State,
        Self::Alerts,
        Self::Audit,
        Self::Shadow,
        Self::DeadLetter,
        Self::Control,
    ];

    /// The name behind the prefix.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Directory => "directory.v1",
            Self::Events => "events.v1",
            Self::State => "state.v1",
            Self::Alerts => "alerts.v1",
            Self::Audit => "audit.v1",
            Self::Shadow => "shadow.v1",
            Self::DeadLetter => "dead-letter.v1",
            Self::Control => "control.v1",
        }
    }

    /// The whole name.
    #[must_use]
    pub fn name(self, prefix: &str) -> Arc<str> {
        format!("{prefix}.{}", self.suffix()).into()
    }

    /// Whether its partitions are those of the events topic, so that the counts must be equal.
    #[must_use]
    pub const fn is_by_entity(self) -> bool {
        matches!(
            self,
            Self::Events | Self::State | Self::Alerts | Self::Audit | Self::Shadow
        )
    }

    /// Number of partitions where those of the entities are `entity_partitions`. The others are
    /// read completely by every instance, or by people.
    #[must_use]
    pub const fn partitions(self, entity_partitions: i32) -> i32 {
        if self.is_by_entity() {
            entity_partitions
        } else {
            1
        }
    }

    /// Whether only the newest record of a key is kept.
    #[must_use]
    pub const fn is_compacted(self) -> bool {
        matches!(
            self,
            Self::Directory | Self::State | Self::Control | Self::Alerts
        )
    }

    /// The settings that it is created with and checked against.
    #[must_use]
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Directory | Self::Control => &[("cleanup.policy", "compact")],
            Self::Events => &[
                ("cleanup.policy", "delete"),
                ("message.timestamp.type", "LogAppendTime"),
                ("retention.ms", FORTNIGHT_MS),
            ],
            Self::State => &[
                ("cleanup.policy", "compact"),
                ("segment.bytes", STATE_SEGMENT_BYTES),
                ("min.cleanable.dirty.ratio", "0.1"),
                ("delete.retention.ms", DAY_MS),
                ("max.compaction.lag.ms", HOUR_MS),
            ],
            Self::Alerts => &[("cleanup.policy", "compact,delete")],
            Self::Audit => &[("cleanup.policy", "delete"), ("retention.ms", AUDIT_MS)],
            Self::Shadow | Self::DeadLetter => {
                &[("cleanup.policy", "delete"), ("retention.ms", FORTNIGHT_MS)]
            }
        }
    }
}

/// The names of all topics under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    names: [Arc<str>; Topic::ALL.len()],
}

impl Names {
    /// The names under a prefix.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            names: Topic::ALL.map(|topic| topic.name(prefix)),
        }
    }

    /// The name of a topic.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "the array has a place for each variant"
    )]
    pub fn of(&self, topic: Topic) -> &Arc<str> {
        &self.names[topic as usize]
    }
}

/// The consumer group of a stage.
#[must_use]
pub fn group(prefix: &str, stage: &str) -> String {
    format!("{prefix}.{stage}")
}

/// The transactional id of one thread of a stage: stable, so that a restart fences itself at once.
#[must_use]
pub fn transactional_id(prefix: &str, stage: &str, instance: &str) -> String {
    format!("{prefix}-{stage}-{instance}")
}

/// The instance of one thread: `<ordinal>-<thread>`.
#[must_use]
pub fn instance(ordinal: &str, thread: usize) -> String {
    format!("{ordinal}-{thread}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_topic_has_its_place_among_the_names() {
        let names = Names::new("acme");
        for topic in Topic::ALL {
            assert_eq!(*names.of(topic), topic.name("acme"));
        }
    }

    #[test]
    fn names_are_distinct_versioned_and_prefixed() {
        let names: BTreeSet<_> = Topic::ALL.iter().map(|t| t.name("acme")).collect();
        assert_eq!(names.len(), Topic::ALL.len());
        assert!(
            names
                .iter()
                .all(|n| n.starts_with("acme.") && n.ends_with(".v1"))
        );
        assert_eq!(
            &*Topic::DeadLetter.name(PREFIX_DEFAULT),
            "deskwarden.dead-letter.v1"
        );
        assert_eq!(group("acme", "collect"), "acme.collect");
        assert_eq!(
            transactional_id("acme", "collect", &instance("pod-0", 1)),
            "acme-collect-pod-0-1"
        );
    }

    #[test]
    fn compaction_agrees_with_the_settings() {
        for topic in Topic::ALL {
            let policy = topic.settings().iter().find(|s| s.0 == "cleanup.policy");
            let compacts = policy.is_some_and(|s| s.1.contains("compact"));
            assert_eq!(compacts, topic.is_compacted(), "{topic:?}");
        }
        assert_eq!(Topic::State.partitions(8), Topic::Events.partitions(8));
    }
}
