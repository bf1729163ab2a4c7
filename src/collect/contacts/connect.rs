//! Amazon Connect: contact events, agent events, rules matched and cases here; contact records and
//! transcript segments in `connect_records`.

use crate::collect::action::Action;
use crate::collect::contacts::{connect_cases, connect_records};
use crate::collect::draft::{Around, agent_kind, at, handle, mapped, moment, role, text};
use crate::collect::event::{
    AgentKind, CallRef, Channel, Contact, Direction, Domain, Event, Handle, HandleKind, Phone,
};
use crate::collect::mapped::Outcome;
use crate::collect::parse::Value;
use crate::collect::time::{TimeQuality, Timestamp};
use smol_str::{SmolStr, format_smolstr};

/// Maps one item of any of the five shapes.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let has = |key: &str| item.get_any_case(key).is_some();
    let kind = around.delivery.kind.unwrap_or_default();
    if has("CurrentAgentSnapshot") || has("AgentARN") && has("EventId") {
        return agent_event(around);
    }
    if let Some(segments) = item.get_any_case("Segments") {
        if !segments.is_array() {
            return Outcome::schema("`Segments` is no list");
        }
        return connect_records::segments(around);
    }
    if has("case") || kind.contains("Cases") {
        return connect_cases::map(around);
    }
    if has("ruleName") || kind.contains("Rules Matched") {
        return rule_matched(around);
    }
    if !has("ContactId") {
        return Outcome::schema("no contact, agent, case or rule: not an Amazon Connect event");
    }
    if text(item, "ContactId").is_none() {
        return Outcome::schema("`ContactId` names no contact");
    }
    let record = [
        "AWSContactTraceRecordFormatVersion",
        "LastUpdateTimestamp",
        "CustomerEndpoint",
    ];
    match text(item, "eventType") {
        Some(event_type) if has("instanceArn") || kind.contains("Contact Event") => {
            contact_event(around, &event_type)
        }
        None if record.iter().any(|key| has(key)) => connect_records::contact_record(around),
        Some(event_type) if has("LanguageCode") || has("InstanceId") => {
            // Start and end of an analysis: no segment in it.
            idle(around, &event_type, "contact_lens")
        }
        Some(event_type) => contact_event(around, &event_type),
        None => Outcome::schema("neither a contact record nor a contact event"),
    }
}

pub(super) fn idle(around: &Around<'_>, vendor: &str, feed: &str) -> Outcome {
    if !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let what = (Domain::Contact, Action::Other, feed);
    let mut event = around.event(what, around.delivery.id, 0, around.envelope_time());
    event.vendor_action = vendor.into();
    event.call_ref = call_ref(around);
    Outcome::Events(vec![mapped(event, around.delivery.id, Vec::new())])
}

/// A time in one of the fields of an item.
pub(super) fn stamp(item: Value<'_>, path: &str) -> Option<(Timestamp, TimeQuality)> {
    at(item, path).and_then(moment)
}

/// The contact with what every shape calls alike, but for the case of its keys.
pub(super) fn call_ref(around: &Around<'_>) -> Option<Box<CallRef>> {
    let item = around.item;
    let id = text(item, "contactId")?;
    let connected = stamp(item, "agentInfo.connectedToAgentTimestamp")
        .or_else(|| stamp(item, "Agent.ConnectedToAgentTimestamp"));
    let queue_arn = text(item, "queueInfo.queueArn").or_else(|| text(item, "Queue.ARN"));
    let queue_id = queue_arn.and_then(|arn| arn.rsplit('/').next().map(SmolStr::from));
    Some(Box::new(CallRef {
        system: around.setup.name.as_str().into(),
        root_id: text(item, "initialContactId").unwrap_or_else(|| id.clone()),
        id,
        version: None,
        queue: text(item, "Queue.Name").or(queue_id),
        initiation: text(item, "initiationMethod"),
        started_at: stamp(item, "initiationTimestamp").map(|(t, _)| t),
        ended_at: stamp(item, "disconnectTimestamp").map(|(t, _)| t),
        agent_connected_at: connected.map(|(t, _)| t),
        connected_s: None,
    }))
}

/// Whether the desk called, by the initiation method.
pub(super) fn is_outbound(method: &str) -> bool {
    matches!(
        method,
        "OUTBOUND" | "CALLBACK" | "EXTERNAL_OUTBOUND" | "CAMPAIGN_PREVIEW" | "AGENT_REPLY"
    )
}

/// What the address of an endpoint is: by the type that the vendor names, else by its look.
fn endpoint_kind(endpoint: &str, address: &str) -> HandleKind {
    const SCHEMES: [&str; 3] = ["tel:", "sip:", "sips:"];
    let lower = address.to_ascii_lowercase();
    let dialled = SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || address.starts_with('+')
        || address.starts_with(|c: char| c.is_ascii_digit())
        || lower == "anonymous";
    match endpoint {
        "TELEPHONE_NUMBER" | "VOIP" => HandleKind::Phone,
        "EMAIL_ADDRESS" => HandleKind::Email,
        _ if dialled => HandleKind::Phone,
        _ if address.contains('@') => HandleKind::Email,
        _ => HandleKind::ChatHandle,
    }
}

/// Channel, direction and numbers.
pub(super) fn set_contact(event: &mut Event, around: &Around<'_>, method: &str) {
    let item = around.item;
    event.channel = text(item, "channel").map(|channel| match channel.to_uppercase().as_str() {
        "VOICE" | "TELEPHONY" => Channel::Voice,
        "CHAT" => Channel::Chat,
        "EMAIL" => Channel::Email,
        "SMS" => Channel::Sms,
        _ => Channel::Unknown,
    });
    // A chat begins by the interface on behalf of the customer, a call on behalf of the desk.
    let dials = method == "API" && event.channel == Some(Channel::Voice);
    let outbound = is_outbound(method) || dials;
    event.contact = Some(Box::new(Contact {
        direction: Some(if outbound {
            Direction::FromDesk
        } else {
            Direction::ToDesk
        }),
        ..Contact::default()
    }));
    let customer = text(item, "customerEndpoint.address");
    let endpoint = text(item, "customerEndpoint.type").unwrap_or_default();
    let customer = customer.map(|address| handle(endpoint_kind(&endpoint, &address), address));
    if !outbound {
        event.caller = role(customer.clone().into_iter().collect());
    }
    let number = customer.filter(|customer| customer.kind == HandleKind::Phone);
    let dnis = text(item, "systemEndpoint.address");
    if number.is_some() || dnis.is_some() {
        let (ani, callback_number) = if outbound {
            (None, number)
        } else {
            (number, None)
        };
        event.phone = Some(Box::new(Phone {
            ani,
            callback_number,
            dnis,
            ..Phone::default()
        }));
    }
}

/// The desk agent of a contact.
pub(super) fn set_agent(event: &mut Event, around: &Around<'_>) {
    let arn = text(around.item, "agentInfo.agentArn").or_else(|| text(around.item, "Agent.ARN"));
    let name = text(around.item, "Agent.Username");
    let mut handles = Vec::new();
    handles.extend(name.map(|name| around.issued(HandleKind::ConnectUsername, name)));
    handles.extend(arn.map(|arn| handle(HandleKind::ConnectAgentArn, arn)));
    event.agent = role(handles);
    if event.agent.is_some() {
        event.agent_facts = Some(agent_kind(AgentKind::Desk));
    }
}

fn contact_action(event_type: &str, method: &str, human: bool, named: bool) -> Option<Action> {
    Some(match (event_type, method) {
        ("INITIATED" | "CONNECTED_TO_AGENT", "MONITOR") => Action::ContactSupervisorJoined,
        ("INITIATED", "CALLBACK") => Action::CallbackRequested,
        // `identify` makes it `contact.started` where the number or attribute names nobody.
        ("INITIATED", "OUTBOUND" | "EXTERNAL_OUTBOUND" | "API") if named => {
            Action::CallbackAttempted
        }
        ("INITIATED", _) => Action::ContactStarted,
        ("QUEUED", _) => Action::ContactQueued,
        ("CONNECTED_TO_AGENT", "TRANSFER" | "QUEUE_TRANSFER") => Action::ContactTransferred,
        ("CONNECTED_TO_AGENT", _) => Action::ContactAgentConnected,
        ("DISCONNECTED", _) => Action::ContactEnded,
        ("COMPLETED", _) => Action::ContactWrapup,
        ("CONNECTED_TO_SYSTEM", "OUTBOUND" | "CALLBACK" | "API" | "EXTERNAL_OUTBOUND") if human => {
            Action::CallbackCompleted
        }
        (
            "CONNECTED_TO_SYSTEM"
            | "CONTACT_DATA_UPDATED"
            | "PAUSED"
            | "RESUMED"
            | "AMD_DISABLED"
            | "ROUTING_CRITERIA_STEP_EXPIRED"
            | "CONTACT_DATA_DELETED",
            _,
        ) => Action::Other,
        _ => return None,
    })
}

fn contact_event(around: &Around<'_>, event_type: &str) -> Outcome {
    let item = around.item;
    let method = text(item, "initiationMethod")
        .unwrap_or_default()
        .to_uppercase();
    let human = text(item, "answeringMachineDetectionStatus")
        .is_some_and(|status| status.eq_ignore_ascii_case("HUMAN_ANSWERED"));
    let target = connect_records::stated_target(around);
    let voice = text(item, "channel").is_some_and(|channel| channel.eq_ignore_ascii_case("VOICE"));
    let named = !target.is_empty() || text(item, "customerEndpoint.address").is_some();
    let named = named && voice;
    let event_type = event_type.to_uppercase();
    let action = contact_action(&event_type, &method, human, named).unwrap_or(Action::Unmapped);
    if event_type == "CONTACT_DATA_UPDATED" && item.get_any_case("attributes").is_some() {
        let proofs = connect_records::changed_attributes(around);
        if !proofs.is_empty() {
            return Outcome::Events(proofs);
        }
    }
    if action == Action::Other && !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let path = match event_type.as_str() {
        "INITIATED" => "initiationTimestamp",
        "QUEUED" => "queueInfo.enqueueTimestamp",
        "CONNECTED_TO_AGENT" => "agentInfo.connectedToAgentTimestamp",
        "CONNECTED_TO_SYSTEM" => "connectedToSystemTimestamp",
        "DISCONNECTED" => "disconnectTimestamp",
        "COMPLETED" => "agentInfo.afterContactWorkEndTimestamp",
        _ => "eventTimestamp",
    };
    let time = stamp(item, path).or_else(|| around.envelope_time());
    let native = around.delivery.id;
    let mut event = around.event((Domain::Contact, action, "contact_events"), native, 0, time);
    event.vendor_action = format_smolstr!("{event_type}/{method}");
    event.call_ref = call_ref(around);
    set_contact(&mut event, around, &method);
    set_agent(&mut event, around);
    event.target = role(target);
    event.outcome_reason = text(item, "disconnectReason");
    connect_records::set_ticket(&mut event, around);
    Outcome::Events(vec![mapped(event, native, Vec::new())])
}

/// An agent event: ARN and user name are one person.
fn agent_event(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let snapshots = ["CurrentAgentSnapshot", "PreviousAgentSnapshot"];
    let name = snapshots
        .iter()
        .find_map(|snapshot| text(item, &format!("{snapshot}.Configuration.Username")));
    let event_type = text(item, "EventType").unwrap_or_default();
    let action = if name.is_some() {
        Action::IdentityLink
    } else {
        Action::Other
    };
    if action == Action::Other && !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let native = text(item, "EventId");
    let what = (Domain::Directory, action, "agent_events");
    let time = stamp(item, "EventTimestamp");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.vendor_action = format_smolstr!("agent/{event_type}");
    let mut handles: Vec<Handle> = Vec::new();
    handles.extend(text(item, "AgentARN").map(|arn| handle(HandleKind::ConnectAgentArn, arn)));
    handles.extend(name.map(|name| around.issued(HandleKind::ConnectUsername, name)));
    event.target = role(handles);
    Outcome::Events(vec![mapped(event, native.as_deref(), Vec::new())])
}

/// A rule of Contact Lens matched: a category of the contact.
fn rule_matched(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let rule = text(item, "ruleName").unwrap_or_default();
    let native = around.delivery.id;
    let what = (Domain::Contact, Action::ContactCategory, "rules");
    let mut event = around.event(what, native, 0, around.envelope_time());
    event.vendor_action = format_smolstr!("rule/{rule}");
    let Some(contact) = text(item, "contactArn").or_else(|| text(item, "contactId")) else {
        return Outcome::schema("a rule that matched no contact");
    };
    let id = SmolStr::from(contact.rsplit('/').next().unwrap_or_default());
    event.call_ref = Some(Box::new(CallRef {
        system: around.setup.name.as_str().into(),
        root_id: id.clone(),
        id,
        ..CallRef::default()
    }));
    let arn = text(item, "agentArn");
    event.agent = role(
        arn.into_iter()
            .map(|arn| handle(HandleKind::ConnectAgentArn, arn))
            .collect(),
    );
    Outcome::Events(vec![mapped(event, native, Vec::new())])
}
