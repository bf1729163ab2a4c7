//! One record through every step of the stage: map, identify, read the text, key what is personal.

use crate::collect::entity::{Entity, copies};
use crate::collect::event::{Action, Event, Text};
use crate::collect::identity::{Directory, Settings, identify, settle_event};
use crate::collect::keyed::key_event;
use crate::collect::map::{Mapped, MappedEvent, Outcome, TextPart, map_record};
use crate::collect::record::Record;
use crate::collect::reject::Reject;
use crate::collect::setup::SourceSetup;
use crate::collect::text::{Lexicon, Readings, Speaker};
use crate::collect::unwrap::Tapes;

/// What became of one record. Nothing is dropped: every item is in one of the three lists.
#[derive(Debug, Default)]
pub struct Collected {
    /// Events, ready for the log, each with the entities it concerns.
    pub events: Vec<(Event, Vec<Entity>)>,
    /// Items that are known to mean nothing here, with the reason.
    pub ignored: Vec<(u32, &'static str)>,
    /// Items that cannot be used.
    pub rejects: Vec<(u32, Reject)>,
}

/// What the steps use again for the next record; of one lexicon.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The parsed record.
    pub tapes: Tapes,
    readings: Readings,
}

/// What the steps need besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Collector<'a, D> {
    /// Who is who.
    pub directory: &'a D,
    /// How names are read, and the deployment's key.
    pub settings: &'a Settings,
    /// The phrases.
    pub lexicon: &'a Lexicon,
}

impl<D: Directory> Collector<'_, D> {
    /// Collects one record of a source.
    #[must_use]
    pub fn collect(
        &self,
        record: &Record<'_>,
        setup: &SourceSetup,
        scratch: &mut Scratch,
    ) -> Collected {
        let mut mapped = Vec::new();
        map_record(record, setup, &mut scratch.tapes, &mut mapped);
        let mut collected = Collected::default();
        for Mapped { item, outcome } in mapped {
            match outcome {
                Outcome::Events(events) => {
                    let readings = &mut scratch.readings;
                    let finished = events.into_iter().map(|event| self.finish(event, readings));
                    collected.events.extend(finished);
                }
                Outcome::Ignored(reason) => collected.ignored.push((item, reason)),
                Outcome::Reject(reject) => collected.rejects.push((item, reject)),
            }
        }
        collected
    }

    fn finish(&self, mapped: MappedEvent, readings: &mut Readings) -> (Event, Vec<Entity>) {
        let MappedEvent {
            mut event, texts, ..
        } = mapped;
        identify(&mut event, self.directory, self.settings);
        settle_callback(&mut event);
        if let Some(text) = self.read(&texts, readings) {
            event.text = Some(Box::new(with_offset(text, &event)));
        }
        key_event(&mut event, &self.settings.key);
        let copies = copies(&event);
        (event, copies)
    }

    /// The text with most pressure; texts of the desk and of machines score nothing.
    fn read(&self, texts: &[TextPart], readings: &mut Readings) -> Option<Text> {
        let scored = texts.iter().map(|part| {
            let speaker = match part.speaker {
                "requester" => Speaker::Requester,
                "agent" => Speaker::Agent,
                "system" => Speaker::System,
                _ => Speaker::Unknown,
            };
            readings.read(self.lexicon, &part.text, speaker)
        });
        // Of equal scores the first text stands.
        scored.reduce(|best, next| {
            if next.pressure.score_pct > best.pressure.score_pct {
                next
            } else {
                best
            }
        })
    }
}

/// The event that an item says, with personal values keyed, nobody looked up and no text read.
#[must_use]
pub fn as_written(mapped: MappedEvent, settings: &Settings) -> Event {
    let mut event = mapped.event;
    settle_event(&mut event, &settings.names);
    key_event(&mut event, &settings.key);
    event
}

/// A call to somebody nobody knows is no call-back to an employee.
fn settle_callback(event: &mut Event) {
    let known = event
        .target
        .as_ref()
        .and_then(|target| target.identity.as_deref())
        .is_some_and(|identity| !identity.starts_with("pseudo:"));
    let owned = event
        .phone
        .as_ref()
        .and_then(|phone| phone.of_record.as_ref())
        .is_some_and(|owners| !owners.is_empty());
    if event.action == Action::CallbackAttempted && !known && !owned {
        event.action = Action::ContactStarted;
    }
}

/// Keeps what the mapper knew of the text: its offset in the call and its speaker.
fn with_offset(mut text: Text, event: &Event) -> Text {
    if let Some(mapped) = &event.text {
        text.offset_ms = mapped.offset_ms;
        text.speaker = text.speaker.or_else(|| mapped.speaker.clone());
    }
    text
}
