//! The newest audit records, so that they are found by person, agent, ticket and call, or by time.
//!
//! Bounded by records and bytes: what happened first goes first, and [`Trail::since`] says from when on
//! all of them are there. Older ones are read from the topic by `deskwarden audit`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::collect::time::Timestamp;
use crate::deliver::audit::{AuditRecord, Placed, Question, Who};
use crate::deliver::mention::{Kind, Mention};

/// Default of the number of records held: some weeks of a large desk.
pub const RECORDS_MAX: usize = 100_000;
/// Bytes of records held; a usual one has 900.
pub const BYTES_MAX: usize = 128 << 20;

/// Where a record stands: by event time, then by where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    time: Timestamp,
    partition: i32,
    offset: i64,
}

impl Place {
    const fn of(placed: &Placed) -> Self {
        Self {
            time: placed.record.time,
            partition: placed.partition,
            offset: placed.offset,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.time.0, self.partition, self.offset)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let place = Self {
            time: Timestamp(next()?.parse().map_err(|_| ())?),
            partition: next()?.parse().map_err(|_| ())?,
            offset: next()?.parse().map_err(|_| ())?,
        };
        if next().is_ok() { Err(()) } else { Ok(place) }
    }
}

/// What is known of somebody or something that records mention.
#[derive(Debug, Default)]
struct Mentioned {
    name: String,
    tier: String,
    places: BTreeSet<Place>,
    /// Recoveries that they performed for others.
    recoveries: usize,
}

/// A record as it lies in the topic, and where.
#[derive(Debug, Clone, Serialize)]
pub struct Filed {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// The record, unmodified.
    pub record: Box<RawValue>,
}

/// A part of a list of records.
#[derive(Debug, Serialize)]
pub struct Part {
    /// The records, newest first.
    pub records: Vec<Filed>,
    /// How many there are altogether.
    pub total: usize,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Behind this place.
    pub after: Option<Place>,
    /// So many records.
    pub limit: usize,
}

/// Somebody's name and tier, as records have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Somebody {
    /// Identity id.
    pub uid: String,
    /// Masked name; empty where there is none.
    pub name: String,
    /// Tier at the newest event.
    pub tier: String,
}

/// The records. One thread writes, any may read.
#[derive(Debug)]
pub struct Trail {
    records: BTreeMap<Place, Box<RawValue>>,
    mentioned: BTreeMap<(Kind, Box<str>), Mentioned>,
    bytes: usize,
    records_max: usize,
    bytes_max: usize,
    /// Before this moment some are missing.
    since: Option<Timestamp>,
}

impl Default for Trail {
    fn default() -> Self {
        Self::new(RECORDS_MAX, BYTES_MAX)
    }
}

impl Trail {
    /// An empty one with its bounds.
    #[must_use]
    pub fn new(records_max: usize, bytes_max: usize) -> Self {
        Self {
            records: BTreeMap::new(),
            mentioned: BTreeMap::new(),
            bytes: 0,
            records_max: records_max.max(1),
            bytes_max,
            since: None,
        }
    }

    /// How many records it holds at most.
    #[must_use]
    pub const fn records_max(&self) -> usize {
        self.records_max
    }

    /// Takes the value of a record in. Its event time; `None` if it is no audit record.
    pub fn put(&mut self, partition: i32, offset: i64, value: Vec<u8>) -> Option<Timestamp> {
        let record = AuditRecord::read(&value)?;
        let value = RawValue::from_string(String::from_utf8(value).ok()?).ok()?;
        let placed = Placed {
            record,
            partition,
            offset,
        };
        let place = Place::of(&placed);
        if self.records.contains_key(&place) {
            return Some(place.time);
        }
        self.bytes += value.get().len();
        self.records.insert(place, value);
        for (kind, id, who) in mentions(&placed.record) {
            let known = self.mentioned.entry((kind, id.into())).or_default();
            let is_newest = known.places.last().is_none_or(|last| place > *last);
            if let Some(who) = who.filter(|_| is_newest) {
                known.name = who.name.clone().unwrap_or_default();
                known.tier.clone_from(&who.tier);
            }
            known.places.insert(place);
            known.recoveries += usize::from(kind == Kind::Agent && performed(&placed.record, id));
        }
        while self.records.len() > self.records_max || self.bytes > self.bytes_max {
            self.drop_oldest();
        }
        Some(place.time)
    }

    /// Records before this moment were not all read.
    pub fn begins(&mut self, time: Timestamp) {
        self.since = self.since.max(Some(time));
    }

    fn drop_oldest(&mut self) {
        let Some((place, value)) = self.records.pop_first() else {
            return;
        };
        self.bytes -= value.get().len();
        self.begins(place.time);
        let Some(record) = AuditRecord::read(value.get().as_bytes()) else {
            return;
        };
        for (kind, id, _) in mentions(&record) {
            let key = (kind, Box::from(id));
            if let Some(known) = self.mentioned.get_mut(&key) {
                known.places.remove(&place);
                known.recoveries -= usize::from(kind == Kind::Agent && performed(&record, id));
                if known.places.is_empty() {
                    self.mentioned.remove(&key);
                }
            }
        }
    }

    /// From when on all records are there, event time; `None` while it holds none.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        let first = self.records.first_key_value().map(|(place, _)| place.time);
        self.since.or(first)
    }

    /// The newest event time of all records.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.records.last_key_value().map(|(place, _)| place.time)
    }

    /// Whether a record mentions it.
    #[must_use]
    pub fn knows(&self, kind: Kind, id: &str) -> bool {
        self.mentioned.contains_key(&(kind, Box::from(id)))
    }

    /// Somebody's name and tier.
    #[must_use]
    pub fn somebody(&self, kind: Kind, id: &str) -> Option<Somebody> {
        let known = self.mentioned.get(&(kind, Box::from(id)))?;
        Some(Somebody {
            uid: id.to_owned(),
            name: known.name.clone(),
            tier: known.tier.clone(),
        })
    }

    /// The records that mention it, newest first.
    pub fn of(&self, kind: Kind, id: &str) -> impl Iterator<Item = Placed> {
        let known = self.mentioned.get(&(kind, Box::from(id)));
        let places = known
            .into_iter()
            .flat_map(|known| known.places.iter().rev());
        places.filter_map(|place| self.read(place))
    }

    /// A part of the records that mention it.
    #[must_use]
    pub fn part_of(&self, kind: Kind, id: &str, range: Range) -> Part {
        match self.mentioned.get(&(kind, Box::from(id))) {
            Some(known) => self.part(
                known.places.iter().rev().copied(),
                known.places.len(),
                range,
            ),
            None => self.part(std::iter::empty(), 0, range),
        }
    }

    /// A part of the records that a question asks for.
    #[must_use]
    pub fn ask(&self, question: &Question, range: Range) -> Part {
        let places: Vec<Place> = self
            .records
            .keys()
            .rev()
            .filter(|place| {
                question.from.is_none_or(|from| place.time >= from)
                    && question.to.is_none_or(|to| place.time < to)
            })
            .filter(|place| {
                let narrows = question.person.is_some()
                    || question.agent.is_some()
                    || question.ticket.is_some();
                !narrows
                    || self
                        .read(place)
                        .is_some_and(|p| question.asks_for(&p.record))
            })
            .copied()
            .collect();
        let total = places.len();
        self.part(places.into_iter(), total, range)
    }

    fn part(&self, places: impl Iterator<Item = Place>, total: usize, range: Range) -> Part {
        let mut places = places
            .skip_while(|place| range.after.is_some_and(|after| *place >= after))
            .peekable();
        let mut records = Vec::new();
        let mut last = None;
        while records.len() < range.limit
            && let Some(place) = places.next()
        {
            if let Some(value) = self.records.get(&place) {
                records.push(Filed {
                    partition: place.partition,
                    offset: place.offset,
                    record: value.clone(),
                });
                last = Some(place);
            }
        }
        Part {
            records,
            total,
            next: last
                .filter(|_| places.peek().is_some())
                .map(|p| p.to_string()),
        }
    }

    fn read(&self, place: &Place) -> Option<Placed> {
        let value = self.records.get(place)?;
        Some(Placed {
            record: AuditRecord::read(value.get().as_bytes())?,
            partition: place.partition,
            offset: place.offset,
        })
    }

    /// Recoveries for others of every agent that has performed one.
    pub fn recoveries(&self) -> impl Iterator<Item = (&str, usize)> {
        self.mentioned
            .iter()
            .filter(|((kind, _), known)| *kind == Kind::Agent && known.recoveries > 0)
            .map(|((_, id), known)| (&**id, known.recoveries))
    }

    /// All that is mentioned.
    pub fn mentions(&self) -> impl Iterator<Item = Mention> {
        self.mentioned.iter().map(|((kind, id), known)| Mention {
            kind: *kind,
            id: id.to_string(),
            name: known.name.clone(),
        })
    }
}

/// Whether a record tells of a recovery that somebody performed for another person.
#[must_use]
pub fn performed(record: &AuditRecord, agent: &str) -> bool {
    is_recovery(record)
        && record.by_admin
        && record.agent.as_ref().is_some_and(|who| who.uid == agent)
}

/// Whether a record tells of a recovery, once for each.
#[must_use]
pub fn is_recovery(record: &AuditRecord) -> bool {
    record.class.is_some() && !record.is_settled()
}

/// What a record mentions, each once.
fn mentions(record: &AuditRecord) -> Vec<(Kind, &str, Option<&Who>)> {
    let mut found: Vec<(Kind, &str, Option<&Who>)> = Vec::new();
    let people = [
        (Kind::Identity, &record.target),
        (Kind::Identity, &record.requester),
        (Kind::Agent, &record.agent),
        (Kind::Agent, &record.approver),
    ];
    for (kind, who) in people {
        let known = |who: &&Who| !found.iter().any(|(k, id, _)| *k == kind && *id == who.uid);
        let who = who.as_ref().filter(known);
        found.extend(who.map(|who| (kind, who.uid.as_str(), Some(who))));
    }
    found.extend(record.owner().map(|id| (Kind::Agent, id, None)));
    found.extend(record.decided_on().map(|id| (Kind::Identity, id, None)));
    found.extend(record.ticket.as_deref().map(|id| (Kind::Ticket, id, None)));
    found.extend(record.call.as_deref().map(|id| (Kind::Contact, id, None)));
    found
}

#[cfg(test)]
pub(crate) mod tests;
