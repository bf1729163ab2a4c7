//! The canonical event as a source: its JSON form, read strictly, with id, origin and time of
//! ingestion made here.

use crate::collect::draft::{Around, canonical_text, mapped};
use crate::collect::event::{Event, EventId};
use crate::collect::mapped::Outcome;
use crate::collect::tape_de::from_value;
use crate::collect::time::{TimeQuality, Timestamp};

/// Reads one canonical event.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let mut event: Event = match from_value(around.item) {
        Ok(event) => event,
        Err(reject) => return Outcome::Reject(reject),
    };
    let feed = std::mem::take(&mut event.source.feed);
    around.stamp(&mut event, &feed);
    if let Some(ticket) = event.ticket_ref.as_mut().filter(|t| t.system.is_empty()) {
        ticket.system = around.setup.name.as_str().into();
    }
    if let Some(call) = &mut event.call_ref {
        if call.system.is_empty() {
            call.system = around.setup.name.as_str().into();
        }
        if call.root_id.is_empty() {
            call.root_id.clone_from(&call.id);
        }
    }
    event.ingest_ts = around.record.ingest_ts;
    if event.time == Timestamp::default() {
        event.time = event.ingest_ts;
        event.time_quality = TimeQuality::RecordFallback;
    }
    around.clamp(&mut event);
    if event.event_id == EventId::default() {
        event.event_id = around.id(&canonical_text(around.item), 0);
    }
    Outcome::Events(vec![mapped(event, None, Vec::new())])
}
