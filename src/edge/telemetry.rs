//! Logs: JSON on standard error, one line per event, for people who search them.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::{self, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// Default of `log.level`.
pub const LEVEL_DEFAULT: &str = "info";
/// Levels that can be set.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
/// Longest name of a part of the code.
const TARGET_BYTES_MAX: usize = 64;
/// Longest value of a field: whatever it holds, a line stays readable.
pub const FIELD_BYTES_MAX: usize = 1 << 10;

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
    /// Not a level.
    #[error("`{0}` is no level: error, warn, info, debug, trace, off, or `target=level,…`")]
    Level(String),
    /// There are logs already.
    #[error("the logs were started twice")]
    Twice,
    /// Nobody writes them any more.
    #[error("the logs have ended")]
    Ended,
}

/// The logs of this process, while it runs: how much they tell can be changed.
#[derive(Clone)]
pub struct Logs {
    /// Takes a filter, if one is given, and tells the one in force.
    filter: Arc<dyn Fn(Option<EnvFilter>) -> Result<String, TelemetryError> + Send + Sync>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Logs").field(&self.level()).finish()
    }
}

impl Logs {
    fn new<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> Self {
        let filter = move |given: Option<EnvFilter>| {
            if let Some(filter) = given {
                let changed = handle.reload(filter);
                changed.map_err(|_| TelemetryError::Ended)?;
            }
            let current = handle.with_current(ToString::to_string);
            current.map_err(|_| TelemetryError::Ended)
        };
        Self {
            filter: Arc::new(filter),
        }
    }

    /// The level, or the filter, in force; empty where the logs have ended.
    #[must_use]
    pub fn level(&self) -> String {
        (self.filter)(None).unwrap_or_default()
    }

    /// Sets the level: `error`, `warn`, `info`, `debug`, `trace` or `off`, or `target=level,…`.
    ///
    /// # Errors
    /// It cannot be read, or names a target without a level, which is a misspelt level.
    pub fn set_level(&self, text: &str) -> Result<(), TelemetryError> {
        if !text.split(',').all(is_directive) {
            return Err(TelemetryError::Level(text.to_owned()));
        }
        (self.filter)(Some(filter(None, text)?)).map(drop)
    }
}

/// Starts the logs of the process. `rust_log` (the variable `RUST_LOG`) wins over `level`.
pub fn start(rust_log: Option<&str>, level: &str) -> Result<Logs, TelemetryError> {
    let (subscriber, logs) = json(filter(rust_log, level)?, std::io::stderr);
    subscriber.try_init().map_err(|_| TelemetryError::Twice)?;
    Ok(logs)
}

fn json<W>(filter: EnvFilter, writer: W) -> (impl Subscriber + Send + Sync, Logs)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .event_format(JsonLine)
        .with_env_filter(filter)
        .with_writer(writer)
        .with_filter_reloading();
    let logs = Logs::new(builder.reload_handle());
    (builder.finish(), logs)
}

/// Starts logs for somebody at a terminal, as `demo` and `replay` have them: warnings in plain
/// words, nothing else unless `rust_log` asks.
pub fn start_plain(rust_log: Option<&str>) -> Result<(), TelemetryError> {
    let colour = std::io::stderr().is_terminal();
    plain(filter(rust_log, "warn")?, std::io::stderr, colour)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}

fn plain<W>(filter: EnvFilter, writer: W, colour: bool) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let field = |writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        let value = Shown::of(FIELD_BYTES_MAX, |shown| write!(shown, "{value:?}"))?;
        match field.name() {
            "message" => writer.write_str(&value),
            name => write!(writer, "{name}={value}"),
        }
    };
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(colour)
        .with_env_filter(filter)
        .with_writer(writer)
        .fmt_fields(format::debug_fn(field).delimited(" "))
        .finish()
}

/// A text as it may stand in a log or header: control characters, and those that are not seen or
/// change the order in which others are, show as their number; cut at a character to `bytes_max`.
#[must_use]
pub fn shown(text: &str, bytes_max: usize) -> String {
    // Writing to it never fails.
    Shown::of(bytes_max, |shown| shown.write_str(text)).unwrap_or_default()
}

/// A text on its way into a log.
struct Shown {
    text: String,
    bytes_max: usize,
    is_full: bool,
}

impl Shown {
    fn of(
        bytes_max: usize,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> Result<String, fmt::Error> {
        let mut shown = Self {
            text: String::new(),
            bytes_max,
            is_full: false,
        };
        write(&mut shown)?;
        Ok(shown.text)
    }

    fn push(&mut self, part: &str) {
        self.is_full |= self.text.len() + part.len() > self.bytes_max;
        if !self.is_full {
            self.text.push_str(part);
        }
    }
}

impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.is_full {
                break;
            }
            if deceives(c) {
                self.push(&c.escape_unicode().to_string());
            } else {
                self.push(c.encode_utf8(&mut [0; 4]));
            }
        }
        Ok(())
    }
}

/// Whether a character makes a line look like something else than it is.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// One event as one line of JSON, its fields beside its level, time, target and thread.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let meta = event.metadata();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = JsonFields(String::new());
        event.record(&mut fields);
        let thread = std::thread::current();
        writeln!(
            writer,
            "{{\"timestamp\":{},\"level\":\"{}\"{},\"target\":{},\"threadName\":{}}}",
            quoted(&time),
            meta.level(),
            fields.0,
            quoted(meta.target()),
            quoted(thread.name().unwrap_or_default()),
        )
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(shown(text, FIELD_BYTES_MAX)).to_string()
}

/// The fields of an event, each after a comma.
struct JsonFields(String);

impl JsonFields {
    fn put(&mut self, field: &Field, value: &str) {
        self.0.push_str(",\"");
        self.0.push_str(field.name());
        self.0.push_str("\":");
        self.0.push_str(value);
    }
}

impl Visit for JsonFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, &serde_json::Value::from(value).to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, &quoted(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A value that cannot be written stands as far as it came.
        let text = Shown::of(FIELD_BYTES_MAX, |shown| write!(shown, "{value:?}"));
        let text = serde_json::Value::from(text.unwrap_or_default());
        self.put(field, &text.to_string());
    }
}

/// `info`, or `deskwarden=debug`. A filter may say more, and takes a misspelt level for a target.
fn is_directive(part: &str) -> bool {
    let (target, level) = part.split_once('=').unwrap_or(("_", part));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    LEVELS.contains(&level)
        && target.starts_with(starts)
        && target.len() <= TARGET_BYTES_MAX
        && target.chars().all(is_name)
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
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        fn writer(&self) -> impl Fn() -> Self + Send + Sync + 'static {
            let lines = self.clone();
            move || lines.clone()
        }
    }

    /// Ends the line, turns it round, hides in it, colours it, rings, and never ends.
    fn hostile() -> Vec<String> {
        let mut texts: Vec<String> = [
            "a\nb\r\n{\"level\":\"ERROR\"}",
            "\u{202e}gnihton\u{202c} \u{2066}x\u{2069} \u{61c}\u{200f}\u{200b}\u{feff}",
            "\u{1b}[31mred\u{1b}[0m\u{7}\u{0}\u{9b}2J\u{2028}\u{2029}\u{85}",
            "\\\"quotes\" and \u{e0041} tags",
        ]
        .map(str::to_owned)
        .to_vec();
        texts.push("é\u{202e}\n".repeat(100_000));
        texts
    }

    fn log(text: &str) {
        let error = io::Error::other(text.to_owned());
        tracing::warn!(text, shown = %text, debug = ?text, %error, number = -7, yes = true, "{text}");
    }

    #[test]
    fn a_line_is_what_it_looks_like() {
        for text in hostile() {
            let lines = Lines::default();
            let (subscriber, _) = json(EnvFilter::new("warn"), lines.writer());
            tracing::subscriber::with_default(subscriber, || log(&text));
            let written = lines.text();
            assert!(written.ends_with("}\n") && !written.trim_end_matches('\n').contains(deceives));
            let line: serde_json::Value = serde_json::from_str(&written).unwrap();
            let line = line.as_object().unwrap();
            for (name, value) in line {
                let value = value.as_str().unwrap_or_default();
                assert!(value.len() <= FIELD_BYTES_MAX, "{name}");
                assert!(!value.contains(deceives), "{name}: {value}");
            }
            assert_eq!(
                (&line["level"], &line["number"]),
                (&"WARN".into(), &(-7).into())
            );
            assert_eq!(line["text"], shown(&text, FIELD_BYTES_MAX));
            assert_eq!(line["text"], line["message"]);
            assert_eq!(line["text"], line["error"]);
            assert!(line.contains_key("timestamp") && line.contains_key("threadName"));
        }
    }

    #[test]
    fn how_much_is_told_is_changed_on_the_way() {
        let lines = Lines::default();
        let (subscriber, logs) = json(EnvFilter::new("warn"), lines.writer());
        tracing::subscriber::with_default(subscriber, || {
            let told = || tracing::info!("it is told");
            told();
            assert_eq!(lines.text(), "");
            logs.set_level("info").unwrap();
            told();
            assert_eq!(lines.text().matches("it is told").count(), 1);
            logs.set_level("deskwarden=warn,info").unwrap();
            told();
            assert_eq!(lines.text().matches("it is told").count(), 1);
            // A misspelt level would silence all but itself.
            for fault in ["debgu", "info,debgu", "", "a=b=c", "deskwarden"] {
                assert!(logs.set_level(fault).is_err(), "{fault}");
            }
            assert_eq!(logs.level(), "deskwarden=warn,info");
        });
    }

    #[test]
    fn a_plain_line_is_too() {
        for text in hostile() {
            let lines = Lines::default();
            let subscriber = plain(EnvFilter::new("warn"), lines.writer(), false);
            tracing::subscriber::with_default(subscriber, || log(&text));
            let written = lines.text();
            assert!(written.ends_with('\n'));
            let line = written.trim_end_matches('\n');
            assert!(!line.contains(deceives), "{line}");
            assert!(line.len() < 8 * FIELD_BYTES_MAX, "{}", line.len());
            assert!(line.contains("number=-7"), "{line}");
        }
    }

    #[test]
    fn what_is_shown_is_escaped_and_cut_at_a_character() {
        assert_eq!(shown("a\u{7}b", 99), "a\\u{7}b");
        assert_eq!(shown("ééé", 5), "éé");
        assert_eq!(
            shown("ab\u{202e}cd", 7),
            "ab",
            "an escape is whole or not there"
        );
    }

    #[test]
    fn the_environment_wins_and_faults_name_the_remedy() {
        assert_eq!(filter(None, "warn").unwrap().to_string(), "warn");
        assert_eq!(filter(Some(""), "warn").unwrap().to_string(), "warn");
        assert_eq!(filter(Some("debug"), "warn").unwrap().to_string(), "debug");
        let fault = filter(Some("a=b=c"), "warn").unwrap_err().to_string();
        assert!(fault.contains("`a=b=c`") && fault.contains("trace"));
    }
}
