//! Every reason why a record or an event in it cannot be used. A reject is a value: it becomes a
//! dead letter, is counted, and never a panic.

use std::fmt;

/// Why something could not be used. The names are the `reason` header of dead letters and a metric
/// label, so they are part of the public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// Not UTF-8, not JSON, or no record value at all.
    Decode,
    /// JSON, but not the shape of the configured source.
    Schema,
    /// Larger than a bound: bytes, keys or the length of a string.
    Oversize,
    /// Nested deeper than the bound.
    Depth,
    /// Avro, Protobuf or another encoding that needs a registry client.
    UnsupportedEncoding,
}

impl RejectReason {
    /// The name used in headers and metric labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Schema => "schema",
            Self::Oversize => "oversize",
            Self::Depth => "depth",
            Self::UnsupportedEncoding => "unsupported_encoding",
        }
    }
}

/// One unusable record or item, with a detail that holds no text of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The class of the fault.
    pub reason: RejectReason,
    /// What exactly was wrong, in our words; never payload text.
    pub detail: String,
}

impl Reject {
    /// A reject with a detail of our own words.
    pub fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.detail)
    }
}
