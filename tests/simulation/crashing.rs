//! A log that dies between two of its calls: from then on nothing reaches the brokers any more.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use deskwarden::edge::log::memory::MemoryLog;
use deskwarden::edge::log::{Ends, ErrorClass, Log, LogError, Partition, Polled, ProduceRecord};

/// Calls that are left before the crash; `None`: it lives on.
pub type Fuse = Rc<Cell<Option<u32>>>;

#[derive(Debug)]
pub struct Crashing {
    pub log: MemoryLog,
    pub fuse: Fuse,
}

impl Crashing {
    fn burn(&self) -> Result<(), LogError> {
        match self.fuse.get() {
            None => Ok(()),
            Some(0) => Err(LogError::new(ErrorClass::Fenced, "crash", "power is gone")),
            Some(left) => {
                self.fuse.set(Some(left - 1));
                Ok(())
            }
        }
    }
}

impl Log for Crashing {
    fn poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        self.burn()?;
        self.log.poll(wait)
    }
    fn pause(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.burn()?;
        self.log.pause(partitions)
    }
    fn resume(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.burn()?;
        self.log.resume(partitions)
    }
    fn seek(&mut self, partition: &Partition, offset: i64) -> Result<(), LogError> {
        self.burn()?;
        self.log.seek(partition, offset)
    }
    fn committed(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, i64>, LogError> {
        self.burn()?;
        self.log.committed(partitions)
    }
    fn begin(&mut self) -> Result<(), LogError> {
        self.burn()?;
        self.log.begin()
    }
    fn produce(&mut self, record: &ProduceRecord<'_>) -> Result<(), LogError> {
        self.burn()?;
        self.log.produce(record)
    }
    fn send_offsets(&mut self, offsets: &[(Partition, i64)]) -> Result<(), LogError> {
        self.burn()?;
        self.log.send_offsets(offsets)
    }
    fn commit(&mut self) -> Result<(), LogError> {
        self.burn()?;
        self.log.commit()
    }
    fn abort(&mut self) -> Result<(), LogError> {
        self.burn()?;
        self.log.abort()
    }
    fn renew(&mut self) -> Result<(), LogError> {
        self.burn()?;
        self.log.renew()
    }
    fn ends(&mut self, partition: &Partition) -> Result<Ends, LogError> {
        self.burn()?;
        self.log.ends(partition)
    }
    fn partition_count(&mut self, topic: &str) -> Result<i32, LogError> {
        self.burn()?;
        self.log.partition_count(topic)
    }
    fn reader_add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError> {
        self.burn()?;
        self.log.reader_add(from)
    }
    fn reader_poll(&mut self, wait: Duration) -> Result<Polled, LogError> {
        self.burn()?;
        self.log.reader_poll(wait)
    }
    fn reader_remove(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.burn()?;
        self.log.reader_remove(partitions)
    }
    fn close(&mut self) -> Result<(), LogError> {
        self.burn()?;
        self.log.close()
    }
}
