//! The reader without group: restores state, follows the control and directory topics, and asks
//! where partitions end.

use super::consumer::{QUERY_TIMEOUT, Source, list_at, list_of, watermarks};
use super::settings::KafkaSettings;
use super::transaction::classify;
use crate::collect::time::Timestamp;
use crate::edge::log::{Ends, ErrorClass, LogError, Partition, Polled};
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Consumer context of clients that join nothing.
#[derive(Debug)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason, "client reports an error");
    }

    /// Only the member's are looked at; the operator may have asked for them all the same.
    fn stats(&self, _: rdkafka::Statistics) {}
}

impl ConsumerContext for Quiet {}

/// The reader and the client that sees what is not committed yet.
pub(super) struct Reader {
    source: Source<Quiet>,
    /// `read_uncommitted`: its end of a partition is the high watermark, the reader's the last
    /// stable offset.
    watcher: BaseConsumer<Quiet>,
}

impl Reader {
    pub(super) fn new(settings: &KafkaSettings) -> Result<Self, LogError> {
        let client = |config: rdkafka::ClientConfig| {
            let client: Result<BaseConsumer<Quiet>, _> = config.create_with_context(Quiet);
            client.map_err(|e| classify("connect", &e))
        };
        let reader = Arc::new(client(settings.reader())?);
        Ok(Self {
            source: Source::new(Arc::clone(&reader), reader),
            watcher: client(settings.watcher())?,
        })
    }

    /// The client that asks where partitions end: it waits for no records.
    pub(super) fn asker(&self) -> Arc<BaseConsumer<Quiet>> {
        Arc::clone(&self.source.client)
    }

    /// The stable offset is asked first: equal numbers then mean that nothing was open.
    pub(super) fn ends(&self, partition: &Partition) -> Result<Ends, LogError> {
        let (low, stable) = watermarks(&self.source.client, partition)?;
        let (_, high) = watermarks(&self.watcher, partition)?;
        Ok(Ends { low, stable, high })
    }

    /// The first offset whose record is not older than a moment; `None` where all are older.
    pub(super) fn offset_at(
        &self,
        partition: &Partition,
        moment: Timestamp,
    ) -> Result<Option<i64>, LogError> {
        let asked = list_at(&[(partition.clone(), moment.0.max(0))])?;
        let client = &self.source.client;
        let found = client.offsets_for_times(asked, QUERY_TIMEOUT);
        let found = found.map_err(|e| classify("offsets", &e))?;
        let place = found.find_partition(&partition.topic, partition.number);
        let offset = place.and_then(|place| place.offset().to_raw());
        Ok(offset.filter(|offset| *offset >= 0))
    }

    pub(super) fn partition_count(&self, topic: &str) -> Result<i32, LogError> {
        let metadata = self
            .source
            .client
            .fetch_metadata(Some(topic), QUERY_TIMEOUT);
        let metadata = metadata.map_err(|e| classify("metadata", &e))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic);
        let refused = |detail: String| LogError::new(ErrorClass::Retriable, "metadata", detail);
        let found = found.ok_or_else(|| refused(format!("{topic}: not told")))?;
        if let Some(error) = found.error() {
            let error = RDKafkaErrorCode::from(error);
            return Err(refused(format!("{topic}: {error}")));
        }
        Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX))
    }

    /// Metadata first: without it the first fetch waits a second for it.
    pub(super) fn add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError> {
        let topics: BTreeSet<&str> = from.iter().map(|(p, _)| &*p.topic).collect();
        for topic in topics {
            self.partition_count(topic)?;
        }
        let list = list_at(from)?;
        let assigned = self.source.client.incremental_assign(&list);
        assigned.map_err(|e| classify("assign", &e))?;
        for (partition, offset) in from {
            self.source.begin_at(partition, *offset);
        }
        Ok(())
    }

    pub(super) fn next(&mut self, wait: Duration) -> Result<Polled, LogError> {
        self.source.next(wait)
    }

    pub(super) fn remove(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.source.forget(partitions);
        let removed = self
            .source
            .client
            .incremental_unassign(&list_of(partitions));
        removed.map_err(|e| classify("unassign", &e))
    }
}
