//! The control topic as people use it: what is in force, and the desk at which new records are handed
//! in. The loop behind both is `edge/stages/control.rs`.

use super::assigned::Assigned;
use crate::collect::time::Timestamp;
use crate::correlate::controls::{Changed, Controls};
use crate::correlate::exempt::ControlEntry;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Records that wait to be written: a minute of a hurried team. More are refused, to be sent again.
const WAITING_MAX: usize = 64;

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Partition of the control topic.
    pub partition: i32,
    /// Offset there.
    pub offset: i64,
}

/// Why a record has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// The desk is full, closed, or has not read the topic yet.
    #[error("control records cannot be taken at the moment; nothing was written, try again")]
    Busy,
    /// The transaction was taken back.
    #[error("the brokers refused the record; nothing was written, try again")]
    Refused,
    /// Nobody knows.
    #[error("the brokers did not answer in time; look whether the record is there, then try again")]
    Unknown,
}

/// A record to be written, and who waits for its place.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) done: oneshot::Sender<Result<Written, Unwritten>>,
}

/// What the control topic holds, as a correlator reads it.
#[derive(Debug, Default)]
struct Model {
    controls: RwLock<Controls>,
    assigned: RwLock<Assigned>,
    is_filled: AtomicBool,
}

/// Where records are handed in and what is in force is asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    model: Arc<Model>,
    orders: SyncSender<Order>,
}

/// The other side of a [`Desk`], for the loop that serves it.
#[derive(Debug)]
pub struct DeskEnd {
    model: Arc<Model>,
    pub(crate) orders: Receiver<Order>,
}

/// A desk and its end.
#[must_use]
pub fn desk() -> (Desk, DeskEnd) {
    let (sender, orders) = sync_channel(WAITING_MAX);
    let model = Arc::<Model>::default();
    let end = DeskEnd {
        model: Arc::clone(&model),
        orders,
    };
    let orders = sender;
    (Desk { model, orders }, end)
}

/// What holds for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Silences.
    Silences,
    /// Exemptions.
    Exemptions,
}

impl Desk {
    /// Whether all that lay in the topic at the start has been read.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.model.is_filled.load(Ordering::Acquire)
    }

    /// Whether there is a place for another entry.
    #[must_use]
    pub fn has_room(&self, entry: &ControlEntry) -> bool {
        self.model.read().in_force().has_room(entry)
    }

    /// What is in force at a moment or will be, in order of the ids, each with its id and whether it
    /// holds at that moment.
    #[must_use]
    pub fn list(&self, what: Held, now: Timestamp) -> Vec<Value> {
        let controls = self.model.read();
        let wanted = |entry: &ControlEntry| match entry {
            ControlEntry::Silence(_) => what == Held::Silences,
            ControlEntry::Exemption(_) => what == Held::Exemptions,
            ControlEntry::Disposition(_)
            | ControlEntry::Assignment(_)
            | ControlEntry::SourceDeclared(_)
            | ControlEntry::SourceRemoved(_) => false,
        };
        let mut listed = Vec::new();
        for (id, entry) in controls.in_force().entries() {
            let Some((from, to)) = entry.valid().filter(|(_, to)| *to > now) else {
                continue;
            };
            let record = controls.records().get(id).filter(|_| wanted(entry));
            let record = record.and_then(|json| serde_json::from_slice(json).ok());
            if let Some(Value::Object(mut fields)) = record {
                fields.insert("id".to_owned(), id.into());
                fields.insert("holds".to_owned(), (from <= now && now < to).into());
                listed.push(Value::Object(fields));
            }
        }
        listed
    }

    /// Who has a case.
    #[must_use]
    pub fn assignee(&self, alert: &str) -> Option<Arc<str>> {
        self.model.assigned().of(alert)
    }

    /// Who has which case, in order of the alerts.
    #[must_use]
    pub fn assignments(&self) -> Vec<(String, Arc<str>)> {
        self.model.assigned().all()
    }

    /// Hands a record in; does not wait for anything.
    pub(crate) fn hand_in(
        &self,
        key: String,
        value: Vec<u8>,
    ) -> Result<oneshot::Receiver<Result<Written, Unwritten>>, Unwritten> {
        let (done, written) = oneshot::channel();
        let order = Order { key, value, done };
        match self.orders.try_send(order) {
            Ok(()) => Ok(written),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Unwritten::Busy),
        }
    }
}

impl Model {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Controls> {
        self.controls.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn assigned(&self) -> std::sync::RwLockReadGuard<'_, Assigned> {
        self.assigned.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has a case from now on.
    fn assign(&self, alert: &str, assignee: Option<&str>) {
        let assigned = self.assigned.write();
        let mut assigned = assigned.unwrap_or_else(PoisonError::into_inner);
        if assigned.put(alert, assignee) {
            tracing::warn!("more cases are assigned than are remembered; the oldest are forgotten");
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Controls> {
        self.controls
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeskEnd {
    /// Takes a record of the topic in; whether it can be used.
    pub(crate) fn take(&self, id: &str, json: Option<&[u8]>) -> bool {
        if let (None, Some(alert)) = (json, id.strip_prefix("assignment/")) {
            self.model.assign(alert, None);
        }
        let changed = self.model.write().put(id, json);
        if let Changed::Assigned(assignment) = &changed {
            let alert = assignment.alert.to_string();
            self.model.assign(&alert, assignment.assignee.as_deref());
        }
        changed != Changed::Refused
    }

    /// Forgets what is over.
    pub(crate) fn expire(&self, now: Timestamp) {
        self.model.write().expire(now);
    }

    /// Everything that lay in the topic at the start has been read.
    pub(crate) fn filled(&self) {
        self.model.is_filled.store(true, Ordering::Release);
    }
}
