//! One member on Kafka: the consumer, the producer and the reader behind one [`Log`].

use super::changelog::Reader;
use super::consumer::{QUERY_TIMEOUT, Source, list_of};
use super::rebalance::{Change, Membership};
use super::settings::KafkaSettings;
use super::transaction::{Transaction, classify};
use crate::edge::log::{
    Assigned, Ends, ErrorClass, Log, LogError, Partition, Polled, ProduceRecord,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::Offset;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// So long the brokers are busy with a commit after they have confirmed it: a transaction that begins
/// earlier is refused, and the client tries again 20 ms later.
const SETTLE: Duration = Duration::from_millis(8);

/// A member of a group on real brokers. Belongs to one thread.
pub struct KafkaLog {
    source: Source<Membership>,
    transaction: Transaction,
    reader: Reader,
    group: String,
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl KafkaLog {
    /// Creates the clients, starts to join the group and to initialise the producer. Waits for
    /// neither: brokers that are away show in the calls that need them.
    pub fn connect(settings: &KafkaSettings) -> Result<Self, LogError> {
        let refused =
            |e: super::SettingsError| LogError::new(ErrorClass::Fatal, "settings", e.to_string());
        settings.check().map_err(refused)?;
        let transaction = Transaction::start(settings);
        let client: Result<BaseConsumer<Membership>, _> = settings
            .consumer()
            .create_with_context(Membership::default());
        let client = client.map_err(|e| classify("connect", &e))?;
        let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        if !topics.is_empty() {
            client
                .subscribe(&topics)
                .map_err(|e| classify("subscribe", &e))?;
        }
        let reader = Reader::new(settings)?;
        Ok(Self {
            source: Source::new(Arc::new(client), reader.asker()),
            transaction,
            reader,
            group: settings.group.clone(),
        })
    }

    /// Where the partitions that are read end, as the client knew it some seconds ago; only those from
    /// which something was fetched.
    #[must_use]
    pub fn known_ends(&self) -> BTreeMap<Partition, i64> {
        self.source.client.context().ends()
    }

    /// Tells the loop of a change, with what it needs to act on it.
    fn told(&mut self, change: Change) -> Result<Polled, LogError> {
        match change {
            Change::Failed(detail) => Err(LogError::new(ErrorClass::Fatal, "rebalance", detail)),
            Change::Revoked(partitions, lost) => {
                self.source.forget(&partitions);
                Ok(Polled::Revoked { partitions, lost })
            }
            Change::Assigned(partitions) => {
                // Whoever restores must know that its own dead predecessor is fenced.
                let prepared = self.transaction.ready();
                match prepared.and_then(|()| self.committed(&partitions)) {
                    Ok(offsets) => Ok(Polled::Assigned(assigned(partitions, &offsets))),
                    Err(error) => {
                        let later = Change::Assigned(partitions);
                        self.source.client.context().put_back(later);
                        Err(error)
                    }
                }
            }
        }
    }
}

fn assigned(partitions: Vec<Partition>, offsets: &BTreeMap<Partition, i64>) -> Vec<Assigned> {
    let partitions = partitions.into_iter();
    partitions
        .map(|partition| Assigned {
            group_offset: offsets.get(&partition).copied(),
            partition,
        })
        .collect()
}

impl Log for KafkaLog {
    fn poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        assert!(
            !self.transaction.is_open(),
            "the consumer is never polled while a transaction is open"
        );
        if let Some(change) = self.source.client.context().take() {
            return self.told(change);
        }
        let polled = self.source.next(wait)?;
        // A callback that ran inside this poll ends it without a record.
        match (polled, self.source.client.context().take()) {
            (Polled::Idle, Some(change)) => self.told(change),
            (polled, Some(change)) => {
                self.source.client.context().put_back(change);
                Ok(polled)
            }
            (polled, None) => Ok(polled),
        }
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        let paused = self.source.client.pause(&list_of(partitions));
        paused.map_err(|e| classify("pause", &e))
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.source.resume(partitions)
    }

    fn seek(&mut self, partition: &Partition, offset: i64) -> Result<(), LogError> {
        self.source.seek(partition, offset)
    }

    fn committed(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, i64>, LogError> {
        let asked = self
            .source
            .client
            .committed_offsets(list_of(partitions), QUERY_TIMEOUT);
        let list = asked.map_err(|e| classify("committed", &e))?;
        let mut offsets = BTreeMap::new();
        for element in list.elements() {
            let refused = |e: rdkafka::error::KafkaError| {
                LogError::new(ErrorClass::Retriable, "committed", e.to_string())
            };
            element.error().map_err(refused)?;
            if let Offset::Offset(offset) = element.offset() {
                let partition = Partition::new(element.topic(), element.partition());
                offsets.insert(partition, offset);
            }
        }
        Ok(offsets)
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.transaction.begin()
    }

    fn produce(&mut self, record: &ProduceRecord<'_>) -> Result<(), LogError> {
        self.transaction.produce(record)
    }

    fn send_offsets(&mut self, offsets: &[(Partition, i64)]) -> Result<(), LogError> {
        let refused = |detail| LogError::new(ErrorClass::Abort, "send_offsets", detail);
        // Committing a lost assignment can end in a fatal `FENCED_INSTANCE_ID`.
        if self.source.client.assignment_lost() {
            return Err(refused("the assignment is lost"));
        }
        let metadata = self.source.client.group_metadata();
        let metadata = metadata.ok_or_else(|| refused("not a member"))?;
        self.transaction.send_offsets(offsets, metadata)
    }

    fn commit(&mut self) -> Result<(), LogError> {
        self.transaction.commit()
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.transaction.abort()
    }

    fn settle(&self) -> Duration {
        SETTLE
    }

    fn renew(&mut self) -> Result<(), LogError> {
        self.transaction.renew()
    }

    fn ends(&mut self, partition: &Partition) -> Result<Ends, LogError> {
        self.reader.ends(partition)
    }

    fn partition_count(&mut self, topic: &str) -> Result<i32, LogError> {
        self.reader.partition_count(topic)
    }

    fn reader_add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError> {
        self.reader.add(from)
    }

    fn reader_poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        self.reader.next(wait)
    }

    fn reader_remove(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.reader.remove(partitions)
    }

    fn close(&mut self) -> Result<(), LogError> {
        let aborted = if self.transaction.is_open() {
            self.transaction.abort()
        } else {
            Ok(())
        };
        // A static member leaves nothing behind with this; the drop of the client ends the session.
        self.source.client.unsubscribe();
        aborted
    }
}
