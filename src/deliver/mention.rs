//! Whom and what alerts and audit records mention, and by which they are found again.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Kinds of what is mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person whose account it is about, or who asked.
    Identity,
    /// A person who performed, approved or reviewed.
    Agent,
    /// A ticket.
    Ticket,
    /// A call or chat.
    Contact,
    /// The number or address that a caller used.
    Caller,
    /// A device.
    Device,
    /// A network address.
    Address,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Agent,
        Self::Ticket,
        Self::Contact,
        Self::Caller,
        Self::Device,
        Self::Address,
    ];

    /// The name in addresses and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Agent => "agent",
            Self::Ticket => "ticket",
            Self::Contact => "contact",
            Self::Caller => "caller",
            Self::Device => "device",
            Self::Address => "address",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(())
    }
}

/// Somebody or something that is mentioned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mention {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The masked name under which people know it; empty where there is none.
    pub name: String,
}
