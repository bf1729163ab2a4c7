//! `deskwarden audit`: what its commands share: which records are asked for, and reading the topic.

use std::ops::Range;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::collect::time::{DAY_MS, Timestamp, parse_time};
use crate::deliver::audit::{AuditRecord, Placed, Question};
use crate::edge::commands::CommandError;
use crate::edge::config::Config;
use crate::edge::kafka::TopicReader;
use crate::edge::log::topics::Topic;
use crate::edge::log::{LogError, OwnedRecord, Partition};

pub mod export;
pub mod show;
pub mod verify;

/// Records that one answer may hold: it is put into order in memory, about 2 KiB each.
const RECORDS_MAX: usize = 1_000_000;

/// Which records are asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Selection {
    /// Event time, from this moment on: a date (UTC) or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = from_named)]
    from: Option<Timestamp>,
    /// Event time, before this moment; of a date, its whole day counts.
    #[arg(long, value_name = "TIME", value_parser = to_named)]
    to: Option<Timestamp>,
    /// Whose account it was, or who asked, by identity id.
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Who performed or approved it, by identity id.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The ticket, by the number that people see.
    #[arg(long, value_name = "NUMBER")]
    ticket: Option<String>,
}

impl Selection {
    fn question(&self) -> Result<Question, CommandError> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            let what = "--from is not before --to: nothing lies between them";
            return Err(CommandError::Usage(what.to_owned()));
        }
        Ok(Question {
            from: self.from,
            to: self.to,
            person: self.person.clone(),
            agent: self.agent.clone(),
            ticket: self.ticket.clone(),
        })
    }
}

const TIMES: &str = "write a date such as 2024-05-06, or a moment such as 2024-05-06T10:00:00Z";

/// A moment, and whether a whole day was meant.
fn moment(text: &str) -> Result<(Timestamp, bool), String> {
    let is_date = text.len() == 10 && !text.contains(':');
    let whole = if is_date {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let is_named = whole.get(4..5) == Some("-") && whole.contains(['T', ' ']);
    let parsed = parse_time(&whole).filter(|_| is_named);
    parsed
        .map(|(moment, _)| (moment, is_date))
        .ok_or_else(|| TIMES.to_owned())
}

/// A moment from which on something counts: a date (UTC) or RFC 3339.
pub(super) fn from_named(text: &str) -> Result<Timestamp, String> {
    moment(text).map(|(moment, _)| moment)
}

fn to_named(text: &str) -> Result<Timestamp, String> {
    let (moment, is_date) = moment(text)?;
    Ok(if is_date { moment.plus(DAY_MS) } else { moment })
}

/// What was asked for.
struct Answer {
    /// In order, each with its bytes; these are empty if they were not wanted.
    records: Vec<(Placed, Vec<u8>)>,
    /// Records of the topic that are no audit records.
    unreadable: u64,
}

/// A reader of the audit topic.
struct AuditTopic {
    reader: TopicReader,
    topic: Arc<str>,
    /// Its partitions.
    count: i32,
}

impl AuditTopic {
    fn connect(config: &Config) -> Result<Self, CommandError> {
        super::topics::connect(config)?;
        let topic: Arc<str> = config.topic(Topic::Audit).into();
        let connected = TopicReader::connect(&config.command_settings("audit"));
        let counted = connected.and_then(|reader| {
            let count = reader.partition_count(&topic)?;
            Ok((reader, count))
        });
        let (reader, count) = counted.map_err(failed(&topic))?;
        Ok(Self {
            reader,
            topic,
            count,
        })
    }

    /// What each partition holds now: committed or aborted, nothing open.
    fn spans(&self) -> Result<Vec<(Partition, Range<i64>)>, CommandError> {
        let spans = (0..self.count).map(|number| {
            let partition = Partition::new(Arc::clone(&self.topic), number);
            let ends = self.reader.settled_ends(&partition)?;
            Ok((partition, ends.low..ends.high))
        });
        let spans: Result<Vec<_>, LogError> = spans.collect();
        spans.map_err(failed(&self.topic))
    }

    /// Reads all of that, with its progress on a terminal.
    fn read(
        &mut self,
        spans: &[(Partition, Range<i64>)],
        mut take: impl FnMut(OwnedRecord),
    ) -> Result<(), CommandError> {
        let offsets = spans.iter().map(|(_, span)| span.end - span.start);
        let progress = ProgressBar::new(u64::try_from(offsets.sum::<i64>()).unwrap_or(0));
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {eta} left")
        {
            progress.set_style(style);
        }
        let read = self.reader.read_spans(spans, |record| {
            progress.inc(1);
            take(record);
        });
        progress.finish_and_clear();
        read.map_err(failed(&self.topic))
    }

    /// The records that are asked for, with the bytes of each if they are wanted.
    fn ask(&mut self, question: &Question, is_with_bytes: bool) -> Result<Answer, CommandError> {
        let spans = self.spans()?;
        let mut found: Vec<(Placed, Vec<u8>)> = Vec::new();
        let (mut unreadable, mut is_too_much) = (0, false);
        self.read(&spans, |owned| {
            let value = owned.value.unwrap_or_default();
            let Some(record) = AuditRecord::read(&value) else {
                unreadable += 1;
                return;
            };
            is_too_much |= found.len() >= RECORDS_MAX;
            if is_too_much || !question.asks_for(&record) {
                return;
            }
            let (partition, offset) = (owned.partition.number, owned.offset);
            let placed = Placed {
                record,
                partition,
                offset,
            };
            found.push((placed, if is_with_bytes { value } else { Vec::new() }));
        })?;
        if is_too_much {
            return Err(CommandError::Usage(format!(
                "more than {RECORDS_MAX} records: ask for a shorter time with --from and --to"
            )));
        }
        found.sort_by_key(|(placed, _)| placed.order());
        Ok(Answer {
            records: found,
            unreadable,
        })
    }
}

fn failed(topic: &str) -> impl Fn(LogError) -> CommandError + use<> {
    let doing = format!("cannot read {topic}");
    move |error| CommandError::kafka(doing.clone(), &error)
}

/// What to say of records that cannot be read.
fn unreadable(count: u64) -> String {
    format!(
        "{count} records of the audit topic are no audit records and were left out: \
         `deskwarden audit verify` tells which"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_and_moments() {
        let day = 1_714_953_600_000;
        assert_eq!(from_named("2024-05-06"), Ok(Timestamp(day)));
        assert_eq!(to_named("2024-05-06"), Ok(Timestamp(day + DAY_MS)));
        let noon = Ok(Timestamp(day + DAY_MS / 2));
        for text in ["2024-05-06T12:00:00Z", "2024-05-06T14:00:00+02:00"] {
            assert_eq!(
                (from_named(text), to_named(text)),
                (noon.clone(), noon.clone())
            );
        }
        for text in [
            "",
            "noon",
            "2024-05",
            "2024-13-01",
            "1714953600",
            "5/6/2024 1:00 PM",
        ] {
            assert!(from_named(text).is_err(), "{text}");
        }
    }
}
