//! The directory of one instance: filled from the directory topic, shared by its collectors.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::collect::directory::AccountRecord;
use crate::collect::identity::MemoryDirectory;
use crate::edge::log::{Log, LogError, OwnedRecord, Partition, Polled};
use std::time::Duration;

use super::cycle::{LoopError, Patience};

/// Records of the directory topic taken in one cycle, so that reading sources is not held up.
const RECORDS_PER_CYCLE: usize = 5_000;

/// One directory for all collectors of an instance.
#[derive(Debug, Clone)]
pub struct SharedDirectory(Arc<RwLock<MemoryDirectory>>);

impl SharedDirectory {
    /// An empty directory; `roots` are the systems that may name a person.
    #[must_use]
    pub fn new(roots: &[String]) -> Self {
        Self(Arc::new(RwLock::new(MemoryDirectory::new(
            Vec::new(),
            roots,
        ))))
    }

    /// The directory as it is now. Not to be held across a call on the log.
    pub fn read(&self) -> RwLockReadGuard<'_, MemoryDirectory> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, MemoryDirectory> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the directory topic by the reader without group.
#[derive(Debug)]
pub(super) struct Follower {
    directory: SharedDirectory,
    topic: Arc<str>,
    is_reading: bool,
    /// Partitions that were read to their end once.
    ended: usize,
    partitions: usize,
    /// Something came since persons were worked out last.
    changed: bool,
}

impl Follower {
    pub(super) const fn new(directory: SharedDirectory, topic: Arc<str>) -> Self {
        Self {
            directory,
            topic,
            is_reading: false,
            ended: 0,
            partitions: 0,
            changed: false,
        }
    }

    /// The topic was read to its end: from now on sources may be read.
    pub(super) const fn is_ready(&self) -> bool {
        self.is_reading && self.ended >= self.partitions
    }

    /// Takes what came.
    pub(super) fn follow<L: Log>(
        &mut self,
        log: &mut L,
        patience: &mut Patience,
    ) -> Result<(), LoopError> {
        if !self.is_reading {
            match self.begin(log) {
                Ok(()) => self.is_reading = true,
                Err(error) => return patience.bear(error),
            }
        }
        for _ in 0..RECORDS_PER_CYCLE {
            match log.reader_poll(Duration::ZERO) {
                Ok(Polled::Record(record)) => self.take(record),
                Ok(Polled::End { .. }) => {
                    if self.ended < self.partitions {
                        self.ended += 1;
                    }
                    break;
                }
                Ok(Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. }) => break,
                Err(error) => {
                    patience.bear(error)?;
                    break;
                }
            }
        }
        if self.changed && self.is_ready() {
            self.directory.write().join();
            self.changed = false;
        }
        Ok(())
    }

    fn take(&mut self, record: OwnedRecord) {
        match (record.key, record.value) {
            (_, Some(value)) => {
                // A damaged record cannot be ours; what it would have named stays unknown.
                let Ok(account) = serde_json::from_slice::<AccountRecord>(&value) else {
                    return;
                };
                self.directory.write().load(account);
            }
            (Some(key), None) => {
                let Ok(key) = std::str::from_utf8(&key) else {
                    return;
                };
                self.directory.write().unload(key);
            }
            (None, None) => return,
        }
        self.changed = true;
    }

    fn begin<L: Log>(&mut self, log: &mut L) -> Result<(), LogError> {
        let count = log.partition_count(&self.topic)?;
        let mut from = Vec::new();
        for number in 0..count {
            let partition = Partition::new(Arc::clone(&self.topic), number);
            let low = log.ends(&partition)?.low;
            from.push((partition, low));
        }
        self.partitions = from.len();
        log.reader_add(&from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::time::Timestamp;
    use crate::edge::log::ProduceRecord;
    use crate::edge::log::topics::Topic;
    use crate::edge::stages::tests::{NOW, World};

    /// Writes an account, or with none its erasure.
    fn write(world: &World, id: &str, read_at: Option<i64>) {
        let account = |read_at| AccountRecord {
            system: "hris".to_owned(),
            id: id.to_owned(),
            employee_id: Some(id.to_owned()),
            read_at: Timestamp(read_at),
            ..AccountRecord::default()
        };
        let key = format!("hris:{id}");
        let value = read_at.map(|at| serde_json::to_vec(&account(at)).unwrap());
        let record = ProduceRecord {
            topic: world.names.of(Topic::Directory),
            partition: 0,
            key: Some(key.as_bytes()),
            headers: &[],
            value: value.as_deref(),
        };
        world.broker.append(&record, NOW).unwrap();
    }

    #[test]
    fn who_is_erased_is_forgotten_at_once_and_nobody_else() {
        let world = World::new();
        let directory = SharedDirectory::new(&["hris".to_owned()]);
        let topic = Arc::clone(world.names.of(Topic::Directory));
        let mut follower = Follower::new(directory.clone(), topic);
        let mut log = world.member("follower", Vec::new());
        let mut patience = Patience::default();
        let mut follow = || {
            for _ in 0..4 {
                follower.follow(&mut log, &mut patience).unwrap();
            }
            ["hris:E1", "hris:E2"].map(|key| directory.read().identity_of(key).is_some())
        };
        write(&world, "E1", Some(5));
        write(&world, "E2", Some(5));
        assert_eq!(follow(), [true, true]);
        write(&world, "E1", None);
        assert_eq!(follow(), [false, true]);
        // Hired again: known again.
        write(&world, "E1", Some(9));
        assert_eq!(follow(), [true, true]);
    }
}
