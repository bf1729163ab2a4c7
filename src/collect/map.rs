//! One record of a source → its canonical events, item by item: unwrap, then the mapper of the
//! product. What cannot be used is a value here, too.

use crate::collect::canonical;
use crate::collect::contacts::connect;
use crate::collect::draft::Around;
use crate::collect::event::Event;
use crate::collect::idp::{duo, entra, google, okta};
use crate::collect::parse::Value;
use crate::collect::record::Record;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::tickets::servicenow;
use crate::collect::unwrap::{Delivery, unwrap};
use smol_str::SmolStr;

pub use crate::collect::unwrap::Tapes;

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

/// Maps one record. Every item gives exactly one entry; an empty envelope is `Ignored`.
pub fn map_record(
    record: &Record<'_>,
    setup: &SourceSetup,
    tapes: &mut Tapes,
    out: &mut Vec<Mapped>,
) {
    let items = unwrap(record.value, tapes, &mut |item| {
        let outcome = match item.value {
            Ok(value) => map_item(record, setup, value, item.delivery),
            Err(reject) => Outcome::Reject(reject),
        };
        out.push(Mapped {
            item: item.index,
            outcome,
        });
    });
    if items == 0 {
        out.push(Mapped {
            item: 0,
            outcome: Outcome::Ignored("empty_envelope"),
        });
    }
}

fn map_item(
    record: &Record<'_>,
    setup: &SourceSetup,
    item: Value<'_>,
    delivery: Delivery<'_>,
) -> Outcome {
    if !item.is_object() {
        return Outcome::schema("an event is an object");
    }
    let around = Around {
        record,
        setup,
        delivery,
        item,
    };
    match setup.product {
        Product::Okta => okta::map(&around),
        Product::Entra => entra::map(&around),
        Product::GoogleWorkspace => google::map(&around),
        Product::Duo => duo::map(&around),
        Product::ServiceNow => servicenow::map(&around),
        Product::AmazonConnect => connect::map(&around),
        Product::Canonical => canonical::map(&around),
        Product::Hris
        | Product::OktaUsers
        | Product::ServiceNowUsers
        | Product::EntraUsers
        | Product::ZendeskUsers
        | Product::JiraUsers
        | Product::ContactCentreAgents => Outcome::Ignored("directory_export"),
    }
}
