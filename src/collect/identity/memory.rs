//! The directory in plain maps: for replay, the demo and tests. Built from account records: which
//! accounts are one person, and an index from names to accounts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::collect::directory::{
    AccountRecord, AgentRights, Changes, DELEGATES_MAX, PRE_HIRE_MS, Strength,
};
use crate::collect::event::PhoneOwner;
use crate::collect::identity::{AccountFacts, Directory, Found, PersonFacts};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle, Ternary, Tier};

mod join;

/// Most owners of one number that are told.
const OWNERS_MAX: usize = 64;

/// Account records and what follows from them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory {
    roots: Vec<String>,
    records: BTreeMap<String, AccountRecord>,
    /// Accounts of each person, the root account first.
    persons: BTreeMap<String, Vec<String>>,
    /// Person of each account that has one.
    person_of: BTreeMap<String, String>,
    /// Accounts that were joined by their user name.
    by_user_name: BTreeSet<String>,
    /// Accounts that ever bore a name.
    names: HashMap<(HandleKind, String), BTreeSet<String>>,
    managers: BTreeSet<String>,
    /// Persons by the names under which exports refer to managers and delegates.
    referred: HashMap<String, String>,
    has_phones: bool,
    read_at: Option<Timestamp>,
}

/// Kinds of name that are compared with each other.
fn class(kind: HandleKind) -> HandleKind {
    if matches!(kind, HandleKind::Login | HandleKind::Upn) {
        return HandleKind::Email;
    }
    kind
}

impl MemoryDirectory {
    /// A directory of those records; `roots` are the systems that may name a person.
    #[must_use]
    pub fn new(records: Vec<AccountRecord>, roots: &[String]) -> Self {
        let mut directory = Self {
            roots: roots.to_vec(),
            ..Self::default()
        };
        for record in records {
            directory.put(record);
        }
        directory.join();
        directory
    }

    /// Lays a record over what is known of its account. [`MemoryDirectory::join`] must follow, once
    /// for all records of an import.
    pub fn put(&mut self, record: AccountRecord) -> Changes {
        self.read_at = self.read_at.max(Some(record.read_at));
        match self.records.entry(record.key()) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().merge(record)
            }
            std::collections::btree_map::Entry::Vacant(free) => {
                let changes = record.first_changes();
                free.insert(record);
                changes
            }
        }
    }

    /// Takes a record as the directory topic has it, merged already. One older than what is known is
    /// left out. [`MemoryDirectory::join`] must follow.
    pub fn load(&mut self, record: AccountRecord) {
        let known = self.records.get(&record.key());
        if known.is_none_or(|known| known.read_at <= record.read_at) {
            self.read_at = self.read_at.max(Some(record.read_at));
            self.records.insert(record.key(), record);
        }
    }

    /// The record of an account.
    #[must_use]
    pub fn record(&self, key: &str) -> Option<&AccountRecord> {
        self.records.get(key)
    }

    /// Every record, by key.
    pub fn records(&self) -> impl Iterator<Item = &AccountRecord> {
        self.records.values()
    }

    /// The person of an account (`<system>:<native id>`).
    #[must_use]
    pub fn identity_of(&self, account: &str) -> Option<&str> {
        self.person_of.get(account).map(String::as_str)
    }

    /// Works out anew which accounts are one person.
    pub fn join(&mut self) {
        self.names = HashMap::new();
        for (key, record) in &self.records {
            let names = record.handles.iter();
            for handle in names.filter(|h| h.kind != HandleKind::DisplayName) {
                let name = (class(handle.kind), handle.value.clone());
                self.names.entry(name).or_default().insert(key.clone());
            }
        }
        self.has_phones = self
            .records
            .values()
            .any(|r| r.handles.iter().any(|h| h.kind == HandleKind::Phone));
        let mut group_of: BTreeMap<String, String> = BTreeMap::new();
        self.join_employees(&mut group_of);
        self.join_mails(&mut group_of);
        self.by_user_name = self.join_user_names(&mut group_of);
        for (key, record) in &self.records {
            if self.is_root(record) && !group_of.contains_key(key) {
                group_of.insert(key.clone(), format!("account {key}"));
            }
        }
        self.name_persons(&group_of);
        let managers: BTreeSet<&String> = self
            .records
            .values()
            .flat_map(|r| r.managers.iter().map(|m| &m.name))
            .collect();
        let delegates = self.records.values().flat_map(|r| &r.delegates);
        let named = |name: &&String| Some(((*name).clone(), self.person_named(name)?));
        let referred: HashMap<String, String> = managers
            .iter()
            .copied()
            .chain(delegates)
            .filter_map(|name| named(&name))
            .collect();
        let leads = managers
            .iter()
            .filter_map(|name| referred.get(*name).cloned());
        self.managers = leads.collect();
        self.referred = referred;
    }

    /// The person that an export means by an employee id, account id, login, mail or user name.
    fn person_named(&self, name: &str) -> Option<String> {
        let upper = name.to_ascii_uppercase();
        let lower = name.to_ascii_lowercase();
        let kinds = [
            (HandleKind::EmployeeId, upper.as_str()),
            (HandleKind::OktaId, name),
            (HandleKind::EntraId, lower.as_str()),
            (HandleKind::SnowSysId, lower.as_str()),
            (HandleKind::Email, lower.as_str()),
            (HandleKind::SnowUser, lower.as_str()),
        ];
        kinds.iter().find_map(|(kind, value)| {
            let accounts = self.names.get(&(*kind, (*value).to_owned()))?;
            let persons: BTreeSet<&String> = accounts
                .iter()
                .filter_map(|account| self.person_of.get(account))
                .collect();
            let first = persons.first().map(|person| (*person).clone());
            first.filter(|_| persons.len() == 1)
        })
    }

    fn accounts_of(&self, identity: &str) -> impl Iterator<Item = &AccountRecord> {
        let keys = self.persons.get(identity).into_iter().flatten();
        keys.filter_map(|key| self.records.get(key))
    }

    /// Employment: as the HRIS says, else as the liveliest account.
    fn lifecycle(&self, identity: &str, at: Timestamp) -> Lifecycle {
        let hris = self.accounts_of(identity).filter(|r| r.system == "hris");
        let said = hris
            .map(|r| r.lifecycle_at(at))
            .find(|l| *l != Lifecycle::Unknown);
        let order = |l: &Lifecycle| match l {
            Lifecycle::Active => 0,
            Lifecycle::OnLeave => 1,
            Lifecycle::PreHire => 2,
            Lifecycle::Leaver => 3,
            Lifecycle::Unknown => 4,
        };
        said.or_else(|| {
            self.accounts_of(identity)
                .map(|r| r.lifecycle_at(at))
                .min_by_key(order)
        })
        .unwrap_or_default()
    }

    /// A number is a person's while they work here; another name from some weeks before.
    fn in_force(
        &self,
        identity: &str,
        kind: HandleKind,
        lifecycle: Lifecycle,
        at: Timestamp,
    ) -> bool {
        let hired = self.accounts_of(identity).filter_map(|r| r.hired).min();
        match (kind, lifecycle) {
            (HandleKind::Phone, Lifecycle::Leaver | Lifecycle::PreHire) => false,
            (_, Lifecycle::PreHire) => hired.is_none_or(|hired| hired.minus(PRE_HIRE_MS) <= at),
            _ => true,
        }
    }
}

impl Directory for MemoryDirectory {
    fn look_up(
        &self,
        kind: HandleKind,
        issuer: Option<&str>,
        value: &str,
        at: Timestamp,
    ) -> Vec<Found> {
        let mut kinds = vec![class(kind)];
        if matches!(kind, HandleKind::SnowUser | HandleKind::ConnectUsername) && value.contains('@')
        {
            kinds.push(HandleKind::Email);
        }
        let mut found = Vec::new();
        for kind in kinds {
            let Some(accounts) = self.names.get(&(kind, value.to_owned())) else {
                continue;
            };
            for (key, record) in accounts
                .iter()
                .filter_map(|k| self.records.get_key_value(k))
            {
                let other_issuer = issuer
                    .zip(record.issuer.as_deref())
                    .is_some_and(|(a, b)| a != b);
                let Some(identity) = self.person_of.get(key) else {
                    continue;
                };
                let lifecycle = self.lifecycle(identity, at);
                let handle = record
                    .handles
                    .iter()
                    .filter(|h| class(h.kind) == kind && h.value == value && h.holds_at(at));
                let Some(handle) = handle.max_by_key(|h| h.strength) else {
                    continue;
                };
                let scoped = handle.strength == Strength::S3 && other_issuer;
                if scoped || !self.in_force(identity, kind, lifecycle, at) {
                    continue;
                }
                found.push(Found {
                    identity: identity.clone(),
                    account: key.clone(),
                    strength: handle.strength,
                    name_use: handle.name_use,
                    by_user_name: self.by_user_name.contains(key),
                    lifecycle,
                });
            }
        }
        found
    }

    fn person(&self, identity: &str, at: Timestamp) -> Option<PersonFacts> {
        self.persons.get(identity)?;
        let mut facts = PersonFacts {
            lifecycle: self.lifecycle(identity, at),
            manages: self.managers.contains(identity),
            ..PersonFacts::default()
        };
        for record in self.accounts_of(identity) {
            let own = record.key() == identity;
            if own || !matches!(record.tier, Tier::Machine | Tier::BreakGlass) {
                facts.tier = facts.tier.max(record.tier);
            }
            facts.employee_id = facts.employee_id.or_else(|| record.employee_id.clone());
            facts.desk |= record.desk;
            let past = |moment: Option<Timestamp>| moment.filter(|moment| *moment <= at);
            facts.phone_at = facts.phone_at.max(past(record.phone_at));
            facts.email_at = facts.email_at.max(past(record.email_at));
            facts.manager_at = facts.manager_at.max(past(record.manager_at));
            let manager = || {
                record
                    .manager_at(at)
                    .and_then(|name| self.referred.get(name).cloned())
            };
            facts.manager = facts.manager.or_else(manager);
            let delegates = record
                .delegates
                .iter()
                .filter_map(|name| self.referred.get(name).cloned());
            facts.delegates.extend(delegates);
            add_rights(&mut facts.rights, &record.rights);
        }
        facts.delegates.sort();
        facts.delegates.dedup();
        facts.delegates.truncate(DELEGATES_MAX);
        Some(facts)
    }

    fn account(&self, account: &str) -> Option<AccountFacts> {
        self.records.get(account).map(|record| AccountFacts {
            created: record.created,
            tier: record.tier,
        })
    }

    fn phone_owners(&self, number: &str, at: Timestamp) -> Option<Vec<PhoneOwner>> {
        if !self.has_phones {
            return None;
        }
        let mut owners: BTreeMap<String, Option<Timestamp>> = BTreeMap::new();
        for found in self.look_up(HandleKind::Phone, None, number, at) {
            let record = self.records.get(&found.account);
            let handles = record.into_iter().flat_map(|r| &r.handles);
            let since = handles
                .filter(|h| h.kind == HandleKind::Phone && h.value == number && h.holds_at(at))
                .filter_map(|h| h.from)
                .min();
            // Of several systems the one that has known the number longest counts; one that does
            // not know since when says nothing.
            let known = owners.entry(found.identity).or_insert(since);
            *known = known.iter().chain(&since).min().copied();
        }
        let owners = owners.into_iter().take(OWNERS_MAX);
        Some(
            owners
                .map(|(identity, since)| PhoneOwner { identity, since })
                .collect(),
        )
    }

    fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }
}

fn add_rights(all: &mut AgentRights, more: &AgentRights) {
    let or = |a: Ternary, b: Ternary| if a == Ternary::Unknown { b } else { a };
    all.on_shift = or(all.on_shift, more.on_shift);
    all.may_act_on = all.may_act_on.or(more.may_act_on);
    all.budget_per_hour = all.budget_per_hour.or(more.budget_per_hour);
    all.may_override = or(all.may_override, more.may_override);
    all.may_approve = or(all.may_approve, more.may_approve);
}
