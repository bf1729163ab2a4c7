//! The only file that asks what time it is.

use crate::collect::time::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock, ms UTC. For people and metrics: no finding depends on it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the file that asks")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is a broken clock; zero is as good an answer as any and never a panic.
    Timestamp(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}

/// The clock that never steps, for deadlines and durations.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the file that asks")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// A point in monotonic time that passes.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self(monotonic() + span)
    }

    /// What is left; zero once it has passed.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(monotonic())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_pass() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
        assert!(!Deadline::after(Duration::from_secs(60)).has_passed());
        assert!(now() > Timestamp(1_700_000_000_000));
    }
}
