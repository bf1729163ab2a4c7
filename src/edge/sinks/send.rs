//! Sending with patience: what passes is tried again with growing pauses, what is refused for good
//! or for too long is given up. Messages about one case keep their order, others do not wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::http::{ClientError, HttpClient, Request};
use super::outcome::Outcome;
use super::reach::Reach;
use super::slack::{Place, SlackClient};
use super::syslog::SyslogClient;
use crate::deliver::encode::slack::bot::CaseMessage;
use crate::edge::clock::{self, Deadline};
use crate::edge::config::{Receiver, SinkSetup};
use crate::edge::metrics::SinkMetrics;

/// Cases of which a message is under way at a time.
const CASES_AT_A_TIME: usize = 8;
/// First pause after something that may pass; the next is twice as long, with jitter.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// Longest pause by ourselves: a receiver that is back is noticed within it.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest pause that a receiver can ask for.
const AFTER_MAX: Duration = Duration::from_secs(600);

/// One message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Messages of equal order go one after the other.
    pub order: String,
    /// What it is about, for logs: the id of a revision, or what a digest covers.
    pub id: String,
    /// Places of the records that it carries, in their batch.
    pub carries: Vec<usize>,
    /// What is sent.
    pub payload: Payload,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A request.
    Http(Request),
    /// Framed syslog messages.
    Frames(Vec<u8>),
    /// A message that a bot keeps up to date.
    Slack(Box<CaseMessage>),
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Places of the records that it carried.
    pub carries: Vec<usize>,
    /// Why.
    pub why: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The receiver refused it for good; else it took too long.
    pub is_refused: bool,
}

/// Over what.
#[derive(Debug)]
pub enum Wire {
    /// HTTP.
    Http(HttpClient),
    /// Syslog.
    Syslog(SyslogClient),
    /// A channel of Slack, as a bot.
    Slack(Box<SlackClient>),
}

impl Wire {
    /// The wire of a sink, not connected yet.
    ///
    /// # Errors
    /// A CA or token that cannot be used.
    pub fn new(setup: &SinkSetup) -> Result<Self, ClientError> {
        let reach = Reach {
            allow_private: setup.allow_private,
        };
        let ca_file = setup.ca_file.as_deref();
        if let Receiver::Syslog { host, port, tls } = &setup.receiver {
            let client = SyslogClient::new((host, *port), *tls, ca_file, reach, setup.timeout)?;
            return Ok(Self::Syslog(client));
        }
        let http = HttpClient::new(reach, ca_file, setup.timeout, setup.egress.as_ref())?;
        let Receiver::SlackBot {
            api,
            token,
            channel,
        } = &setup.receiver
        else {
            return Ok(Self::Http(http));
        };
        let place = Place {
            api,
            token: token.expose(),
            channel,
            sink: &setup.name,
        };
        let client = SlackClient::new(http, &place).ok_or(ClientError::Token)?;
        Ok(Self::Slack(Box::new(client)))
    }

    /// Sends once.
    pub async fn attempt(&self, payload: &Payload) -> Outcome {
        match (self, payload) {
            (Self::Http(client), Payload::Http(request)) => client.post(request).await,
            (Self::Syslog(client), Payload::Frames(frames)) => client.write(frames).await,
            (Self::Slack(client), Payload::Slack(message)) => client.tell(message).await.0,
            (Self::Http(_), Payload::Frames(_) | Payload::Slack(_))
            | (Self::Syslog(_), Payload::Http(_) | Payload::Slack(_))
            | (Self::Slack(_), Payload::Http(_) | Payload::Frames(_)) => {
                Outcome::permanent("made for another wire")
            }
        }
    }
}

impl Payload {
    /// Bytes of its content.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Http(request) => request.body.len(),
            Self::Frames(frames) => frames.len(),
            Self::Slack(message) => message.first().len(),
        }
    }
}

/// Sends for one sink.
#[derive(Debug)]
pub struct Sender {
    name: String,
    wire: Wire,
    rate: Option<DefaultDirectRateLimiter>,
    retry_for: Duration,
    dry_run: bool,
    metrics: SinkMetrics,
    /// What stands against delivery now.
    trouble: Mutex<Option<String>>,
}

impl Sender {
    /// Sends for a sink over its wire.
    #[must_use]
    pub fn new(setup: &SinkSetup, wire: Wire, metrics: SinkMetrics) -> Self {
        let rate = setup.rate_per_second.map(Quota::per_second);
        Self {
            name: setup.name.clone(),
            wire,
            rate: rate.map(RateLimiter::direct),
            retry_for: setup.retry_for,
            dry_run: setup.dry_run,
            metrics,
            trouble: Mutex::new(None),
        }
    }

    /// What stands against delivery now.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Sends all of them; what was given up.
    pub async fn send_all(self: Arc<Self>, deliveries: Vec<Delivery>) -> Vec<GivenUp> {
        let mut by_order: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in deliveries {
            let queue = by_order.entry(delivery.order.clone()).or_default();
            queue.push(delivery);
        }
        let room = Arc::new(Semaphore::new(CASES_AT_A_TIME));
        let mut cases = JoinSet::new();
        for queue in by_order.into_values() {
            let (sender, room) = (Arc::clone(&self), Arc::clone(&room));
            cases.spawn(async move {
                // It is never closed.
                let _place = room.acquire_owned().await;
                let mut given_up = Vec::new();
                for delivery in queue {
                    given_up.extend(sender.send(delivery).await);
                }
                given_up
            });
        }
        cases.join_all().await.into_iter().flatten().collect()
    }

    async fn send(&self, delivery: Delivery) -> Option<GivenUp> {
        let end = Deadline::after(self.retry_for);
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(PAUSE_MIN)
            .with_max_delay(PAUSE_MAX)
            .with_jitter()
            .without_max_times()
            .build();
        let mut attempts = 0;
        loop {
            if let Some(rate) = &self.rate {
                rate.until_ready().await;
            }
            attempts += 1;
            let begun = clock::monotonic();
            let outcome = if self.dry_run {
                tracing::info!(sink = %self.name, id = %delivery.id, bytes = delivery.payload.size_bytes(),
                    "a dry run: not sent");
                Outcome::Delivered
            } else {
                self.wire.attempt(&delivery.payload).await
            };
            self.metrics.attempt(begun.elapsed());
            let (why, after) = match outcome {
                Outcome::Delivered => {
                    self.set_trouble(None);
                    self.metrics.delivered(delivery.carries.len());
                    tracing::debug!(sink = %self.name, id = %delivery.id, attempts, "delivered");
                    return None;
                }
                Outcome::Permanent { why } => {
                    return Some(self.give_up(delivery, why, attempts, true));
                }
                Outcome::Passing { why, after } => (why, after),
            };
            let pause = pauses.next().unwrap_or(PAUSE_MAX);
            let pause = after.map_or(pause, |after| pause.max(after.min(AFTER_MAX)));
            if end.left() < pause {
                return Some(self.give_up(delivery, why, attempts, false));
            }
            self.metrics.retried();
            self.set_trouble(Some(why.clone()));
            tracing::warn!(sink = %self.name, id = %delivery.id, attempts, %why,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "not delivered yet; trying again");
            tokio::time::sleep(pause).await;
        }
    }

    fn give_up(&self, delivery: Delivery, why: String, attempts: u32, is_refused: bool) -> GivenUp {
        tracing::error!(sink = %self.name, id = %delivery.id, attempts, %why, "not delivered");
        GivenUp {
            carries: delivery.carries,
            why,
            attempts,
            is_refused,
        }
    }
}
