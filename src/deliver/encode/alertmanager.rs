//! Alertmanager v2: the body of `POST /api/v2/alerts`.
//!
//! Source: `prometheus/alertmanager`, `api/v2/openapi.yaml`, `postableAlert`. An alert is its label set;
//! what fires must be posted again and again, or it ends by itself.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::encode::facts::{facts, json};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::severity;

/// How Alertmanager is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alertmanager {
    /// How people are named.
    pub masking: Masking,
}

/// The label set: what makes two posts one alert. All else is annotation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Labels {
    /// By the kind of the entity, so that it stays for the life of a case.
    pub alertname: &'static str,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// The tenant.
    pub tenant: String,
    /// Tier of the entity.
    pub identity_tier: String,
    /// The dedup key.
    pub alert_id: String,
}

/// One alert, as it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The label set.
    pub labels: Labels,
    /// Everything else.
    pub annotations: BTreeMap<&'static str, String>,
    /// Event time of the first revision.
    pub starts_at: Timestamp,
    /// Link to the case.
    pub generator_url: Option<String>,
    /// Whether it fires; else it is posted as ended.
    pub is_firing: bool,
}

/// What a revision makes of the alerts of its case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What fires from now on: posted now and at every resend. None after a resolve.
    pub firing: Option<Open>,
    /// What has ended: posted once.
    pub ended: Vec<Open>,
}

impl Change {
    /// What to post for a revision. `held` is what fires of this case so far, where that is known.
    ///
    /// The severity is a label, so what fired under another one is ended. Where `held` is not known, the
    /// record tells it: the revision before and the peak; a tier that changed meanwhile it does not tell.
    /// What is withheld changes nothing: what fires goes on.
    #[must_use]
    pub fn of(
        notice: &Notice,
        decision: Decision,
        settings: &Alertmanager,
        held: Option<&Open>,
    ) -> Self {
        if let Decision::Withhold(_) = decision {
            return Self::default();
        }
        let notice = &*settings.masking.apply(notice);
        let firing =
            (decision != Decision::Resolve).then(|| open(notice, notice.severity().alertmanager));
        let said = [notice.before, notice.peak].into_iter();
        let said = said.filter(|reached| reached.severity_id > 0);
        let past: Vec<Open> = match held {
            Some(held) => vec![held.clone()],
            None => said
                .map(|reached| open(notice, severity::of(reached.severity_id).alertmanager))
                .collect(),
        };
        let mut ended: Vec<Open> = Vec::new();
        for one in past {
            let is_over = firing.as_ref().is_none_or(|f| f.labels != one.labels);
            if is_over && !ended.iter().any(|known| known.labels == one.labels) {
                ended.push(Open {
                    is_firing: false,
                    ..one
                });
            }
        }
        Self { firing, ended }
    }
}

/// Facts that stand in the label set.
const IN_LABELS: [&str; 2] = ["tenant", "alert_id"];

/// The name of an alert by kind of entity.
const NAMES: [(&str, &str); 7] = [
    ("identity", "HelpDeskTakeover"),
    ("ticket", "IrregularRecoveryTicket"),
    ("contact", "IrregularCall"),
    ("agent", "AgentOutOfTheOrdinary"),
    ("caller", "OneCallerSeveralPeople"),
    ("device", "OneDeviceSeveralPeople"),
    ("address", "OneAddressSeveralPeople"),
];

fn open(notice: &Notice, severity: &'static str) -> Open {
    let subject = &notice.alert.subject;
    let name = NAMES.iter().find(|(kind, _)| *kind == subject.kind);
    let mut annotations: BTreeMap<&'static str, String> = facts(notice)
        .into_iter()
        .filter(|fact| !IN_LABELS.contains(&fact.key))
        .map(|fact| (fact.key, fact.value))
        .collect();
    for (key, value) in [
        ("summary", notice.summary()),
        ("description", notice.message.clone()),
        ("what_to_do", notice.remediation.clone()),
        ("title", notice.title.clone()),
    ] {
        annotations.insert(key, value);
    }
    annotations.retain(|_, value| !value.is_empty());
    Open {
        labels: Labels {
            alertname: name.map_or("DeskwardenAlert", |(_, name)| name),
            severity,
            tenant: notice.tenant.clone(),
            identity_tier: subject.tier.clone(),
            alert_id: notice.dedup_key.clone(),
        },
        annotations,
        starts_at: Timestamp(notice.created),
        generator_url: notice.link.clone(),
        is_firing: true,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: &'a Labels,
    annotations: &'a BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

/// The body: what fires is held open for `hold_ms`, some resends long; the rest ends now.
#[must_use]
pub fn alerts<'a>(
    alerts: impl IntoIterator<Item = &'a Open>,
    now: Timestamp,
    hold_ms: i64,
) -> String {
    let hold = now.plus(hold_ms.max(1));
    let posted: Vec<Posted<'_>> = alerts
        .into_iter()
        .map(|alert| Posted {
            labels: &alert.labels,
            annotations: &alert.annotations,
            // An end before the start is refused, and event time can be ahead of ours.
            starts_at: rfc3339(alert.starts_at.min(now)),
            ends_at: rfc3339(if alert.is_firing { hold } else { now }),
            generator_url: alert.generator_url.as_deref(),
        })
        .collect();
    json(&posted)
}
