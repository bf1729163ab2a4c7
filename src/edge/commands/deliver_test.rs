//! `deskwarden deliver test`: sends a marked test to one sink and shows what went out and what came
//! back.

use std::io::Write;

use sha2::{Digest, Sha256};

use crate::collect::time::Timestamp;
use crate::deliver::notice::Notice;
use crate::deliver::route::Decision;
use crate::edge::clock;
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Needs, SinkSetup};
use crate::edge::log::{OwnedRecord, Partition};
use crate::edge::sinks::outcome::Outcome;
use crate::edge::sinks::{Payload, Ready, Wire};

/// Characters of an answer that are shown.
const ANSWER_CHARS_MAX: usize = 2_000;
const STARS: &str = "***";

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden deliver test on-call --config deskwarden.yaml
  deskwarden deliver test on-call --config deskwarden.yaml --resolve
  deskwarden deliver test siem --config deskwarden.yaml --dry-run

The message is marked as a test (verdict \"test\", label `test`); it reaches people as an alert would,
whatever the sink's severities and patterns. Nothing is tried twice.
Exit codes: 0 the receiver took it; 1 it did not; 2 there is no such sink; 64 the configuration is
wrong.")]
pub struct Args {
    /// Name of the sink in the configuration.
    sink: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// Take the call back afterwards, with the same key.
    #[arg(long)]
    resolve: bool,
    /// Show the request and send nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Sends the test.
///
/// # Errors
/// A configuration that is wrong, or a sink that it does not have.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Nothing)?;
    let setup = named(&config, &args.sink)?;
    let mut sink = config
        .sink(setup)
        .map_err(|fault| CommandError::sink(setup, &fault))?;
    let wire = Wire::new(setup).map_err(|fault| CommandError::sink(setup, &fault))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let now = clock::now();
    let mut steps = vec![Decision::Trigger];
    steps.extend(args.resolve.then_some(Decision::Resolve));
    for decision in steps {
        let ready = ready(&config, &setup.name, decision, now)?;
        for delivery in sink.deliveries(&[ready], now) {
            show(out, decision, &delivery.payload)?;
            if args.dry_run || setup.dry_run {
                writeln!(out, "not sent: a dry run")?;
                continue;
            }
            let outcome = runtime.block_on(attempt(&wire, &delivery.payload, out))?;
            if let Some(why) = outcome {
                writeln!(out, "failed: {why}")?;
                return Ok(Ending::Refused);
            }
            writeln!(out, "taken by {}", setup.receiver.as_str())?;
        }
    }
    Ok(Ending::Clean)
}

fn named<'c>(config: &'c Config, name: &str) -> Result<&'c SinkSetup, CommandError> {
    let found = config.sinks.iter().find(|setup| setup.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = config.sinks.iter().map(|s| s.name.as_str()).collect();
        let there = if names.is_empty() {
            "the configuration has no sinks; add one under `sinks:`".to_owned()
        } else {
            format!("the configuration has {}", names.join(", "))
        };
        CommandError::Usage(format!("no sink `{name}`: {there}"))
    })
}

/// Why it was not taken, or nothing.
async fn attempt(
    wire: &Wire,
    payload: &Payload,
    out: &mut dyn Write,
) -> Result<Option<String>, std::io::Error> {
    let outcome = match (wire, payload) {
        (Wire::Http(client), Payload::Http(request)) => match client.exchange(request).await {
            Ok(answer) => {
                answered(out, answer.status, &answer.text())?;
                let retry_after = answer.retry_after.as_deref();
                Outcome::of_status(answer.status, retry_after, &answer.text())
            }
            Err(outcome) => outcome,
        },
        (Wire::Slack(client), Payload::Slack(message)) => {
            let (outcome, said) = client.tell(message).await;
            for exchange in said {
                writeln!(out, "{}:", exchange.method)?;
                answered(out, exchange.status, &exchange.answer)?;
            }
            outcome
        }
        _ => wire.attempt(payload).await,
    };
    Ok(match outcome {
        Outcome::Delivered => None,
        Outcome::Passing { why, .. } | Outcome::Permanent { why } => Some(why),
    })
}

fn answered(out: &mut dyn Write, status: u16, body: &str) -> Result<(), std::io::Error> {
    writeln!(out, "< HTTP {status}")?;
    let shown: String = body.chars().take(ANSWER_CHARS_MAX).collect();
    for line in shown.lines() {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        writeln!(out, "< {line}")?;
    }
    Ok(())
}

/// What goes out, without what would let others write in our name.
fn show(out: &mut dyn Write, decision: Decision, payload: &Payload) -> Result<(), std::io::Error> {
    writeln!(out, "{}:", decision.as_str())?;
    match payload {
        Payload::Http(request) => {
            let host = request.url.host_str().unwrap_or_default();
            writeln!(out, "> POST {}://{host}/{STARS}", request.url.scheme())?;
            writeln!(out, "> content-type: {}", request.content_type)?;
            for (name, _) in &request.headers {
                writeln!(out, "> {name}: {STARS}")?;
            }
            if let Some(signing) = &request.signing {
                writeln!(out, "> webhook-id: {}", signing.id)?;
                writeln!(out, "> webhook-signature: {} keys", signing.keys.len())?;
            }
            show_body(out, &request.body)?;
        }
        // It is posted where the channel does not show the case yet, and changed where it does.
        Payload::Slack(message) => show_body(out, message.first().as_bytes())?,
        Payload::Frames(frames) => {
            for line in String::from_utf8_lossy(frames).lines() {
                writeln!(out, "> {line}")?;
            }
        }
    }
    Ok(())
}

fn show_body(out: &mut dyn Write, body: &[u8]) -> Result<(), std::io::Error> {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(mut json) => {
            hide(&mut json);
            serde_json::to_string_pretty(&json).unwrap_or_default()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    for line in text.lines() {
        writeln!(out, "> {line}")?;
    }
    Ok(())
}

fn hide(body: &mut serde_json::Value) {
    if let Some(key) = body.get_mut("routing_key") {
        *key = STARS.into();
    }
}

/// A revision that nobody takes for a real one.
fn ready(
    config: &Config,
    sink: &str,
    decision: Decision,
    now: Timestamp,
) -> Result<Ready, CommandError> {
    let seed = format!("test|{sink}|{}", now.0);
    let hash = hex::encode(Sha256::digest(seed));
    let id = hash.get(..32).unwrap_or_default();
    let (number, activity) = match decision {
        Decision::Resolve => (2, 3),
        Decision::Trigger | Decision::Update | Decision::Withhold(_) => (1, 1),
    };
    let told = serde_json::json!({"severity_id": 5, "page": true});
    let before = if number == 1 {
        serde_json::json!({"severity_id": 0, "page": false})
    } else {
        told.clone()
    };
    let link = config
        .page_url
        .as_ref()
        .map(|page| format!("{page}/ui/alerts/{id}"));
    let mut document = serde_json::json!({
        "activity_id": activity, "category_uid": 2, "class_uid": 2004,
        "type_uid": 200_400 + activity, "time": now.0, "start_time": now.0, "end_time": now.0,
        "severity_id": 5, "severity": "Critical", "status_id": if number == 1 { 1 } else { 4 },
        "is_alert": number == 1, "risk_score": 100, "verdict_id": 6,
        "message": format!("Test of the sink {sink}: nothing happened, nothing is to be done"),
        "metadata": {
            "version": "1.5.0", "profiles": ["incident"], "uid": format!("{id}:{number}"),
            "sequence": number, "tenant_uid": config.tenant, "correlation_uid": id,
            "product": {"name": "Deskwarden", "vendor_name": "Deskwarden",
                "version": env!("CARGO_PKG_VERSION")},
            "labels": ["test"],
        },
        "finding_info": {
            "uid": id, "title": "Test of a sink", "types": [],
            "analytic": {"uid": "TEST", "name": "Test of a sink", "type_id": 1},
            "created_time": now.0, "modified_time": now.0,
            "first_seen_time": now.0, "last_seen_time": now.0,
        },
        "evidences": [{"uid": id, "name": "TEST Test of a sink", "verdict_id": 4,
            "data": {"pattern": "TEST", "family": "sequence", "points": 10_000, "state": "active"}}],
        "resources": [{"uid": "test", "name": "nobody", "type": "identity", "criticality": "standard"}],
        "unmapped": {"dedup_key": id, "page": true, "page_reason": "a test", "before": before,
            "peak": told},
    });
    if let Some(link) = link
        && let Some(info) = document.get_mut("finding_info")
        && let Some(info) = info.as_object_mut()
    {
        info.insert("src_url".to_owned(), link.into());
    }
    let value = document.to_string().into_bytes();
    let notice = Notice::read(&value).map_err(|fault| CommandError::Usage(fault.to_string()))?;
    Ok(Ready {
        notice,
        decision,
        record: OwnedRecord {
            partition: Partition::new("test", 0),
            offset: 0,
            timestamp: now,
            key: None,
            headers: Vec::new(),
            value: Some(value),
        },
    })
}
