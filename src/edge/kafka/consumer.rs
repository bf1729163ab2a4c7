//! A consumer that hands out records and ends of partitions, and knows where it stands.

use super::transaction::classify;
use crate::collect::time::Timestamp;
use crate::edge::clock::Deadline;
use crate::edge::log::{ErrorClass, LogError, OwnedRecord, Partition, Polled};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// For a question that a healthy broker answers in a few milliseconds.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// A seek right after the assignment meets a partition that is not there yet.
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);
const SEEK_PAUSE: Duration = Duration::from_millis(2);

/// A consumer and the positions of its partitions.
pub(super) struct Source<C: ConsumerContext + 'static> {
    pub(super) client: BaseConsumer<C>,
    /// Where each partition goes on; a partition that is not in here is not read.
    positions: BTreeMap<Partition, i64>,
    /// Interned names, so that a record costs no allocation for its topic.
    topics: BTreeSet<Arc<str>>,
    /// Ends that were found together and not told yet.
    ends: VecDeque<Polled>,
    /// Numbers of partitions whose end the client told and whose topic is not known yet.
    unresolved: Vec<i32>,
    /// Where the end of a partition was told last.
    told: BTreeMap<Partition, i64>,
    /// Sought and not resumed since: their leaders get a nudge.
    fresh: BTreeSet<Partition>,
}

impl<C: ConsumerContext + 'static> Source<C> {
    pub(super) const fn new(client: BaseConsumer<C>) -> Self {
        Self {
            client,
            positions: BTreeMap::new(),
            topics: BTreeSet::new(),
            ends: VecDeque::new(),
            unresolved: Vec::new(),
            told: BTreeMap::new(),
            fresh: BTreeSet::new(),
        }
    }

    /// The next record or end.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Polled, LogError> {
        let resolved = self.resolve_ends();
        if let Some(end) = self.ends.pop_front() {
            return Ok(end);
        }
        // Also while an end cannot be asked for: the assignment may have moved, and only a poll
        // brings that to light.
        match self.client.poll(wait) {
            None => resolved.map(|()| Polled::Idle),
            Some(Ok(message)) => {
                let record = owned(&message, &mut self.topics);
                drop(message);
                Ok(self.accept(record))
            }
            Some(Err(KafkaError::PartitionEOF(number))) => {
                self.unresolved.push(number);
                self.resolve_ends()?;
                Ok(self.ends.pop_front().unwrap_or(Polled::Idle))
            }
            Some(Err(error)) => Err(classify("poll", &error)),
        }
    }

    /// The client tells an end once: what cannot be resolved now is tried again.
    fn resolve_ends(&mut self) -> Result<(), LogError> {
        while let Some(number) = self.unresolved.last().copied() {
            self.find_ends(number)?;
            self.unresolved.retain(|n| *n != number);
        }
        Ok(())
    }

    fn accept(&mut self, record: OwnedRecord) -> Polled {
        match self.positions.get_mut(&record.partition) {
            // Fetched before the seek, or of a partition that was just removed.
            None => Polled::Idle,
            Some(position) if record.offset < *position => Polled::Idle,
            Some(position) => {
                *position = record.offset + 1;
                Polled::Record(record)
            }
        }
    }

    /// rdkafka tells the number of a partition that was read to its end, not its topic: where
    /// several topics have that number, the broker is asked which of them has no more.
    fn find_ends(&mut self, number: i32) -> Result<(), LogError> {
        self.catch_up()?;
        let candidates = self.positions.iter().filter(|(p, _)| p.number == number);
        let candidates: Vec<(Partition, i64)> = candidates.map(|(p, o)| (p.clone(), *o)).collect();
        let is_alone = candidates.len() == 1;
        for (partition, position) in candidates {
            let stable = if is_alone {
                position
            } else {
                self.watermarks(&partition)?.1
            };
            if position >= stable && self.told.get(&partition) != Some(&position) {
                self.told.insert(partition.clone(), position);
                self.ends.push_back(Polled::End {
                    partition,
                    position,
                });
            }
        }
        Ok(())
    }

    /// Markers and compacted gaps move the client's position, not ours.
    fn catch_up(&mut self) -> Result<(), LogError> {
        let list = self.client.position();
        for element in list.map_err(|e| classify("position", &e))?.elements() {
            let partition = Partition::new(element.topic(), element.partition());
            if let (Offset::Offset(offset), Some(position)) =
                (element.offset(), self.positions.get_mut(&partition))
            {
                *position = (*position).max(offset);
            }
        }
        Ok(())
    }

    /// First offset and, as this client's isolation level sees it, end of a partition.
    pub(super) fn watermarks(&self, partition: &Partition) -> Result<(i64, i64), LogError> {
        self.client
            .fetch_watermarks(&partition.topic, partition.number, QUERY_TIMEOUT)
            .map_err(|e| classify("watermarks", &e))
    }

    /// Sets the position of an assigned partition.
    pub(super) fn seek(&mut self, partition: &Partition, offset: i64) -> Result<(), LogError> {
        let deadline = Deadline::after(SEEK_TIMEOUT);
        loop {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset))
                .map_err(|e| classify("seek", &e))?;
            let sought = self.client.seek_partitions(list, QUERY_TIMEOUT);
            let error = match sought {
                Ok(list) => list.elements().iter().find_map(|e| e.error().err()),
                Err(error) => Some(error),
            };
            let Some(error) = error else { break };
            if deadline.has_passed() {
                let detail = format!("{partition}: {error}");
                return Err(LogError::new(ErrorClass::Retriable, "seek", detail));
            }
            thread::sleep(SEEK_PAUSE);
        }
        self.begin_at(partition, offset);
        self.fresh.insert(partition.clone());
        Ok(())
    }

    /// Notes where a partition begins that was assigned with this offset.
    pub(super) fn begin_at(&mut self, partition: &Partition, offset: i64) {
        self.told.remove(partition);
        self.positions.insert(partition.clone(), offset);
    }

    /// Reads these no more.
    pub(super) fn forget(&mut self, partitions: &[Partition]) {
        self.positions.retain(|p, _| !partitions.contains(p));
        self.fresh.retain(|p| !partitions.contains(p));
        self.told.retain(|p, _| !partitions.contains(p));
        self.ends.retain(
            |end| !matches!(end, Polled::End { partition, .. } if partitions.contains(partition)),
        );
    }

    /// Resumes, and sends the leaders of sought partitions a request: without it the first record
    /// comes a second later.
    pub(super) fn resume(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        let list = list_of(partitions);
        let resumed = self.client.resume(&list);
        resumed.map_err(|e| classify("resume", &e))?;
        for partition in partitions {
            if !self.fresh.remove(partition) {
                continue;
            }
            if let Err(error) = self.watermarks(partition) {
                // It is resumed all the same; its first record just comes later.
                tracing::debug!(%partition, %error, "leader not reached after a seek");
            }
        }
        Ok(())
    }
}

fn owned(message: &BorrowedMessage<'_>, topics: &mut BTreeSet<Arc<str>>) -> OwnedRecord {
    let topic = topics.get(message.topic()).cloned().unwrap_or_else(|| {
        let topic: Arc<str> = message.topic().into();
        topics.insert(Arc::clone(&topic));
        topic
    });
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        let pair = |h: rdkafka::message::Header<'_, &[u8]>| {
            (h.key.to_owned(), h.value.unwrap_or_default().to_vec())
        };
        headers.iter().map(pair).collect()
    });
    OwnedRecord {
        partition: Partition::new(topic, message.partition()),
        offset: message.offset(),
        timestamp: Timestamp(message.timestamp().to_millis().unwrap_or(0)),
        key: message.key().map(<[u8]>::to_vec),
        headers,
        value: message.payload().map(<[u8]>::to_vec),
    }
}

/// The partitions of a list.
pub(super) fn partitions_of(list: &TopicPartitionList) -> Vec<Partition> {
    let elements = list.elements();
    let partitions = elements.iter();
    partitions
        .map(|e| Partition::new(e.topic(), e.partition()))
        .collect()
}

/// A list of partitions without offsets.
pub(super) fn list_of(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}

/// A list of partitions with explicit offsets.
pub(super) fn list_at(from: &[(Partition, i64)]) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::with_capacity(from.len());
    for (partition, offset) in from {
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset))
            .map_err(|e| classify("offsets", &e))?;
    }
    Ok(list)
}
