//! The rebalance callback: it runs inside poll, assigns, and queues what the loop must hear.
//!
//! `rebalance` is overridden as a whole because the crate's own ignores the return codes of
//! assign, and would assign before we can say from which offset.

use super::consumer::partitions_of;
use crate::edge::log::Partition;
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// A change of membership that the loop has not heard of yet.
#[derive(Debug)]
pub(super) enum Change {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>, bool),
    Failed(String),
}

/// Consumer context of a member.
#[derive(Debug, Default)]
pub(super) struct Membership {
    changes: Mutex<VecDeque<Change>>,
    ends: Mutex<BTreeMap<Partition, i64>>,
}

impl Membership {
    /// The oldest change, if there is one.
    pub(super) fn take(&self) -> Option<Change> {
        let mut queue = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }

    /// Puts a change back that could not be told yet.
    pub(super) fn put_back(&self, change: Change) {
        let mut queue = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_front(change);
    }

    /// Last stable offsets as the client knew them at its last report.
    pub(super) fn ends(&self) -> BTreeMap<Partition, i64> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.clone()
    }

    fn tell(&self, change: Change) {
        let mut queue = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(change);
    }
}

impl ClientContext for Membership {
    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka repairs these itself; an outage brings dozens.
        tracing::debug!(target: "librdkafka", %error, reason, "client reports an error");
    }

    #[expect(clippy::disallowed_methods, reason = "collected into an ordered map")]
    fn stats(&self, statistics: Statistics) {
        let of_topic = |topic: &rdkafka::statistics::Topic| {
            let name: Arc<str> = topic.topic.as_str().into();
            let partitions = topic.partitions.values();
            // Below zero it is not known: nothing was fetched yet.
            let known = partitions.filter(|p| p.partition >= 0 && p.ls_offset >= 0);
            known
                .map(|p| (Partition::new(Arc::clone(&name), p.partition), p.ls_offset))
                .collect::<Vec<_>>()
        };
        let topics = statistics.topics.into_values();
        let known = topics.flat_map(|topic| of_topic(&topic)).collect();
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions = partitions_of(list);
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            assign_paused(consumer, list).map(|()| Change::Assigned(partitions))
        } else if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS {
            // The flag is only true until the unassign.
            let lost = consumer.assignment_lost();
            consumer
                .incremental_unassign(list)
                .map(|()| Change::Revoked(partitions, lost))
        } else {
            consumer
                .unassign()
                .map(|()| Change::Failed(format!("rebalance: {event:?}")))
        };
        self.tell(done.unwrap_or_else(|error| Change::Failed(error.to_string())));
    }
}

/// The loop seeks before it resumes, so any explicit offset will do here; without one the client
/// would ask for the group's, and an early seek would fail with `State`.
fn assign_paused(
    consumer: &BaseConsumer<Membership>,
    list: &mut TopicPartitionList,
) -> KafkaResult<()> {
    list.set_all_offsets(Offset::Offset(0))?;
    consumer.incremental_assign(list)?;
    consumer.pause(list)
}
