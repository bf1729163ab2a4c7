//! What is remembered apart: entities, the partition each one lives in, and which of them an event
//! concerns.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::collect::event::{Action, Event};

/// The kinds of entity. The order is part of the block encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A person or machine account.
    Identity,
    /// A call or chat with its transfers.
    Contact,
    /// A ticket.
    Ticket,
    /// Somebody who performs recoveries.
    Agent,
    /// A number, chat handle or voiceprint that speaks.
    Caller,
    /// A device or factor.
    Device,
    /// An IP address.
    Address,
}

impl EntityKind {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Contact,
        Self::Ticket,
        Self::Agent,
        Self::Caller,
        Self::Device,
        Self::Address,
    ];

    /// The kind at a place of [`Self::ALL`].
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name used in keys, headers and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Ticket => "ticket",
            Self::Agent => "agent",
            Self::Caller => "caller",
            Self::Device => "device",
            Self::Address => "address",
        }
    }
}

/// One entity: its kind and its id. Printed as `<kind>|<id>`, which is also its Kafka key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Id within its kind.
    pub id: String,
}

impl Entity {
    /// An entity of a kind.
    pub fn new(kind: EntityKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }

    /// Reads what its `Display` writes.
    #[must_use]
    pub fn from_key(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('|')?;
        Some(Self::new(EntityKind::from_name(kind)?, id))
    }

    /// The partition that holds this entity, of `partitions` in all: murmur2 of `<kind>|<id>`, as
    /// Kafka's default partitioner counts.
    ///
    /// # Panics
    /// Never for `partitions ≥ 1`; a topic has at least one partition.
    #[must_use]
    pub fn partition(&self, partitions: i32) -> i32 {
        assert!(partitions >= 1, "a topic has at least one partition");
        // As it is displayed, at a third of the cost: every copy of an event is asked.
        let key = [self.kind.as_str(), "|", &self.id].concat();
        let hash = murmur2(key.as_bytes()) & 0x7fff_ffff;
        i32::try_from(hash).unwrap_or(0) % partitions
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.kind.as_str(), self.id)
    }
}

/// The entities an event concerns, each once: one copy is written to the partition of each.
///
/// Events of a call or ticket go to the contact or ticket, which tells the people it names. Every
/// other event goes to the people it names; a recovery does in any case. An address gets what is
/// counted there.
#[must_use]
pub fn copies(event: &Event) -> Vec<Entity> {
    let mut copies: Vec<Entity> = Vec::new();
    if concerns_nobody(event.action) {
        return copies;
    }
    let mut add = |kind, id: &str| {
        let entity = Entity::new(kind, id);
        if !copies.contains(&entity) {
            copies.push(entity);
        }
    };
    let name = event.action.as_str();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let recovery = is_recovery(event.action);
    let mut folded = false;
    if let Some(call) = &event.call_ref
        && begins(&["contact.", "callback.", "verify.", "ticket."])
    {
        add(
            EntityKind::Contact,
            &format!("{}:{}", call.system, call.root_id),
        );
        folded = true;
    }
    // A ticket of no system is known by its number alone, and no partition holds it.
    if let Some(ticket) = event.ticket_ref.as_ref().filter(|t| !t.system.is_empty())
        && (recovery
            || begins(&[
                "ticket.",
                "approval.",
                "review.",
                "callback.",
                "verify.",
                "contact.",
            ]))
    {
        add(
            EntityKind::Ticket,
            &format!("{}:{}", ticket.system, ticket.id),
        );
        folded = true;
    }
    if !folded || recovery {
        for role in [&event.target, &event.requester].into_iter().flatten() {
            if let Some(identity) = &role.identity {
                add(EntityKind::Identity, identity);
            }
        }
    }
    let counted_there = matches!(
        event.action,
        Action::MfaEnrolled
            | Action::DeviceRegistered
            | Action::ContactStarted
            | Action::TicketOpened
            | Action::CredentialResetRequested
    );
    if let Some(ip) = event
        .network
        .as_ref()
        .and_then(|n| n.ip.as_deref())
        .filter(|_| counted_there)
    {
        add(EntityKind::Address, ip);
    }
    copies
}

/// Whether events of an action are counted and told to nobody: what no rule reads, and what the
/// directory is told by its own records.
#[must_use]
pub const fn concerns_nobody(action: Action) -> bool {
    matches!(
        action,
        Action::Other
            | Action::AuthPolicyDecision
            | Action::IdentityUpsert
            | Action::IdentityLink
            | Action::IdentityUnlink
    )
}

/// Whether an action can recover an account; whether it did also depends on who performed it.
#[must_use]
pub const fn is_recovery(action: Action) -> bool {
    matches!(
        action,
        Action::CredentialPasswordReset
            | Action::MfaResetAll
            | Action::MfaRemoved
            | Action::MfaChanged
            | Action::MfaEnrolled
            | Action::CredentialTempIssued
            | Action::MfaBypassGranted
            | Action::AccountUnlocked
            | Action::AccountEnabled
            | Action::AccountRecoveryChanged
            | Action::SessionChallengeDisabled
    )
}

/// The 32-bit murmur2 of Kafka's `Utils.murmur2` (Apache Kafka, `clients`), seed `0x9747b28c`.
#[must_use]
pub fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let seed = 0x9747_b28c_u32;
    let mut hash = seed ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = word
            .iter()
            .rev()
            .fold(0_u32, |k, byte| (k << 8) | u32::from(*byte));
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest
            .iter()
            .rev()
            .fold(0_u32, |k, byte| (k << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_counts_as_kafka_does() {
        // The vectors of Apache Kafka's own test of `Utils.murmur2`.
        for (text, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    #[test]
    fn a_partition_is_in_range_and_stable() {
        let entity = Entity::new(EntityKind::Identity, "hris:E1");
        assert_eq!(entity.to_string(), "identity|hris:E1");
        assert_eq!(entity.partition(1), 0);
        assert!((0..32).contains(&entity.partition(32)));
    }
}
