//! The directory in plain maps: for replay, the demo and tests. Built from account records: which
//! accounts are one person, and an index from names to accounts. Everything an event asks for is laid
//! out once, in [`MemoryDirectory::join`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::collect::directory::{AccountRecord, Changes, Employment, PRE_HIRE_MS, Strength};
use crate::collect::event::PhoneOwner;
use crate::collect::identity::memory::person::{Account, Person};
use crate::collect::identity::{AccountFacts, Directory, Found, NameUse, PersonFacts};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle};

mod join;
mod person;

/// Most owners of one number that are told.
const OWNERS_MAX: usize = 64;

/// Account records and what follows from them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory {
    roots: Vec<String>,
    records: BTreeMap<String, AccountRecord>,
    /// The records as they are asked for, in the order of their keys.
    accounts: Vec<Account>,
    account_places: HashMap<Arc<str>, usize>,
    persons: Vec<Person>,
    person_places: HashMap<Arc<str>, usize>,
    /// Who ever bore a name, by kind and value; one account after the other.
    names: BTreeMap<HandleKind, HashMap<String, Vec<Bearer>>>,
    read_at: Option<Timestamp>,
}

/// A name as one account bears it.
#[derive(Debug, Clone, Copy)]
struct Bearer {
    account: usize,
    strength: Strength,
    name_use: NameUse,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Bearer {
    fn holds_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Kinds of name that are compared with each other.
const fn class(kind: HandleKind) -> HandleKind {
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
        let account = self.accounts.get(*self.account_places.get(account)?)?;
        self.persons.get(account.person?).map(Person::id)
    }

    /// Works out anew which accounts are one person.
    pub fn join(&mut self) {
        self.index();
        let mut group_of: BTreeMap<String, String> = BTreeMap::new();
        self.join_employees(&mut group_of);
        self.join_mails(&mut group_of);
        let by_user_name = self.join_user_names(&mut group_of);
        for (key, record) in &self.records {
            if self.is_root(record) && !group_of.contains_key(key) {
                group_of.insert(key.clone(), format!("account {key}"));
            }
        }
        for (account, key) in self.accounts.iter_mut().zip(self.records.keys()) {
            account.by_user_name = by_user_name.contains(key);
        }
        self.name_persons(&group_of);
        self.refer();
    }

    /// Lays out the accounts and their names.
    fn index(&mut self) {
        self.accounts.clear();
        self.account_places.clear();
        self.names.clear();
        for (place, (key, record)) in self.records.iter().enumerate() {
            let account = Account::of(key, record);
            self.account_places.insert(Arc::clone(&account.key), place);
            self.accounts.push(account);
            for handle in &record.handles {
                if handle.kind == HandleKind::DisplayName {
                    continue;
                }
                let values = self.names.entry(class(handle.kind)).or_default();
                let bearers = values.entry(handle.value.clone()).or_default();
                bearers.push(Bearer {
                    account: place,
                    strength: handle.strength,
                    name_use: handle.name_use,
                    from: handle.from,
                    to: handle.to,
                });
            }
        }
    }

    /// Finds the people whom exports name as managers and delegates.
    fn refer(&mut self) {
        let names: BTreeSet<&String> = self
            .records
            .values()
            .flat_map(|r| r.managers.iter().map(|m| &m.name).chain(&r.delegates))
            .collect();
        let referred: BTreeMap<&String, usize> = names
            .into_iter()
            .filter_map(|name| Some((name, self.person_named(name)?)))
            .collect();
        let mut accounts = std::mem::take(&mut self.accounts);
        let mut managers = BTreeSet::new();
        for (account, record) in accounts.iter_mut().zip(self.records.values()) {
            let person = |name: &String| {
                let place = *referred.get(name)?;
                Some((place, self.persons.get(place)?.shared_id()))
            };
            let named = record.managers.iter().filter_map(|m| person(&m.name));
            managers.extend(named.map(|(place, _)| place));
            account.managers = record
                .managers
                .iter()
                .map(|m| (m.from, m.to, person(&m.name).map(|(_, id)| id)))
                .collect();
            account.delegates = record
                .delegates
                .iter()
                .filter_map(|name| person(name).map(|(_, id)| id))
                .collect();
        }
        self.accounts = accounts;
        for (place, person) in self.persons.iter_mut().enumerate() {
            person.settle(managers.contains(&place), &self.accounts);
        }
    }

    fn bearers_of(&self, kind: HandleKind, value: &str) -> &[Bearer] {
        let values = self.names.get(&class(kind));
        values
            .and_then(|values| values.get(value))
            .map_or(&[], Vec::as_slice)
    }

    /// The person that an export means by an employee id, account id, login, mail or user name.
    fn person_named(&self, name: &str) -> Option<usize> {
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
            let bearers = self.bearers_of(*kind, value).iter();
            let accounts = bearers.filter_map(|b| self.accounts.get(b.account));
            let persons: BTreeSet<usize> = accounts.filter_map(|a| a.person).collect();
            persons.first().copied().filter(|_| persons.len() == 1)
        })
    }

    /// The account of a bearer and its person, where the name is theirs at that moment.
    fn in_force(
        &self,
        bearer: &Bearer,
        kind: HandleKind,
        at: Timestamp,
    ) -> Option<(&Account, &Person, Lifecycle)> {
        let account = self.accounts.get(bearer.account)?;
        let person = self.persons.get(account.person?)?;
        let lifecycle = person.lifecycle(at);
        // A number is a person's while they work here; another name from some weeks before.
        let in_force = match (kind, lifecycle) {
            (HandleKind::Phone, Lifecycle::Leaver | Lifecycle::PreHire) => false,
            (_, Lifecycle::PreHire) => person
                .hired()
                .is_none_or(|hired| hired.minus(PRE_HIRE_MS) <= at),
            _ => true,
        };
        in_force.then_some((account, person, lifecycle))
    }

    fn find(
        &self,
        kind: HandleKind,
        issuer: Option<&str>,
        value: &str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&Bearer, Found)> {
        let bearers = self.bearers_of(kind, value);
        let accounts = bearers.chunk_by(|a, b| a.account == b.account);
        accounts.filter_map(move |names| {
            let held = names.iter().filter(|bearer| bearer.holds_at(at));
            let bearer = held.max_by_key(|bearer| bearer.strength)?;
            let (account, person, lifecycle) = self.in_force(bearer, kind, at)?;
            let other_issuer = issuer
                .zip(account.issuer.as_deref())
                .is_some_and(|(a, b)| a != b);
            if bearer.strength == Strength::S3 && other_issuer {
                return None;
            }
            let found = Found {
                identity: person.shared_id(),
                account: Arc::clone(&account.key),
                strength: bearer.strength,
                name_use: bearer.name_use,
                by_user_name: account.by_user_name,
                lifecycle,
            };
            Some((bearer, found))
        })
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
        let kind = class(kind);
        let also_mail = matches!(kind, HandleKind::SnowUser | HandleKind::ConnectUsername)
            && value.contains('@');
        let found = self.find(kind, issuer, value, at);
        let mut found: Vec<Found> = found.map(|(_, found)| found).collect();
        if also_mail {
            let mails = self.find(HandleKind::Email, issuer, value, at);
            found.extend(mails.map(|(_, found)| found));
        }
        found
    }

    fn person(&self, identity: &str, at: Timestamp) -> Option<PersonFacts> {
        let person = self.persons.get(*self.person_places.get(identity)?)?;
        Some(person.facts(at, &self.accounts))
    }

    fn account(&self, account: &str) -> Option<AccountFacts> {
        let account = self.accounts.get(*self.account_places.get(account)?)?;
        Some(account.facts)
    }

    fn phone_owners(&self, number: &str, at: Timestamp) -> Option<Vec<PhoneOwner>> {
        if !self.names.contains_key(&HandleKind::Phone) {
            return None;
        }
        let mut owners: BTreeMap<Arc<str>, Option<Timestamp>> = BTreeMap::new();
        let bearers = self.bearers_of(HandleKind::Phone, number);
        for (bearer, found) in self.find(HandleKind::Phone, None, number, at) {
            let held = bearers
                .iter()
                .filter(|other| other.account == bearer.account);
            let since = held
                .filter(|other| other.holds_at(at))
                .filter_map(|other| other.from)
                .min();
            // Of several systems the one that has known the number longest counts; one that does
            // not know since when says nothing.
            let known = owners.entry(found.identity).or_insert(since);
            *known = known.iter().chain(&since).min().copied();
        }
        let owners = owners.into_iter().take(OWNERS_MAX);
        let owner = |(identity, since): (Arc<str>, _)| PhoneOwner {
            identity: identity.to_string(),
            since,
        };
        Some(owners.map(owner).collect())
    }

    fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }
}

impl Account {
    fn of(key: &str, record: &AccountRecord) -> Self {
        Self {
            key: key.into(),
            person: None,
            by_user_name: false,
            issuer: record.issuer.as_deref().map(Into::into),
            from_hris: record.system == "hris",
            employment: record.employment(),
            facts: AccountFacts {
                created: record.created,
                tier: record.tier,
            },
            employee_id: record.employee_id.as_deref().map(Into::into),
            desk: record.desk,
            rights: record.rights.clone(),
            changed: [record.phone_at, record.email_at, record.manager_at],
            managers: Vec::new(),
            delegates: Vec::new(),
        }
    }
}

/// Employment of a person with these accounts: as the HRIS says, else as the liveliest account.
fn lifecycle_of(hris: &[Employment], all: &[Employment], at: Timestamp) -> Lifecycle {
    let said = hris.iter().map(|e| e.at(at));
    let order = |l: &Lifecycle| match l {
        Lifecycle::Active => 0,
        Lifecycle::OnLeave => 1,
        Lifecycle::PreHire => 2,
        Lifecycle::Leaver => 3,
        Lifecycle::Unknown => 4,
    };
    let mut said = said.filter(|l| *l != Lifecycle::Unknown);
    said.next()
        .or_else(|| all.iter().map(|e| e.at(at)).min_by_key(order))
        .unwrap_or_default()
}
