//! What the loops share: one transaction, what its errors ask for, and how long the same trouble is
//! borne.

use std::sync::Arc;
use std::time::Duration;

use crate::edge::clock::Deadline;
use crate::edge::health::Worker;
use crate::edge::log::{ErrorClass, Log, LogError, Partition};
use crate::edge::tasks::Stop;

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
    /// Of such a one nobody knows whether it took effect: its producer was replaced.
    pub unknown: bool,
    /// How long a committed transaction took, from its begin on.
    pub commit: Duration,
}

impl Progress {
    /// Nothing happened.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.records == 0 && !self.committed && !self.aborted
    }
}

/// Cycles until it is told to stop; a cycle says whether the topic is there. Until it is, the log refuses
/// at once, so the wait is ours.
pub(super) fn until_stopped(
    stop: &Stop,
    wait: Duration,
    mut cycle: impl FnMut() -> Result<bool, LoopError>,
) -> Result<(), LoopError> {
    while !stop.is_set() {
        if !cycle()? {
            std::thread::park_timeout(wait);
        }
    }
    Ok(())
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
/// After something that the brokers do not allow: the client remembers a refusal until it asks again.
const DENIED_PAUSE: Duration = Duration::from_secs(1);

/// What a loop is watched by while a call takes long. Without one it works all the same.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Option<(Arc<Worker>, Stop)>);

impl Pulse {
    /// The pulse of a worker that ends with `stop`.
    #[must_use]
    pub const fn of(worker: Arc<Worker>, stop: Stop) -> Self {
        Self(Some((worker, stop)))
    }

    /// Still here.
    pub(super) fn beat(&self) {
        if let Some((worker, _)) = &self.0 {
            worker.beat();
        }
    }

    fn is_over(&self) -> bool {
        self.0.as_ref().is_some_and(|(_, stop)| stop.is_set())
    }

    /// Tells what stands against going on; `None` once nothing does.
    fn tell(&self, fault: Option<String>) {
        if let Some((worker, _)) = &self.0 {
            worker.set_fault(fault);
        }
    }
}

/// Counts failures in a row, and tells of trouble that passes by itself now and then.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
    quiet: Option<Deadline>,
    /// There was trouble, and until then it is not over.
    troubled: Option<Deadline>,
    /// The last commit is not settled before.
    settled: Option<Deadline>,
    pub(super) pulse: Pulse,
}

impl Patience {
    pub(super) const fn new() -> Self {
        Self {
            failures: 0,
            quiet: None,
            troubled: None,
            settled: None,
            pulse: Pulse(None),
        }
    }

    /// How long gathering goes on at least, so that the last commit is settled.
    pub(super) fn settling(&self) -> Duration {
        self.settled.map_or(Duration::ZERO, |until| until.left())
    }

    /// So long from now, and not before the last commit is settled.
    pub(super) fn until(&self, span: Duration) -> Deadline {
        Deadline::after(span.max(self.settling()))
    }

    /// A cycle was committed.
    fn reset(&mut self, settle: Duration) {
        self.failures = 0;
        self.settled = Some(Deadline::after(settle));
        if self.troubled.take_if(|until| until.has_passed()).is_some() {
            self.pulse.tell(None);
            tracing::info!("the log can be reached again");
        }
    }

    /// Sorts an error of a call outside any transaction: what the client repairs itself, or what may
    /// be asked again, is no reason to end.
    pub(super) fn bear(&mut self, error: LogError) -> Result<(), LoopError> {
        self.pulse.beat();
        if error.is_denied() {
            self.denied(&error);
            // What the client reports beside its work does not hold up the rest of it.
            if !error.is_noise() {
                std::thread::park_timeout(DENIED_PAUSE);
            }
            return Ok(());
        }
        match error.class {
            ErrorClass::Retriable | ErrorClass::Noise => {
                self.troubled = Some(Deadline::after(LOG_PAUSE));
                if self.may_log() {
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

    fn may_log(&mut self) -> bool {
        let may = self.quiet.is_none_or(|until| until.has_passed());
        if may {
            self.quiet = Some(Deadline::after(LOG_PAUSE));
        }
        may
    }

    /// Tells of something that the brokers do not allow. It is no failure: whoever changes that need
    /// not start the process again.
    fn denied(&mut self, error: &LogError) {
        self.troubled = Some(Deadline::after(LOG_PAUSE));
        self.pulse
            .tell(Some(format!("not allowed by the brokers: {error}")));
        if self.may_log() {
            tracing::error!(call = error.call, detail = %error.detail,
                "the brokers do not allow it; grant this user what the detail names, by their ACLs");
        }
    }

    fn spend(&mut self, error: LogError) -> Result<(), LoopError> {
        if error.is_denied() {
            self.denied(&error);
            std::thread::park_timeout(DENIED_PAUSE);
            return Ok(());
        }
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
        patience.reset(log.settle());
        return Ok(None);
    };
    recover(log, patience, error).map(Some)
}

/// As [`transact`], of a log that reads in no group: there are no offsets.
pub(super) fn transact_alone<L: Log>(
    log: &mut L,
    patience: &mut Patience,
    write: impl FnOnce(&mut L) -> Result<(), LogError>,
) -> Result<Option<Undone>, LoopError> {
    let done = log
        .begin()
        .and_then(|()| write(log))
        .and_then(|()| log.commit());
    let Err(error) = done else {
        patience.reset(log.settle());
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
    patience.pulse.beat();
    patience.spend(error)?;
    if !spent {
        match log.abort() {
            Ok(()) => return Ok(Undone::Aborted),
            Err(error) if error.is_fenced() => return Err(LoopError::Fenced(error)),
            Err(_) => {}
        }
    }
    renew(log, patience).map(|()| Undone::Renewed)
}

fn renew<L: Log>(log: &mut L, patience: &mut Patience) -> Result<(), LoopError> {
    let mut tries = 0;
    loop {
        patience.pulse.beat();
        let Err(error) = log.renew() else {
            return Ok(());
        };
        if error.is_denied() && !patience.pulse.is_over() {
            patience.denied(&error);
            std::thread::park_timeout(DENIED_PAUSE);
            continue;
        }
        tries += 1;
        match error.class {
            ErrorClass::Fenced => return Err(LoopError::Fenced(error)),
            _ if tries >= RENEWALS_MAX || patience.pulse.is_over() => {
                return Err(LoopError::Log(error));
            }
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
