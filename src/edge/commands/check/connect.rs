//! What only the brokers know: whether they are there, what topics they hold, what they allow.

use std::collections::BTreeMap;

use crate::edge::commands::topics::declare::{changes, declared};
use crate::edge::commands::topics::{State, connect, inspect};
use crate::edge::commands::{CommandError, remedy};
use crate::edge::config::{Config, Fault};
use crate::edge::kafka::{TopicReader, try_group, try_transactions};
use crate::edge::log::LogError;
use crate::edge::log::topics::{self, Topic};

use super::Report;

/// Looks at the brokers, and reports. After the first that fails, what depends on it is left out.
pub(super) fn check(config: &Config, report: &mut Report) {
    if let Err(error) = look(config, report) {
        let fault = if let CommandError::Kafka {
            doing,
            detail,
            remedy,
        } = error
        {
            Fault::about(&doing, detail, remedy)
        } else {
            Fault::about("brokers", error.to_string(), "")
        };
        report.faults.push(fault);
    }
}

fn look(config: &Config, report: &mut Report) -> Result<(), CommandError> {
    let admin = connect(config)?;
    report
        .passed
        .push(format!("brokers: reached at {}", config.kafka.brokers));
    permissions(config, report);
    let state = inspect(config, &admin)?;
    topics(config, state, report)
}

fn permissions(config: &Config, report: &mut Report) {
    let settings = config.command_settings("check");
    let mut note = |what: &str, tried: Result<(), LogError>| match tried {
        Ok(()) => report.passed.push(what.to_owned()),
        Err(error) => {
            let fault = Fault::about(what, error.detail.clone(), remedy(&error));
            report.faults.push(fault);
        }
    };
    note("transactions", try_transactions(&settings));
    let events = config.topic(Topic::Events);
    for stage in config.role.stages() {
        let group = topics::group(&config.prefix, stage.as_str());
        let mut settings = settings.clone();
        settings.group.clone_from(&group);
        note(&format!("group {group}"), try_group(&settings, &events));
    }
}

fn topics(config: &Config, state: State, report: &mut Report) -> Result<(), CommandError> {
    for topic in &state.missing {
        let subject = format!("topic {}", config.topic(*topic));
        let remedy = "run `deskwarden topics apply`";
        report
            .faults
            .push(Fault::about(&subject, "does not exist", remedy));
    }
    let right = Topic::ALL.len() - state.missing.len();
    report.faults.extend(state.faults);
    report
        .passed
        .push(format!("topics: {right} of {} are there", Topic::ALL.len()));
    if state.missing.contains(&Topic::Control) {
        return Ok(());
    }
    let control = config.topic(Topic::Control);
    let settings = config.command_settings("check");
    let read: Result<BTreeMap<String, String>, LogError> =
        TopicReader::connect(&settings).and_then(|mut reader| declared(&mut reader, &control));
    let doing = format!("cannot read {control}");
    let present = read.map_err(|error| CommandError::kafka(doing, &error))?;
    for change in changes(config, &state.partitions, &present) {
        let subject = format!("source {}", change.name);
        let what = "the control topic does not declare it as it is configured";
        let remedy = "run `deskwarden topics apply`";
        report.faults.push(Fault::about(&subject, what, remedy));
    }
    Ok(())
}
