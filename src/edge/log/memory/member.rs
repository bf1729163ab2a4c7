//! One member on the in-memory log: cursors, producer state, and the faults of its calls.

use super::broker::{Broker, Fault, PartitionLog};
use super::cursor::{Cursor, serve};
use super::group::Change;
use super::{MemberSettings, MemoryBroker};
use crate::edge::log::{
    Assigned, Ends, ErrorClass, Log, LogError, Partition, Polled, ProduceRecord,
};
use std::collections::BTreeMap;
use std::time::Duration;

fn join(broker: &mut Broker, settings: &MemberSettings) -> u64 {
    let all = broker.all_partitions();
    let group = broker.groups.entry(settings.group.clone()).or_default();
    group.join(settings.instance.as_deref(), &settings.topics, &all)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Producer {
    Ready,
    Open,
    MustAbort,
    Spent,
}

/// One member on a [`MemoryBroker`].
#[derive(Debug)]
pub struct MemoryLog {
    broker: MemoryBroker,
    settings: MemberSettings,
    member: u64,
    epoch: u32,
    producer: Producer,
    assigned: BTreeMap<Partition, Cursor>,
    reader: BTreeMap<Partition, Cursor>,
    /// Served last, so that every partition has its turn.
    last: Option<Partition>,
}

impl MemoryLog {
    pub(super) fn connect(shared: MemoryBroker, settings: MemberSettings) -> Self {
        let mut broker = shared.lock();
        let epoch = broker.init(&settings.transactional_id);
        let member = join(&mut broker, &settings);
        drop(broker);
        Self {
            broker: shared,
            settings,
            member,
            epoch,
            producer: Producer::Ready,
            assigned: BTreeMap::new(),
            reader: BTreeMap::new(),
            last: None,
        }
    }

    fn membership(&mut self, broker: &mut Broker) -> Result<Option<Polled>, LogError> {
        let settings = &self.settings;
        let group = broker.groups.entry(settings.group.clone()).or_default();
        match group.change(self.member, settings.instance.as_deref()) {
            Change::None => Ok(None),
            Change::Fenced => Err(LogError::new(
                ErrorClass::Fenced,
                "poll",
                "FencedInstanceId",
            )),
            Change::Lost => {
                self.member = join(broker, &self.settings);
                let partitions = std::mem::take(&mut self.assigned).into_keys().collect();
                Ok(Some(Polled::Revoked {
                    partitions,
                    lost: true,
                }))
            }
            Change::Revoked(partitions) => {
                self.assigned.retain(|p, _| !partitions.contains(p));
                let lost = false;
                Ok(Some(Polled::Revoked { partitions, lost }))
            }
            Change::Assigned(partitions) => {
                let told = partitions.into_iter().map(|partition| {
                    let group_offset = group.offsets.get(&partition).copied();
                    let start = group_offset.unwrap_or(0);
                    self.assigned
                        .insert(partition.clone(), Cursor::at(start, true));
                    Assigned {
                        partition,
                        group_offset,
                    }
                });
                Ok(Some(Polled::Assigned(told.collect())))
            }
        }
    }

    fn step(&mut self) -> Result<Polled, LogError> {
        let shared = self.broker.clone();
        let mut broker = shared.lock();
        if let Some(change) = self.membership(&mut broker)? {
            return Ok(change);
        }
        serve(&broker, &mut self.assigned, &mut self.last)
    }

    /// Calls again after every write until something comes or the time is over.
    fn patiently(
        &mut self,
        wait: Duration,
        mut step: impl FnMut(&mut Self) -> Result<Polled, LogError>,
    ) -> Result<Polled, LogError> {
        let found = step(self)?;
        let guard = self.broker.lock();
        if found != Polled::Idle || !guard.waits || wait.is_zero() {
            return Ok(found);
        }
        drop(self.broker.0.1.wait_timeout(guard, wait));
        step(self)
    }

    fn set_paused(
        &mut self,
        call: &'static str,
        partitions: &[Partition],
        is_paused: bool,
    ) -> Result<(), LogError> {
        for partition in partitions {
            let cursor = self.assigned.get_mut(partition);
            cursor.ok_or_else(|| unassigned(call, partition))?.is_paused = is_paused;
        }
        Ok(())
    }

    fn expect_open(&self, call: &'static str) -> Result<(), LogError> {
        match self.producer {
            Producer::Open => Ok(()),
            Producer::MustAbort => Err(LogError::new(ErrorClass::Abort, call, "abort first")),
            Producer::Ready | Producer::Spent => Err(LogError::new(
                ErrorClass::Fatal,
                call,
                "no transaction is open",
            )),
        }
    }

    fn fault(&self, among: &[Fault]) -> Option<Fault> {
        self.broker
            .lock()
            .fault(&self.settings.transactional_id, among)
    }

    fn fail(&mut self, class: ErrorClass, call: &'static str, detail: &str) -> LogError {
        self.producer = if class == ErrorClass::Abort {
            Producer::MustAbort
        } else {
            Producer::Spent
        };
        LogError::new(class, call, detail)
    }

    fn end(&mut self, commit: bool) -> Result<(), LogError> {
        let id = &self.settings.transactional_id;
        let ended = self.broker.lock().end(id, self.epoch, commit);
        self.broker.0.1.notify_all();
        self.producer = if ended.is_ok() {
            Producer::Ready
        } else {
            Producer::Spent
        };
        ended
    }
}

fn unassigned(call: &'static str, partition: &Partition) -> LogError {
    LogError::new(
        ErrorClass::Retriable,
        call,
        format!("not assigned: {partition}"),
    )
}

impl Log for MemoryLog {
    fn poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        assert!(
            matches!(self.producer, Producer::Ready | Producer::Spent),
            "the consumer is never polled while a transaction is open"
        );
        self.patiently(wait, Self::step)
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.set_paused("pause", partitions, true)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.set_paused("resume", partitions, false)
    }

    fn seek(&mut self, partition: &Partition, offset: i64) -> Result<(), LogError> {
        if self.fault(&[Fault::SeekRefused]).is_some() {
            let detail = "not read yet";
            return Err(LogError::new(ErrorClass::Retriable, "seek", detail));
        }
        let cursor = self.assigned.get_mut(partition);
        let cursor = cursor.ok_or_else(|| unassigned("seek", partition))?;
        *cursor = Cursor::at(offset, cursor.is_paused);
        Ok(())
    }

    fn committed(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, i64>, LogError> {
        let broker = self.broker.lock();
        let group = &self.settings.group;
        if partitions.iter().any(|p| broker.is_unstable(group, p)) {
            let detail = "an open transaction moves them";
            return Err(LogError::new(ErrorClass::Retriable, "committed", detail));
        }
        let offsets = broker.groups.get(group).map(|g| &g.offsets);
        let found = |p: &Partition| Some((p.clone(), *offsets?.get(p)?));
        Ok(partitions.iter().filter_map(found).collect())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        if self.producer != Producer::Ready {
            return Err(LogError::new(ErrorClass::Fatal, "begin", "not ready"));
        }
        self.producer = Producer::Open;
        Ok(())
    }

    fn produce(&mut self, record: &ProduceRecord<'_>) -> Result<(), LogError> {
        self.expect_open("produce")?;
        match self.fault(&[Fault::ProduceRefused, Fault::DeliveryFailed]) {
            Some(Fault::ProduceRefused) => {
                return Err(self.fail(ErrorClass::Abort, "produce", "MessageSizeTooLarge"));
            }
            Some(_) => {
                self.producer = Producer::MustAbort;
                return Ok(());
            }
            None => {}
        }
        let id = &self.settings.transactional_id;
        let written = self.broker.lock().write(id, self.epoch, record);
        written.map_err(|e| self.fail(e.class, e.call, &e.detail))
    }

    fn send_offsets(&mut self, offsets: &[(Partition, i64)]) -> Result<(), LogError> {
        self.expect_open("send_offsets")?;
        match self.fault(&[Fault::OffsetsRefused, Fault::OffsetsTimedOut]) {
            Some(Fault::OffsetsRefused) => {
                return Err(self.fail(ErrorClass::Abort, "send_offsets", "IllegalGeneration"));
            }
            Some(_) => {
                return Err(self.fail(ErrorClass::Unknown, "send_offsets", "OperationTimedOut"));
            }
            None => {}
        }
        let mut broker = self.broker.lock();
        let group = broker.groups.get(&self.settings.group);
        let checked = group.map_or(Err("UnknownMemberId"), |g| g.check(self.member));
        let settings = &self.settings;
        let added = checked
            .map_err(|code| LogError::new(ErrorClass::Abort, "send_offsets", code))
            .and_then(|()| {
                broker.add_offsets(
                    &settings.transactional_id,
                    self.epoch,
                    &settings.group,
                    offsets,
                )
            });
        drop(broker);
        added.map_err(|e| self.fail(e.class, e.call, &e.detail))
    }

    fn commit(&mut self) -> Result<(), LogError> {
        use Fault::{CommitLate, CommitLost, CommitRefused, CommitUnacknowledged};
        self.expect_open("commit")?;
        let fault = self.fault(&[CommitRefused, CommitLost, CommitUnacknowledged, CommitLate]);
        match fault {
            None => return self.end(true),
            Some(CommitRefused) => {
                return Err(self.fail(ErrorClass::Abort, "commit", "IllegalGeneration"));
            }
            Some(CommitUnacknowledged) => self.end(true)?,
            Some(CommitLate) => {
                let id = &self.settings.transactional_id;
                self.broker.lock().end_late(id, self.epoch);
            }
            Some(_) => {}
        }
        Err(self.fail(ErrorClass::Unknown, "commit", "OperationTimedOut"))
    }

    fn abort(&mut self) -> Result<(), LogError> {
        match self.producer {
            Producer::Ready => return Ok(()),
            Producer::Spent => return Err(LogError::new(ErrorClass::Fatal, "abort", "spent")),
            Producer::Open | Producer::MustAbort => {}
        }
        if self.fault(&[Fault::AbortTimedOut]).is_some() {
            return Err(self.fail(ErrorClass::Unknown, "abort", "OperationTimedOut"));
        }
        self.end(false)
    }

    fn settle(&self) -> Duration {
        self.broker.lock().settling
    }

    fn renew(&mut self) -> Result<(), LogError> {
        self.epoch = self.broker.lock().init(&self.settings.transactional_id);
        self.broker.0.1.notify_all();
        self.producer = Producer::Ready;
        Ok(())
    }

    fn ends(&mut self, partition: &Partition) -> Result<Ends, LogError> {
        self.broker.lock().log(partition).map(PartitionLog::ends)
    }

    fn partition_count(&mut self, topic: &str) -> Result<i32, LogError> {
        let count = self.broker.lock().count(topic);
        let absent = || LogError::new(ErrorClass::Retriable, "partition_count", topic);
        (count > 0).then_some(count).ok_or_else(absent)
    }

    fn reader_add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError> {
        let new = from.iter().map(|(p, o)| (p.clone(), Cursor::at(*o, false)));
        self.reader.extend(new);
        Ok(())
    }

    fn reader_poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        self.patiently(wait, |log| {
            let broker = log.broker.lock();
            serve(&broker, &mut log.reader, &mut None)
        })
    }

    fn reader_remove(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        if let Some(strange) = partitions.iter().find(|p| !self.reader.contains_key(*p)) {
            let detail = format!("{strange}: not read");
            return Err(LogError::new(ErrorClass::Fatal, "unassign", detail));
        }
        self.reader.retain(|p, _| !partitions.contains(p));
        Ok(())
    }

    fn close(&mut self) -> Result<(), LogError> {
        let is_open = matches!(self.producer, Producer::Open | Producer::MustAbort);
        let aborted = if is_open { self.abort() } else { Ok(()) };
        if self.settings.instance.is_none() {
            self.broker.evict(&self.settings.group, self.member);
        }
        self.assigned.clear();
        aborted
    }
}
