//! What the directory knows of one person, for people: the accounts, why they are one person, and the
//! names of each. Personal values leave masked.

use serde::Serialize;

use crate::collect::directory::{AccountRecord, DatedHandle, NameUse, Strength};
use crate::collect::identity::Directory as _;
use crate::collect::identity::memory::MemoryDirectory;
use crate::collect::normalise::{mask_email, mask_name, mask_phone};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle, Tier};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownPerson {
    /// When the directory was read last.
    pub read_at: Option<Timestamp>,
    /// Highest tier of the accounts.
    pub tier: Tier,
    /// Employment.
    pub lifecycle: Lifecycle,
    /// Identity id of the manager.
    pub manager: Option<String>,
    /// Identity ids of delegates.
    pub delegates: Vec<String>,
    /// Help-desk staff.
    pub desk: bool,
    /// The account that names the person, then the others.
    pub accounts: Vec<KnownAccount>,
}

/// Why an account belongs to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// The person is named after it.
    Root,
    /// It has the employee id.
    EmployeeId,
    /// Its verified mail or login is an address of the person.
    Mail,
    /// Its single-sign-on user name is the person's.
    UserName,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownAccount {
    /// `<system>:<id>`.
    pub account: String,
    /// Why it is theirs.
    pub joined_by: JoinedBy,
    /// Its own tier.
    pub tier: Tier,
    /// Employment as this account says.
    pub lifecycle: Lifecycle,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Its names, oldest first; those that ended too.
    pub names: Vec<KnownName>,
}

/// A name of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownName {
    /// What kind of name.
    pub kind: HandleKind,
    /// The name as people may see it.
    pub shown: String,
    /// What it is to the account.
    pub name_use: NameUse,
    /// How much it proves.
    pub strength: Strength,
    /// First moment; absent = not known.
    pub from: Option<Timestamp>,
    /// First moment after it; absent = still so.
    pub to: Option<Timestamp>,
}

impl MemoryDirectory {
    /// What is known of a person; `None` if nobody has this identity id.
    #[must_use]
    pub fn known(&self, identity: &str, at: Timestamp) -> Option<KnownPerson> {
        let place = *self.person_places.get(identity)?;
        let person = self.persons.get(place)?;
        let facts = self.person_at(place, at)?;
        let accounts = person.accounts.iter().filter_map(|account| {
            let account = self.accounts.get(*account)?;
            let record = self.records.get(&*account.key)?;
            let joined_by = if *account.key == *person.id {
                JoinedBy::Root
            } else if account.by_user_name {
                JoinedBy::UserName
            } else if has_employee_id(record, facts.employee_id) {
                JoinedBy::EmployeeId
            } else {
                JoinedBy::Mail
            };
            Some(KnownAccount {
                account: account.key.to_string(),
                joined_by,
                tier: record.tier,
                lifecycle: record.lifecycle_at(at),
                created: record.created,
                deleted: record.deleted,
                names: record.handles.iter().map(shown).collect(),
            })
        });
        Some(KnownPerson {
            read_at: self.read_at(),
            tier: facts.tier,
            lifecycle: facts.lifecycle,
            manager: facts.manager.map(str::to_owned),
            delegates: facts.delegates.iter().map(|id| (*id).to_owned()).collect(),
            desk: facts.desk,
            accounts: accounts.collect(),
        })
    }
}

fn has_employee_id(record: &AccountRecord, of: Option<&str>) -> bool {
    let own = record.employee_id.as_deref();
    own.zip(of)
        .is_some_and(|(own, of)| own.eq_ignore_ascii_case(of))
}

fn shown(handle: &DatedHandle) -> KnownName {
    let value = handle.value.as_str();
    let shown = match handle.kind {
        HandleKind::Email | HandleKind::Login | HandleKind::Upn => mask_email(value).into(),
        HandleKind::Phone => mask_phone(value).into(),
        HandleKind::ChatHandle
        | HandleKind::Voiceprint
        | HandleKind::DisplayName
        | HandleKind::DuoUser
        | HandleKind::DuoAdminName
        | HandleKind::SnowUser
        | HandleKind::ConnectUsername => mask_name(value).into(),
        HandleKind::EmployeeId
        | HandleKind::OktaId
        | HandleKind::EntraId
        | HandleKind::SnowSysId
        | HandleKind::ZendeskId
        | HandleKind::AtlassianId
        | HandleKind::ConnectAgentArn
        | HandleKind::GenesysUserId
        | HandleKind::Principal => value.to_owned(),
    };
    KnownName {
        kind: handle.kind,
        shown,
        name_use: handle.name_use,
        strength: handle.strength,
        from: handle.from,
        to: handle.to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::identity::tests::{NOW, at, directory};

    #[test]
    fn accounts_are_told_with_the_reason_why_they_are_one_person() {
        let directory = directory(&[
            (
                "hris",
                r#"{"employee_id":"E3","work_email":"dana.cole@corp.example","mobile_phone":"+14155550103","manager_employee_id":"E2","status":"active","job_title":"Accountant"}"#,
            ),
            (
                "hris",
                r#"{"employee_id":"E2","work_email":"bob@corp.example","status":"active","job_title":"CFO"}"#,
            ),
            (
                "okta",
                r#"{"id":"00u3","status":"ACTIVE","profile":{"login":"dana.cole@corp.example","email":"dana.cole@corp.example","employeeNumber":"e3"}}"#,
            ),
            (
                "servicenow",
                r#"{"sys_id":"00000000000000000000000000000003","user_name":"dcole","email":"dana.cole@corp.example","active":"true"}"#,
            ),
        ]);
        let known = directory.known("hris:E3", at(NOW)).unwrap();
        assert_eq!(known.manager.as_deref(), Some("hris:E2"));
        let accounts: Vec<(&str, JoinedBy)> = known
            .accounts
            .iter()
            .map(|account| (account.account.as_str(), account.joined_by))
            .collect();
        assert_eq!(
            accounts,
            [
                ("hris:E3", JoinedBy::Root),
                ("okta:00u3", JoinedBy::EmployeeId),
                (
                    "servicenow:00000000000000000000000000000003",
                    JoinedBy::Mail
                ),
            ]
        );
        let text = serde_json::to_string(&known).unwrap();
        for shown in ["d…@corp.example", "+1•••0103", "00u3", "\"d…\""] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
        for personal in ["dana", "dcole", "4155550103"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        assert!(directory.known("okta:00u3", at(NOW)).is_none());
    }
}
