//! Both loops on the in-memory log, in one thread, driven by the time of what is fed: what `demo` and
//! `replay` have in common.

use std::sync::Arc;
use std::time::Duration;

use crate::collect::directory::AccountRecord;
use crate::collect::identity::Settings;
use crate::collect::text::Lexicon;
use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::correlate::control::{Control, SourceDeclared};
use crate::correlate::engine::Setup as EngineSetup;
use crate::correlate::rules::RuleSet;
use crate::correlate::rules::rule::Evidence;
use crate::edge::config::usual;
use crate::edge::log::memory::{MemberSettings, MemoryBroker, MemoryLog};
use crate::edge::log::topics::{self, Names, PREFIX_DEFAULT, Topic};
use crate::edge::log::{LogError, OwnedRecord, Partition, ProduceRecord, records};
use crate::edge::stages::collect::{self, Collect, SourceTopic};
use crate::edge::stages::correlate::{self, Correlate};
use crate::edge::stages::{LoopError, SharedDirectory};

/// Partitions of the topics that go by entity: one thread works on all of them.
const PARTITIONS: i32 = 4;
/// Records of one transaction.
const RECORDS_MAX: usize = 1_000;
/// Entries of one transaction.
const ENTRIES_MAX: usize = 5_000;
const BYTES_MAX: usize = 4 << 20;
/// Steps of time while a deadline may be near, and how long one may be.
const STEP_MS: i64 = 31 * SECOND_MS;
const DEADLINES_MS: i64 = 100 * MINUTE_MS;

/// A source and what it vouches for.
#[derive(Debug, Clone)]
pub struct LocalSource {
    /// How it is read.
    pub source: SourceTopic,
    /// What its mapping delivers.
    pub evidence: Vec<Evidence>,
    /// From how late on an event is labelled late.
    pub lateness_ms: i64,
}

impl LocalSource {
    /// A source with a topic of its own name, in order of time but for what its product sends late.
    #[must_use]
    pub fn new(setup: crate::collect::setup::SourceSetup, evidence: Vec<Evidence>) -> Self {
        let lateness_ms = usual(setup.product).lateness_ms();
        let source = SourceTopic {
            topic: format!("source.{}", setup.name),
            domains: setup.product.domains().to_vec(),
            setup,
            bound_ms: 0,
        };
        Self {
            source,
            evidence,
            lateness_ms,
        }
    }

    /// Its topic, and how that is read.
    #[must_use]
    pub fn topic(&self) -> (String, crate::collect::setup::SourceSetup) {
        (self.source.topic.clone(), self.source.setup.clone())
    }
}

/// The loops and their log.
#[derive(Debug)]
pub struct Local {
    broker: MemoryBroker,
    names: Names,
    collect: Collect<MemoryLog>,
    correlate: Correlate<MemoryLog>,
    sources: Vec<LocalSource>,
    now: Timestamp,
    /// Alerts taken so far, by partition: the next offset.
    taken: Vec<i64>,
    directory: SharedDirectory,
    /// Whether what was read of the sources stays.
    keeps_sources: bool,
}

impl Local {
    /// The loops, with the directory and the declared sources, at a moment before the first record.
    ///
    /// # Errors
    /// None that a log in memory can have without being broken.
    pub fn new(
        tenant: &str,
        rules: Arc<RuleSet>,
        sources: Vec<LocalSource>,
        (settings, lexicon): (Settings, Arc<Lexicon>),
        start: Timestamp,
    ) -> Result<Self, LogError> {
        let broker = MemoryBroker::default();
        broker.set_now(start);
        let names = Names::new(PREFIX_DEFAULT);
        for topic in Topic::ALL {
            broker.create_topic(names.of(topic), topic.partitions(PARTITIONS));
        }
        for source in &sources {
            broker.create_topic(&source.source.topic, 1);
        }
        let roots = settings.roots.clone();
        let collect = Arc::new(collect::Setup {
            topics: names.clone(),
            partitions: PARTITIONS,
            sources: sources.iter().map(|s| s.source.clone()).collect(),
            settings,
            lexicon,
            idle_wait: Duration::ZERO,
            gather_max: Duration::ZERO,
            records_max: RECORDS_MAX,
            bytes_max: BYTES_MAX,
        });
        let correlate = Arc::new(correlate::Setup {
            topics: names.clone(),
            partitions: PARTITIONS,
            engine: Arc::new(EngineSetup::new(tenant, rules)),
            idle_wait: Duration::ZERO,
            gather_max: Duration::ZERO,
            storm_max: Duration::ZERO,
            entries_max: ENTRIES_MAX,
            bytes_max: BYTES_MAX,
        });
        let member = |stage: &str, topics: Vec<String>| {
            broker.connect(MemberSettings {
                group: topics::group(PREFIX_DEFAULT, stage),
                instance: Some("local-0".to_owned()),
                transactional_id: topics::transactional_id(PREFIX_DEFAULT, stage, "local-0"),
                topics,
            })
        };
        let log = member("collect", collect.group_topics());
        let directory = SharedDirectory::new(&roots);
        let collect = Collect::new(log, collect, directory.clone());
        let log = member(
            "correlate",
            Correlate::<MemoryLog>::group_topics(&correlate),
        );
        let correlate = Correlate::new(log, correlate);
        let partitions = usize::try_from(PARTITIONS).unwrap_or(1);
        let local = Self {
            broker,
            names,
            collect,
            correlate,
            sources,
            now: start,
            taken: vec![0; partitions],
            directory,
            keeps_sources: false,
        };
        local.declare()?;
        Ok(local)
    }

    fn declare(&self) -> Result<(), LogError> {
        for local in &self.sources {
            let source = &local.source;
            let declared = Control::SourceDeclared(SourceDeclared {
                name: source.setup.name.clone(),
                product: source.setup.product.as_str().to_owned(),
                topic: source.topic.clone(),
                partitions: 1,
                domains: source.domains.clone(),
                bound_ms: source.bound_ms,
                lateness_ms: local.lateness_ms,
                evidence: local.evidence.clone(),
            });
            let key = format!("source/{}", source.setup.name);
            let value = serde_json::to_vec(&declared).unwrap_or_default();
            let record = ProduceRecord {
                topic: self.names.of(Topic::Control),
                partition: 0,
                key: Some(key.as_bytes()),
                headers: &[],
                value: Some(&value),
            };
            self.broker.append(&record, self.now)?;
        }
        Ok(())
    }

    /// Keeps the records of the sources, for whoever asks for them again. They take memory.
    pub const fn keep_sources(&mut self) {
        self.keeps_sources = true;
    }

    /// The log, for further readers.
    #[must_use]
    pub const fn broker(&self) -> &MemoryBroker {
        &self.broker
    }

    /// Who is who.
    #[must_use]
    pub const fn directory(&self) -> &SharedDirectory {
        &self.directory
    }

    /// Topic names.
    #[must_use]
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// The present moment.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Puts an account on the directory topic.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn account(&self, account: &AccountRecord) -> Result<(), LogError> {
        let topic = self.names.of(Topic::Directory);
        let written = records::account(account).with(topic, |r| self.broker.append(r, self.now));
        written.map(drop)
    }

    /// Puts a record on the topic of a source, at the present moment.
    ///
    /// # Errors
    /// A source that is none.
    pub fn feed(&self, source: &str, value: &[u8]) -> Result<(), LogError> {
        let topic = format!("source.{source}");
        let record = ProduceRecord {
            topic: &topic,
            partition: 0,
            key: None,
            headers: &[],
            value: Some(value),
        };
        self.broker.append(&record, self.now).map(drop)
    }

    /// Works until nothing is left to do at the present moment.
    ///
    /// # Errors
    /// A loop that cannot go on.
    pub fn work(&mut self) -> Result<(), LoopError> {
        loop {
            let collected = self.collect.cycle(self.now)?;
            let correlated = self.correlate.cycle()?;
            if collected.is_idle() && correlated.is_idle() {
                return Ok(());
            }
        }
    }

    /// Lets time pass until `moment`: step by step while a deadline may be over, then at once.
    ///
    /// # Errors
    /// A loop that cannot go on.
    pub fn pass(&mut self, moment: Timestamp) -> Result<(), LoopError> {
        let near = self.now.plus(DEADLINES_MS);
        while self.now.plus(STEP_MS) < moment && self.now < near {
            self.set_now(self.now.plus(STEP_MS));
            self.work()?;
        }
        if self.now < moment {
            self.set_now(moment);
        }
        Ok(())
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.broker.set_now(now);
    }

    /// Alerts that were published since this was asked last, in order of partition. What was read of
    /// events, and of sources that are not kept, is thrown away.
    pub fn take_alerts(&mut self) -> Vec<OwnedRecord> {
        let mut alerts = Vec::new();
        for number in 0..PARTITIONS {
            let of = |topic| Partition::new(Arc::clone(self.names.of(topic)), number);
            let next = usize::try_from(number)
                .ok()
                .and_then(|n| self.taken.get_mut(n));
            if let Some(next) = next {
                let new = self.broker.read_from(&of(Topic::Alerts), *next);
                if let Some(last) = new.last() {
                    *next = last.offset + 1;
                }
                alerts.extend(new);
            }
            for partition in [of(Topic::Events), of(Topic::State)] {
                self.trim(&partition);
            }
        }
        for source in self.sources.iter().filter(|_| !self.keeps_sources) {
            self.trim(&Partition::new(source.source.topic.as_str(), 0));
        }
        alerts
    }

    /// Everything has been worked off: what lies there is not read again.
    fn trim(&self, partition: &Partition) {
        if let Some(ends) = self.broker.ends(partition) {
            self.broker.trim(partition, ends.high);
        }
    }

    /// What was collected since this was asked last.
    pub fn take_counts(&mut self) -> collect::Counts {
        self.collect.take_counts()
    }
}
