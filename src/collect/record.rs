//! The borrowed view of one Kafka record of a source topic.

use crate::collect::time::Timestamp;

/// One record of a source topic, as the log hands it over. Nothing is copied.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Topic of the record.
    pub topic: &'a str,
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Kafka timestamp of the record (`ingest_ts`), ms UTC.
    pub ingest_ts: Timestamp,
    /// Value; empty where the record has none (a tombstone).
    pub value: &'a [u8],
}
