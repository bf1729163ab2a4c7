//! Control records as people and tools write them: JSON, closed, every fault with its place in the
//! record and its remedy.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Tier;
use crate::collect::time::{Timestamp, parse_time};
use crate::correlate::exempt::control::{
    ControlEntry, Exemption, Kind, SPAN_MS_MAX, Scope, Silence,
};
use crate::correlate::rules::is_pattern;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::score::Severity;

/// Why a control entry cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("control entry `{id}`: {what}")]
pub struct ControlFault {
    /// Key of the record.
    pub id: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// The words of `kind`, as error messages list them.
const KINDS: &str = "travel, device_refresh, incident, maintenance, batch, allow_list, \
                     shared_device, delegation, drill, policy, silence, disposition, \
                     assignment, source.declared, source.removed";

/// What exemptions and silences have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitedFile<S> {
    scope: S,
    owner: String,
    reason: String,
    #[serde(deserialize_with = "moment")]
    valid_from: Timestamp,
    #[serde(deserialize_with = "moment")]
    valid_to: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TravelFile {
    person: String,
    countries: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshFile {
    persons: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentFile {
    incident: String,
    commander: String,
    agents: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceFile {
    feed: Evidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchFile {
    principal: String,
    targets: Vec<String>,
    budget_per_hour: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedFile {
    #[serde(deserialize_with = "entity")]
    entity: Entity,
    max: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DelegationFile {
    person: String,
    delegates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrillFile {
    account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default)]
    persons: Vec<String>,
    #[serde(default)]
    ticket_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceFile {
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default, deserialize_with = "entities")]
    entities: Vec<Entity>,
    #[serde(default)]
    tiers: Vec<Tier>,
    #[serde(default)]
    severities: Vec<Severity>,
}

/// Reads a record of the control topic: its key and its value.
///
/// # Errors
/// The fault, with the key, what is wrong and what would be right.
pub fn control(id: &str, json: &[u8]) -> Result<ControlEntry, ControlFault> {
    entry(json).map_err(|what| ControlFault {
        id: id.to_owned(),
        what,
    })
}

fn entry(json: &[u8]) -> Result<ControlEntry, String> {
    let mut map: Map<String, Value> =
        serde_json::from_slice(json).map_err(|fault| format!("not a JSON object: {fault}"))?;
    let Some(Value::String(kind)) = map.remove("kind") else {
        return Err(format!("`kind` is missing; it is one of {KINDS}"));
    };
    match kind.as_str() {
        "travel" => exemption(map, Kind::Travel, travel),
        "device_refresh" => exemption(map, Kind::DeviceRefresh, refresh),
        "incident" => exemption(map, Kind::Incident, incident),
        "maintenance" => exemption(map, Kind::Maintenance, |f: MaintenanceFile| {
            Ok(Scope::Maintenance { feed: f.feed })
        }),
        "batch" => exemption(map, Kind::Batch, batch),
        "allow_list" => exemption(map, Kind::AllowList, shared),
        "shared_device" => exemption(map, Kind::SharedDevice, shared),
        "delegation" => exemption(map, Kind::Delegation, delegation),
        "drill" => exemption(map, Kind::Drill, |f: DrillFile| {
            Ok(Scope::Drill {
                account: said("scope.account", f.account)?,
            })
        }),
        "policy" => exemption(map, Kind::Policy, policy),
        "silence" => silence(map),
        "disposition" => disposition(map),
        "assignment" => assignment(map),
        "source.declared" => typed(map).and_then(declared),
        "source.removed" => typed(map).map(ControlEntry::SourceRemoved),
        other => Err(format!("unknown `kind` `{other}`; it is one of {KINDS}")),
    }
}

fn typed<T: DeserializeOwned>(map: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(map)).map_err(|fault| fault.to_string())
}

/// A text that says something.
fn said(field: &str, text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        Err(format!("`{field}` is empty"))
    } else {
        Ok(text)
    }
}

/// A list with at least one entry, none of them empty.
fn some(field: &str, list: Vec<String>) -> Result<Vec<String>, String> {
    if list.is_empty() || list.iter().any(|item| item.trim().is_empty()) {
        return Err(format!(
            "`{field}` needs at least one entry, and no empty one"
        ));
    }
    Ok(list)
}

fn span(from: Timestamp, to: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    match to.since(from) {
        ..=0 => Err("`valid_to` must be later than `valid_from`".to_owned()),
        1..=SPAN_MS_MAX => Ok((from, to)),
        _ => Err("`valid_to` may be at most 90 days after `valid_from`".to_owned()),
    }
}

fn exemption<S: DeserializeOwned>(
    map: Map<String, Value>,
    kind: Kind,
    scope: impl FnOnce(S) -> Result<Scope, String>,
) -> Result<ControlEntry, String> {
    let file: LimitedFile<S> = typed(map)?;
    let (valid_from, valid_to) = span(file.valid_from, file.valid_to)?;
    Ok(ControlEntry::Exemption(Exemption {
        kind,
        scope: scope(file.scope)?,
        owner: said("owner", file.owner)?,
        reason: said("reason", file.reason)?,
        valid_from,
        valid_to,
    }))
}

fn travel(file: TravelFile) -> Result<Scope, String> {
    let countries = some("scope.countries", file.countries)?;
    let iso = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    if let Some(wrong) = countries.iter().find(|code| !iso(code)) {
        return Err(format!(
            "`scope.countries`: `{wrong}` is no ISO country code such as `JP`"
        ));
    }
    Ok(Scope::Travel {
        person: said("scope.person", file.person)?,
        countries,
    })
}

fn refresh(file: RefreshFile) -> Result<Scope, String> {
    Ok(Scope::DeviceRefresh {
        persons: some("scope.persons", file.persons)?,
    })
}

fn incident(file: IncidentFile) -> Result<Scope, String> {
    Ok(Scope::Incident {
        incident: said("scope.incident", file.incident)?,
        commander: said("scope.commander", file.commander)?,
        agents: some("scope.agents", file.agents)?,
    })
}

fn batch(file: BatchFile) -> Result<Scope, String> {
    Ok(Scope::Batch {
        principal: said("scope.principal", file.principal)?,
        targets: some("scope.targets", file.targets)?,
        budget_per_hour: file.budget_per_hour,
    })
}

fn shared(file: SharedFile) -> Result<Scope, String> {
    let pivot = matches!(
        file.entity.kind,
        EntityKind::Caller | EntityKind::Device | EntityKind::Address
    );
    if !pivot {
        return Err("`scope.entity` must be a caller, device or address".to_owned());
    }
    if file.max == 0 {
        return Err("`scope.max` must be at least 1".to_owned());
    }
    Ok(Scope::Shared {
        entity: file.entity,
        max: file.max,
    })
}

fn delegation(file: DelegationFile) -> Result<Scope, String> {
    Ok(Scope::Delegation {
        person: said("scope.person", file.person)?,
        delegates: some("scope.delegates", file.delegates)?,
    })
}

fn policy(file: PolicyFile) -> Result<Scope, String> {
    if file.persons.is_empty() && file.ticket_types.is_empty() {
        return Err("`scope` needs `persons` or `ticket_types`".to_owned());
    }
    Ok(Scope::Policy {
        persons: file.persons,
        ticket_types: file.ticket_types,
    })
}

fn silence(map: Map<String, Value>) -> Result<ControlEntry, String> {
    let file: LimitedFile<SilenceFile> = typed(map)?;
    let (valid_from, valid_to) = span(file.valid_from, file.valid_to)?;
    let scope = file.scope;
    let empty = scope.patterns.is_empty()
        && scope.entities.is_empty()
        && scope.tiers.is_empty()
        && scope.severities.is_empty();
    if empty {
        return Err(
            "`scope` needs `patterns`, `entities`, `tiers` or `severities`: a silence of \
             everything is not possible"
                .to_owned(),
        );
    }
    if let Some(other) = scope.patterns.iter().find(|id| !is_pattern(id)) {
        return Err(format!(
            "`scope.patterns`: `{other}` is no pattern; write its id without a branch, such as HDT-04"
        ));
    }
    Ok(ControlEntry::Silence(Silence {
        patterns: scope.patterns,
        entities: scope.entities,
        tiers: scope.tiers,
        severities: scope.severities,
        owner: said("owner", file.owner)?,
        reason: said("reason", file.reason)?,
        valid_from,
        valid_to,
    }))
}

fn disposition(map: Map<String, Value>) -> Result<ControlEntry, String> {
    let mut file: crate::correlate::exempt::Disposition = typed(map)?;
    seen(file.revision)?;
    file.owner = said("owner", file.owner)?;
    file.reason = said("reason", file.reason)?;
    Ok(ControlEntry::Disposition(file))
}

fn assignment(map: Map<String, Value>) -> Result<ControlEntry, String> {
    let mut file: crate::correlate::exempt::Assignment = typed(map)?;
    seen(file.revision)?;
    file.assignee = file.assignee.map(|who| said("assignee", who)).transpose()?;
    file.owner = said("owner", file.owner)?;
    Ok(ControlEntry::Assignment(file))
}

fn seen(revision: u32) -> Result<(), String> {
    let is_one = revision > 0;
    let fault = || "`revision` counts from 1: the one that was seen".to_owned();
    is_one.then_some(()).ok_or_else(fault)
}

fn declared(file: crate::correlate::control::SourceDeclared) -> Result<ControlEntry, String> {
    if file.partitions < 1 {
        return Err("`partitions` must be at least 1".to_owned());
    } else if file.bound_ms < 0 || file.lateness_ms < 0 {
        return Err("`bound_ms` and `lateness_ms` must not be negative".to_owned());
    }
    Ok(ControlEntry::SourceDeclared(file))
}

/// A moment: RFC 3339, or milliseconds since 1970.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let wrong = "a time is written as `2026-03-02T09:00:00Z`, or in milliseconds since 1970";
    match Value::deserialize(deserializer)? {
        Value::Number(number) => number
            .as_i64()
            .map(Timestamp)
            .ok_or_else(|| D::Error::custom(wrong)),
        Value::String(text) => parse_time(&text)
            .map(|(time, _)| time)
            .ok_or_else(|| D::Error::custom(format!("`{text}`: {wrong}"))),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(D::Error::custom(wrong))
        }
    }
}

/// An entity as alerts write it, `identity|hris:E1`; in state records in its own encoding.
pub(super) fn entity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Entity, D::Error> {
    if !deserializer.is_human_readable() {
        return Entity::deserialize(deserializer);
    }
    one(&String::deserialize(deserializer)?)
}

fn one<E: serde::de::Error>(text: &str) -> Result<Entity, E> {
    let written = "an entity is written as `<kind>|<id>`, such as `identity|hris:E1`";
    entity_of(text).ok_or_else(|| E::custom(format!("`{text}`: {written}")))
}

fn entities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Entity>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    texts.iter().map(|text| one(text)).collect()
}

/// The entity of its printed form.
#[must_use]
pub fn entity_of(text: &str) -> Option<Entity> {
    let (kind, id) = text.split_once('|')?;
    let kind = [
        EntityKind::Identity,
        EntityKind::Contact,
        EntityKind::Ticket,
        EntityKind::Agent,
        EntityKind::Caller,
        EntityKind::Device,
        EntityKind::Address,
    ]
    .into_iter()
    .find(|known| known.as_str() == kind)?;
    (!id.is_empty()).then(|| Entity::new(kind, id))
}
