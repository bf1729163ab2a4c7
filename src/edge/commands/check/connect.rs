//! What only the brokers know: whether they are there, what topics they hold, what they allow.

use std::collections::BTreeMap;

use crate::edge::commands::topics::declare::{changes, declared};
use crate::edge::commands::topics::{State, connect, inspect};
use crate::edge::commands::{CommandError, remedy};
use crate::edge::config::{Config, Fault, Stage};
use crate::edge::kafka::{TopicReader, try_group, try_transactions};
use crate::edge::log::LogError;
use crate::edge::log::topics::{self, Topic};
use crate::edge::sinks::reach::{Knocked, knock};

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

/// Whether each receiver answers. Nothing is sent to it: `deskwarden deliver test` does.
fn receivers(config: &Config, report: &mut Report) -> Result<(), std::io::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for setup in &config.sinks {
        let subject = format!("sink {}", setup.name);
        match runtime.block_on(knock(setup)) {
            Ok(who) => report.passed.push(match who {
                Knocked::Receiver(address) => format!("{subject}: answers at {address}"),
                Knocked::BesideProxy(address) => format!(
                    "{subject}: answers at {address}, without the proxy: syslog does not go over it"
                ),
                Knocked::Proxy(address) => format!(
                    "{subject}: its proxy answers at {address}; `deskwarden deliver test {}` asks \
                     whether it lets alerts out",
                    setup.name
                ),
            }),
            Err(why) => {
                let remedy = "check its address, and that this machine may reach it";
                report.faults.push(Fault::about(&subject, why, remedy));
            }
        }
    }
    Ok(())
}

fn look(config: &Config, report: &mut Report) -> Result<(), CommandError> {
    receivers(config, report)?;
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
    let stages = config.role.stages().iter();
    let mut groups: Vec<String> = stages.map(|stage| stage.as_str().to_owned()).collect();
    if config.role.stages().contains(&Stage::Deliver) {
        let sinks = config.sinks.iter();
        groups.extend(sinks.map(|setup| Config::sink_group(&setup.name)));
    }
    for name in groups {
        let group = topics::group(&config.prefix, &name);
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
