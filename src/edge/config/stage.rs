//! Stages and roles, and what each worker of a stage needs of Kafka.

use std::sync::Arc;

use serde::Deserialize;

use crate::collect::entity::EntityKind;
use crate::collect::text::Lexicon;
use crate::correlate::engine::Setup as EngineSetup;
use crate::edge::kafka::KafkaSettings;
use crate::edge::log::topics::{self, Names, Topic};
use crate::edge::sinks::{Sink, SinkError};
use crate::edge::stages::{collect, correlate};

use super::{Config, Kafka, SinkSetup};

/// A stage that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Records to events.
    Collect,
    /// Events to alerts.
    Correlate,
    /// Alerts to people.
    Deliver,
}

impl Stage {
    /// The name in groups, ids and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Correlate => "correlate",
            Self::Deliver => "deliver",
        }
    }
}

/// What an instance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Records to events.
    Collect,
    /// Events to alerts.
    Correlate,
    /// Alerts to people.
    Deliver,
    /// All three.
    All,
}

impl Role {
    /// The stages that run, in the order of the data.
    #[must_use]
    pub const fn stages(self) -> &'static [Stage] {
        match self {
            Self::Collect => &[Stage::Collect],
            Self::Correlate => &[Stage::Correlate],
            Self::Deliver => &[Stage::Deliver],
            Self::All => &[Stage::Collect, Stage::Correlate, Stage::Deliver],
        }
    }
}

impl Config {
    /// The whole name of a topic of ours.
    #[must_use]
    pub fn topic(&self, topic: Topic) -> String {
        topic.name(&self.prefix).to_string()
    }

    /// Threads of a stage.
    #[must_use]
    pub const fn workers(&self, stage: Stage) -> usize {
        match stage {
            Stage::Collect => self.collect.workers,
            Stage::Correlate => self.correlate.workers,
            Stage::Deliver => 1,
        }
    }

    /// What one worker of a stage needs to reach its brokers.
    #[must_use]
    pub fn kafka_settings(&self, stage: Stage, worker: usize) -> KafkaSettings {
        let topics = match stage {
            Stage::Collect => {
                let sources = self.sources.iter().map(|source| source.topic.clone());
                sources.chain([self.topic(Topic::Control)]).collect()
            }
            Stage::Correlate => vec![self.topic(Topic::Events)],
            // Every instance reads all alerts, without a group.
            Stage::Deliver => Vec::new(),
        };
        let instance = topics::instance(&self.instance, worker);
        KafkaSettings {
            topics,
            tells_ends: stage == Stage::Collect,
            ..self.client_settings(stage.as_str(), &instance)
        }
    }

    /// The name of a sink's group, behind the prefix.
    #[must_use]
    pub fn sink_group(sink: &str) -> String {
        format!("{}.{sink}", Stage::Deliver.as_str())
    }

    /// What a sink needs: a group of its own over the alerts.
    #[must_use]
    pub fn sink_settings(&self, sink: &str) -> KafkaSettings {
        let name = Self::sink_group(sink);
        KafkaSettings {
            topics: vec![self.topic(Topic::Alerts)],
            tells_ends: true,
            ..self.client_settings(&name, &topics::instance(&self.instance, 0))
        }
    }

    /// What a sink tells.
    ///
    /// # Errors
    /// A template, key or token that cannot be used.
    pub fn sink(&self, setup: &SinkSetup) -> Result<Sink, SinkError> {
        Sink::new(setup, &self.instance, self.page_url.as_deref())
    }

    /// What a command needs to reach the brokers; it joins no group.
    #[must_use]
    pub fn command_settings(&self, command: &str) -> KafkaSettings {
        self.client_settings(command, &self.instance)
    }

    fn client_settings(&self, name: &str, instance: &str) -> KafkaSettings {
        KafkaSettings {
            group: topics::group(&self.prefix, name),
            transactional_id: topics::transactional_id(&self.prefix, name, instance),
            instance: instance.to_owned(),
            properties: self.kafka.common(),
            consumer_properties: Kafka::exposed(&self.kafka.consumer_properties),
            producer_properties: Kafka::exposed(&self.kafka.producer_properties),
            ..KafkaSettings::default()
        }
    }

    /// Most entities of each kind in one partition, in the order of [`EntityKind::ALL`]: its share
    /// of the setting, at least one.
    #[must_use]
    pub fn entities_max(&self) -> [usize; EntityKind::ALL.len()] {
        let all = self.correlate.max_entities;
        let partitions = u64::try_from(self.kafka.partitions).unwrap_or(1).max(1);
        EntityKind::ALL.map(|kind| {
            let most = match kind {
                EntityKind::Identity => all.identity,
                EntityKind::Contact => all.contact,
                EntityKind::Ticket => all.ticket,
                EntityKind::Agent => all.agent,
                EntityKind::Caller => all.caller,
                EntityKind::Device => all.device,
                EntityKind::Address => all.address,
            };
            usize::try_from(most.div_ceil(partitions)).unwrap_or(usize::MAX)
        })
    }

    /// What the collectors are set up with.
    #[must_use]
    pub fn collect_setup(&self, lexicon: Arc<Lexicon>) -> collect::Setup {
        let sources = self.sources.iter().map(|source| collect::SourceTopic {
            setup: source.setup.clone(),
            topic: source.topic.clone(),
            domains: source.domains.clone(),
            bound_ms: source.bound_ms,
        });
        collect::Setup {
            topics: Names::new(&self.prefix),
            partitions: self.kafka.partitions,
            sources: sources.collect(),
            settings: self.identity_settings(),
            lexicon,
            idle_wait: collect::IDLE_WAIT,
            gather_max: self.collect.gather_max,
            records_max: self.collect.records_max,
            bytes_max: self.collect.bytes_max,
        }
    }

    /// What the correlators are set up with, each engine with `engine`.
    #[must_use]
    pub fn correlate_setup(&self, engine: Arc<EngineSetup>) -> correlate::Setup {
        correlate::Setup {
            topics: Names::new(&self.prefix),
            partitions: self.kafka.partitions,
            engine,
            idle_wait: correlate::IDLE_WAIT,
            gather_max: self.correlate.gather_max,
            storm_max: correlate::STORM_MAX,
            entries_max: self.correlate.entries_max,
            bytes_max: self.correlate.bytes_max,
        }
    }
}
