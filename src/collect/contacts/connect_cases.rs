//! Amazon Connect Cases: cases and the comments on them.

use crate::collect::action::Action;
use crate::collect::contacts::connect::{idle, stamp};
use crate::collect::draft::{Around, address_or, at, mapped, role, text};
use crate::collect::event::{Domain, HandleKind, Role, TicketRef, TicketStatus};
use crate::collect::mapped::{Outcome, TextPart};
use crate::collect::parse::Value;
use smol_str::SmolStr;

pub(super) fn map(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let case = at(item, "case").unwrap_or(item);
    let event_type = text(item, "eventType").unwrap_or_default().to_uppercase();
    let Some(id) = text(case, "caseId") else {
        let comment = at(item, "relatedItem").and_then(|related| comment(around, related));
        return comment.unwrap_or_else(|| idle(around, &event_type, "cases"));
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
    let time = stamped.or_else(|| stamp(item, "timestamp"));
    let time = time.or_else(|| around.envelope_time());
    let mut event = around.event((Domain::Ticket, action, "cases"), native, 0, time);
    event.vendor_action = event_type.into();
    event.ticket_ref = Some(Box::new(TicketRef {
        system: around.setup.name.as_str().into(),
        id,
        key: case_field(case, "reference_number"),
        kind: Some("case".into()),
        status,
        opened_at: stamp(case, "createdDateTime").map(|(t, _)| t),
        assignee: case_field(case, "assigned_user").into_iter().collect(),
        ..TicketRef::default()
    }));
    event.agent = performed_by(item);
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

/// A comment on a case.
fn comment(around: &Around<'_>, related: Value<'_>) -> Option<Outcome> {
    let kind = text(related, "relatedItemType")?;
    let id = text(related, "caseId").filter(|_| kind.eq_ignore_ascii_case("comment"))?;
    let item = around.item;
    let native = around.delivery.id;
    let time = stamp(related, "associationTime").or_else(|| stamp(item, "timestamp"));
    let time = time.or_else(|| around.envelope_time());
    let what = (Domain::Ticket, Action::TicketCommented, "cases");
    let mut event = around.event(what, native, 0, time);
    event.vendor_action = text(item, "eventType")
        .unwrap_or_default()
        .to_uppercase()
        .into();
    event.ticket_ref = Some(Box::new(TicketRef {
        system: around.setup.name.as_str().into(),
        id,
        kind: Some("case".into()),
        ..TicketRef::default()
    }));
    event.agent = performed_by(item);
    let said = text(related, "comment.body").or_else(|| text(related, "content.comment.body"));
    let texts = said.map(|text| TextPart {
        speaker: "agent",
        text,
    });
    let texts = texts.into_iter().collect();
    Some(Outcome::Events(vec![mapped(event, native, texts)]))
}

/// A field of a case, whatever its type.
fn case_field(case: Value<'_>, id: &str) -> Option<SmolStr> {
    let fields = at(case, "fields")?;
    let of_id = |f: &Value<'_>| text(*f, "id").is_some_and(|name| name.eq_ignore_ascii_case(id));
    let value = fields
        .items()
        .find(of_id)
        .and_then(|field| at(field, "value"))?;
    let inner = value.entries().find_map(|(_, value)| value.text());
    inner.or_else(|| value.text()).map(SmolStr::from)
}

/// Who changed a case.
fn performed_by(item: Value<'_>) -> Option<Box<Role>> {
    let who = [
        "performedBy.user.userArn",
        "performedBy.userArn",
        "performedBy.iamPrincipalArn",
    ]
    .iter()
    .find_map(|path| text(item, path))?;
    let kind = if who.contains(":connect:") {
        HandleKind::ConnectAgentArn
    } else {
        HandleKind::Principal
    };
    role(vec![address_or(kind, who)])
}
