//! What one entity tells another: kinds, keys, content. Sent on change, replaced on receipt.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{EventId, Tier};
use crate::correlate::contact::ContactState;
use crate::correlate::fact::Fact;
use crate::correlate::finding::Finding;
use crate::correlate::ticket::TicketState;

/// Facts that a relayed finding carries; the newest.
pub const PIVOT_FACTS_MAX: usize = 16;

/// What one entity tells another. An upsert: the receiver replaces what it holds under the sender and
/// subject; `None` = withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relay {
    /// What is known of a call.
    Contact {
        /// Contact id.
        from: String,
        /// The present content.
        state: Option<Box<ContactState>>,
    },
    /// What is known of a ticket.
    Ticket {
        /// Ticket id.
        from: String,
        /// The present content.
        state: Option<Box<TicketState>>,
    },
    /// A finding on a pivot or ticket that belongs to the receiver's case.
    Finding {
        /// The pivot or ticket.
        from: Entity,
        /// Id of the finding there.
        subject: EventId,
        /// The present content.
        state: Option<Box<PivotFinding>>,
    },
}

/// A finding as a pivot or ticket tells it to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PivotFinding {
    /// The finding as it stands there, before the receiver's own tier and counter-evidence.
    pub finding: Finding,
    /// Tier of the receiver, as its evidence was stamped.
    pub tier: Tier,
    /// The evidence, in order.
    pub facts: Vec<Fact>,
}

/// What a relay is filed under, at the sender and the receiver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelayKey {
    /// Who told it.
    pub from: Entity,
    /// What about; the zero id for what an entity tells of itself.
    pub subject: EventId,
}

impl Relay {
    /// Sender and subject.
    #[must_use]
    pub fn key(&self) -> RelayKey {
        let (from, subject) = match self {
            Self::Contact { from, .. } => {
                (Entity::new(EntityKind::Contact, from), EventId::default())
            }
            Self::Ticket { from, .. } => {
                (Entity::new(EntityKind::Ticket, from), EventId::default())
            }
            Self::Finding { from, subject, .. } => (from.clone(), *subject),
        };
        RelayKey { from, subject }
    }

    /// The same with nothing in it.
    #[must_use]
    pub fn withdrawn(key: &RelayKey) -> Self {
        let from = key.from.id.clone();
        match key.from.kind {
            EntityKind::Contact => Self::Contact { from, state: None },
            EntityKind::Ticket if key.subject == EventId::default() => {
                Self::Ticket { from, state: None }
            }
            EntityKind::Ticket
            | EntityKind::Identity
            | EntityKind::Agent
            | EntityKind::Caller
            | EntityKind::Device
            | EntityKind::Address => Self::Finding {
                from: key.from.clone(),
                subject: key.subject,
                state: None,
            },
        }
    }

    /// Label of metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Contact { .. } => "contact_state",
            Self::Ticket { .. } => "ticket_state",
            Self::Finding { .. } => "pivot_finding",
        }
    }

    /// The encoding in a block.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Writing to memory cannot fail, and every type here has a fixed form.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads [`Self::encode`]; `None` if it is damaged.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

/// What stands for the content of a relay at its sender: an equal one is not sent again.
#[must_use]
pub fn fingerprint(encoded: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(encoded);
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    first
}
