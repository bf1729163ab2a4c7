//! What becomes of a record: events, nothing of interest, or a fault, item by item.

use smol_str::SmolStr;

use crate::collect::event::Event;
use crate::collect::reject::{Reject, RejectReason};

/// What became of one item of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// Place of the item after unwrapping, from 0.
    pub item: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// Events, nothing of interest, or a fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One event or several.
    Events(Vec<MappedEvent>),
    /// Known and of no interest; the reason is a metric label.
    Ignored(&'static str),
    /// Unusable.
    Reject(Reject),
}

/// One event and what travels beside it until it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedEvent {
    /// The event, without any free text.
    pub event: Event,
    /// The vendor's own id, from which `event_id` is made; `None` where the content stands in.
    pub native_id: Option<SmolStr>,
    /// Free texts to be scored and then dropped.
    pub texts: Vec<TextPart>,
}

/// A free text and who wrote or said it.
#[derive(Clone, PartialEq, Eq)]
pub struct TextPart {
    /// `requester`, `agent` or `system`.
    pub speaker: &'static str,
    /// The words. Never stored, logged or printed.
    pub text: SmolStr,
}

impl std::fmt::Debug for TextPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.speaker, self.text.len())
    }
}

impl Outcome {
    /// A reject for an item that is not of the shape of its source.
    pub(crate) fn schema(detail: &str) -> Self {
        Self::Reject(Reject::new(RejectReason::Schema, detail))
    }
}
