//! ServiceNow rows, by table: ticket snapshots here, other tables in `snow_rows`, the customer's
//! evidence fields in `controls`. Nothing is remembered: transitions are derived in the ticket.

use crate::collect::action::Action;
use crate::collect::draft::{Around, agent_kind, mapped, role, stated_person};
use crate::collect::event::{
    AgentKind, CallRef, Channel, Contact, Direction, Domain, Event, Handle, HandleKind, Request,
    TicketRef,
};
use crate::collect::mapped::{MappedEvent, Outcome, TextPart};
use crate::collect::parse::{Keys, Value};
use crate::collect::tickets::snow_fields::{field, known_as, person, time, value};
use crate::collect::tickets::{controls, snow_rows};
use crate::collect::words::RequestClass;
use smol_str::{SmolStr, format_smolstr};

/// Maps one row.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let (row, named) = unwrapped(around.item);
    let around = &Around {
        item: row,
        ..*around
    };
    let Some(table) = table_of(row, named) else {
        return Outcome::schema("no `sys_class_name` and no known columns: not a ServiceNow row");
    };
    match table.as_str() {
        "sysapproval_approver" => snow_rows::approval(around),
        "sys_audit" => snow_rows::audit(around),
        "sys_journal_field" => snow_rows::journal(around),
        "sys_user" | "sys_user_has_role" | "sys_user_grmember" => snow_rows::user(around, &table),
        _ if is_ticket(&table) => snapshot(around, &table),
        _ => snow_rows::plain(around, &table),
    }
}

/// The row, where a business rule or flow sent it as `{table, record}`, and the table it names.
fn unwrapped(item: Value<'_>) -> (Value<'_>, Option<SmolStr>) {
    let table = ["table", "table_name", "sys_table_name"];
    let table = table.iter().find_map(|name| value(item, name));
    if field(item, "sys_id").is_some() {
        return (item, table);
    }
    static CARRIERS: Keys<4> = Keys::new(["record", "current", "data", "payload"]);
    let inner = item.pick(&CARRIERS);
    let row = inner
        .into_iter()
        .flatten()
        .find(|inner| inner.is_object() && field(*inner, "sys_id").is_some());
    (row.unwrap_or(item), table)
}

/// Tables whose rows are tickets: the four of the service desk, interactions, cases, own tables.
pub(super) fn is_ticket(table: &str) -> bool {
    const TABLES: [&str; 7] = [
        "incident",
        "sc_request",
        "sc_req_item",
        "sc_task",
        "interaction",
        "task",
        "universal_request",
    ];
    TABLES.contains(&table) || table.ends_with("_case") || table.starts_with("u_")
}

/// The table by the label that people see, where an export has labels in place of values.
fn by_label(name: &str) -> &str {
    match name {
        "requested_item" => "sc_req_item",
        "catalog_task" => "sc_task",
        "request" => "sc_request",
        "approval" | "approver" => "sysapproval_approver",
        "user" => "sys_user",
        _ => name,
    }
}

/// The table: `sys_class_name`, else the one named beside the row, else told by columns that only it
/// has, else by the number.
fn table_of(row: Value<'_>, named: Option<SmolStr>) -> Option<SmolStr> {
    if let Some(name) = value(row, "sys_class_name").or(named) {
        let name = name.to_lowercase().replace(' ', "_");
        return Some(by_label(&name).into());
    }
    let has = |name: &str| field(row, name).is_some();
    let columns = [
        (["sysapproval", "approver"], "sysapproval_approver"),
        (["documentkey", "fieldname"], "sys_audit"),
        (["element_id", "element"], "sys_journal_field"),
        (["user_name", "sys_id"], "sys_user"),
        (["user", "role"], "sys_user_has_role"),
        (["user", "group"], "sys_user_grmember"),
    ];
    let by_columns = columns
        .iter()
        .find(|(names, _)| names.iter().all(|n| has(n)));
    if let Some((_, table)) = by_columns {
        return Some((*table).into());
    }
    let number = value(row, "number")?;
    let prefixes = [
        ("INC", "incident"),
        ("RITM", "sc_req_item"),
        ("REQ", "sc_request"),
        ("SCTASK", "sc_task"),
        ("TASK", "sc_task"),
        ("IMS", "interaction"),
    ];
    let by_number = prefixes
        .iter()
        .find(|(prefix, _)| number.starts_with(prefix));
    Some(by_number.map_or("task", |(_, table)| *table).into())
}

/// The number that a value is, or that its label begins with: `3`, `3 - Moderate`.
fn leading_number(text: &str) -> Option<i64> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(end)?;
    let whole = rest.is_empty() || rest.starts_with([' ', '-', '.']);
    digits.parse().ok().filter(|_| whole)
}

/// Escalation, as a number or by its label.
fn escalation(row: Value<'_>) -> Option<i64> {
    let said = value(row, "escalation")?;
    let labels = ["normal", "moderate", "high", "overdue"];
    let label = labels.iter().position(|l| said.eq_ignore_ascii_case(l));
    leading_number(&said).or_else(|| label.and_then(|place| i64::try_from(place).ok()))
}

/// The ticket as this row shows it.
pub(super) fn ticket_ref(around: &Around<'_>, table: &str, id: &str) -> TicketRef {
    let row = around.item;
    let state = value(row, "state").or_else(|| value(row, "incident_state"));
    let number = |name: &str| value(row, name).and_then(|v| leading_number(&v));
    TicketRef {
        system: around.setup.name.as_str().into(),
        id: id.into(),
        key: value(row, "number"),
        kind: Some(table.into()),
        status: state.and_then(|state| around.setup.fields.status(table, &state)),
        priority: number("priority"),
        escalation: escalation(row),
        category: value(row, "category"),
        version: number("sys_mod_count"),
        assignee: value(row, "assigned_to").into_iter().collect(),
        opened_at: time(row, "opened_at").map(|(t, _)| t),
        closed_at: time(row, "closed_at").map(|(t, _)| t),
        snapshot: true,
    }
}

/// Who wrote the row.
pub(super) fn set_agent(event: &mut Event, around: &Around<'_>, user: Option<SmolStr>) {
    const MACHINES: [&str; 4] = ["system", "glide.maint", "guest", "sn_system"];
    let Some(user) = user else { return };
    let machine = MACHINES.iter().any(|name| user.eq_ignore_ascii_case(name));
    event.agent = role(vec![around.issued(HandleKind::SnowUser, user)]);
    event.agent_facts = Some(agent_kind(if machine {
        AgentKind::System
    } else {
        AgentKind::Unknown
    }));
}

/// What a customer's field says of the account concerned.
fn stated_target(around: &Around<'_>) -> Vec<Handle> {
    let fields = &around.setup.fields.target;
    let stated = fields.iter().find_map(|name| value(around.item, name));
    stated.map_or_else(Vec::new, |stated| match known_as(around, stated.clone()) {
        id if id.kind == HandleKind::SnowSysId => vec![id],
        _ => vec![stated_person(stated)],
    })
}

fn snapshot(around: &Around<'_>, table: &str) -> Outcome {
    let row = around.item;
    let Some(id) = value(row, "sys_id") else {
        return Outcome::schema("a ticket without `sys_id`");
    };
    let version = Version::of(row);
    let native = format!("{id}/{}", version.name);
    let updated = time(row, "sys_updated_on").or_else(|| time(row, "sys_created_on"));
    let what = (Domain::Ticket, Action::TicketUpdated, "table");
    let mut event = around.event(what, Some(&native), 0, updated);
    event.vendor_action = format_smolstr!("{table}/mod{}", version.name);
    event.ticket_ref = Some(Box::new(ticket_ref(around, table, &id)));
    set_agent(&mut event, around, value(row, "sys_updated_by"));
    let asks = ["requested_for", "caller_id", "opened_for"]
        .iter()
        .map(|name| person(around, row, name))
        .find(|handles| !handles.is_empty())
        .unwrap_or_default();
    let stated = stated_target(around);
    event.target = role(if stated.is_empty() {
        asks.clone()
    } else {
        stated
    });
    event.requester = role(asks);
    let fields = &around.setup.fields;
    let class = fields
        .request_class
        .iter()
        .find_map(|name| value(row, name));
    event.request = class.map(|class| {
        Box::new(Request {
            class: fields.class(&class),
            claims: Vec::new(),
        })
    });
    event.request = event.request.filter(|r| r.class != RequestClass::Unknown);
    let kind = ["contact_type", "type", "channel"];
    let kind = kind.iter().take(if table == "interaction" { 3 } else { 1 });
    event.channel = kind
        .filter_map(|name| value(row, name))
        .map(|word| fields.channel(&word))
        .next();
    let mut events = Vec::new();
    if version.first {
        events.push(mapped(
            opened(around, &event, table, &native),
            Some(&native),
            Vec::new(),
        ));
    }
    let evidence = controls::events(around, &event, &id);
    events.push(mapped(event, Some(&native), texts(row)));
    events.extend(evidence);
    Outcome::Events(events)
}

/// Which version of its row a snapshot shows.
pub(super) struct Version {
    /// `sys_mod_count`; where an export leaves it out, when the row was updated.
    pub(super) name: SmolStr,
    first: bool,
}

impl Version {
    pub(super) fn of(row: Value<'_>) -> Self {
        if let Some(count) = value(row, "sys_mod_count") {
            let first = count == "0";
            return Self { name: count, first };
        }
        let (updated, created) = (value(row, "sys_updated_on"), value(row, "sys_created_on"));
        Self {
            first: updated.is_none() || updated == created,
            name: updated.unwrap_or_else(|| "0".into()),
        }
    }
}

/// The first version of a ticket: it was opened, or a call or chat began.
fn opened(around: &Around<'_>, snapshot: &Event, table: &str, native: &str) -> Event {
    let row = around.item;
    let mut event = snapshot.clone();
    event.event_id = around.id(native, 1);
    event.action = Action::TicketOpened;
    let began = time(row, "sys_created_on").or_else(|| time(row, "opened_at"));
    if let Some((at, quality)) = began {
        event.time = at;
        event.time_quality = quality;
        around.clamp(&mut event);
    }
    let spoken = matches!(event.channel, Some(Channel::Voice | Channel::Chat));
    if table == "interaction" && spoken {
        event.action = Action::ContactStarted;
        event.domain = Domain::Contact;
        let id = snapshot
            .ticket_ref
            .as_ref()
            .map(|t| t.id.clone())
            .unwrap_or_default();
        event.contact = Some(Box::new(Contact {
            direction: Some(Direction::ToDesk),
            ..Contact::default()
        }));
        event.call_ref = Some(Box::new(CallRef {
            system: around.setup.name.as_str().into(),
            root_id: id.clone(),
            id,
            started_at: Some(event.time),
            ..CallRef::default()
        }));
    }
    event
}

/// The texts of a row, to be scored.
fn texts(row: Value<'_>) -> Vec<TextPart> {
    let fields = [
        ("short_description", "requester"),
        ("description", "requester"),
        ("comments", "requester"),
        ("work_notes", "agent"),
    ];
    let part = |(name, speaker): (&str, &'static str)| {
        let text = value(row, name)?;
        Some(TextPart { speaker, text })
    };
    fields.into_iter().filter_map(part).collect()
}

/// One event alone.
pub(super) fn single(event: Event, native: Option<&str>, texts: Vec<TextPart>) -> Outcome {
    let one: MappedEvent = mapped(event, native, texts);
    Outcome::Events(vec![one])
}
