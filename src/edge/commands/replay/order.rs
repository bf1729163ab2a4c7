//! When each record of the files is told: in order of time, whatever file it lies in.

use smol_str::SmolStr;
use std::collections::BTreeMap;

use crate::collect::map::{Mapped, Outcome};
use crate::collect::time::{TimeQuality, Timestamp};

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The last of its events has happened then.
    At(Timestamp),
    /// It names no time; it may name the contact it belongs to, as segments of a transcript do.
    Unnamed(Option<SmolStr>),
}

impl Place {
    /// The moment it names itself.
    pub(super) const fn named(&self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(*time),
            Self::Unnamed(_) => None,
        }
    }
}

/// When contacts began, by their first leg.
#[derive(Debug, Default)]
pub(super) struct Contacts(BTreeMap<SmolStr, Timestamp>);

impl Contacts {
    /// Where a record stands, as far as it can be told from itself; learns when contacts began.
    pub(super) fn place(&mut self, mapped: &[Mapped]) -> Place {
        let (mut last, mut contact) = (None, None);
        let events = mapped.iter().filter_map(|mapped| match &mapped.outcome {
            Outcome::Events(events) => Some(events),
            Outcome::Ignored(_) | Outcome::Reject(_) => None,
        });
        for event in events.flatten().map(|mapped| &mapped.event) {
            let root = event.call_ref.as_ref().map(|call| &call.root_id);
            contact = contact.or_else(|| root.cloned());
            if event.time_quality == TimeQuality::RecordFallback {
                continue;
            }
            last = last.max(Some(event.time));
            if let Some(root) = root {
                let began = self.0.entry(root.clone()).or_insert(event.time);
                *began = event.time.min(*began);
            }
        }
        last.map_or(Place::Unnamed(contact), Place::At)
    }

    /// The moment of a place: an unnamed record is told when its contact began, else with the record
    /// `before` it in its file, else with the `last` of all.
    pub(super) fn moment(
        &self,
        place: &Place,
        before: Option<Timestamp>,
        last: Timestamp,
    ) -> Timestamp {
        match place {
            Place::At(time) => *time,
            Place::Unnamed(contact) => {
                let began = contact.as_ref().and_then(|root| self.0.get(root));
                began.copied().or(before).unwrap_or(last)
            }
        }
    }
}

/// A record before its moment is known.
pub(super) struct Found {
    pub(super) source: usize,
    pub(super) file: usize,
    pub(super) written: Timestamp,
    pub(super) place: Place,
    pub(super) bytes: Vec<u8>,
}

/// One record of a file, with the time by which files are merged.
pub(super) struct Fed {
    pub(super) time: Timestamp,
    pub(super) source: usize,
    pub(super) bytes: Vec<u8>,
}

/// Puts what was found in all files in order of time.
pub(super) fn in_order(found: Vec<Found>, contacts: &Contacts) -> Vec<Fed> {
    // Not when the file was written: time would run on to it, and every case would end.
    let last = found.iter().filter_map(|one| one.place.named()).max();
    let mut before: Option<(usize, Timestamp)> = None;
    let mut fed: Vec<Fed> = Vec::with_capacity(found.len());
    for one in found {
        let in_file = before.filter(|(file, _)| *file == one.file);
        let time = contacts.moment(
            &one.place,
            in_file.map(|(_, time)| time),
            last.unwrap_or(one.written),
        );
        before = Some((one.file, time));
        fed.push(Fed {
            time,
            source: one.source,
            bytes: one.bytes,
        });
    }
    fed.sort_by_key(|fed| fed.time);
    fed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::map::{Tapes, map_record};
    use crate::collect::record::Record;
    use crate::collect::setup::{Product, SourceSetup};

    const WRITTEN: Timestamp = Timestamp(9_000_000_000_000);
    const BEFORE: Timestamp = Timestamp(8_000_000_000_000);

    fn place(contacts: &mut Contacts, json: &str) -> Place {
        let setup = SourceSetup::new("amazon_connect", Product::AmazonConnect);
        let record = Record {
            topic: "t",
            partition: 0,
            offset: 0,
            ingest_ts: WRITTEN,
            value: json.as_bytes(),
        };
        let mut mapped = Vec::new();
        map_record(&record, &setup, &mut Tapes::default(), &mut mapped);
        contacts.place(&mapped)
    }

    fn segment(contact: &str) -> SmolStr {
        format!(
            r#"{{"Version":"1.0.0","Channel":"VOICE","ContactId":"{contact}","LanguageCode":"en-US",
            "EventType":"SEGMENTS","Segments":[{{"Transcript":{{"Id":"u1","ParticipantId":"CUSTOMER",
            "ParticipantRole":"CUSTOMER","Content":"It is urgent.","BeginOffsetMillis":900,
            "EndOffsetMillis":2000}}}}]}}"#
        ).into()
    }

    fn event(contact: &str, kind: &str, time: &str) -> SmolStr {
        format!(
            r#"{{"version":"0","id":"e-{kind}","detail-type":"Amazon Connect Contact Event",
            "source":"aws.connect","time":"{time}","detail":{{"eventType":"{kind}",
            "contactId":"{contact}","initialContactId":"{contact}","channel":"VOICE",
            "initiationMethod":"INBOUND","eventTimestamp":"{time}"}}}}"#
        )
        .into()
    }

    #[test]
    fn a_segment_is_told_when_its_contact_began() {
        let mut contacts = Contacts::default();
        let said = place(&mut contacts, &segment("c1"));
        assert_eq!(said, Place::Unnamed(Some("c1".into())));
        assert_eq!(contacts.moment(&said, Some(BEFORE), WRITTEN), BEFORE);
        assert_eq!(contacts.moment(&said, None, WRITTEN), WRITTEN);
        let late = event("c1", "CONNECTED_TO_AGENT", "2026-03-02T08:01:00Z");
        let began = event("c1", "INITIATED", "2026-03-02T08:00:00Z");
        let other = event("c2", "INITIATED", "2026-03-02T07:00:00Z");
        let places = [late, began, other].map(|json| place(&mut contacts, &json));
        let eight = Timestamp(1_772_438_400_000);
        assert_eq!(places[1], Place::At(eight));
        assert_eq!(contacts.moment(&said, Some(BEFORE), WRITTEN), eight);
    }

    #[test]
    fn what_is_nothing_stands_with_the_record_before_it() {
        let mut contacts = Contacts::default();
        let place = place(&mut contacts, "{");
        assert_eq!(place, Place::Unnamed(None));
        assert_eq!(contacts.moment(&place, Some(BEFORE), WRITTEN), BEFORE);
    }
}
