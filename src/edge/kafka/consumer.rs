//! A consumer that hands out records and ends of partitions, and knows where it stands.

use super::changelog::Quiet;
use super::record::owned;
use super::transaction::classify;
use crate::edge::clock::Deadline;
use crate::edge::log::by_partition::ByPartition;
use crate::edge::log::{ErrorClass, LogError, OwnedRecord, Partition, Polled};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// For a question that a healthy broker answers in a few milliseconds.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// A seek right after the assignment meets a partition that is not there yet.
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);
const SEEK_PAUSE: Duration = Duration::from_millis(2);
/// Long enough to send a question.
const NUDGE_TIMEOUT: Duration = Duration::from_millis(1);

/// A partition from which nothing came for so long may have been read to its end. Where records keep
/// coming nobody need ask: their own times say how far it is.
const QUIET: Duration = Duration::from_millis(250);

/// Where a partition goes on.
#[derive(Debug, Clone, Copy)]
struct Position {
    next: i64,
    /// A record came since ends were asked for last.
    moved: bool,
    /// Its end was told, and nothing came since.
    told: bool,
}

impl Position {
    const fn at(next: i64) -> Self {
        Self {
            next,
            moved: false,
            told: false,
        }
    }

    /// Moves on, never back.
    fn reach(&mut self, offset: i64) {
        if offset > self.next {
            self.next = offset;
            self.told = false;
        }
    }
}

/// What asking the client once brought.
enum Step {
    /// Nothing within the time.
    Nothing,
    /// Something that is not for the caller, or not yet.
    Noted,
    /// This.
    Told(Polled),
}

/// A consumer and the positions of its partitions.
pub(super) struct Source<C: ConsumerContext + 'static> {
    pub(super) client: Arc<BaseConsumer<C>>,
    /// Asks for ends. Not the member itself: the broker answers a connection in order, and there each
    /// question would wait behind a fetch that waits for records.
    asker: Arc<BaseConsumer<Quiet>>,
    /// A partition that is not in here is not read.
    positions: ByPartition<Position>,
    /// Interned names, so that a record costs no allocation for its topic.
    topics: BTreeSet<Arc<str>>,
    /// Ends that were found together and not told yet.
    ends: VecDeque<Polled>,
    /// Numbers of partitions whose end the client told: of which topics is not known yet.
    unresolved: BTreeSet<i32>,
    /// Nothing is asked before.
    ask_at: Deadline,
    /// Sought and not resumed since: their leaders get a nudge.
    fresh: BTreeSet<Partition>,
    /// The client had a record when it was asked last.
    flows: bool,
}

impl<C: ConsumerContext + 'static> Source<C> {
    pub(super) fn new(client: Arc<BaseConsumer<C>>, asker: Arc<BaseConsumer<Quiet>>) -> Self {
        Self {
            client,
            asker,
            positions: ByPartition::default(),
            topics: BTreeSet::new(),
            ends: VecDeque::new(),
            unresolved: BTreeSet::new(),
            ask_at: Deadline::after(Duration::ZERO),
            fresh: BTreeSet::new(),
            flows: false,
        }
    }

    /// The next record or end. An end that is not known yet, and a record of before a seek, is not the
    /// end of what is queued: idle means that nothing came for so long.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Polled, LogError> {
        if self.flows && self.ends.is_empty() && self.unresolved.is_empty() {
            // Where records lie ready nobody asks what time it is.
            if let Step::Told(polled) = self.step(Duration::ZERO)? {
                return Ok(polled);
            }
        }
        let deadline = Deadline::after(wait);
        loop {
            let resolved = self.resolve_ends();
            if let Some(end) = self.ends.pop_front() {
                return Ok(end);
            }
            let mut wait = deadline.left();
            if !self.unresolved.is_empty() {
                wait = wait.min(self.ask_at.left());
            }
            // Also while an end cannot be asked for: the assignment may have moved, and only a poll
            // brings that to light.
            match self.step(wait)? {
                Step::Told(polled) => return Ok(polled),
                Step::Nothing if self.unresolved.is_empty() || deadline.has_passed() => {
                    return resolved.map(|()| Polled::Idle);
                }
                // An end may be asked for now.
                Step::Nothing => resolved?,
                Step::Noted => {}
            }
        }
    }

    /// Asks the client once.
    fn step(&mut self, wait: Duration) -> Result<Step, LogError> {
        self.flows = false;
        match self.client.poll(wait) {
            None => Ok(Step::Nothing),
            Some(Ok(message)) => {
                let record = owned(&message, &mut self.topics);
                drop(message);
                self.flows = true;
                let accepted = self.accept(record).map(Polled::Record);
                Ok(accepted.map_or(Step::Noted, Step::Told))
            }
            Some(Err(KafkaError::PartitionEOF(number))) => {
                self.ended(number)?;
                Ok(Step::Noted)
            }
            Some(Err(error)) => Err(classify("poll", &error)),
        }
    }

    /// The record, unless it was fetched before the seek, or is of a partition that was just removed.
    fn accept(&mut self, record: OwnedRecord) -> Option<OwnedRecord> {
        let position = self.positions.get_mut(&record.partition)?;
        if record.offset < position.next {
            return None;
        }
        position.reach(record.offset + 1);
        position.moved = true;
        Some(record)
    }

    /// rdkafka tells the number of a partition that was read to its end, not its topic. Where it is
    /// the only one with that number all is known; otherwise the brokers are asked.
    fn ended(&mut self, number: i32) -> Result<(), LogError> {
        let known = self.positions.iter().map(|(partition, _)| partition);
        let with_number: Vec<&Partition> = known.filter(|p| p.number == number).collect();
        let [partition] = with_number.as_slice() else {
            self.unresolved.insert(number);
            return Ok(());
        };
        let partition = (*partition).clone();
        self.catch_up()?;
        self.tell_end(&partition, None);
        Ok(())
    }

    /// The client tells an end once: what cannot be resolved now is tried again.
    fn resolve_ends(&mut self) -> Result<(), LogError> {
        if self.unresolved.is_empty() || !self.ask_at.has_passed() {
            return Ok(());
        }
        self.ask_at = Deadline::after(QUIET);
        self.catch_up()?;
        let open =
            |(p, o): &(&Partition, &Position)| !o.told && self.unresolved.contains(&p.number);
        let (quiet, busy): (Vec<_>, Vec<_>) = self
            .positions
            .iter()
            .filter(open)
            .partition(|(_, position)| !position.moved);
        let busy: BTreeSet<i32> = busy.into_iter().map(|(p, _)| p.number).collect();
        let quiet: Vec<Partition> = quiet.into_iter().map(|(p, _)| p.clone()).collect();
        for position in self.positions.values_mut() {
            position.moved = false;
        }
        for (partition, end) in self.stable_ends(&quiet)? {
            self.tell_end(&partition, Some(end));
        }
        // What is quiet and has not ended gets records, and the client tells its end again.
        self.unresolved = busy;
        Ok(())
    }

    /// Tells the end of a partition if it was read up to `end`; without one, what was read is the end.
    fn tell_end(&mut self, partition: &Partition, end: Option<i64>) {
        let Some(position) = self.positions.get_mut(partition) else {
            return;
        };
        if !position.told && end.is_none_or(|end| position.next >= end) {
            position.told = true;
            self.ends.push_back(Polled::End {
                partition: partition.clone(),
                position: position.next,
            });
        }
    }

    /// Ends of partitions as a reader of what is committed sees them, by one request to each leader.
    fn stable_ends(&self, partitions: &[Partition]) -> Result<Vec<(Partition, i64)>, LogError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = list_of(partitions);
        let set = list.set_all_offsets(Offset::End);
        set.map_err(|e| classify("ends", &e))?;
        let answered = self.asker.offsets_for_times(list, QUERY_TIMEOUT);
        let ends = answered.map_err(|e| classify("ends", &e)).and_then(ends_of);
        if ends.is_err() {
            refresh(&self.asker, partitions);
        }
        ends
    }

    /// Markers and compacted gaps move the client's position, not ours.
    fn catch_up(&mut self) -> Result<(), LogError> {
        let list = self.client.position();
        for element in list.map_err(|e| classify("position", &e))?.elements() {
            let partition = Partition::new(element.topic(), element.partition());
            if let (Offset::Offset(offset), Some(position)) =
                (element.offset(), self.positions.get_mut(&partition))
            {
                position.reach(offset);
            }
        }
        Ok(())
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
        self.positions
            .insert(partition.clone(), Position::at(offset));
    }

    /// Reads these no more.
    pub(super) fn forget(&mut self, partitions: &[Partition]) {
        self.positions.retain(|p| !partitions.contains(p));
        self.fresh.retain(|p| !partitions.contains(p));
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
            if self.fresh.remove(partition) {
                // Nobody waits for the answer: it stands behind a fetch that waits for records.
                let asked =
                    self.client
                        .fetch_watermarks(&partition.topic, partition.number, NUDGE_TIMEOUT);
                tracing::trace!(%partition, ?asked, "leader nudged");
            }
        }
        Ok(())
    }
}

/// First offset and, as the isolation level of this client sees it, end of a partition.
pub(super) fn watermarks<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    partition: &Partition,
) -> Result<(i64, i64), LogError> {
    let asked = client.fetch_watermarks(&partition.topic, partition.number, QUERY_TIMEOUT);
    asked.map_err(|error| {
        refresh(client, std::slice::from_ref(partition));
        classify("watermarks", &error)
    })
}

/// Asks anew who leads. A partition that had no leader once is refused for a quarter of an hour
/// without the brokers being asked again, unless the client consumes its topic.
fn refresh<C: ConsumerContext>(client: &BaseConsumer<C>, partitions: &[Partition]) {
    let topics: BTreeSet<&str> = partitions.iter().map(|p| &*p.topic).collect();
    for topic in topics {
        if let Err(error) = client.fetch_metadata(Some(topic), QUERY_TIMEOUT) {
            // The brokers are away: each further topic would take as long.
            tracing::debug!(topic, %error, "leaders not asked for");
            return;
        }
    }
}

fn ends_of(answered: TopicPartitionList) -> Result<Vec<(Partition, i64)>, LogError> {
    let refused =
        |error: KafkaError| LogError::new(ErrorClass::Retriable, "ends", error.to_string());
    let mut ends = Vec::with_capacity(answered.count());
    for element in answered.elements() {
        element.error().map_err(refused)?;
        if let Offset::Offset(end) = element.offset() {
            ends.push((Partition::new(element.topic(), element.partition()), end));
        }
    }
    Ok(ends)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::ClientConfig;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::DefaultProducerContext;

    type Cluster = MockCluster<'static, DefaultProducerContext>;

    /// Brokers of the client library with a partition that nobody leads, and a client of them.
    fn leaderless() -> (Cluster, Arc<BaseConsumer<Quiet>>, Partition) {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        cluster.partition_leader("t", 0, None).unwrap();
        let client = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "g")
            .create_with_context(Quiet);
        (cluster, Arc::new(client.unwrap()), Partition::new("t", 0))
    }

    /// Without asking for the leaders the client would say so for a quarter of an hour.
    #[test]
    fn a_failed_question_for_watermarks_asks_for_the_leaders() {
        let (cluster, client, partition) = leaderless();
        watermarks(&client, &partition).unwrap_err();
        cluster.partition_leader("t", 0, Some(1)).unwrap();
        let mut tries = (0..3).map(|_| watermarks(&client, &partition));
        assert!(tries.any(|answer| answer == Ok((0, 0))));
    }

    #[test]
    fn a_failed_question_for_ends_asks_for_the_leaders() {
        let (cluster, client, partition) = leaderless();
        let source = Source::new(Arc::clone(&client), client);
        let ends = || source.stable_ends(std::slice::from_ref(&partition));
        ends().unwrap_err();
        cluster.partition_leader("t", 0, Some(1)).unwrap();
        let mut tries = (0..3).map(|_| ends());
        assert!(tries.any(|answer| answer == Ok(vec![(partition.clone(), 0)])));
    }
}
