//! The heads of the audit chains, as the correlators keep them in the state topic.

use std::collections::BTreeMap;

use crate::correlate::audit::AuditHead;
use crate::correlate::engine::{POSITION_KEY, audit_head};
use crate::edge::kafka::TopicReader;
use crate::edge::log::{ErrorClass, LogError, Partition};

/// Offsets read at first, from the end: the position is the last record of every cycle.
const WINDOW_OFFSETS: i64 = 1_024;
/// How much further back is read where it was not among them.
const WINDOW_GROWTH: i64 = 16;

/// The head of each partition that has one. Everything that was written before this call counts.
pub(super) fn read(
    reader: &mut TopicReader,
    topic: &str,
    count: i32,
) -> Result<BTreeMap<i32, AuditHead>, LogError> {
    let mut heads = BTreeMap::new();
    let mut open = Vec::new();
    for number in 0..count {
        let partition = Partition::new(topic, number);
        let ends = reader.settled_ends(&partition)?;
        open.push((partition, ends.low, ends.high));
    }
    let mut window = WINDOW_OFFSETS;
    while !open.is_empty() {
        let spans: Vec<_> = open
            .iter()
            .map(|(partition, low, until)| {
                let from = (*low).max(until.saturating_sub(window));
                (partition.clone(), from..*until)
            })
            .collect();
        let mut found: BTreeMap<i32, Option<Vec<u8>>> = BTreeMap::new();
        reader.read_spans(&spans, |record| {
            if record.key.as_deref() == Some(POSITION_KEY.as_bytes()) {
                found.insert(record.partition.number, record.value);
            }
        })?;
        for (number, position) in &found {
            let Some(position) = position else {
                continue;
            };
            let head = audit_head(position).map_err(|error| {
                let detail = format!("{topic}/{number}: {error}");
                LogError::new(ErrorClass::Fatal, "read", detail)
            })?;
            heads.insert(*number, head);
        }
        for ((_, span), (_, _, until)) in spans.iter().zip(&mut open) {
            *until = span.start;
        }
        open.retain(|(partition, low, until)| {
            until > low && !found.contains_key(&partition.number)
        });
        window = window.saturating_mul(WINDOW_GROWTH);
    }
    Ok(heads)
}
