//! Receivers of alerts: how they are reached ([`reach`], [`tls`], [`http`], [`syslog`],
//! [`slack`]), how a
//! message gets there ([`send`]), and what each wants to be told ([`Sink`]). What a message says is
//! decided in [`crate::deliver`].

use std::time::Duration;

use crate::collect::time::Timestamp;
use crate::deliver::notice::Notice;
use crate::deliver::route::{Decision, Withheld};
use crate::edge::clock;
use crate::edge::config::{Receiver, SinkSetup};
use crate::edge::log::{OwnedRecord, Partition};

mod egress;
mod group;
pub mod http;
mod message;
mod open;
pub mod outcome;
pub mod reach;
pub mod send;
pub mod slack;
mod storm;
pub mod syslog;
pub mod tls;

pub use group::{Groups, Taken};
pub use message::{SinkError, Words, template_fault};
pub use send::{Delivery, GivenUp, Payload, Sender, Wire};

use open::OpenCases;
use storm::Storm;

/// A revision that a receiver is to be told of.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What it says.
    pub notice: Notice,
    /// What it asks of the receiver.
    pub decision: Decision,
    /// Where it lies.
    pub record: OwnedRecord,
}

/// What one receiver is told.
#[derive(Debug)]
pub struct Sink {
    setup: SinkSetup,
    words: Words,
    storm: Storm,
    /// Of a receiver that forgets what is not said again.
    open: Option<OpenCases>,
}

impl Sink {
    /// What a sink of this setup tells; `instance` is the host that it names, `page`
    /// the address of the page.
    ///
    /// # Errors
    /// A template that cannot be used.
    pub fn new(setup: &SinkSetup, instance: &str, page: Option<&str>) -> Result<Self, SinkError> {
        let open = match &setup.receiver {
            Receiver::Alertmanager {
                repeat_interval,
                resolve_timeout,
                ..
            } => Some(OpenCases::new(
                *repeat_interval,
                *resolve_timeout,
                setup.masking,
            )),
            Receiver::PagerDuty { .. }
            | Receiver::Slack { .. }
            | Receiver::SlackBot { .. }
            | Receiver::Teams { .. }
            | Receiver::Webhook { .. }
            | Receiver::Syslog { .. }
            | Receiver::Splunk { .. } => None,
        };
        Ok(Self {
            words: Words::new(setup, instance, page)?,
            storm: Storm::new(setup.storm_per_minute),
            setup: setup.clone(),
            open,
        })
    }

    /// What a revision asks of this receiver.
    #[must_use]
    pub fn decide(&self, notice: &Notice) -> Decision {
        let decision = self.setup.route.decide(notice);
        // PagerDuty knows no update: it would open anew what somebody resolved by hand, for a case that
        // calls for nobody any more.
        let is_lower = !self.setup.route.floor.is_reached(notice.now());
        if decision == Decision::Update && is_lower && self.words.resolves_by_key() {
            return Decision::Withhold(Withheld::BelowFloor);
        }
        decision
    }

    /// A new sink is told of what is not older than this, ms.
    #[must_use]
    pub fn since_ms(&self) -> i64 {
        i64::try_from(self.setup.since.as_millis()).unwrap_or(i64::MAX)
    }

    /// How its revisions gather, with nothing gathered yet.
    #[must_use]
    pub const fn groups(&self) -> Groups {
        Groups::new(self.setup.group_wait, self.setup.group_interval)
    }

    /// Whether it has to know the open cases that it was told of before.
    #[must_use]
    pub const fn keeps_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the next call for attention belongs into a digest.
    #[must_use]
    pub fn is_storm(&self) -> bool {
        self.storm.is_on(clock::monotonic())
    }

    /// Takes in a revision that was told before, or is too old to be told.
    pub fn remember(&mut self, partition: &Partition, notice: &Notice) {
        let decision = self.decide(notice);
        if let Some(open) = &mut self.open {
            open.take(partition, notice, decision);
        }
    }

    /// A partition belongs to somebody else.
    pub fn forget(&mut self, partition: &Partition) {
        if let Some(open) = &mut self.open {
            open.forget(partition);
        }
    }

    /// What is to be said again, once it is time.
    pub fn again(&mut self, now: Timestamp) -> Vec<Delivery> {
        let due = self.open.as_mut().map(|open| open.again(now));
        let bodies = due.into_iter().flatten();
        bodies
            .map(|body| self.words.alerts(body, Vec::new()))
            .collect()
    }

    /// What one revision of a batch becomes by itself, where the batch was refused.
    #[must_use]
    pub fn alone(&self, ready: &Ready, place: usize, now: Timestamp) -> Delivery {
        match &self.open {
            Some(open) => self.words.alerts(open.alone(ready, now), vec![place]),
            None => self.words.one(ready, place),
        }
    }

    /// What a batch becomes, in the order of its records.
    pub fn deliveries(&mut self, ready: &[Ready], now: Timestamp) -> Vec<Delivery> {
        if ready.is_empty() {
            return Vec::new();
        }
        if let Some(open) = &mut self.open {
            let mut alerts = Vec::new();
            for one in ready {
                alerts.extend(open.take(&one.record.partition, &one.notice, one.decision));
            }
            let body = open.body(&alerts, now);
            return vec![self.words.alerts(body, (0..ready.len()).collect())];
        }
        if self.words.is_batched() {
            return vec![self.words.batch(ready)];
        }
        let begun = clock::monotonic();
        let mut together = Vec::new();
        let mut deliveries = Vec::new();
        for (place, one) in ready.iter().enumerate() {
            let is_storm = match one.decision {
                Decision::Trigger => self.storm.call(begun),
                Decision::Update => self.storm.is_on(begun),
                // What a digest told is taken back by itself only where that harms nobody.
                Decision::Resolve => self.storm.is_on(begun) && !self.words.resolves_by_key(),
                Decision::Withhold(_) => false,
            };
            if is_storm {
                together.push(place);
            } else {
                deliveries.push(self.words.one(one, place));
            }
        }
        if !together.is_empty() {
            deliveries.push(self.words.digest(ready, together, now));
        }
        deliveries
    }
}

/// A span in whole milliseconds.
fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
