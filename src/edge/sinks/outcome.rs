//! What became of one attempt to deliver.

use std::time::Duration;

/// Longest reason that is kept, in characters; a receiver can answer whatever it likes.
const WHY_CHARS_MAX: usize = 200;

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It may pass: the network, 429, 5xx.
    Passing {
        /// What happened.
        why: String,
        /// What the receiver asked for.
        after: Option<Duration>,
    },
    /// The receiver will never take it.
    Permanent {
        /// What it said.
        why: String,
    },
}

impl Outcome {
    /// Something that may pass, by our own observation.
    pub(super) fn passing(why: impl ToString) -> Self {
        Self::Passing {
            why: short(&why.to_string()),
            after: None,
        }
    }

    /// Something that may pass, by the receiver's own words.
    pub(super) fn later(why: impl ToString, retry_after: Option<&str>) -> Self {
        Self::Passing {
            why: short(&why.to_string()),
            after: retry_after
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
        }
    }

    /// Something that will not.
    pub(super) fn permanent(why: impl ToString) -> Self {
        Self::Permanent {
            why: short(&why.to_string()),
        }
    }

    /// The outcome of an HTTP answer. `Retry-After` in seconds is honoured; the form with a date is
    /// not: clocks differ.
    #[must_use]
    pub fn of_status(status: u16, retry_after: Option<&str>, body: &str) -> Self {
        let why = || format!("HTTP {status} {}", body.trim()).trim().to_owned();
        match status {
            200..=299 => Self::Delivered,
            // 408 and 425 ask for another try, 429 for one later.
            408 | 425 | 429 | 500.. => Self::later(why(), retry_after),
            _ => Self::permanent(why()),
        }
    }
}

/// One line of a receiver's words.
fn short(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(WHY_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted() {
        for (status, passing) in [
            (408, true),
            (425, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let outcome = Outcome::of_status(status, None, "");
            assert_eq!(
                matches!(outcome, Outcome::Passing { .. }),
                passing,
                "{status}"
            );
        }
        for status in [301, 400, 401, 403, 404, 410, 413, 422, 499] {
            let outcome = Outcome::of_status(status, None, "");
            assert!(matches!(outcome, Outcome::Permanent { .. }), "{status}");
        }
        assert_eq!(Outcome::of_status(202, None, "x"), Outcome::Delivered);
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept() {
        let after = |text| match Outcome::of_status(429, Some(text), "slow\ndown") {
            Outcome::Passing { after, why } => {
                assert_eq!(why, "HTTP 429 slow down");
                after
            }
            other @ (Outcome::Delivered | Outcome::Permanent { .. }) => panic!("{other:?}"),
        };
        assert_eq!(after(" 30 "), Some(Duration::from_secs(30)));
        assert_eq!(after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(after("-1"), None);
    }
}
