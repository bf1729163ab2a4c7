//! Entra ID, by whichever feed it comes: diagnostic settings through Event Hubs, objects of Microsoft
//! Graph, or the Microsoft 365 unified audit log. Each has a schema of its own.
//!
//! Source: Microsoft Learn, schemas of `AuditLogs`, `SignInLogs` and `UserRiskEvents` in Azure Monitor, the
//! Graph resources `directoryAudit`, `signIn` and `riskDetection`, and the Office 365 Management Activity
//! API schema.

use smol_str::SmolStr;

use crate::collect::draft::{Around, address_or, bare_ip, cut, handle, word};
use crate::collect::event::{Handle, HandleKind, Network, Outcome as Ended};
use crate::collect::mapped::Outcome;
use crate::collect::parse::{Keys, Tape, Value, parse_text};

mod audit;
mod changes;
mod sign_in;
mod types;
mod unified;

/// Most entries of a list that are looked at.
const ENTRIES_MAX: usize = 64;

/// A record of diagnostic settings around its `properties`; of Graph the object is its own properties.
#[derive(Clone, Copy)]
struct Parts<'t> {
    /// The whole record.
    record: Value<'t>,
    /// What it is about.
    properties: Value<'t>,
    category: Option<Value<'t>>,
    operation: Option<Value<'t>>,
    time: Option<Value<'t>>,
    caller: Option<Value<'t>>,
    correlation: Option<Value<'t>>,
}

impl<'t> Parts<'t> {
    fn of(record: Value<'t>, properties: Value<'t>) -> Self {
        static KEYS: Keys<5> = Keys::new([
            "category",
            "operationName",
            "time",
            "callerIpAddress",
            "correlationId",
        ]);
        let [category, operation, time, caller, correlation] = record.pick(&KEYS);
        Self {
            record,
            properties,
            category,
            operation,
            time,
            caller,
            correlation,
        }
    }

    /// True where the record is of one of these categories.
    fn is_of(&self, categories: &[&str]) -> bool {
        let category = self.category.and_then(Value::as_str).unwrap_or_default();
        categories.iter().any(|c| category.eq_ignore_ascii_case(c))
    }
}

/// Maps one record.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    static KEYS: Keys<3> = Keys::new(["properties", "Operation", "CreationTime"]);
    let [properties, operation, created] = around.item.pick(&KEYS);
    if let (Some(operation), Some(_)) = (operation.and_then(Value::as_str), created) {
        return unified::map(around, operation);
    }
    match properties {
        // Some pipelines write the inner object as text.
        Some(written) if written.as_str().is_some() => {
            let mut tape = Tape::default();
            match parse_text(&mut tape, written.as_str().unwrap_or_default()) {
                Ok(inner) => dispatch(around, Parts::of(around.item, inner)),
                Err(reject) => Outcome::Reject(reject),
            }
        }
        Some(inner) => dispatch(around, Parts::of(around.item, inner)),
        None => dispatch(around, Parts::of(around.item, around.item)),
    }
}

fn dispatch(around: &Around<'_>, parts: Parts<'_>) -> Outcome {
    static KEYS: Keys<6> = Keys::new([
        "activityDisplayName",
        "riskEventType",
        "riskType",
        "createdDateTime",
        "userPrincipalName",
        "appDisplayName",
    ]);
    let [activity, risk_event, risk_type, created, user, app] = parts.properties.pick(&KEYS);
    let is_sign_in = created.is_some() && (user.is_some() || app.is_some());
    if activity.is_some() || parts.is_of(&["AuditLogs"]) {
        audit::map(around, &parts)
    } else if risk_event.or(risk_type).is_some() || parts.is_of(&["UserRiskEvents"]) {
        sign_in::risk(around, &parts)
    } else if is_sign_in || parts.is_of(&["SignInLogs", "NonInteractiveUserSignInLogs"]) {
        sign_in::map(around, &parts)
    } else if parts.category.is_some() {
        sign_in::idle(around, &parts)
    } else {
        Outcome::schema("no activity, sign-in, risk or operation: not an Entra record")
    }
}

/// A principal name: an address, or the `#EXT#` name of a guest, or what else a login is.
fn principal(name: SmolStr) -> Handle {
    address_or(HandleKind::Login, name)
}

/// Handles of a user by object id and principal name.
fn user(around: &Around<'_>, id: Option<Value<'_>>, name: Option<Value<'_>>) -> Vec<Handle> {
    let mut handles = Vec::new();
    if let Some(id) = word(id).filter(|id| !id.contains('@')) {
        handles.push(around.issued(HandleKind::EntraId, id));
    }
    handles.extend(word(name).map(principal));
    handles
}

/// The handle of an application, service or job.
fn application(id: SmolStr) -> Vec<Handle> {
    vec![handle(HandleKind::Principal, id)]
}

/// What is kept of an address and a user agent.
fn network(ip: Option<SmolStr>, agent: Option<SmolStr>) -> Network {
    Network {
        ip: ip.map(bare_ip),
        user_agent: agent.map(|agent| cut(&agent)),
        ..Network::default()
    }
}

/// How a word of a result ended.
fn ended(word: Option<&str>) -> Ended {
    let word = word.unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(&["success", "succeeded", "true", "0"]) {
        Ended::Success
    } else if is(&[
        "failure",
        "failed",
        "timeout",
        "false",
        "clientError",
        "partiallySucceeded",
    ]) {
        Ended::Failure
    } else {
        Ended::Unknown
    }
}
