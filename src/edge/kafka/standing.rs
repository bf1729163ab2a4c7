//! How far a group has read, and who does it: asked from outside of the group.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::changelog::Quiet;
use super::consumer::{QUERY_TIMEOUT, watermarks};
use super::settings::KafkaSettings;
use super::transaction::classify;
use crate::edge::log::{ErrorClass, LogError, Partition};

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name of its client.
    pub client: String,
    /// Where it connects from.
    pub host: String,
    /// What it reads.
    pub partitions: Vec<(String, i32)>,
}

/// How far a partition is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The partition.
    pub partition: Partition,
    /// Where the group goes on; `None` if it has committed nothing.
    pub position: Option<i64>,
    /// Where the partition ends.
    pub end: i64,
    /// Where it begins.
    pub low: i64,
}

impl Reached {
    /// Records that the group has not read.
    #[must_use]
    pub fn lag(&self) -> i64 {
        let from = self.position.unwrap_or(self.low).max(self.low);
        (self.end - from).max(0)
    }
}

/// A client that asks about one group and never joins it.
pub struct GroupWatch {
    client: BaseConsumer<Quiet>,
    group: String,
}

impl fmt::Debug for GroupWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupWatch").field(&self.group).finish()
    }
}

impl GroupWatch {
    /// Creates the client; nothing is reached yet.
    ///
    /// # Errors
    /// Settings that the client does not take.
    pub fn connect(settings: &KafkaSettings) -> Result<Self, LogError> {
        let mut config = settings.watcher();
        config.set("group.id", &settings.group);
        let client = config.create_with_context(Quiet);
        Ok(Self {
            client: client.map_err(|error| classify("connect", &error))?,
            group: settings.group.clone(),
        })
    }

    /// Who belongs to the group; nobody, if there is no such group.
    ///
    /// # Errors
    /// The brokers do not answer, or not to this user.
    pub fn members(&self) -> Result<Vec<Member>, LogError> {
        let groups = self
            .client
            .fetch_group_list(Some(&self.group), QUERY_TIMEOUT);
        let groups = groups.map_err(|error| classify("describe group", &error))?;
        let of = |member: &rdkafka::groups::GroupMemberInfo| Member {
            client: member.client_id().to_owned(),
            host: member.client_host().trim_start_matches('/').to_owned(),
            partitions: member.assignment().and_then(assigned).unwrap_or_default(),
        };
        let members = groups.groups().iter().flat_map(|group| group.members());
        Ok(members.map(of).collect())
    }

    /// How far all partitions of a topic are read.
    ///
    /// # Errors
    /// The brokers do not answer, or there is no such topic.
    pub fn reached(&self, topic: &str) -> Result<Vec<Reached>, LogError> {
        let metadata = self.client.fetch_metadata(Some(topic), QUERY_TIMEOUT);
        let metadata = metadata.map_err(|error| classify("describe topic", &error))?;
        let found = metadata.topics().first();
        let count = found.map_or(0, |topic| topic.partitions().len());
        if count == 0 {
            let detail = format!("there is no topic {topic}");
            return Err(LogError::new(
                ErrorClass::Retriable,
                "describe topic",
                detail,
            ));
        }
        let mut list = TopicPartitionList::new();
        for number in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            list.add_partition(topic, number);
        }
        let committed = self.client.committed_offsets(list, QUERY_TIMEOUT);
        let committed = committed.map_err(|error| classify("committed", &error))?;
        let positions: BTreeMap<i32, Option<i64>> = committed
            .elements()
            .iter()
            .map(|element| {
                let offset = match element.offset() {
                    Offset::Offset(offset) => Some(offset),
                    Offset::Beginning
                    | Offset::End
                    | Offset::Stored
                    | Offset::Invalid
                    | Offset::OffsetTail(_) => None,
                };
                (element.partition(), offset)
            })
            .collect();
        let topic: Arc<str> = topic.into();
        let mut reached = Vec::new();
        for (number, position) in positions {
            let partition = Partition::new(Arc::clone(&topic), number);
            let (low, end) = watermarks(&self.client, &partition)?;
            reached.push(Reached {
                partition,
                position,
                end,
                low,
            });
        }
        Ok(reached)
    }
}

/// The partitions of an assignment of the consumer protocol: a version, then topics, each with its
/// partitions. <https://kafka.apache.org/documentation/#consumerapi>, `ConsumerProtocolAssignment.json`.
fn assigned(bytes: &[u8]) -> Option<Vec<(String, i32)>> {
    let mut rest = bytes;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let number = |bytes: &[u8]| bytes.try_into().ok().map(i32::from_be_bytes);
    take(2)?;
    let topics = number(take(4)?)?;
    let mut found = Vec::new();
    for _ in 0..topics {
        let length = u16::from_be_bytes(take(2)?.try_into().ok()?);
        let topic = String::from_utf8(take(length.into())?.to_vec()).ok()?;
        for _ in 0..number(take(4)?)? {
            found.push((topic.clone(), number(take(4)?)?));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_a_cut_one_is_none() {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        bytes.extend(b"\x00\x01a\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x07");
        bytes.extend(b"\x00\x02bc\x00\x00\x00\x01\x00\x00\x00\x03\xff\xff\xff\xff");
        let want = [
            ("a".to_owned(), 0),
            ("a".to_owned(), 7),
            ("bc".to_owned(), 3),
        ];
        assert_eq!(assigned(&bytes).unwrap(), want);
        for end in 0..bytes.len() - 4 {
            assert_eq!(assigned(&bytes[..end]), None, "{end}");
        }
        assert_eq!(assigned(&[0, 0, 0, 0, 0, 0]), Some(Vec::new()));
    }

    #[test]
    fn lag_counts_from_the_beginning_where_nothing_is_committed() {
        let reached = |position| Reached {
            partition: Partition::new("t", 0),
            position,
            end: 10,
            low: 4,
        };
        assert_eq!(reached(None).lag(), 6);
        assert_eq!(reached(Some(9)).lag(), 1);
        assert_eq!(reached(Some(2)).lag(), 6, "what is gone is no lag");
        assert_eq!(reached(Some(12)).lag(), 0);
    }
}
