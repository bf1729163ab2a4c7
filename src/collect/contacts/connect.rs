//! Amazon Connect: contact events, agent events, rules matched and cases here; contact records and
//! transcript segments in `connect_records`.

use crate::collect::action::Action;
use crate::collect::contacts::connect_records;
use crate::collect::draft::{
    Around, address_or, agent_kind, at, handle, mapped, moment, role, text,
};
use crate::collect::event::{
    AgentKind, CallRef, Channel, Contact, Direction, Domain, Event, Handle, HandleKind, Phone,
    TicketRef, TicketStatus,
};
use crate::collect::map::{Outcome, TextPart};
use crate::collect::parse::Value;
use crate::collect::time::{TimeQuality, Timestamp};

/// Maps one item of any of the five shapes.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let has = |key: &str| item.get_any_case(key).is_some();
    let kind = around.delivery.kind.unwrap_or_default();
    if has("CurrentAgentSnapshot") || has("AgentARN") && has("EventId") {
        return agent_event(around);
    }
    if has("Segments") {
        return connect_records::segments(around);
    }
    if has("case") || kind.contains("Cases") {
        return case(around);
    }
    if has("ruleName") || kind.contains("Rules Matched") {
        return rule_matched(around);
    }
    if !has("ContactId") {
        return Outcome::schema("no contact, agent, case or rule: not an Amazon Connect event");
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

fn idle(around: &Around<'_>, vendor: &str, feed: &str) -> Outcome {
    if !around.setup.keep_other {
        return Outcome::Ignored("other");
    }
    let what = (Domain::Contact, Action::Other, feed);
    let mut event = around.event(what, around.delivery.id, 0, around.envelope_time());
    event.vendor_action = vendor.to_owned();
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
    let queue_id = queue_arn.and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
    Some(Box::new(CallRef {
        system: around.setup.name.clone(),
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
    matches!(method, "OUTBOUND" | "CALLBACK" | "EXTERNAL_OUTBOUND")
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
    let outbound = is_outbound(method);
    event.contact = Some(Box::new(Contact {
        direction: Some(if outbound {
            Direction::FromDesk
        } else {
            Direction::ToDesk
        }),
        ..Contact::default()
    }));
    let customer = text(item, "customerEndpoint.address");
    let handle_of = |value: String| {
        if value.contains('@') && !value.starts_with("sip:") {
            handle(HandleKind::Email, value)
        } else if value.starts_with(['+', 's', 't', 'a']) || value.starts_with(char::is_numeric) {
            handle(HandleKind::Phone, value)
        } else {
            handle(HandleKind::ChatHandle, value)
        }
    };
    let customer = customer.map(handle_of);
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
    let named = !target.is_empty() || text(item, "customerEndpoint.address").is_some();
    let event_type = event_type.to_uppercase();
    let action = contact_action(&event_type, &method, human, named).unwrap_or(Action::Unmapped);
    if action == Action::Other && !around.setup.keep_other {
        return Outcome::Ignored("other");
    }
    let path = match event_type.as_str() {
        "INITIATED" => "initiationTimestamp",
        "QUEUED" => "queueInfo.enqueueTimestamp",
        "CONNECTED_TO_AGENT" => "agentInfo.connectedToAgentTimestamp",
        "CONNECTED_TO_SYSTEM" => "connectedToSystemTimestamp",
        "DISCONNECTED" => "disconnectTimestamp",
        _ => "eventTimestamp",
    };
    let time = stamp(item, path).or_else(|| around.envelope_time());
    let native = around.delivery.id;
    let mut event = around.event((Domain::Contact, action, "contact_events"), native, 0, time);
    event.vendor_action = format!("{event_type}/{method}");
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
    if action == Action::Other && !around.setup.keep_other {
        return Outcome::Ignored("other");
    }
    let native = text(item, "EventId");
    let what = (Domain::Directory, action, "agent_events");
    let time = stamp(item, "EventTimestamp");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.vendor_action = format!("agent/{event_type}");
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
    event.vendor_action = format!("rule/{rule}");
    let contact = text(item, "contactArn").or_else(|| text(item, "contactId"));
    event.call_ref = contact.map(|arn| {
        let id = arn.rsplit('/').next().unwrap_or_default().to_owned();
        Box::new(CallRef {
            system: around.setup.name.clone(),
            root_id: id.clone(),
            id,
            ..CallRef::default()
        })
    });
    let arn = text(item, "agentArn");
    event.agent = role(
        arn.into_iter()
            .map(|arn| handle(HandleKind::ConnectAgentArn, arn))
            .collect(),
    );
    Outcome::Events(vec![mapped(event, native, Vec::new())])
}

/// A field of a case, whatever its type.
fn case_field(case: Value<'_>, id: &str) -> Option<String> {
    let fields = at(case, "fields")?;
    let of_id = |f: &Value<'_>| text(*f, "id").is_some_and(|name| name.eq_ignore_ascii_case(id));
    let value = fields
        .items()
        .find(of_id)
        .and_then(|field| at(field, "value"))?;
    let inner = value.entries().find_map(|(_, value)| value.text());
    inner.or_else(|| value.text()).map(|text| text.into_owned())
}

fn case(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let case = at(item, "case").unwrap_or(item);
    let event_type = text(item, "eventType").unwrap_or_default().to_uppercase();
    let Some(id) = text(case, "caseId") else {
        return idle(around, &event_type, "cases");
    };
    let status = case_field(case, "status").map(|status| status.to_lowercase());
    let status = status.and_then(|status| around.setup.fields.status("case", &status));
    let action = match (event_type.as_str(), status) {
        ("CASE.CREATED", _) => Action::TicketOpened,
        ("CASE.UPDATED", Some(TicketStatus::Closed)) => Action::TicketClosed,
        ("CASE.UPDATED", _) => Action::TicketUpdated,
        _ => Action::Other,
    };
    let stamped = if action == Action::TicketOpened {
        stamp(case, "createdDateTime")
    } else {
        stamp(case, "lastUpdatedDateTime")
    };
    let native = around.delivery.id;
    let time = stamped.or_else(|| around.envelope_time());
    let mut event = around.event((Domain::Ticket, action, "cases"), native, 0, time);
    event.vendor_action = event_type;
    event.ticket_ref = Some(Box::new(TicketRef {
        system: around.setup.name.clone(),
        id,
        key: case_field(case, "reference_number"),
        kind: Some("case".to_owned()),
        status,
        opened_at: stamp(case, "createdDateTime").map(|(t, _)| t),
        assignee: case_field(case, "assigned_user").into_iter().collect(),
        ..TicketRef::default()
    }));
    let who = [
        "performedBy.user.userArn",
        "performedBy.userArn",
        "performedBy.iamPrincipalArn",
    ]
    .iter()
    .find_map(|path| text(item, path));
    event.agent = role(
        who.into_iter()
            .map(|arn| address_or(HandleKind::ConnectAgentArn, arn))
            .collect(),
    );
    let texts = ["title", "summary"].iter().filter_map(|id| {
        let text = case_field(case, id)?;
        Some(TextPart {
            speaker: "requester",
            text,
        })
    });
    let texts = texts.collect();
    Outcome::Events(vec![mapped(event, native, texts)])
}
