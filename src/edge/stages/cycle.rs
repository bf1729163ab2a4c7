//! What the loops share: one transaction, what its errors ask for, and how long the same trouble is
//! borne.

use std::time::Duration;

use crate::edge::clock::Deadline;
use crate::edge::log::{ErrorClass, Log, LogError, Partition};

/// The same cycle fails so often in a row before the process ends: a restart must be safe anyway.
const FAILURES_MAX: u32 = 5;
/// A new producer is asked for so often; each try waits for the broker by itself.
const RENEWALS_MAX: u32 = 20;

/// Why a loop ends.
#[derive(Debug, thiserror::Error)]
pub enum LoopError {
    /// Somebody else has this name.
    #[error("another process works under this instance name: {0}")]
    Fenced(LogError),
    /// The same trouble again and again.
    #[error("{FAILURES_MAX} cycles in a row failed: {0}")]
    Repeated(LogError),
    /// The log cannot be reached at all.
    #[error("{0}")]
    Log(LogError),
}

/// What a cycle did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records read.
    pub records: usize,
    /// Records written.
    pub written: usize,
    /// A transaction was committed.
    pub committed: bool,
    /// A transaction was taken back; its input comes again.
    pub aborted: bool,
}

impl Progress {
    /// Nothing happened.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.records == 0 && !self.committed && !self.aborted
    }
}

/// How a transaction that was not committed ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// It took no effect: undo, seek back, go on.
    Aborted,
    /// Nobody knows, and the producer is a new one: read positions and state again.
    Renewed,
}

/// Between two log lines about the same trouble.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Counts failures in a row, and tells of trouble that passes by itself now and then.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
    quiet: Option<Deadline>,
    troubled: bool,
}

impl Patience {
    pub(super) const fn new() -> Self {
        Self {
            failures: 0,
            quiet: None,
            troubled: false,
        }
    }

    /// A cycle was committed.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
        if std::mem::take(&mut self.troubled) {
            tracing::info!("the log can be reached again");
        }
    }

    /// Sorts an error of a call outside any transaction: what the client repairs itself, or what may
    /// be asked again, is no reason to end.
    pub(super) fn bear(&mut self, error: LogError) -> Result<(), LoopError> {
        match error.class {
            ErrorClass::Retriable | ErrorClass::Noise => {
                if self.quiet.is_none_or(|until| until.has_passed()) {
                    self.quiet = Some(Deadline::after(LOG_PAUSE));
                    self.troubled = true;
                    tracing::warn!(call = error.call, detail = %error.detail,
                        "the log cannot be reached as it should; trying on");
                }
                Ok(())
            }
            ErrorClass::Fenced => Err(LoopError::Fenced(error)),
            ErrorClass::Abort | ErrorClass::Unknown | ErrorClass::Fatal => {
                Err(LoopError::Log(error))
            }
        }
    }

    fn spend(&mut self, error: LogError) -> Result<(), LoopError> {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            return Err(LoopError::Repeated(error));
        }
        tracing::warn!(class = ?error.class, call = error.call, detail = %error.detail,
            "transaction taken back");
        Ok(())
    }
}

/// Runs one transaction: what `write` produces, and the offsets.
///
/// `Ok(None)`: committed.
pub(super) fn transact<L: Log>(
    log: &mut L,
    patience: &mut Patience,
    offsets: &[(Partition, i64)],
    write: impl FnOnce(&mut L) -> Result<(), LogError>,
) -> Result<Option<Undone>, LoopError> {
    let done = log
        .begin()
        .and_then(|()| write(log))
        .and_then(|()| log.send_offsets(offsets))
        .and_then(|()| log.commit());
    let Err(error) = done else {
        patience.reset();
        return Ok(None);
    };
    recover(log, patience, error).map(Some)
}

fn recover<L: Log>(
    log: &mut L,
    patience: &mut Patience,
    error: LogError,
) -> Result<Undone, LoopError> {
    if error.is_fenced() {
        return Err(LoopError::Fenced(error));
    }
    let spent = error.requires_renewal();
    patience.spend(error)?;
    if !spent {
        match log.abort() {
            Ok(()) => return Ok(Undone::Aborted),
            Err(error) if error.is_fenced() => return Err(LoopError::Fenced(error)),
            Err(_) => {}
        }
    }
    renew(log).map(|()| Undone::Renewed)
}

fn renew<L: Log>(log: &mut L) -> Result<(), LoopError> {
    let mut tries = 0;
    loop {
        let Err(error) = log.renew() else {
            return Ok(());
        };
        tries += 1;
        match error.class {
            ErrorClass::Fenced => return Err(LoopError::Fenced(error)),
            _ if tries >= RENEWALS_MAX => return Err(LoopError::Log(error)),
            ErrorClass::Retriable
            | ErrorClass::Abort
            | ErrorClass::Unknown
            | ErrorClass::Fatal
            | ErrorClass::Noise => {
                tracing::warn!(detail = %error.detail, "producer not renewed yet");
            }
        }
    }
}
