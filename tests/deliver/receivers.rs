//! Every receiver by name, with the settings of the tests.

use deskwarden::collect::time::Timestamp;
use deskwarden::deliver::encode::alertmanager::{self, Alertmanager, Change};
use deskwarden::deliver::encode::cef::{self, Cef};
use deskwarden::deliver::encode::ecs;
use deskwarden::deliver::encode::pagerduty::{self, PagerDuty};
use deskwarden::deliver::encode::slack::bot::Bot;
use deskwarden::deliver::encode::slack::{self, Slack};
use deskwarden::deliver::encode::splunk::{self, Splunk};
use deskwarden::deliver::encode::syslog::{self, Syslog};
use deskwarden::deliver::encode::teams::{self, Teams};
use deskwarden::deliver::encode::webhook::{self, Webhook};
use deskwarden::deliver::notice::Notice;
use deskwarden::deliver::pii::Masking;
use deskwarden::deliver::route::Decision;

/// When the records of the tests were published.
pub const PUBLISHED: Timestamp = Timestamp(1_772_444_400_250);
/// When messages are sent.
pub const NOW: Timestamp = Timestamp(1_772_600_000_000);
pub const HOLD_MS: i64 = 240_000;

pub const RECEIVERS: [&str; 8] = [
    "pagerduty",
    "alertmanager",
    "slack",
    "teams",
    "webhook",
    "syslog",
    "splunk",
    "ecs",
];

pub fn document(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/ocsf/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

pub fn notice(name: &str) -> Notice {
    Notice::read(&document(name)).unwrap()
}

pub fn pagerduty(masking: Masking) -> PagerDuty {
    PagerDuty {
        routing_key: "0123456789abcdef0123456789abcdef".into(),
        masking,
    }
}

/// As a bot.
pub fn slack_bot(masking: Masking) -> Bot {
    Bot {
        channel: "C024BE7LR".into(),
        sink: "chat".into(),
        slack: Slack { masking },
    }
}

pub fn syslog() -> Syslog {
    Syslog {
        facility: syslog::FACILITY_DEFAULT,
        hostname: "desk1.example.com".into(),
    }
}

/// The message of one receiver.
pub fn encode(receiver: &str, notice: &Notice, decision: Decision, masking: Masking) -> String {
    match receiver {
        "pagerduty" => pagerduty::event(notice, decision, &pagerduty(masking)),
        "alertmanager" => {
            let change = Change::of(notice, decision, &Alertmanager { masking }, None);
            let posts = change.firing.iter().chain(&change.ended);
            alertmanager::alerts(posts, NOW, HOLD_MS)
        }
        "slack" => slack::message(notice, decision, &Slack { masking }),
        "teams" => teams::message(notice, decision, &Teams { masking }),
        "webhook" => webhook::body(notice, decision, &Webhook { masking }),
        "syslog" => {
            let message = cef::message(notice, decision, &Cef { masking }, PUBLISHED);
            syslog::line(notice, &message, &syslog(), PUBLISHED)
        }
        "splunk" => {
            let settings = Splunk {
                host: Some("desk1.example.com".into()),
                source: "deskwarden".into(),
                masking,
                ..Splunk::default()
            };
            splunk::event(notice, &settings)
        }
        "ecs" => ecs::document(notice, masking, PUBLISHED),
        other => panic!("no receiver {other}"),
    }
}
