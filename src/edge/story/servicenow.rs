//! Rows of ServiceNow tables as a polling connector delivers them: flat JSON, a snapshot for each
//! `sys_mod_count`.

use serde_json::{Map, Value, json};

use super::people::Person;
use crate::collect::time::{Timestamp, rfc3339};

/// A ticket as it stands at one version.
#[derive(Debug, Clone)]
pub struct Ticket<'a> {
    /// `incident` or `sc_req_item`.
    pub table: &'a str,
    /// `sys_id`.
    pub id: String,
    /// `number`.
    pub number: String,
    /// Who asks.
    pub requester: &'a Person,
    /// `contact_type`.
    pub channel: &'a str,
    /// `category`.
    pub category: &'a str,
    /// `short_description`.
    pub subject: &'a str,
    /// `description`.
    pub text: &'a str,
    /// When it was opened.
    pub opened: Timestamp,
    /// User name of whoever wrote the version.
    pub writer: &'a str,
    /// Who works on it.
    pub assignee: Option<&'a Person>,
    /// The desk's own columns: target, request class, verification …
    pub columns: Vec<(&'a str, String)>,
}

/// State of a ticket; resolved differs by table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Just opened.
    New,
    /// Somebody works on it.
    InProgress,
    /// Done.
    Resolved,
}

/// A time as ServiceNow writes it, in UTC.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    let text = rfc3339(at).replace('T', " ");
    text.get(..19).unwrap_or(&text).to_owned()
}

impl Ticket<'_> {
    /// The row at a version, written at a moment.
    #[must_use]
    pub fn row(&self, version: u32, at: Timestamp, state: State) -> Vec<u8> {
        let item = self.table == "sc_req_item";
        let state = match (state, item) {
            (State::New, _) => "1",
            (State::InProgress, _) => "2",
            (State::Resolved, false) => "6",
            (State::Resolved, true) => "3",
        };
        let reference = |person: &Person| json!({"link": format!("https://example.service-now.example/api/now/table/sys_user/{}", person.sys_id), "value": person.sys_id});
        let unset = || json!("");
        let row = json!({
            "sys_class_name": self.table,
            "sys_id": self.id,
            "number": self.number,
            "active": (state != "6" && state != "3").to_string(),
            "approval": "not requested",
            "assigned_to": self.assignee.map_or_else(unset, reference),
            "assignment_group": "",
            "caller_id": if item { unset() } else { reference(self.requester) },
            "requested_for": if item { reference(self.requester) } else { unset() },
            "category": self.category,
            "close_notes": "",
            "comments": "",
            "contact_type": self.channel,
            "description": self.text,
            "escalation": "0",
            "impact": "3",
            "opened_at": moment(self.opened),
            "priority": "4",
            "short_description": self.subject,
            "state": state,
            "sys_created_by": self.requester.user,
            "sys_created_on": moment(self.opened),
            "sys_updated_by": self.writer,
            "sys_updated_on": moment(at),
            "sys_mod_count": version.to_string(),
            "urgency": "3",
            "work_notes": "",
        });
        with(row, &self.columns)
    }
}

fn with(mut row: Value, columns: &[(&str, String)]) -> Vec<u8> {
    let mut none = Map::new();
    let fields = row.as_object_mut().unwrap_or(&mut none);
    for (name, value) in columns {
        fields.insert((*name).to_owned(), json!(value));
    }
    row.to_string().into_bytes()
}

/// A row of `sysapproval_approver`: it names the ticket, not the person whose account it is.
#[derive(Debug, Clone)]
pub struct Approval<'a> {
    /// `sys_id`.
    pub id: String,
    /// `sys_id` of the ticket.
    pub ticket: &'a str,
    /// Table of the ticket.
    pub table: &'a str,
    /// Who is asked.
    pub approver: &'a Person,
    /// When they were.
    pub asked: Timestamp,
}

impl Approval<'_> {
    /// The row while it waits (version 0), and once it is granted (version 1).
    #[must_use]
    pub fn row(&self, version: u32, at: Timestamp) -> Vec<u8> {
        let granted = version > 0;
        let row = json!({
            "sys_class_name": "sysapproval_approver",
            "sys_id": self.id,
            "sysapproval": {"value": self.ticket},
            "source_table": self.table,
            "approver": {"value": self.approver.sys_id},
            "state": if granted { "approved" } else { "requested" },
            "comments": "",
            "sys_created_on": moment(self.asked),
            "sys_updated_on": moment(at),
            "sys_updated_by": if granted { &self.approver.user } else { "system" },
            "sys_mod_count": version.to_string(),
        });
        row.to_string().into_bytes()
    }
}
