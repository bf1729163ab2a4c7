//! The Microsoft 365 unified audit log: directory operations, sign-ins, rules of mailboxes, and chats
//! that somebody from outside begins.

use smol_str::SmolStr;

use super::audit::same;
use super::changes::Changes;
use super::{ENTRIES_MAX, ended, network, principal, types};
use crate::collect::action::Action;
use crate::collect::draft::{
    Around, agent_kind, cut, filled, mapped, moment, picked, role, text, transaction, word,
};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    AgentKind, CallRef, Change, Channel, Claim, Contact, Direction, Domain, Event, Handle,
    HandleKind, Origin, Request,
};
use crate::collect::mapped::Outcome;
use crate::collect::parse::{Keys, Value};

/// `Type` of an identity that is a user principal name.
const UPN: i64 = 5;
/// Words by which a chat claims to be the help desk.
const DESK_WORDS: [&str; 5] = [
    "help desk",
    "helpdesk",
    "it support",
    "service desk",
    "tech support",
];
/// Words of notices about the security of an account.
const NOTICE_WORDS: [&str; 6] = [
    "security info",
    "password",
    "sign-in",
    "verification code",
    "new device",
    "authenticator",
];

picked!(
    /// The record, found in one walk.
    Record {
        id: "Id",
        created: "CreationTime",
        result: "ResultStatus",
        user: "UserId",
        object: "ObjectId",
        client: "ClientIP",
        actor_ip: "ActorIpAddress",
        actor: "Actor",
        target: "Target",
        modified: "ModifiedProperties",
        chain: "InterSystemsId",
        workload: "Workload",
    }
);

/// Maps one record of an operation.
pub(super) fn map(around: &Around<'_>, operation: &str) -> Outcome {
    let record = Record::of(around.item);
    let name = types::name(operation);
    let (domain, action) = action(&name, around.item, &record);
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let changes = match name.as_str() {
        "update user" => {
            let properties = record.modified.into_iter().flat_map(Value::items);
            Changes::of(properties).0
        }
        _ => Vec::new(),
    };
    let first: Vec<(Action, Vec<Change>)> = vec![(action, Vec::new())];
    let parted = if changes.is_empty() { first } else { changes };
    let native = word(record.id);
    let events = (0..).zip(parted).map(|(part, (action, changed))| {
        let time = record.created.and_then(moment);
        let what = (domain, action, "unified_audit");
        let mut event = around.event(what, native.as_deref(), part, time);
        event.changed = changed;
        event.vendor_action = cut(operation);
        fill(&mut event, around, &record, &name);
        mapped(event, native.as_deref(), Vec::new())
    });
    Outcome::Events(events.collect())
}

/// What an operation is, by its name and, for mailboxes and chats, by its content.
fn action(name: &str, item: Value<'_>, record: &Record<'_>) -> (Domain, Action) {
    let workload = word(record.workload).unwrap_or_default();
    let in_mail = workload.eq_ignore_ascii_case("Exchange");
    match name {
        "new-inboxrule" | "set-inboxrule" | "enable-inboxrule" | "updateinboxrules" => {
            (Domain::Mail, Action::MailRuleCreated)
        }
        "set-mailbox" if forwards(item) => (Domain::Mail, Action::MailForwardingChanged),
        "harddelete" | "softdelete" | "movetodeleteditems" if in_mail => {
            let action = if deletes_notice(item) {
                Action::MailNoticeDeleted
            } else {
                Action::Other
            };
            (Domain::Mail, action)
        }
        "chatcreated" if is_foreign(item) => (Domain::Contact, Action::ContactStarted),
        _ => {
            let known = types::action(name);
            // Other workloads have hundreds of operations that are about files and sites.
            let is_directory = workload.eq_ignore_ascii_case("AzureActiveDirectory");
            let other = if is_directory || workload.is_empty() {
                Action::Unmapped
            } else {
                Action::Other
            };
            (Domain::Idp, known.unwrap_or(other))
        }
    }
}

/// A parameter of an Exchange command, a list of `{Name, Value}`.
fn forwards(item: Value<'_>) -> bool {
    let parameters = item.get_any_case("Parameters").into_iter();
    let mut parameters = parameters.flat_map(Value::items).take(ENTRIES_MAX);
    parameters.any(|parameter| {
        let name = text(parameter, "Name").unwrap_or_default();
        let value = text(parameter, "Value");
        name.to_ascii_lowercase().contains("forwarding") && value.is_some()
    })
}

fn deletes_notice(item: Value<'_>) -> bool {
    let items = item.get_any_case("AffectedItems").into_iter();
    let mut items = items.flat_map(Value::items).take(ENTRIES_MAX);
    items.any(|affected| {
        let subject = text(affected, "Subject").unwrap_or_default().to_lowercase();
        NOTICE_WORDS.iter().any(|word| subject.contains(word))
    })
}

fn is_foreign(item: Value<'_>) -> bool {
    let beside = text(item, "HasForeignTenantUsers");
    let inside = || text(item, "ParticipantInfo.HasForeignTenantUsers");
    beside
        .or_else(inside)
        .is_some_and(|says| says.eq_ignore_ascii_case("true"))
}

fn fill(event: &mut Event, around: &Around<'_>, record: &Record<'_>, name: &str) {
    let result = record.result.and_then(Value::text);
    event.outcome = ended(result.as_deref());
    if name == "userloginfailed" {
        event.outcome = crate::collect::event::Outcome::Failure;
    }
    event.correlation = transaction(word(record.chain));
    let ip = word(record.client).or_else(|| word(record.actor_ip));
    let found = network(ip, None);
    event.network = filled(found);
    if event.action == Action::AccessPolicyChanged {
        event.policy = types::policy(name).map(Box::new);
    }
    people(event, around, record);
    if event.action == Action::ContactStarted {
        chat(event, around, word(record.user));
    }
}

fn people(event: &mut Event, around: &Around<'_>, record: &Record<'_>) {
    let own = word(record.user);
    let actor = ids(around, record.actor);
    let agent = named(actor, own);
    let object = word(record.object).filter(|object| object.contains('@'));
    let signs_in = matches!(event.action, Action::AuthLogin | Action::AuthLogout);
    let of_mail = event.domain == Domain::Mail;
    let target = if signs_in || of_mail {
        agent.clone()
    } else if event.action == Action::AccessPolicyChanged {
        Vec::new()
    } else {
        named(ids(around, record.target), object)
    };
    if !agent.is_empty() && !target.is_empty() {
        event.self_service = Some(same(&agent, &target));
    }
    let is_person = agent.iter().any(|handle| handle.value.contains('@'));
    event.agent_facts = Some(agent_kind(match event.self_service {
        _ if !is_person => AgentKind::Service,
        Some(true) => AgentKind::EndUser,
        Some(false) | None => AgentKind::Admin,
    }));
    event.agent = role(agent);
    event.target = role(target);
}

/// The object id and principal name in a list of `{ID, Type}`: `User_<guid>`, `<guid>`, `User`, a name of
/// type 5.
fn ids(around: &Around<'_>, list: Option<Value<'_>>) -> Vec<Handle> {
    let mut handles = Vec::new();
    let entries = list.into_iter().flat_map(Value::items).take(ENTRIES_MAX);
    for entry in entries {
        let kind = entry.get_any_case("Type").and_then(Value::as_i64);
        let Some(id) = text(entry, "ID") else {
            continue;
        };
        if let Some(guid) = id.strip_prefix("User_") {
            handles.push(around.issued(HandleKind::EntraId, guid));
        } else if kind == Some(UPN) && id.contains('@') {
            handles.push(principal(id));
        }
    }
    handles
}

/// The handles, with a name where the list had none.
fn named(mut handles: Vec<Handle>, name: Option<SmolStr>) -> Vec<Handle> {
    let has_name = handles.iter().any(|h| h.kind != HandleKind::EntraId);
    if let Some(name) = name.filter(|_| !has_name) {
        handles.push(principal(name));
    }
    handles
}

/// Somebody from another tenant writes to an employee.
fn chat(event: &mut Event, around: &Around<'_>, writer: Option<SmolStr>) {
    static KEYS: Keys<3> = Keys::new(["ChatName", "ChatThreadId", "Members"]);
    let [name, thread, members] = around.item.pick(&KEYS);
    event.channel = Some(Channel::Chat);
    event.contact = Some(Box::new(Contact {
        direction: Some(Direction::ToEmployee),
        origin: Origin::ForeignTenant,
    }));
    let thread = word(thread).unwrap_or_default();
    event.call_ref = Some(Box::new(CallRef {
        system: around.setup.name.as_str().into(),
        id: thread.clone(),
        root_id: thread,
        ..CallRef::default()
    }));
    let writer = writer.unwrap_or_default();
    let members = members.into_iter().flat_map(Value::items).take(ENTRIES_MAX);
    let mut others = members
        .filter_map(|member| text(member, "UPN"))
        .filter(|name| !name.eq_ignore_ascii_case(&writer));
    event.target = role(others.next().map(principal).into_iter().collect());
    event.caller = event.agent.take();
    event.agent_facts = None;
    event.self_service = None;
    let name = word(name).unwrap_or_default().to_lowercase();
    if DESK_WORDS.iter().any(|word| name.contains(word)) {
        event.request = Some(Box::new(Request {
            claims: vec![Claim::SupportStaff],
            ..Request::default()
        }));
    }
}
