//! [`Log`](crate::edge::log::Log) on rdkafka: one consumer, one transactional producer and one
//! reader without group for each worker thread.
//!
//! librdkafka rejoins, retries and reconnects in threads of its own; here stands only what its
//! rules leave to us, each with the fact that asks for it.

mod admin;
mod calls;
mod changelog;
mod consumer;
mod member;
mod rebalance;
mod record;
mod settings;
mod standing;
mod topic_reader;
mod transaction;

pub use admin::{Admin, FoundTopic, WantedTopic, try_group, try_transactions};
pub use member::KafkaLog;
pub use settings::{KafkaSettings, SettingsError, owned_property, producer_timeouts};
pub use standing::{GroupWatch, Member, Reached};
pub use topic_reader::TopicReader;
