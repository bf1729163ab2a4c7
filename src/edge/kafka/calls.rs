//! Calls of the client that are repeated, and one that may never return.

use super::transaction::classify;
use crate::edge::clock::Deadline;
use crate::edge::log::{ErrorClass, LogError};
use rdkafka::error::KafkaResult;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Between repetitions of a call that failed at once.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Calls until it succeeds, fails otherwise than retriably, or the deadline leaves its outcome
/// unknown.
pub(super) fn repeat(
    within: Duration,
    mut attempt: impl FnMut() -> Result<(), LogError>,
) -> Result<(), LogError> {
    let deadline = Deadline::after(within);
    loop {
        let Err(error) = attempt() else { return Ok(()) };
        if !error.is_retriable() {
            return Err(error);
        }
        if deadline.has_passed() {
            let class = ErrorClass::Unknown;
            return Err(LogError { class, ..error });
        }
        thread::sleep(RETRY_PAUSE);
    }
}

/// Makes a call that may never return: librdkafka waits without end where the coordinator of the group
/// that it remembers is gone (librdkafka issues 5456 and 5511). Such a call is left to itself on its
/// thread, with its client; a renewed producer fences whatever it still does.
pub(super) fn within(
    name: &'static str,
    limit: Duration,
    call: impl FnOnce() -> KafkaResult<()> + Send + 'static,
) -> Result<(), LogError> {
    let (told, answer) = mpsc::sync_channel(1);
    // Nobody listens any more to a call that was given up.
    let body = move || drop(told.send(call()));
    let failed = |class, detail: &str| Err(LogError::new(class, name, detail));
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(body);
    if spawned.is_err() {
        return failed(ErrorClass::Abort, "no thread can be started");
    }
    match answer.recv_timeout(limit) {
        Ok(result) => result.map_err(|error| classify(name, &error)),
        Err(RecvTimeoutError::Timeout) => failed(ErrorClass::Unknown, "the client never answered"),
        Err(RecvTimeoutError::Disconnected) => failed(ErrorClass::Fatal, "the call panicked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::{KafkaError, RDKafkaErrorCode};
    use std::cell::Cell;

    #[test]
    fn a_retriable_call_is_repeated_until_its_outcome_is_unknown() {
        let timed_out = || Err(LogError::new(ErrorClass::Retriable, "commit", "timed out"));
        let error = repeat(Duration::ZERO, timed_out).unwrap_err();
        assert_eq!(error.class, ErrorClass::Unknown);

        let calls = Cell::new(0);
        let third_time = || {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { timed_out() } else { Ok(()) }
        };
        assert_eq!(repeat(Duration::from_secs(60), third_time), Ok(()));
        assert_eq!(calls.get(), 3);
    }

    #[test]
    fn a_call_that_never_returns_is_given_up() {
        let (release, held) = mpsc::channel::<()>();
        let hanging = move || {
            assert!(held.recv().is_err());
            Ok(())
        };
        let error = within("send_offsets", Duration::from_millis(1), hanging).unwrap_err();
        assert_eq!(error.class, ErrorClass::Unknown);
        drop(release);

        let limit = Duration::from_secs(60);
        let refused = || {
            Err(KafkaError::MessageProduction(
                RDKafkaErrorCode::MessageSizeTooLarge,
            ))
        };
        assert_eq!(within("send_offsets", limit, || Ok(())), Ok(()));
        let error = within("send_offsets", limit, refused).unwrap_err();
        assert_eq!(error.class, ErrorClass::Abort);
    }
}
