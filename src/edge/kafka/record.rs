//! A message of the client as a record of ours.

use crate::collect::time::Timestamp;
use crate::edge::log::{OwnedRecord, Partition};
use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers as _};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The record of a message; its topic is one of those that were seen before, or new among them.
pub(super) fn owned(message: &BorrowedMessage<'_>, topics: &mut BTreeSet<Arc<str>>) -> OwnedRecord {
    let topic = topics.get(message.topic()).cloned().unwrap_or_else(|| {
        let topic: Arc<str> = message.topic().into();
        topics.insert(Arc::clone(&topic));
        topic
    });
    OwnedRecord {
        partition: Partition::new(topic, message.partition()),
        offset: message.offset(),
        timestamp: Timestamp(message.timestamp().to_millis().unwrap_or(0)),
        key: message.key().map(<[u8]>::to_vec),
        headers: message.headers().map(headers).unwrap_or_default(),
        value: message.payload().map(<[u8]>::to_vec),
    }
}

fn headers(headers: &BorrowedHeaders) -> Vec<(String, Vec<u8>)> {
    let headers = headers.iter();
    headers
        .map(|header| {
            (
                header.key.to_owned(),
                header.value.unwrap_or_default().to_vec(),
            )
        })
        .collect()
}
