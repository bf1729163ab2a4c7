//! The audit records held, shared between the loop that reads them and the API.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::deliver::trail::Trail;

#[derive(Debug, Default)]
struct Shared {
    trail: RwLock<Trail>,
    is_filled: AtomicBool,
}

/// A trail that one thread fills and any may read. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SharedTrail(Arc<Shared>);

impl SharedTrail {
    /// A trail that holds so many records at most.
    #[must_use]
    pub fn new(trail: Trail) -> Self {
        Self(Arc::new(Shared {
            trail: RwLock::new(trail),
            is_filled: AtomicBool::new(false),
        }))
    }

    /// The trail; while it is held nothing is taken in.
    pub fn read(&self) -> RwLockReadGuard<'_, Trail> {
        self.0.trail.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was to be read at the start has been.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.0.is_filled.load(Ordering::Acquire)
    }

    pub(crate) fn records_max(&self) -> usize {
        self.read().records_max()
    }

    /// Takes a record in; whether it is an audit record. Those before a first one are not held.
    pub(crate) fn put(&self, partition: i32, offset: i64, value: Vec<u8>, is_first: bool) -> bool {
        let shared = &self.0.trail;
        let mut trail = shared.write().unwrap_or_else(PoisonError::into_inner);
        let time = trail.put(partition, offset, value);
        if let Some(time) = time.filter(|_| is_first) {
            trail.begins(time);
        }
        time.is_some()
    }

    pub(crate) fn filled(&self) {
        self.0.is_filled.store(true, Ordering::Release);
    }
}
