//! Logs: JSON on standard error, one line per event, for people who search them.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Default of `log.level`.
pub const LEVEL_DEFAULT: &str = "info";

/// Why the logs could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error(
        "the log filter `{filter}` cannot be read: {cause}; write a level (error, warn, info, \
         debug, trace) or `target=level,…`"
    )]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        cause: ParseError,
    },
    /// There are logs already.
    #[error("the logs were started twice")]
    Twice,
}

/// Starts the logs of the process. `rust_log` (the variable `RUST_LOG`) wins over `level`.
pub fn start(rust_log: Option<&str>, level: &str) -> Result<(), TelemetryError> {
    let filter = filter(rust_log, level)?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_thread_names(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}

/// Starts logs for somebody at a terminal, as `demo` and `replay` have them: warnings in plain
/// words, nothing else unless `rust_log` asks.
pub fn start_plain(rust_log: Option<&str>) -> Result<(), TelemetryError> {
    let filter = filter(rust_log, "warn")?;
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}

fn filter(rust_log: Option<&str>, level: &str) -> Result<EnvFilter, TelemetryError> {
    let text = rust_log.filter(|text| !text.is_empty()).unwrap_or(level);
    EnvFilter::try_new(text).map_err(|cause| TelemetryError::Filter {
        filter: text.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_and_faults_name_the_remedy() {
        assert_eq!(filter(None, "warn").unwrap().to_string(), "warn");
        assert_eq!(filter(Some(""), "warn").unwrap().to_string(), "warn");
        assert_eq!(filter(Some("debug"), "warn").unwrap().to_string(), "debug");
        let fault = filter(Some("a=b=c"), "warn").unwrap_err().to_string();
        assert!(fault.contains("`a=b=c`") && fault.contains("trace"));
    }
}
