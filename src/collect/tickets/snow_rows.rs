//! ServiceNow tables beside tickets: approvals, the audit and journal tables, users and their roles.

use crate::collect::action::Action;
use crate::collect::draft::{Around, role, short_hash};
use crate::collect::event::{
    Approver, Change, Decision, Domain, Event, Handle, HandleKind, TicketRef, TicketStatus,
};
use crate::collect::mapped::{Outcome, TextPart};
use crate::collect::tickets::controls;
use crate::collect::tickets::servicenow::{Version, is_ticket, set_agent, single};
use crate::collect::tickets::snow_fields::{known_as, person, time, value};
use smol_str::{SmolStr, format_smolstr};

/// A ticket of which only id and table are known.
fn bare_ticket(around: &Around<'_>, id: SmolStr, kind: Option<SmolStr>) -> Box<TicketRef> {
    Box::new(TicketRef {
        system: around.setup.name.as_str().into(),
        id,
        kind,
        ..TicketRef::default()
    })
}

fn decision(state: &str) -> Option<(Action, Decision)> {
    Some(match state.to_lowercase().replace(' ', "_").as_str() {
        "requested" => (Action::ApprovalRequested, Decision::Requested),
        "approved" => (Action::ApprovalGranted, Decision::Granted),
        "rejected" => (Action::ApprovalRejected, Decision::Rejected),
        "not_required" | "cancelled" | "canceled" | "no_longer_required" => {
            (Action::ApprovalBypassed, Decision::Bypassed)
        }
        _ => return None,
    })
}

/// A row of `sysapproval_approver`: names the task, not the person whose account it is.
pub(super) fn approval(around: &Around<'_>) -> Outcome {
    let row = around.item;
    let Some(id) = value(row, "sys_id") else {
        return Outcome::schema("an approval without `sys_id`");
    };
    let state = value(row, "state").unwrap_or_default();
    let count = Version::of(row).name;
    let native = format!("{id}/{count}");
    let at = time(row, "sys_updated_on").or_else(|| time(row, "sys_created_on"));
    let decided = decision(&state);
    // "Not yet requested" is the state before anybody is asked.
    let action = decided.map_or(Action::Other, |(action, _)| action);
    let mut event = around.event((Domain::Ticket, action, "table"), Some(&native), 0, at);
    event.vendor_action = format_smolstr!("sysapproval_approver/{state}");
    set_agent(&mut event, around, value(row, "sys_updated_by"));
    event.approver = role(person(around, row, "approver"));
    event.approval = decided.map(|(_, decision)| {
        Box::new(Approver {
            decision: Some(decision),
            decided_at: (decision != Decision::Requested).then_some(event.time),
            ..Approver::default()
        })
    });
    let task = value(row, "sysapproval").or_else(|| value(row, "document_id"));
    let task = task.map(|task| bare_ticket(around, task, value(row, "source_table")));
    event.ticket_ref = task;
    single(event, Some(&native), Vec::new())
}

/// A row of `sys_audit`: one exact transition of one field.
pub(super) fn audit(around: &Around<'_>) -> Outcome {
    let row = around.item;
    let (Some(name), Some(id)) = (value(row, "fieldname"), value(row, "documentkey")) else {
        return Outcome::schema("an audit row without `fieldname` or `documentkey`");
    };
    let table = value(row, "tablename").unwrap_or_default();
    let old = value(row, "oldvalue").unwrap_or_default();
    let new = value(row, "newvalue").unwrap_or_default();
    let action = if table == "sysapproval_approver" && name == "state" {
        decision(&new).map_or(Action::Other, |(action, _)| action)
    } else if is_ticket(&table) {
        transition(around, &table, &name, (&old, &new))
    } else {
        Action::Other
    };
    if action == Action::Other && !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let control = controls::action_of(&around.setup.fields, &name, &new) == Some(action);
    // One value of a control field is one event, whichever table shows it first.
    let native = if control {
        Some(format_smolstr!("{id}/{name}/{new}"))
    } else {
        value(row, "sys_id")
    };
    let at = time(row, "sys_created_on");
    let what = (Domain::Ticket, action, "sys_audit");
    let mut event = around.event(what, native.as_deref(), 0, at);
    event.vendor_action = format_smolstr!("sys_audit/{name}");
    set_agent(
        &mut event,
        around,
        value(row, "user").or_else(|| value(row, "sys_created_by")),
    );
    // The audit of an approval names the approval, and only that knows its ticket.
    event.ticket_ref = is_ticket(&table).then(|| bare_ticket(around, id, Some(table)));
    event.changed = vec![Change {
        field_class: field_class(&name),
        old_hash: (!old.is_empty()).then(|| short_hash(&old)),
        new_hash: (!new.is_empty()).then(|| short_hash(&new)),
    }];
    if let Some(ticket) = &mut event.ticket_ref {
        fill_ticket(around, ticket, &name, &new);
    }
    if action == Action::TicketRequesterChanged && !new.is_empty() {
        event.requester = role(vec![known_as(around, new.clone())]);
    }
    if let Some((_, decision)) = decision(&new).filter(|(of, _)| *of == action) {
        event.approval = Some(Box::new(Approver {
            decision: Some(decision),
            decided_at: Some(event.time),
            ..Approver::default()
        }));
    }
    if control {
        controls::apply(&mut event, around, &new, None);
    }
    let texts = written(&name, new);
    single(event, native.as_deref(), texts)
}

fn fill_ticket(around: &Around<'_>, ticket: &mut TicketRef, name: &str, new: &str) {
    let table = ticket.kind.clone().unwrap_or_default();
    match name {
        "state" | "incident_state" => ticket.status = around.setup.fields.status(&table, new),
        "priority" => ticket.priority = new.parse().ok(),
        "escalation" => ticket.escalation = new.parse().ok(),
        "assigned_to" if !new.is_empty() => ticket.assignee = vec![new.into()],
        _ => {}
    }
}

fn written(name: &str, text: SmolStr) -> Vec<TextPart> {
    let speaker = match name {
        "work_notes" | "close_notes" => "agent",
        "comments" | "short_description" | "description" => "requester",
        _ => return Vec::new(),
    };
    if text.is_empty() {
        return Vec::new();
    }
    vec![TextPart { speaker, text }]
}

fn field_class(name: &str) -> SmolStr {
    match name {
        "caller_id" | "opened_for" => "requester".into(),
        "incident_state" => "state".into(),
        "assigned_to" | "assignment_group" => "assignee".into(),
        "requested_for" | "priority" | "state" => name.into(),
        "category" | "u_request_class" => "request.class".into(),
        _ => format_smolstr!("custom:{name}"),
    }
}

fn transition(around: &Around<'_>, table: &str, name: &str, values: (&str, &str)) -> Action {
    let fields = &around.setup.fields;
    let (old, new) = values;
    let level = |text: &str| text.trim().parse::<i64>().ok();
    match name {
        "caller_id" | "requested_for" | "opened_for" => Action::TicketRequesterChanged,
        "assigned_to" | "assignment_group" => Action::TicketAssigned,
        "comments" | "work_notes" | "comments_and_work_notes" => Action::TicketCommented,
        "priority" | "urgency" if level(new) < level(old) && level(new).is_some() => {
            Action::TicketEscalated
        }
        "escalation" if level(new) > level(old) => Action::TicketEscalated,
        "state" | "incident_state" => {
            let done = |s| matches!(s, Some(TicketStatus::Resolved | TicketStatus::Closed));
            match (fields.status(table, old), fields.status(table, new)) {
                (_, Some(TicketStatus::Resolved)) => Action::TicketResolved,
                (_, Some(TicketStatus::Closed)) => Action::TicketClosed,
                (before, Some(TicketStatus::Open | TicketStatus::Pending)) if done(before) => {
                    Action::TicketReopened
                }
                _ => Action::TicketUpdated,
            }
        }
        _ => controls::action_of(fields, name, new).unwrap_or(Action::TicketUpdated),
    }
}

/// A row of `sys_journal_field`: one comment or work note.
pub(super) fn journal(around: &Around<'_>) -> Outcome {
    let row = around.item;
    let Some(id) = value(row, "element_id") else {
        return Outcome::schema("a journal row without `element_id`");
    };
    let element = value(row, "element").unwrap_or_default();
    let table = value(row, "name");
    let native = value(row, "sys_id");
    let at = time(row, "sys_created_on");
    let comment = matches!(element.as_str(), "comments" | "work_notes")
        && table.as_deref().is_none_or(is_ticket);
    if !comment && !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let action = if comment {
        Action::TicketCommented
    } else {
        Action::Other
    };
    let what = (Domain::Ticket, action, "sys_journal_field");
    let mut event = around.event(what, native.as_deref(), 0, at);
    event.vendor_action = format_smolstr!("sys_journal_field/{element}");
    set_agent(&mut event, around, value(row, "sys_created_by"));
    if !comment {
        return single(event, native.as_deref(), Vec::new());
    }
    event.ticket_ref = Some(bare_ticket(around, id, table));
    let texts = written(&element, value(row, "value").unwrap_or_default());
    single(event, native.as_deref(), texts)
}

/// A row of `sys_user` and what hangs on it.
pub(super) fn user(around: &Around<'_>, table: &str) -> Outcome {
    let row = around.item;
    let action = match table {
        "sys_user" => Action::IdentityUpsert,
        "sys_user_has_role" => Action::AccessRoleGranted,
        _ => Action::AccessGroupAdded,
    };
    let id = value(row, "sys_id");
    let count = Version::of(row).name;
    let native = id.as_ref().map(|id| format!("{id}/{count}"));
    let at = time(row, "sys_updated_on").or_else(|| time(row, "sys_created_on"));
    let what = (Domain::Directory, action, "table");
    let mut event = around.event(what, native.as_deref(), 0, at);
    event.vendor_action = format_smolstr!("{table}/mod{count}");
    set_agent(&mut event, around, value(row, "sys_updated_by"));
    event.target = role(if table == "sys_user" {
        account(around, id)
    } else {
        person(around, row, "user")
    });
    single(event, native.as_deref(), Vec::new())
}

fn account(around: &Around<'_>, id: Option<SmolStr>) -> Vec<Handle> {
    let row = around.item;
    let mut handles: Vec<Handle> = id
        .into_iter()
        .map(|id| around.issued(HandleKind::SnowSysId, id))
        .collect();
    let user = value(row, "user_name").map(|user| around.issued(HandleKind::SnowUser, user));
    handles.extend(user);
    let named = [
        ("email", HandleKind::Email),
        ("employee_number", HandleKind::EmployeeId),
    ];
    for (name, kind) in named {
        handles.extend(value(row, name).map(|v| crate::collect::draft::handle(kind, v)));
    }
    handles
}

/// A row of any other table: known and of no interest, or unknown.
pub(super) fn plain(around: &Around<'_>, table: &str) -> Outcome {
    let row = around.item;
    let known = [
        "change_",
        "problem",
        "cmdb",
        "sys_",
        "sc_",
        "kb_",
        "alm_",
        "cmn_",
        "core_",
        "wf_",
        "task_",
        "em_",
        "sn_",
        "kb",
        "sla",
        "contract",
        "ast_",
        "incident_",
        "interaction_",
        "sysapproval_",
        "syslog",
        "sysevent",
    ];
    let known = known.iter().any(|prefix| table.starts_with(prefix));
    if known && !around.setup.keep_unread {
        return Outcome::Ignored("other");
    }
    let action = if known {
        Action::Other
    } else {
        Action::Unmapped
    };
    let count = Version::of(row).name;
    let native = value(row, "sys_id").map(|id| format!("{id}/{count}"));
    let at = time(row, "sys_updated_on").or_else(|| time(row, "sys_created_on"));
    let mut event: Event =
        around.event((Domain::Ticket, action, "table"), native.as_deref(), 0, at);
    event.vendor_action = table.into();
    set_agent(&mut event, around, value(row, "sys_updated_by"));
    single(event, native.as_deref(), Vec::new())
}
