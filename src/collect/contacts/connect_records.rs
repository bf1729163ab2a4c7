//! Amazon Connect contact records (CTR) with the customer's attributes, and Contact Lens segments.

use crate::collect::action::Action;
use crate::collect::contacts::connect::{call_ref, is_outbound, set_agent, set_contact, stamp};
use crate::collect::draft::{
    Around, at, handle, mapped, moment, reason_of, role, stated_person, text,
};
use crate::collect::event::{
    Domain, Event, Handle, HandleKind, Outcome as Ended, Phone, Request, Risk, RiskKind, Text,
    TicketRef, Verification,
};
use crate::collect::mapped::{MappedEvent, Outcome, TextPart};
use crate::collect::parse::Value;
use crate::collect::words::{RequestClass, VerificationMethod};
use smol_str::{SmolStr, format_smolstr};

/// The first of these attributes that holds a value.
fn attribute(item: Value<'_>, names: &[String]) -> Option<SmolStr> {
    let attributes = at(item, "attributes")?;
    names
        .iter()
        .find_map(|name| Some(attributes.get_any_case(name)?.text()?.into()))
}

/// Whose account the contact is about, by its attributes.
pub(super) fn stated_target(around: &Around<'_>) -> Vec<Handle> {
    let stated = attribute(around.item, &around.setup.fields.target);
    let customer = || text(around.item, "customerId");
    let stated = stated.or_else(customer);
    stated.into_iter().map(stated_person).collect()
}

/// The ticket the attributes name. An id leads to the ticket of the configured source; a number names
/// it to people alone, so it is given no system.
pub(super) fn set_ticket(event: &mut Event, around: &Around<'_>) {
    let fields = &around.setup.fields;
    let said = attribute(around.item, &fields.ticket);
    event.ticket_ref = said.map(|said| {
        let is_id = said.len() == 32 && said.bytes().all(|b| b.is_ascii_hexdigit());
        let system = fields.ticket_system.clone().filter(|_| is_id);
        Box::new(TicketRef {
            key: system.is_none().then(|| said.clone()),
            system: system.unwrap_or_default().into(),
            id: said,
            ..TicketRef::default()
        })
    });
}

/// What attributes prove that were set or changed during the contact.
pub(super) fn changed_attributes(around: &Around<'_>) -> Vec<MappedEvent> {
    let item = around.item;
    let native = around.delivery.id;
    let time = stamp(item, "eventTimestamp").or_else(|| around.envelope_time());
    let what = (Domain::Contact, Action::Other, "contact_events");
    let mut event = around.event(what, native, 0, time);
    let method = text(item, "initiationMethod").unwrap_or_default();
    event.vendor_action = format_smolstr!("CONTACT_DATA_UPDATED/{}", method.to_uppercase());
    event.call_ref = call_ref(around);
    set_contact(&mut event, around, &method.to_uppercase());
    set_agent(&mut event, around);
    event.target = role(stated_target(around));
    set_ticket(&mut event, around);
    let mut events = Vec::new();
    parts(around, &event, native, "", &mut events);
    events
}

/// A contact record: the wrap-up of a contact, and what its attributes prove.
pub(super) fn contact_record(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let fields = &around.setup.fields;
    let method = text(item, "InitiationMethod")
        .unwrap_or_default()
        .to_uppercase();
    let updated = text(item, "LastUpdateTimestamp");
    let contact = text(item, "ContactId").unwrap_or_default();
    let native = updated
        .as_ref()
        .map(|updated| format!("{contact}/{updated}"));
    let time = stamp(item, "DisconnectTimestamp").or_else(|| stamp(item, "LastUpdateTimestamp"));
    let what = (Domain::Contact, Action::ContactWrapup, "contact_records");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.vendor_action = format_smolstr!("ctr/{method}");
    event.observed_time = stamp(item, "LastUpdateTimestamp").map(|(t, _)| t);
    event.outcome_reason = text(item, "DisconnectReason");
    event.call_ref = call_ref(around);
    if let Some(call) = &mut event.call_ref {
        call.version = event.observed_time.map(|t| t.0);
        call.connected_s = at(item, "Agent.AgentInteractionDuration").and_then(Value::as_i64);
    }
    set_contact(&mut event, around, &method);
    set_agent(&mut event, around);
    event.target = role(stated_target(around));
    set_ticket(&mut event, around);
    let class = attribute(item, &fields.request_class).map(|class| fields.class(&class));
    event.request = class
        .filter(|class| *class != RequestClass::Unknown)
        .map(|class| {
            Box::new(Request {
                class,
                claims: Vec::new(),
            })
        });
    event.risk = voice_risk(item);
    let mut events = vec![mapped(event.clone(), native.as_deref(), Vec::new())];
    parts(around, &event, native.as_deref(), &method, &mut events);
    Outcome::Events(events)
}

/// The further events that one contact record proves, each with its own part of the id.
#[expect(
    clippy::too_many_lines,
    reason = "one block for each event that a record can prove"
)]
fn parts(
    around: &Around<'_>,
    wrapup: &Event,
    native: Option<&str>,
    method: &str,
    out: &mut Vec<MappedEvent>,
) {
    let item = around.item;
    let fields = &around.setup.fields;
    let mut add = |action: Action, part: u32, fill: &dyn Fn(&mut Event)| {
        let what = (Domain::Contact, action, "contact_records");
        let same = around.event(what, native, part, Some((wrapup.time, wrapup.time_quality)));
        let mut event = wrapup.clone();
        event.event_id = same.event_id;
        event.action = action;
        event.risk = None;
        fill(&mut event);
        out.push(mapped(event, native, Vec::new()));
    };
    let connected = stamp(item, "Agent.ConnectedToAgentTimestamp").is_some();
    let said_done = attribute(item, &fields.callback_done).is_some_and(|v| fields.is_yes(&v));
    if (is_outbound(method) && connected) || said_done {
        let number = attribute(item, &fields.callback_number);
        let at = attribute(item, &fields.callback_time)
            .and_then(|t| crate::collect::time::parse_time(&t));
        add(Action::CallbackCompleted, 1, &|event| {
            event.outcome = Ended::Success;
            if let Some((time, quality)) = at {
                event.time = time;
                event.time_quality = quality;
                around.clamp(event);
            }
            if let Some(number) = &number {
                let phone = event.phone.get_or_insert_with(Box::<Phone>::default);
                phone.callback_number = Some(handle(HandleKind::Phone, number.clone()));
            }
        });
    }
    if let Some(said) = attribute(item, &fields.verification_method) {
        let method = fields.method(&said);
        let result = attribute(item, &fields.verification_result);
        let time = at(item, "attributes")
            .and_then(|a| {
                fields
                    .verification_time
                    .iter()
                    .find_map(|n| a.get_any_case(n))
            })
            .and_then(moment);
        add(Action::VerifyResult, 2, &|event| {
            event.outcome = match &result {
                Some(result) if fields.is_yes(result) => Ended::Success,
                Some(_) => Ended::Failure,
                None if method == VerificationMethod::None => Ended::Unknown,
                None => Ended::Success,
            };
            if let Some((time, quality)) = time {
                event.time = time;
                event.time_quality = quality;
                around.clamp(event);
            }
            event.verification = Some(Box::new(Verification {
                method: Some(method),
                time: time.map(|(time, _)| time),
                ..Verification::default()
            }));
        });
    }
    if let Some(why) = attribute(item, &fields.override_reason) {
        let approver = attribute(item, &fields.approver);
        add(Action::TicketOverride, 3, &|event| {
            event.reason = Some(reason_of(&why));
            event.approver = role(approver.iter().cloned().map(stated_person).collect());
        });
    }
    if barged(item) {
        add(Action::ContactSupervisorJoined, 4, &|_| {});
    }
    if let Some(who) = attribute(item, &fields.review) {
        add(Action::ReviewCompleted, 5, &|event| {
            event.approver = role(vec![stated_person(who.clone())]);
        });
    }
}

fn barged(item: Value<'_>) -> bool {
    let transitions = at(item, "Agent.StateTransitions").or_else(|| at(item, "StateTransitions"));
    transitions
        .into_iter()
        .flat_map(Value::items)
        .any(|transition| {
            text(transition, "state").is_some_and(|state| state.to_uppercase().contains("BARGE"))
        })
}

/// What Voice ID said, while it existed.
fn voice_risk(item: Value<'_>) -> Option<Box<Risk>> {
    let result = at(item, "VoiceIdResult").filter(|result| result.is_object())?;
    let fraud = "FraudDetection.RiskScoreKnownFraudster";
    let spoof = "FraudDetection.RiskScoreVoiceSpoofing";
    let score = [fraud, spoof]
        .iter()
        .filter_map(|path| at(result, path)?.as_i64())
        .max();
    let reasons = at(result, "FraudDetection.Reasons");
    let mut reasons: Vec<SmolStr> = reasons
        .into_iter()
        .flat_map(Value::items)
        .filter_map(|reason| reason.text().map(|r| r.to_lowercase().into()))
        .collect();
    let authentication = text(result, "Authentication.Result");
    reasons.extend(
        authentication.map(|r| format_smolstr!("voice_{}", r.to_lowercase().replace(' ', "_"))),
    );
    Some(Box::new(Risk {
        kind: Some(RiskKind::Voice),
        level: text(result, "FraudDetection.Result").map(|level| level.to_lowercase().into()),
        score: score.and_then(|score| u8::try_from(score.clamp(0, 100)).ok()),
        reasons,
    }))
}

/// Contact Lens segments: what was said, and the categories found.
pub(super) fn segments(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let contact = text(item, "ContactId").unwrap_or_default();
    let mut events = Vec::new();
    for segment in at(item, "Segments").into_iter().flat_map(Value::items) {
        if let Some(transcript) = at(segment, "Transcript") {
            events.extend(utterance(around, &contact, transcript));
        }
        let names = at(segment, "Categories.MatchedCategories");
        for name in names
            .into_iter()
            .flat_map(Value::items)
            .filter_map(Value::text)
        {
            let native = format!("{contact}/category/{name}");
            let what = (Domain::Contact, Action::ContactCategory, "contact_lens");
            let mut event = around.event(what, Some(&native), 0, None);
            event.vendor_action = format_smolstr!("Categories/{name}");
            event.call_ref = call_ref(around);
            set_contact(&mut event, around, "");
            events.push(mapped(event, Some(&native), Vec::new()));
        }
    }
    if events.is_empty() {
        return Outcome::Ignored("no_segment_of_interest");
    }
    Outcome::Events(events)
}

fn utterance(around: &Around<'_>, contact: &str, transcript: Value<'_>) -> Option<MappedEvent> {
    let said = text(transcript, "Content")?;
    let by = text(transcript, "ParticipantRole").or_else(|| text(transcript, "ParticipantId"));
    let by = by.unwrap_or_default().to_uppercase();
    let speaker = match by.as_str() {
        "CUSTOMER" => "requester",
        "AGENT" | "SUPERVISOR" => "agent",
        _ => "system",
    };
    let offset = at(transcript, "BeginOffsetMillis").and_then(Value::as_i64);
    let native = match text(transcript, "Id") {
        Some(id) => format!("{contact}/{id}"),
        None => format!("{contact}/at/{}", offset.unwrap_or_default()),
    };
    let spoken = at(transcript, "AbsoluteTime").or_else(|| at(transcript, "Time.AbsoluteTime"));
    let time = spoken.and_then(moment);
    let what = (Domain::Contact, Action::ContactUtterance, "contact_lens");
    let mut event = around.event(what, Some(&native), 0, time);
    event.vendor_action = format_smolstr!("Transcript/{by}");
    event.call_ref = call_ref(around);
    set_contact(&mut event, around, "");
    event.text = Some(Box::new(Text {
        speaker: Some(speaker.into()),
        offset_ms: offset,
        ..Text::default()
    }));
    let texts = vec![TextPart {
        speaker,
        text: said,
    }];
    Some(mapped(event, Some(&native), texts))
}
