//! Account records: what one system says of one account, with the dates between which it was so.
//!
//! [`read_item`] turns an item of a directory export into a record; [`AccountRecord::merge`] lays a
//! newer export over an older record, so that a name that disappears is closed and not forgotten.

use serde::{Deserialize, Serialize};

use crate::collect::time::{DAY_MS, Timestamp};
use crate::collect::words::{HandleKind, Lifecycle, Ternary, Tier};

mod dates;
mod employment;
mod export;
mod fields;
mod keys;
mod tier;
#[cfg(test)]
mod tests;

pub(crate) use employment::Employment;
pub use export::{ExportSetup, read_item};

/// Most intervals kept of one kind of handle, and of managers: the newest.
pub const INTERVALS_MAX: usize = 32;
/// Most delegates of one person.
pub const DELEGATES_MAX: usize = 16;
/// How long before the first day of work a person's names are already theirs.
pub const PRE_HIRE_MS: i64 = 90 * DAY_MS;

/// How much a name proves. The order is that of trust.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub enum Strength {
    /// Shared line, shown name: never resolves.
    #[default]
    S0,
    /// Personal mail, mobile, direct line.
    S1,
    /// Employee id, login, primary mail, alias, user name.
    S2,
    /// Id that a system gave once and for all.
    S3,
}

/// What a name is to its account; the `via` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameUse {
    /// Id of the account.
    Id,
    /// Employee id.
    EmployeeId,
    /// Login or user principal name.
    Login,
    /// Primary mail.
    PrimaryMail,
    /// Further address of the same mailbox.
    Alias,
    /// User name of single sign-on.
    UserName,
    /// Mail outside the organisation, or one nobody verified.
    PersonalMail,
    /// Mobile number.
    Mobile,
    /// Desk number.
    DirectLine,
    /// Number of several people.
    SharedLine,
    /// Shown name.
    Name,
}

/// One name of an account and when it was its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedHandle {
    /// Kind.
    pub kind: HandleKind,
    /// Normalised value.
    pub value: String,
    /// What it is to the account.
    pub name_use: NameUse,
    /// How much it proves.
    pub strength: Strength,
    /// First moment; absent = not known, as far back as one asks.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// First moment after it; absent = still so.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

impl DatedHandle {
    /// True where the name was the account's at that moment.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    fn not_over(&self, at: Timestamp) -> bool {
        self.to.is_none_or(|to| at < to)
    }

    fn same_name(&self, other: &Self) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

/// A manager and when they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedManager {
    /// How the export names them: employee id, account id, login or mail.
    pub name: String,
    /// First moment; absent = not known.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// First moment after it; absent = still so.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// What somebody who performs recoveries may do. `Unknown` and absent fire nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct AgentRights {
    /// At work now.
    pub on_shift: Ternary,
    /// Highest tier they may recover.
    pub may_act_on: Option<Tier>,
    /// Recoveries an hour.
    pub budget_per_hour: Option<u32>,
    /// May skip a control.
    pub may_override: Ternary,
    /// May approve or review.
    pub may_approve: Ternary,
}

/// What one system says of one account. JSON on the directory topic, key [`AccountRecord::key`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct AccountRecord {
    /// System: `hris`, `okta`, `entra`, `servicenow`, `zendesk`, `jira`, `amazon_connect`, `genesys`.
    pub system: String,
    /// Native id.
    pub id: String,
    /// Organisation or instance that issued the id, where it is known.
    pub issuer: Option<String>,
    /// Names, oldest first.
    pub handles: Vec<DatedHandle>,
    /// Employee id.
    pub employee_id: Option<String>,
    /// Verified primary mail or login, by which accounts without employee id are joined.
    pub join_mail: Option<String>,
    /// Single-sign-on user name, by which agents of a contact centre are joined.
    pub user_name: Option<String>,
    /// Tier.
    pub tier: Tier,
    /// Employment as the last export says.
    pub lifecycle: Lifecycle,
    /// Creation of the account.
    pub created: Option<Timestamp>,
    /// Deletion of the account.
    pub deleted: Option<Timestamp>,
    /// First day of work.
    pub hired: Option<Timestamp>,
    /// First moment after the last day of work.
    pub left: Option<Timestamp>,
    /// Managers, oldest first.
    pub managers: Vec<DatedManager>,
    /// Delegates, as the export names them.
    pub delegates: Vec<String>,
    /// The export marks a very important person.
    pub vip: bool,
    /// Guest of another organisation.
    pub guest: bool,
    /// Help-desk staff.
    pub desk: bool,
    /// Rights of an agent.
    pub rights: AgentRights,
    /// Last change of a phone of record that we saw.
    pub phone_at: Option<Timestamp>,
    /// Last change of a private mail of record that we saw.
    pub email_at: Option<Timestamp>,
    /// Last change of the manager that we saw.
    pub manager_at: Option<Timestamp>,
    /// When the export was taken.
    pub read_at: Timestamp,
}

/// What a newer export changed about an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// A phone of record.
    pub phone: bool,
    /// A private mail of record.
    pub email: bool,
    /// The manager.
    pub manager: bool,
    /// Employment.
    pub lifecycle: bool,
    /// Names that the record did not have: an `identity.link` goes to the pseudo-identity of each.
    pub new_names: Vec<(HandleKind, String)>,
}

impl Changes {
    /// True where the person must hear of it (`identity.employment`).
    #[must_use]
    pub const fn concerns_person(&self) -> bool {
        self.phone || self.email || self.manager || self.lifecycle
    }
}

impl AccountRecord {
    /// Key on the directory topic, and account id in events: `<system>:<id>`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.system, self.id)
    }

    /// Employment at a moment, from the dates where there are some.
    #[must_use]
    pub fn lifecycle_at(&self, at: Timestamp) -> Lifecycle {
        self.employment().at(at)
    }

    /// What employment follows from.
    pub(crate) fn employment(&self) -> Employment {
        Employment {
            hired: self.hired,
            ends: [self.left, self.deleted].into_iter().flatten().min(),
            said: self.lifecycle,
        }
    }

    /// The manager's name at a moment.
    #[must_use]
    pub fn manager_at(&self, at: Timestamp) -> Option<&str> {
        self.managers
            .iter()
            .rev()
            .find(|m| m.from.is_none_or(|from| from <= at) && m.to.is_none_or(|to| at < to))
            .map(|m| m.name.as_str())
    }

    /// Changes of an account that was never seen before: every name is new.
    #[must_use]
    pub fn first_changes(&self) -> Changes {
        Changes {
            new_names: self
                .handles
                .iter()
                .map(|h| (h.kind, h.value.clone()))
                .collect(),
            ..Changes::default()
        }
    }

    /// Lays a newer export of the same account over this record. An export older than the record
    /// changes nothing.
    pub fn merge(&mut self, newer: Self) -> Changes {
        let at = newer.read_at;
        if at < self.read_at {
            return Changes::default();
        }
        let mut changes = Changes {
            lifecycle: newer.lifecycle_at(at) != self.lifecycle_at(at),
            ..Changes::default()
        };
        let mut old = std::mem::replace(self, newer);
        let handles = std::mem::take(&mut self.handles);
        merge_handles(&mut old.handles, handles, at, &mut changes);
        self.handles = old.handles;
        let manager = self.managers.pop().map(|m| m.name);
        changes.manager = merge_manager(&mut old.managers, manager, at);
        self.managers = old.managers;
        let moved = |changed: bool, new: Option<Timestamp>, old: Option<Timestamp>| {
            new.max(old).max(changed.then_some(at))
        };
        self.phone_at = moved(changes.phone, self.phone_at, old.phone_at);
        self.email_at = moved(changes.email, self.email_at, old.email_at);
        self.manager_at = moved(changes.manager, self.manager_at, old.manager_at);
        self.created = self.created.or(old.created);
        self.hired = self.hired.or(old.hired);
        self.issuer = self.issuer.take().or(old.issuer);
        if self.lifecycle == Lifecycle::Leaver && self.left.is_none() {
            // The export names no last day: the first time it says so stands in.
            let since = if old.lifecycle == Lifecycle::Leaver {
                old.left
            } else {
                Some(at)
            };
            self.left = since;
        }
        changes
    }
}

fn merge_handles(
    old: &mut Vec<DatedHandle>,
    new: Vec<DatedHandle>,
    at: Timestamp,
    changes: &mut Changes,
) {
    for handle in old.iter_mut().filter(|handle| handle.not_over(at)) {
        match new.iter().find(|other| other.same_name(handle)) {
            Some(other) => {
                handle.strength = other.strength;
                handle.name_use = other.name_use;
                handle.to = other.to;
            }
            None => {
                handle.to = Some(at);
                note(handle, changes);
            }
        }
    }
    for mut handle in new {
        let known = |other: &DatedHandle| other.same_name(&handle) && other.not_over(at);
        if old.iter().any(known) {
            continue;
        }
        if !old.iter().any(|other| other.same_name(&handle)) {
            changes.new_names.push((handle.kind, handle.value.clone()));
        }
        note(&handle, changes);
        handle.from = handle.from.max(Some(at));
        old.push(handle);
    }
    keep_newest(old);
}

fn note(handle: &DatedHandle, changes: &mut Changes) {
    changes.phone |= handle.kind == HandleKind::Phone;
    changes.email |= handle.name_use == NameUse::PersonalMail;
}

/// Drops the oldest intervals of a kind beyond the bound.
fn keep_newest(handles: &mut Vec<DatedHandle>) {
    let mut kept: std::collections::BTreeMap<HandleKind, usize> = std::collections::BTreeMap::new();
    handles.reverse();
    handles.retain(|handle| {
        let count = kept.entry(handle.kind).or_default();
        *count += 1;
        *count <= INTERVALS_MAX
    });
    handles.reverse();
}

fn merge_manager(old: &mut Vec<DatedManager>, name: Option<String>, at: Timestamp) -> bool {
    let last = old.last_mut().filter(|m| m.to.is_none());
    if last.as_ref().map(|m| &m.name) == name.as_ref() {
        return false;
    }
    if let Some(last) = last {
        last.to = Some(at);
    }
    if let Some(name) = name {
        old.push(DatedManager {
            name,
            from: Some(at),
            to: None,
        });
    }
    let excess = old.len().saturating_sub(INTERVALS_MAX);
    old.drain(..excess);
    true
}
