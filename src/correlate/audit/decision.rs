//! What people decide, as audit records: verdicts, assignments, silences, exemptions, declared sources, and their end.

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::collect::block::ControlPlace;
use crate::collect::event::EventId;
use crate::correlate::audit::body::Body;
use crate::correlate::audit::{Entry, Stage, record_id};
use crate::correlate::exempt::ControlEntry;
use crate::correlate::fact::Coordinates;

/// Bytes of a scope that is written out; of a longer one the hash of the record tells.
const SCOPE_BYTES_MAX: usize = 4_096;
/// The system that control records come from.
const SYSTEM: &str = "deskwarden";

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Key of the control record: what replaces or ends it has the same.
    pub id: String,
    /// Kind of the control record; `removed` where there is none any more.
    pub kind: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a verdict or an assignment the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// And the revision that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// And what was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Of an assignment who has it; left out where nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// From when on it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<i64>,
    /// What it covers, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Value>,
    /// SHA-256 of the control record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The audit record of a control record that takes effect; `entry` is `None` for one that takes another
/// back.
#[must_use]
pub fn decided(
    id: &str,
    json: Option<&[u8]>,
    entry: Option<&ControlEntry>,
    place: &ControlPlace<'_>,
) -> Entry {
    let (action, entity) = match entry {
        Some(ControlEntry::Disposition(d)) => ("control.disposition", d.entity.to_string()),
        Some(ControlEntry::Assignment(a)) => ("control.assignment", a.entity.to_string()),
        Some(ControlEntry::Silence(_)) => ("control.silence", control(id)),
        Some(ControlEntry::Exemption(_)) => ("control.exemption", control(id)),
        Some(ControlEntry::SourceDeclared(_) | ControlEntry::SourceRemoved(_)) => {
            ("control.source", control(id))
        }
        None => ("control.removed", control(id)),
    };
    let key = match entry {
        Some(ControlEntry::Disposition(d)) => d.entity.id.as_str().into(),
        Some(ControlEntry::Assignment(a)) => a.entity.id.as_str().into(),
        Some(_) | None => id.into(),
    };
    let event = event(place);
    let source = Coordinates {
        system: SYSTEM.into(),
        topic: place.topic.into(),
        partition: place.partition,
        offset: place.offset,
    };
    Entry {
        key,
        body: Body {
            id: record_id(event, Stage::Decided, 1),
            stage: Stage::Decided.as_str(),
            version: 1,
            event,
            time: place.time.0,
            action,
            class: None,
            outcome: "success",
            entity,
            target: None,
            requester: None,
            agent: None,
            agent_kind: "admin",
            by_admin: false,
            approver: None,
            eligible: None,
            channel: None,
            ticket: None,
            call: None,
            verification: None,
            connected_s: None,
            of_record: None,
            reason: None,
            controls: None,
            decision: Some(decision(id, json, entry)),
            source,
        },
    }
}

/// What the fields of a control record say.
fn decision(id: &str, json: Option<&[u8]>, entry: Option<&ControlEntry>) -> Decision {
    let fields: Map<String, Value> = json
        .and_then(|json| serde_json::from_slice(json).ok())
        .unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let valid = entry.and_then(ControlEntry::valid);
    let (alert, revision) = match entry {
        Some(ControlEntry::Disposition(d)) => (Some(d.alert.to_string()), Some(d.revision)),
        Some(ControlEntry::Assignment(a)) => (Some(a.alert.to_string()), Some(a.revision)),
        Some(_) | None => (None, None),
    };
    Decision {
        id: id.to_owned(),
        kind: text("kind").unwrap_or_else(|| "removed".to_owned()),
        owner: text("owner"),
        reason: text("reason"),
        alert,
        revision,
        verdict: text("verdict"),
        assignee: text("assignee"),
        valid_from: valid.map(|(from, _)| from.0),
        valid_to: valid.map(|(_, to)| to.0),
        scope: fields
            .get("scope")
            .filter(|scope| scope.to_string().len() <= SCOPE_BYTES_MAX)
            .cloned(),
        sha256: json.map(|json| hex::encode(Sha256::digest(json))),
    }
}

fn control(id: &str) -> String {
    format!("control|{id}")
}

/// First 128 bits of SHA-256 over the place of the control record.
fn event(place: &ControlPlace<'_>) -> EventId {
    let text = format!("{}/{}/{}", place.topic, place.partition, place.offset);
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(Sha256::digest(text)) {
        *to = from;
    }
    EventId(id)
}
