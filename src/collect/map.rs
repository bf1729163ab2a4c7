//! One record of a source → its canonical events, item by item: unwrap, then the mapper of the
//! product. What cannot be used is a value here, too.

use crate::collect::canonical;
use crate::collect::contacts::connect;
use crate::collect::draft::Around;
use crate::collect::idp::{duo, entra, google, okta};
use crate::collect::parse::Value;
use crate::collect::record::Record;
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::tickets::servicenow;
use crate::collect::unwrap::{Delivery, unwrap};

pub use crate::collect::mapped::{Mapped, MappedEvent, Outcome, TextPart};
pub use crate::collect::unwrap::Tapes;

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
