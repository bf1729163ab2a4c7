//! Teams: an Adaptive Card in the envelope of a Workflow ("When a Teams webhook request is received").
//!
//! Source: `microsoft/AdaptiveCards`, `schemas/1.4.0/adaptive-card.json`. A `TextBlock` and the values of
//! a `FactSet` are Markdown; a `TextRun` is not, so all texts of others stand in runs.

use serde_json::{Value, json};

use crate::deliver::alert::Activity;
use crate::deliver::encode::digest::Digest;
use crate::deliver::encode::facts::{Fact, facts};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;

/// Largest message.
pub const MESSAGE_BYTES_MAX: usize = 28 << 10;

/// How Teams is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Teams {
    /// How people are named.
    pub masking: Masking,
}

/// The message of a revision.
#[must_use]
pub fn message(notice: &Notice, decision: Decision, settings: &Teams) -> String {
    let notice = &*settings.masking.apply(notice);
    let colour = match (notice.alert.activity, notice.alert.severity_id) {
        (Activity::Closed, _) => "good",
        (_, 4..) => "attention",
        (_, 3) => "warning",
        _ => "accent",
    };
    let summary = notice.summary();
    let mut body = vec![heading(&summary, colour)];
    if decision != Decision::Resolve {
        body.push(paragraph(&[("", &notice.message)]));
        body.push(paragraph(&[("What to do: ", &notice.remediation)]));
    }
    let rows = facts(notice);
    let rows: Vec<Value> = rows.iter().map(row).collect();
    let action = notice.link.as_deref().map(|url| (url, "Open the case"));
    fitted(body, rows, action)
}

/// The message of a digest.
#[must_use]
pub fn digest(digest: &Digest) -> String {
    let body = vec![heading(&digest.summary(), "attention")];
    let worst = digest.worst().iter();
    let rows = worst.map(|row| paragraph(&[("", &row.summary)])).collect();
    let action = digest.link.as_deref().map(|url| (url, "Open all alerts"));
    fitted(body, rows, action)
}

/// The card with as many rows as there is room for.
fn fitted(body: Vec<Value>, mut rows: Vec<Value>, action: Option<(&str, &str)>) -> String {
    loop {
        let body: Vec<&Value> = body.iter().chain(&rows).collect();
        let message = envelope(&body, action);
        if message.len() <= MESSAGE_BYTES_MAX || rows.pop().is_none() {
            return message;
        }
    }
}

fn envelope(body: &[&Value], action: Option<(&str, &str)>) -> String {
    let actions: Vec<Value> = action
        .into_iter()
        .map(|(url, title)| json!({"type": "Action.OpenUrl", "title": title, "url": url}))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": body,
                "actions": actions,
            },
        }],
    })
    .to_string()
}

fn heading(text: &str, colour: &'static str) -> Value {
    let run = json!({
        "type": "TextRun", "text": text, "size": "large", "weight": "bolder", "color": colour,
    });
    json!({"type": "RichTextBlock", "inlines": [run]})
}

fn row(fact: &Fact) -> Value {
    let mut row = paragraph(&[(&format!("{}: ", fact.label), &fact.value)]);
    if let Value::Object(fields) = &mut row {
        fields.insert("spacing".to_owned(), "small".into());
    }
    row
}

/// A label of ours in bold, then a text.
fn paragraph(parts: &[(&str, &str)]) -> Value {
    let runs: Vec<Value> = parts
        .iter()
        .flat_map(|(label, text)| {
            let label = (!label.is_empty())
                .then(|| json!({"type": "TextRun", "text": label, "weight": "bolder"}));
            label
                .into_iter()
                .chain([json!({"type": "TextRun", "text": text})])
        })
        .collect();
    json!({"type": "RichTextBlock", "inlines": runs})
}
