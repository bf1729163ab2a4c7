//! Whether somebody works here, at a moment.

use crate::collect::time::Timestamp;
use crate::collect::words::Lifecycle;

/// The dates of one account, and what its last export said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Employment {
    pub(super) hired: Option<Timestamp>,
    pub(super) ends: Option<Timestamp>,
    pub(super) said: Lifecycle,
}

impl Employment {
    /// First day of work.
    pub(crate) const fn hired(self) -> Option<Timestamp> {
        self.hired
    }

    /// Employment at a moment.
    pub(crate) fn at(self, at: Timestamp) -> Lifecycle {
        if self.ends.is_some_and(|end| end <= at) {
            return Lifecycle::Leaver;
        }
        if self.hired.is_some_and(|hired| at < hired) {
            return Lifecycle::PreHire;
        }
        match self.said {
            Lifecycle::Leaver if self.ends.is_some() => Lifecycle::Active,
            Lifecycle::PreHire if self.hired.is_some() => Lifecycle::Active,
            said @ (Lifecycle::Active
            | Lifecycle::PreHire
            | Lifecycle::OnLeave
            | Lifecycle::Leaver
            | Lifecycle::Unknown) => said,
        }
    }
}
