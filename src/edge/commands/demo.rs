//! `deskwarden demo`: the loops on the in-memory log, with a story: a day of several hundred people in
//! three systems, and three takeovers among it. No Kafka, no set-up.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::collect::directory::{ExportSetup, read_item};
use crate::collect::identity::Settings;
use crate::collect::parse::{Tape, parse};
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::text::Lexicon;
use crate::collect::time::{HOUR_MS, Timestamp};
use crate::correlate::rules;
use crate::correlate::rules::RuleSet;
use crate::correlate::rules::rule::Evidence;
use crate::edge::clock::{self, monotonic};
use crate::edge::commands::local::{Local, LocalSource};
use crate::edge::commands::{CommandError, Ending, alert_text};
use crate::edge::control;
use crate::edge::health::Health;
use crate::edge::http::feed::Feed;
use crate::edge::http::{ApiParts, HttpParts, HttpSettings, bind};
use crate::edge::log::Log;
use crate::edge::log::memory::{MemberSettings, MemoryBroker};
use crate::edge::log::topics::Topic;
use crate::edge::metrics::{self, DeliverMetrics};
use crate::edge::read_model::ReadModel;
use crate::edge::records::{Records, Shelf};
use crate::edge::stages::audit::Audit;
use crate::edge::stages::control::Control;
use crate::edge::stages::deliver::{Deliver, DeliverParts};
use crate::edge::story::Story;
use crate::edge::tasks::{GRACE, Stop, TaskError, Tasks, signalled};

/// How long the day of the story takes.
const DAY_SECONDS: f64 = 40.0;
/// Records fed between two looks at the clock.
const BATCH_RECORDS: usize = 200;
/// So many alerts may a client of the live feed be behind.
const QUEUE_MAX: usize = 1_024;
const CASES_MAX: usize = 10_000;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden demo
  deskwarden demo --exit-after-alerts 1 | jq .message
  deskwarden demo --seed 7 --people 800 --listen 127.0.0.1:9000

Exit codes: 0 ended by Ctrl-C, or so many alerts were printed; 1 the day was over with fewer; 2 it could
not be run as given.")]
pub struct Args {
    /// Address of the page; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:8040")]
    listen: SocketAddr,
    /// Address of health and metrics.
    #[arg(long, default_value = "127.0.0.1:8041")]
    ops_listen: SocketAddr,
    /// Another seed is another day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many people there are.
    #[arg(long, default_value_t = 400)]
    people: usize,
    /// For scripts: prints so many paging alerts as OCSF, one a line, and ends.
    #[arg(long, value_name = "N")]
    exit_after_alerts: Option<usize>,
}

/// Runs the demo.
///
/// # Errors
/// An address that is not to be had.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let bound = bind(&HttpSettings {
        listen: Some(args.listen),
        ops_listen: args.ops_listen,
        ..HttpSettings::default()
    })?;
    let fault = |e: &dyn std::fmt::Display| CommandError::Usage(e.to_string());
    let now = clock::now();
    let midnight = Timestamp(now.utc_day() * 24 * HOUR_MS);
    let story = Story::on(args.seed, args.people, midnight);
    if let Some(page) = bound.api() {
        tell(notes, &story, &format!("http://{page}/"))?;
    }
    let rules = embedded()?;
    let (local, records) = prepare(&story, Arc::clone(&rules)).map_err(|e| fault(&e))?;
    let registry = metrics::registry().map_err(|e| fault(&e))?;
    let counted = DeliverMetrics::register(&registry).map_err(|e| fault(&e))?;
    let model = Arc::new(ReadModel::new(CASES_MAX));
    let feed = Feed::new(QUEUE_MAX, counted.clone());
    let health = Health::default();
    let mut tasks = Tasks::default();
    let mut api = ApiParts::new(Arc::clone(&model), feed.clone(), counted.clone());
    api.rules = rules;
    api.records = Some(records);
    api.directory = Some(local.directory().clone());
    behind(&local, &mut api, &health, &mut tasks)?;
    let parts = HttpParts {
        api: Some(api),
        health: health.clone(),
        registry,
    };
    tasks.thread("http", move |stop| bound.serve(parts, stop))?;
    let parts = DeliverParts {
        topic: Arc::clone(local.names().of(Topic::Alerts)),
        model,
        feed,
        metrics: counted,
    };
    let reader = reader(local.broker(), "deliver");
    let worker = health.worker("deliver-0");
    tasks.thread("deliver-0", move |stop| {
        Deliver::new(reader, parts, worker).run(&stop)
    })?;
    play_and_show(args, local, &story, tasks, out)
}

/// The rules of the program.
fn embedded() -> Result<Arc<RuleSet>, CommandError> {
    let faults = |faults: Vec<rules::RuleFault>| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        CommandError::Usage(lines.join("; "))
    };
    rules::embedded_set().map(Arc::new).map_err(faults)
}

/// What is behind the API: the desk, and the audit records that are held.
fn behind(
    local: &Local,
    api: &mut ApiParts,
    health: &Health,
    tasks: &mut Tasks,
) -> Result<(), CommandError> {
    let (desk, desk_end) = control::desk();
    api.desk = Some(desk);
    let (log, topic) = (
        reader(local.broker(), "control"),
        Arc::clone(local.names().of(Topic::Control)),
    );
    let worker = health.worker("control-0");
    tasks.thread("control-0", move |stop| {
        Control::new(log, topic, desk_end, worker).run(&stop)
    })?;
    let (log, topic) = (
        reader(local.broker(), "audit"),
        Arc::clone(local.names().of(Topic::Audit)),
    );
    let (worker, trail) = (health.worker("audit-0"), api.trail.clone());
    tasks.thread("audit-0", move |stop| {
        Audit::new(log, topic, trail, worker).run(&stop)
    })?;
    Ok(())
}

fn tell(notes: &mut dyn Write, story: &Story, page: &str) -> Result<(), CommandError> {
    let bold = |text: &str| {
        if std::io::stderr().is_terminal() {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    writeln!(
        notes,
        "A day of {} people in Okta, ServiceNow and Amazon Connect, {} raw records, told in {} s.\n\
         Among it three help-desk takeovers. Open {} and watch them come in.\n\n\
         What you see there: each row is a case of one person; the score is made of findings, and each\n\
         finding names its events. Open one: lanes show ticket, call, recovery, device and session in\n\
         the order of event time; below stands which control was missing, how the score adds up, and\n\
         what to do. Ctrl-C ends the demo; nothing is kept.\n",
        story.people(),
        story.records().len(),
        DAY_SECONDS,
        bold(page)
    )?;
    Ok(())
}

/// The loops, with the people of the story and everything that happened before its day.
fn prepare(
    story: &Story,
    rules: Arc<RuleSet>,
) -> Result<(Local, Records), crate::edge::log::LogError> {
    let source = |name: &str, product, evidence: &[Evidence]| {
        let mut setup = SourceSetup::new(name, product);
        setup.keep_unread = false;
        LocalSource::new(setup, evidence.to_vec())
    };
    let sources = vec![
        source("okta", Product::Okta, &[]),
        source(
            "servicenow",
            Product::ServiceNow,
            &[Evidence::Ticket, Evidence::Approval, Evidence::Verify],
        ),
        source(
            "amazon_connect",
            Product::AmazonConnect,
            &[Evidence::Callback, Evidence::Transcript],
        ),
    ];
    let settings = Settings {
        key: b"the demo keeps nothing".to_vec().into(),
        ..Settings::default()
    };
    let refuse =
        |e: String| crate::edge::log::LogError::new(crate::edge::log::ErrorClass::Fatal, "demo", e);
    let lexicon = Lexicon::embedded().map_err(|e| refuse(e.to_string()))?;
    let start = story
        .records()
        .next()
        .map_or_else(|| story.begins(), |first| first.time);
    let topics = sources.iter().map(LocalSource::topic).collect();
    let tools = (settings.clone(), Arc::new(lexicon));
    let mut local = Local::new("demo", rules, sources, tools, start)?;
    local.keep_sources();
    let shelf = Shelf::Memory(local.broker().clone());
    let records = Records::new(shelf, topics, settings.clone());
    let mut tape = Tape::default();
    for (product, line) in story.directory() {
        let setup = ExportSetup {
            issuer: None,
            names: settings.names.clone(),
            read_at: story.begins(),
        };
        let account = parse(&mut tape, &line)
            .and_then(|item| read_item(product.directory_system(), item, &setup))
            .map_err(|reject| refuse(reject.to_string()))?;
        local.account(&account)?;
    }
    Ok((local, records))
}

fn reader(broker: &MemoryBroker, name: &str) -> impl Log + use<> {
    broker.set_waiting(true);
    broker.connect(MemberSettings {
        group: format!("demo-{name}"),
        instance: None,
        transactional_id: format!("demo-{name}"),
        topics: Vec::new(),
    })
}

fn play_and_show(
    args: &Args,
    mut local: Local,
    story: &Story,
    mut tasks: Tasks,
    out: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let (told, alerts) = std::sync::mpsc::channel();
    let (story, wanted) = (story.clone(), args.exit_after_alerts);
    let (done, finished) = tokio::sync::oneshot::channel();
    tasks.thread("story", move |stop| {
        play(&mut local, &story, &stop, wanted, &told)?;
        drop(told);
        let is_enough = wanted.is_some();
        if is_enough {
            // Nobody listens any more only where the process ends already.
            let _ = done.send(());
        }
        linger(&mut local, &stop)
    })?;
    let asked = async {
        tokio::select! {
            Ok(()) = finished => Ok("enough alerts"),
            signal = signalled() => signal,
        }
    };
    let ending = tasks.run(asked, GRACE)?;
    let mut printed = 0;
    for alert in alerts.iter().take(wanted.unwrap_or(0)) {
        let alert: Vec<u8> = alert;
        out.write_all(&alert)?;
        out.write_all(b"\n")?;
        printed += 1;
    }
    let short = wanted.is_some_and(|wanted| printed < wanted);
    if ending.exit_code() != 0 {
        return Err(CommandError::Usage(ending.to_string()));
    }
    Ok(if short {
        Ending::Refused
    } else {
        Ending::Clean
    })
}

/// The page stays after the day is over, and what people decide there is worked off.
fn linger(local: &mut Local, stop: &Stop) -> Result<(), TaskError> {
    while !stop.is_set() {
        local.work()?;
        local.take_alerts();
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ok(())
}

/// Plays the story: history at once, the day in the time of the demo.
fn play(
    local: &mut Local,
    story: &Story,
    stop: &Stop,
    wanted: Option<usize>,
    told: &std::sync::mpsc::Sender<Vec<u8>>,
) -> Result<(), TaskError> {
    let last = story
        .records()
        .map(|r| r.time)
        .max()
        .unwrap_or_else(|| story.begins());
    let span = last.since(story.begins()).max(1);
    let began = monotonic();
    let mut paging = std::collections::BTreeSet::new();
    let mut in_batch = 0;
    for record in story.records() {
        if record.time >= story.begins() {
            let part = ratio(record.time.since(story.begins()), span);
            let due = Duration::from_secs_f64(DAY_SECONDS * part);
            while began.elapsed() < due && !stop.is_set() {
                std::thread::park_timeout(due.saturating_sub(began.elapsed()));
            }
        }
        local.pass(record.time)?;
        local.feed(record.source, &record.value)?;
        in_batch += 1;
        if in_batch >= BATCH_RECORDS || record.time >= story.begins() {
            in_batch = 0;
            local.work()?;
            if publish(local, &mut paging, told) >= wanted.unwrap_or(usize::MAX) || stop.is_set() {
                return Ok(());
            }
        }
    }
    local.work()?;
    local.pass(last.plus(3 * HOUR_MS))?;
    local.work()?;
    publish(local, &mut paging, told);
    Ok(())
}

/// Hands out alerts that page, each once; how many there were so far.
fn publish(
    local: &mut Local,
    paging: &mut std::collections::BTreeSet<Vec<u8>>,
    told: &std::sync::mpsc::Sender<Vec<u8>>,
) -> usize {
    for alert in local.take_alerts() {
        let value = alert.value.unwrap_or_default();
        let document: Value = serde_json::from_slice(&value).unwrap_or_default();
        if alert_text::pages(&document) && paging.insert(alert.key.unwrap_or_default()) {
            // The receiver is there until the thread has ended.
            drop(told.send(value));
        }
    }
    paging.len()
}

fn ratio(part: i64, whole: i64) -> f64 {
    let number = |n: i64| f64::from(i32::try_from(n / 1_000).unwrap_or(i32::MAX));
    number(part) / number(whole).max(1.0)
}
