//! What commands ask of brokers without joining a group: whether they can be reached and allow what
//! the stages do, what topics there are, to create some.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::changelog::Quiet;
use super::settings::KafkaSettings;
use super::transaction::classify;
use crate::edge::clock::Deadline;
use crate::edge::log::{ErrorClass, LogError};

/// People wait for the answer that brokers are away: ten seconds at most, with the start.
const REACH_TIMEOUT: Duration = Duration::from_secs(8);
/// The client keeps trying; between slices it is asked what it heard.
const REACH_SLICE: Duration = Duration::from_secs(1);
/// For a question that a healthy broker answers in milliseconds, the creation of a topic in seconds.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);
/// A new topic is not known to every broker at once.
const SETTLE_PAUSE: Duration = Duration::from_millis(50);

/// Remembers the last thing that the client could not do, in its own words.
#[derive(Debug, Default)]
struct Heard(Mutex<Option<String>>);

impl Heard {
    fn last(&self) -> Option<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }
}

impl ClientContext for Heard {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason, "client reports an error");
        // That all brokers are down follows from what was heard of each.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *heard = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Heard {}

/// A topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTopic {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: i32,
    /// Copies of each.
    pub replication: i32,
    /// Its settings.
    pub settings: Vec<(String, String)>,
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTopic {
    /// Its partitions.
    pub partitions: i32,
    /// Copies of each; the fewest.
    pub replication: i32,
    /// Its settings, defaults of the broker included.
    pub settings: BTreeMap<String, String>,
}

/// A client for questions about the cluster.
pub struct Admin {
    client: AdminClient<Quiet>,
    probe: BaseConsumer<Heard>,
    runtime: tokio::runtime::Runtime,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

impl Admin {
    /// Creates the clients; nothing is reached yet.
    ///
    /// # Errors
    /// Settings that the client does not take.
    pub fn connect(settings: &KafkaSettings) -> Result<Self, LogError> {
        let refused = |error: KafkaError| classify("connect", &error);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Ok(Self {
            client: settings
                .admin()
                .create_with_context(Quiet)
                .map_err(refused)?,
            probe: settings
                .reader()
                .create_with_context(Heard::default())
                .map_err(refused)?,
            runtime: runtime
                .map_err(|error| LogError::new(ErrorClass::Fatal, "connect", error.to_string()))?,
        })
    }

    /// How many brokers there are.
    ///
    /// # Errors
    /// None was reached in time, with what the client heard last.
    pub fn reach(&self) -> Result<usize, LogError> {
        let deadline = Deadline::after(REACH_TIMEOUT);
        loop {
            let error = match self.probe.fetch_metadata(None, REACH_SLICE) {
                Ok(metadata) => return Ok(metadata.brokers().len()),
                Err(error) => error,
            };
            // Only a poll hands out what the client heard.
            drop(self.probe.poll(Duration::ZERO));
            let heard = self.probe.context().last();
            let is_final = heard.as_deref().is_some_and(is_final);
            if is_final || deadline.has_passed() {
                let detail = heard.unwrap_or_else(|| error.to_string());
                return Err(LogError::new(ErrorClass::Retriable, "connect", detail));
            }
        }
    }

    /// A topic; `None` where there is none.
    ///
    /// # Errors
    /// The brokers do not answer, or not to this user.
    pub fn topic(&self, name: &str) -> Result<Option<FoundTopic>, LogError> {
        let metadata = self.probe.fetch_metadata(Some(name), ADMIN_TIMEOUT);
        let metadata = metadata.map_err(|error| classify("metadata", &error))?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name);
        let Some(topic) = found else { return Ok(None) };
        if let Some(error) = topic.error() {
            let error = KafkaError::MetadataFetch(error.into());
            return match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic,
                ) => Ok(None),
                _ => Err(classify("metadata", &error)),
            };
        }
        Ok(Some(FoundTopic {
            partitions: count(topic.partitions().len()),
            replication: replication(topic),
            settings: self.settings(name)?,
        }))
    }

    fn settings(&self, name: &str) -> Result<BTreeMap<String, String>, LogError> {
        let resources = [ResourceSpecifier::Topic(name)];
        let asked = self.client.describe_configs(&resources, &options());
        let answers = self.runtime.block_on(asked);
        let answers = answers.map_err(|error| classify("describe_configs", &error))?;
        let mut settings = BTreeMap::new();
        for answer in answers {
            let resource =
                answer.map_err(|code| classify("describe_configs", &KafkaError::AdminOp(code)))?;
            let entries = resource.entries.into_iter();
            settings.extend(entries.filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(settings)
    }

    /// Creates a topic and waits until it is known.
    ///
    /// # Errors
    /// The brokers refuse, such as a replication factor above their number.
    pub fn create(&self, wanted: &WantedTopic) -> Result<(), LogError> {
        let copies = TopicReplication::Fixed(wanted.replication);
        let topic = NewTopic::new(&wanted.name, wanted.partitions, copies);
        let settings = wanted.settings.iter();
        let topic = settings.fold(topic, |topic, (key, value)| topic.set(key, value));
        let created = self.client.create_topics([&topic], &options());
        let created = self.runtime.block_on(created);
        for answer in created.map_err(|error| classify("create_topics", &error))? {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => {
                    return Err(classify("create_topics", &KafkaError::AdminOp(code)));
                }
            }
        }
        let deadline = Deadline::after(ADMIN_TIMEOUT);
        while self.topic(&wanted.name)?.is_none() {
            if deadline.has_passed() {
                let detail = format!("{} was created and is not there", wanted.name);
                return Err(LogError::new(
                    ErrorClass::Retriable,
                    "create_topics",
                    detail,
                ));
            }
            std::thread::sleep(SETTLE_PAUSE);
        }
        Ok(())
    }
}

/// Whether a transaction can be opened under the transactional id of these settings: the brokers
/// have transactions, and this user may use them.
///
/// # Errors
/// It cannot.
pub fn try_transactions(settings: &KafkaSettings) -> Result<(), LogError> {
    let client: Result<BaseProducer, _> = settings.producer().create();
    let client = client.map_err(|error| classify("connect", &error))?;
    let opened = client.init_transactions(ADMIN_TIMEOUT);
    opened.map_err(|error| classify("init_transactions", &error))
}

/// Whether the offsets of the group of these settings can be read. Nothing is joined.
///
/// # Errors
/// They cannot.
pub fn try_group(settings: &KafkaSettings, topic: &str) -> Result<(), LogError> {
    let client: Result<BaseConsumer<Quiet>, _> = settings.consumer().create_with_context(Quiet);
    let client = client.map_err(|error| classify("connect", &error))?;
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let asked = client.committed_offsets(list, ADMIN_TIMEOUT);
    let list = asked.map_err(|error| classify("committed", &error))?;
    let refused = list
        .elements()
        .iter()
        .find_map(|element| element.error().err());
    refused.map_or(Ok(()), |error| Err(classify("committed", &error)))
}

/// Whether waiting is of no use: the broker was reached and refused.
fn is_final(heard: &str) -> bool {
    let signs = [
        "authentication",
        "Authentication",
        "handshake failed",
        "certificate",
    ];
    signs.iter().any(|sign| heard.contains(sign))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(ADMIN_TIMEOUT))
        .operation_timeout(Some(ADMIN_TIMEOUT))
}

fn count(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

fn replication(topic: &MetadataTopic) -> i32 {
    let partitions = topic.partitions().iter();
    partitions
        .map(|p| count(p.replicas().len()))
        .min()
        .unwrap_or(0)
}
