//! ECS: one document for Elasticsearch, with `event.kind: alert`.
//!
//! Source: Elastic Common Schema 9.4, field reference and categorisation fields (with `event.category:
//! iam` go `event.type: user` and `change`). What ECS has no field for stands under `deskwarden`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::notice::{Named, Notice};
use crate::deliver::pii::Masking;
use crate::deliver::text::line;

/// The version of ECS that documents follow.
pub const ECS_VERSION: &str = "9.4.0";
/// Characters of a `keyword`: Elasticsearch does not index longer ones.
const KEYWORD_CHARS_MAX: usize = 1_024;

/// What is read of the document beside the notice.
#[derive(Deserialize)]
struct Document {
    finding_info: FindingInfo,
}

#[derive(Deserialize)]
struct FindingInfo {
    #[serde(default)]
    attacks: Vec<Attack>,
}

#[derive(Deserialize)]
struct Attack {
    technique: Option<Technique>,
    sub_technique: Option<Technique>,
}

#[derive(Deserialize)]
struct Technique {
    uid: String,
}

/// The document of a revision; `published` is the time of its record, the only one that is not event time.
#[must_use]
pub fn document(notice: &Notice, masking: Masking, published: Timestamp) -> String {
    let notice = &*masking.apply(notice);
    let people = &notice.people;
    let subject = &notice.alert.subject;
    let own = Named {
        id: subject.id.clone(),
        name: subject.name.clone(),
    };
    let target = if subject.kind == "identity" {
        Some(&own)
    } else {
        people.targets.first()
    };
    let agent = people.agents.first();
    let mut related: Vec<&str> = target.into_iter().chain(agent).map(|n| &*n.id).collect();
    for others in [&people.requesters, &people.approvers] {
        related.extend(others.iter().map(|named| &*named.id));
    }
    related.sort_unstable();
    related.dedup();
    // A masked address is none, and a field of type `ip` refuses it.
    let addresses = people.addresses.iter().map(Named::shown);
    let ips: Vec<&str> = addresses
        .filter(|shown| shown.parse::<core::net::IpAddr>().is_ok())
        .collect();
    let whole = object([
        ("@timestamp", time(notice.alert.time)),
        ("ecs", json!({ "version": ECS_VERSION })),
        ("message", text(&notice.summary())),
        ("event", event(notice, published)),
        ("rule", rule(notice)),
        ("threat", threat(notice)),
        ("user", user(agent, target)),
        ("source", object([("ip", first(&ips))])),
        (
            "related",
            object([("user", list(related)), ("ip", list(ips.clone()))]),
        ),
        ("observer", observer(notice)),
        ("organization", object([("name", text(&notice.tenant))])),
        ("deskwarden", own_fields(notice)),
    ]);
    whole.to_string()
}

fn event(notice: &Notice, published: Timestamp) -> Value {
    let alert = &notice.alert;
    let lead = notice.active_patterns().next();
    let reason = notice.status_detail.as_deref();
    object([
        ("kind", json!("alert")),
        ("category", json!(["iam"])),
        ("type", json!(["user", "change"])),
        ("id", text(&notice.revision_id())),
        ("action", json!(alert.activity.as_str())),
        ("code", lead.map_or(Value::Null, |lead| text(&lead.id))),
        ("provider", json!("Deskwarden")),
        ("module", json!("deskwarden")),
        ("dataset", json!("deskwarden.alert")),
        ("severity", json!(alert.severity_id)),
        ("risk_score", json!(alert.score)),
        ("risk_score_norm", json!(alert.score)),
        ("sequence", json!(alert.revision)),
        ("start", time(notice.span.0)),
        ("end", time(notice.span.1)),
        ("created", json!(rfc3339(published))),
        ("reason", text(reason.unwrap_or(&notice.page_reason))),
        ("url", text(notice.link.as_deref().unwrap_or_default())),
    ])
}

fn rule(notice: &Notice) -> Value {
    let lead = notice.active_patterns().next();
    object([
        ("id", lead.map_or(Value::Null, |lead| text(&lead.id))),
        ("name", lead.map_or(Value::Null, |lead| text(&lead.title))),
        ("ruleset", json!("Deskwarden")),
    ])
}

/// Techniques of the case, each once.
fn threat(notice: &Notice) -> Value {
    let document = serde_json::from_str::<Document>(&notice.document);
    let attacks = document.map_or_else(|_| Vec::new(), |read| read.finding_info.attacks);
    let ids = |of: fn(&Attack) -> Option<&Technique>| {
        let ids = attacks.iter().filter_map(of);
        let mut ids: Vec<&str> = ids.map(|technique| &*technique.uid).collect();
        ids.sort_unstable();
        ids.dedup();
        list(ids)
    };
    let techniques = ids(|attack| attack.technique.as_ref());
    if techniques.is_null() {
        return Value::Null;
    }
    let sub = object([("id", ids(|attack| attack.sub_technique.as_ref()))]);
    object([
        ("framework", json!("MITRE ATT&CK")),
        (
            "technique",
            object([("id", techniques), ("subtechnique", sub)]),
        ),
    ])
}

/// Who did it, and to whom.
fn user(agent: Option<&Named>, target: Option<&Named>) -> Value {
    let of = |who: Option<&Named>| {
        let field = |of: fn(&Named) -> &str| who.map_or(Value::Null, |who| text(of(who)));
        [
            ("id", field(|who| &who.id)),
            ("name", field(|who| &who.name)),
        ]
    };
    let [id, name] = of(agent);
    object([id, name, ("target", object(of(target)))])
}

fn observer(notice: &Notice) -> Value {
    object([
        ("vendor", json!("Deskwarden")),
        ("product", json!("Deskwarden")),
        ("version", text(&notice.version)),
    ])
}

/// What ECS has no field for.
fn own_fields(notice: &Notice) -> Value {
    let alert = &notice.alert;
    let patterns = notice.active_patterns().map(|pattern| &*pattern.id);
    let state = if alert.is_open { "open" } else { "closed" };
    let strings = |texts: &[String]| list(texts.iter().map(|text| &**text).collect());
    object([
        ("alert_id", text(&alert.id)),
        ("dedup_key", text(&notice.dedup_key)),
        ("status", json!(state)),
        ("severity", json!(notice.severity().name)),
        ("page", json!(alert.page)),
        ("suppressed", json!(notice.is_suppressed)),
        ("test", json!(notice.is_test)),
        ("title", text(&notice.title)),
        (
            "entity",
            object([
                ("kind", text(&alert.subject.kind)),
                ("id", text(&alert.subject.id)),
                ("tier", text(&alert.subject.tier)),
            ]),
        ),
        ("patterns", list(patterns.collect())),
        ("families", strings(&alert.families)),
        ("tickets", strings(&alert.tickets)),
        ("channels", strings(&notice.channels)),
        ("missing_controls", strings(&notice.missing_controls)),
        ("confidence", json!(notice.confidence)),
        ("verdict", notice.verdict.map_or(Value::Null, Value::from)),
        ("remediation", text(&notice.remediation)),
    ])
}

/// An object without what says nothing; null where nothing is left.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let told = fields.into_iter().filter(|(_, value)| !value.is_null());
    let told: Map<String, Value> = told.map(|(name, value)| (name.to_owned(), value)).collect();
    if told.is_empty() {
        Value::Null
    } else {
        Value::Object(told)
    }
}

/// One line; null where there is none.
fn text(words: &str) -> Value {
    let words = line(words, KEYWORD_CHARS_MAX);
    if words.is_empty() {
        Value::Null
    } else {
        Value::String(words)
    }
}

fn list(texts: Vec<&str>) -> Value {
    let told: Vec<Value> = texts
        .into_iter()
        .map(text)
        .filter(|t| !t.is_null())
        .collect();
    if told.is_empty() {
        Value::Null
    } else {
        Value::Array(told)
    }
}

fn first(texts: &[&str]) -> Value {
    texts.first().map_or(Value::Null, |first| text(first))
}

fn time(ms: i64) -> Value {
    Value::String(rfc3339(Timestamp(ms)))
}
