//! The newest cases, on DashMap, behind the HTTP API: fed with every record of the alerts topic by
//! one writer, asked by many readers.

use crate::collect::time::Timestamp;
use crate::deliver::alert::{AlertFault, AlertRecord};
use crate::edge::log::OwnedRecord;
use axum::body::Bytes;
use dashmap::DashMap;
use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

/// Default of the number of cases held: some weeks of a large deployment.
pub const CASES_MAX_DEFAULT: usize = 10_000;
/// Revisions held of one case: what an analyst can still read; the oldest go.
pub const REVISIONS_MAX: usize = 64;
/// Bytes of documents held. A usual document has 6 kB, so the number of cases is reached first.
pub const BYTES_MAX: usize = 512 << 20;

/// A revision as it lies in the alerts topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Partition of the alerts topic.
    pub partition: i32,
    /// Offset there.
    pub offset: i64,
    /// When it was published: the only time of an alert that is not event time.
    pub published: Timestamp,
    /// What filters need.
    pub alert: AlertRecord,
    /// The document, unmodified.
    pub document: Bytes,
}

impl Revision {
    /// Reads a record; `None` is a tombstone.
    pub fn read(record: OwnedRecord) -> Result<Option<Self>, AlertFault> {
        let Some(value) = record.value else {
            return Ok(None);
        };
        Ok(Some(Self {
            partition: record.partition.number,
            offset: record.offset,
            published: record.timestamp,
            alert: AlertRecord::read(&value)?,
            document: value.into(),
        }))
    }
}

/// Where a case stands in the list: newest first, then by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    time: Reverse<i64>,
    id: Arc<str>,
}

impl Cursor {
    /// The place of a case whose newest revision this is.
    #[must_use]
    pub fn of(alert: &AlertRecord) -> Self {
        Self {
            time: Reverse(alert.time),
            id: alert.id.as_str().into(),
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.time.0, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (time, id) = text.split_once('.').ok_or(())?;
        Ok(Self {
            time: Reverse(time.parse().map_err(|_| ())?),
            id: id.into(),
        })
    }
}

/// A part of the list.
#[derive(Debug, Default)]
pub struct Page {
    /// Newest revisions, newest first.
    pub revisions: Vec<Arc<Revision>>,
    /// Where the next part begins, if there is one.
    pub next: Option<Cursor>,
    /// How many cases are wanted altogether.
    pub total: usize,
}

/// How many cases there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Open ones.
    pub open: usize,
    /// Closed ones.
    pub closed: usize,
    /// Cases that went because a bound was reached.
    pub evicted: u64,
    /// Bytes of documents held.
    pub bytes: usize,
}

#[derive(Debug)]
struct Case {
    /// In order of their numbers; never empty.
    revisions: VecDeque<Arc<Revision>>,
}

/// The places of all cases; what is evicted next stands last in its set.
#[derive(Debug, Default)]
struct Order {
    all: BTreeSet<Cursor>,
    closed: BTreeSet<Cursor>,
    evicted: u64,
    /// Newest change of a case that was evicted, ms.
    evicted_until: Option<i64>,
    bytes: usize,
}

/// The read model. One thread writes ([`Self::apply`], [`Self::forget`]), any may read.
#[derive(Debug)]
pub struct ReadModel {
    cases: DashMap<Arc<str>, Case>,
    order: RwLock<Order>,
    cases_max: usize,
    bytes_max: usize,
}

impl ReadModel {
    /// An empty one that holds at most `cases_max` cases.
    #[must_use]
    pub fn new(cases_max: usize) -> Self {
        Self::bounded(cases_max, BYTES_MAX)
    }

    fn bounded(cases_max: usize, bytes_max: usize) -> Self {
        Self {
            cases: DashMap::new(),
            order: RwLock::default(),
            cases_max: cases_max.max(1),
            bytes_max,
        }
    }

    /// Takes a revision in. `false`: it is not newer than what is held of its case.
    pub fn apply(&self, revision: &Arc<Revision>) -> bool {
        let id: Arc<str> = revision.alert.id.as_str().into();
        let mut freed = 0;
        let before = {
            let mut case = self.cases.entry(Arc::clone(&id)).or_insert_with(|| Case {
                revisions: VecDeque::new(),
            });
            let before = case.revisions.back().cloned();
            let number = before.as_ref().map_or(0, |b| b.alert.revision);
            if revision.alert.revision <= number {
                return false;
            }
            case.revisions.push_back(Arc::clone(revision));
            while case.revisions.len() > REVISIONS_MAX {
                freed += case.revisions.pop_front().map_or(0, |r| r.document.len());
            }
            before
        };
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = before {
            order.remove(&Cursor::of(&before.alert));
        }
        order.insert(&revision.alert);
        order.bytes = (order.bytes + revision.document.len()).saturating_sub(freed);
        while let Some(cursor) = order.excess(self.cases_max, self.bytes_max) {
            order.remove(&cursor);
            order.evicted += 1;
            order.evicted_until = order.evicted_until.max(Some(cursor.time.0));
            order.bytes = order.bytes.saturating_sub(self.drop_case(&cursor.id));
        }
        true
    }

    /// Forgets a case: its person was erased.
    pub fn forget(&self, id: &str) {
        let Some(newest) = self.newest(id) else {
            return;
        };
        let mut order = self.order.write().unwrap_or_else(PoisonError::into_inner);
        order.remove(&Cursor::of(&newest.alert));
        order.bytes = order.bytes.saturating_sub(self.drop_case(id));
    }

    /// Bytes that a case held. Readers take the order first and one case at a time after it, so
    /// this is safe under the lock of the order.
    fn drop_case(&self, id: &str) -> usize {
        let case = self.cases.remove(id);
        case.map_or(0, |(_, case)| {
            case.revisions.iter().map(|r| r.document.len()).sum()
        })
    }

    /// The newest revision of an alert.
    #[must_use]
    pub fn newest(&self, id: &str) -> Option<Arc<Revision>> {
        self.cases.get(id)?.revisions.back().cloned()
    }

    /// The revisions held of an alert, oldest first.
    #[must_use]
    pub fn revisions(&self, id: &str) -> Vec<Arc<Revision>> {
        let case = self.cases.get(id);
        case.map_or_else(Vec::new, |case| case.revisions.iter().cloned().collect())
    }

    /// The cases that are wanted, newest first, from behind a cursor.
    #[must_use]
    pub fn list(
        &self,
        wanted: impl Fn(&AlertRecord) -> bool,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Page {
        let mut all = self.all();
        all.retain(|revision| wanted(&revision.alert));
        page(all, after, limit)
    }

    /// The newest revisions of all cases, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Revision>> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        let places: Vec<Cursor> = order.all.iter().cloned().collect();
        drop(order);
        let newest = places.iter().filter_map(|place| self.newest(&place.id));
        newest.collect()
    }

    /// Every case that changed at this moment or later is held; `None`: every case of the topic is.
    #[must_use]
    pub fn held_since(&self) -> Option<Timestamp> {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        order.evicted_until.map(|ms| Timestamp(ms).plus(1))
    }

    /// How many cases there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let order = self.order.read().unwrap_or_else(PoisonError::into_inner);
        Counts {
            open: order.all.len() - order.closed.len(),
            closed: order.closed.len(),
            evicted: order.evicted,
            bytes: order.bytes,
        }
    }
}

impl Order {
    fn insert(&mut self, alert: &AlertRecord) {
        let cursor = Cursor::of(alert);
        if !alert.is_open {
            self.closed.insert(cursor.clone());
        }
        self.all.insert(cursor);
    }

    fn remove(&mut self, cursor: &Cursor) {
        self.all.remove(cursor);
        self.closed.remove(cursor);
    }

    /// What goes next while a bound is exceeded: the oldest closed case, else the oldest open one.
    /// The last case stays.
    fn excess(&self, cases_max: usize, bytes_max: usize) -> Option<Cursor> {
        let is_full = self.all.len() > cases_max || self.bytes > bytes_max;
        let oldest = self.closed.last().or_else(|| self.all.last());
        oldest.filter(|_| is_full && self.all.len() > 1).cloned()
    }
}

/// A part of revisions that are in their order: newest first, from behind a cursor.
#[must_use]
pub fn page(revisions: Vec<Arc<Revision>>, after: Option<&Cursor>, limit: usize) -> Page {
    let mut page = Page {
        total: revisions.len(),
        ..Page::default()
    };
    let mut last = None;
    for revision in revisions {
        let place = Cursor::of(&revision.alert);
        if after.is_some_and(|after| place <= *after) {
            continue;
        }
        if page.revisions.len() < limit {
            page.revisions.push(revision);
            last = Some(place);
        } else {
            page.next = last.take();
            break;
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::alert::{Activity, Subject};

    fn revision(id: &str, number: u64, time: i64, activity: Activity) -> Arc<Revision> {
        Arc::new(Revision {
            partition: 0,
            offset: time,
            published: Timestamp(time),
            alert: AlertRecord {
                id: id.into(),
                revision: number,
                activity,
                is_open: activity != Activity::Closed,
                severity_id: 4,
                score: 70,
                time,
                page: false,
                subject: Subject::default(),
                patterns: Vec::new(),
                families: Vec::new(),
                tickets: Vec::new(),
                title: String::new(),
                verdict_id: None,
                mentions: Vec::new(),
            },
            document: Bytes::from(vec![b'x'; 10]),
        })
    }

    fn ids(page: &Page) -> Vec<&str> {
        page.revisions.iter().map(|r| r.alert.id.as_str()).collect()
    }

    fn all(model: &ReadModel) -> Page {
        model.list(|_| true, None, 100)
    }

    #[test]
    fn the_newest_revision_stands_where_its_time_is() {
        let model = ReadModel::new(10);
        assert!(model.apply(&revision("a", 1, 1, Activity::Created)));
        assert!(model.apply(&revision("b", 1, 2, Activity::Created)));
        assert!(model.apply(&revision("a", 2, 3, Activity::Updated)));
        assert!(!model.apply(&revision("a", 2, 3, Activity::Updated)));
        assert_eq!(ids(&all(&model)), ["a", "b"]);
        assert_eq!(model.newest("a").unwrap().alert.revision, 2);
        assert_eq!(model.revisions("a").len(), 2);
        assert!(model.newest("c").is_none() && model.revisions("c").is_empty());
    }

    #[test]
    fn pages_join_without_gap_or_repeat() {
        let model = ReadModel::new(100);
        for n in 0..7 {
            model.apply(&revision(&format!("c{n}"), 1, n / 2, Activity::Created));
        }
        let whole = all(&model);
        let (mut joined, mut after) = (Vec::new(), None);
        loop {
            let page = model.list(|_| true, after.as_ref(), 3);
            assert_eq!(page.total, 7);
            joined.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse::<Cursor>().unwrap());
        }
        assert_eq!(joined, ids(&whole));
        for bad in ["", "x.a", "1"] {
            assert!(bad.parse::<Cursor>().is_err());
        }
    }

    #[test]
    fn the_oldest_closed_case_goes_first() {
        let model = ReadModel::new(3);
        model.apply(&revision("old-open", 1, 1, Activity::Created));
        model.apply(&revision("closed-1", 1, 2, Activity::Closed));
        model.apply(&revision("closed-2", 1, 3, Activity::Closed));
        model.apply(&revision("new", 1, 4, Activity::Created));
        assert_eq!(ids(&all(&model)), ["new", "closed-2", "old-open"]);
        model.apply(&revision("new-2", 1, 5, Activity::Created));
        model.apply(&revision("new-3", 1, 6, Activity::Created));
        assert_eq!(ids(&all(&model)), ["new-3", "new-2", "new"]);
        let counts = model.counts();
        assert_eq!((counts.open, counts.closed, counts.evicted), (3, 0, 3));
        assert!(model.newest("old-open").is_none());
        let since = model.held_since();
        assert_eq!(
            since,
            Some(Timestamp(4)),
            "`closed-2` of 3 went, `new` of 4 did not"
        );
    }

    #[test]
    fn bytes_and_revisions_are_bounded() {
        let model = ReadModel::bounded(100, 35);
        for n in 1..=5 {
            model.apply(&revision(&format!("c{n}"), 1, n, Activity::Created));
        }
        assert_eq!(ids(&all(&model)), ["c5", "c4", "c3"]);
        assert_eq!(model.counts().bytes, 30);
        model.forget("c4");
        assert_eq!(
            (model.counts().bytes, ids(&all(&model))),
            (20, vec!["c5", "c3"])
        );

        let model = ReadModel::new(5);
        for n in 1..=REVISIONS_MAX as u64 + 9 {
            model.apply(&revision("a", n, 1, Activity::Updated));
        }
        assert_eq!(model.revisions("a").len(), REVISIONS_MAX);
        assert_eq!(model.revisions("a")[0].alert.revision, 10);
        assert_eq!(model.counts().bytes, REVISIONS_MAX * 10);
    }
}
