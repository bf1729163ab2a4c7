//! The directory in memory. Built from account records: which accounts are one person, and an index
//! from names to accounts. Everything an event asks for is laid out once, in
//! [`MemoryDirectory::join`]: an event asks about two or three names, and each step from one place of
//! memory to another costs more than everything done there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::collect::directory::{AccountRecord, Changes, PRE_HIRE_MS, Strength};
use crate::collect::event::PhoneOwner;
use crate::collect::identity::memory::names::{Bearer, Names, class};
use crate::collect::identity::memory::person::{Account, Person};
use crate::collect::identity::{Directory, Found, PersonFacts};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle};

mod join;
mod known;
mod names;
mod person;

pub use known::{JoinedBy, KnownAccount, KnownName, KnownPerson};

/// Most owners of one number that are told.
const OWNERS_MAX: usize = 64;

/// Account records and what follows from them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory {
    roots: Vec<String>,
    records: BTreeMap<String, AccountRecord>,
    /// The records as they are asked for, in the order of their keys.
    accounts: Vec<Account>,
    account_places: HashMap<Box<str>, usize>,
    /// In the order of their ids.
    persons: Vec<Person>,
    person_places: HashMap<Box<str>, usize>,
    names: Names,
    has_phones: bool,
    read_at: Option<Timestamp>,
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

    /// Forgets an account, as a tombstone of the directory topic asks: a person was erased.
    /// [`MemoryDirectory::join`] must follow.
    pub fn unload(&mut self, key: &str) {
        self.records.remove(key);
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
        self.persons.get(account.person?).map(|person| &*person.id)
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
        self.has_phones = false;
        let mut named = Vec::new();
        for (place, (key, record)) in self.records.iter().enumerate() {
            self.accounts.push(Account::of(key, record));
            self.account_places.insert(key.as_str().into(), place);
            let account = u32::try_from(place).unwrap_or(u32::MAX);
            for handle in &record.handles {
                self.has_phones |= handle.kind == HandleKind::Phone;
                if handle.kind == HandleKind::DisplayName {
                    continue;
                }
                let bearer = Bearer {
                    account,
                    strength: handle.strength,
                    name_use: handle.name_use,
                    from: handle.from,
                    to: handle.to,
                };
                named.push((self.names.key(handle.kind, &handle.value), bearer));
            }
        }
        self.names.fill(named);
    }

    /// Finds the people whom exports name as managers and delegates, and settles what is known of
    /// everybody.
    fn refer(&mut self) {
        let records = self.records.values();
        let names: BTreeSet<&String> = records
            .flat_map(|r| r.managers.iter().map(|m| &m.name).chain(&r.delegates))
            .collect();
        let referred: BTreeMap<&str, usize> = names
            .into_iter()
            .filter_map(|name| Some((name.as_str(), self.person_named(name)?)))
            .collect();
        let named = |name: &str| referred.get(name).copied();
        let leads = self.records.values().flat_map(|r| &r.managers);
        let managers: BTreeSet<usize> = leads.filter_map(|m| named(&m.name)).collect();
        let mut persons = std::mem::take(&mut self.persons);
        for (place, person) in persons.iter_mut().enumerate() {
            let accounts = person.accounts.iter().filter_map(|a| self.accounts.get(*a));
            let own: Vec<&AccountRecord> = accounts
                .filter_map(|account| self.records.get(&*account.key))
                .collect();
            person.settle(managers.contains(&place), &own, &named);
        }
        self.persons = persons;
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
            let bearers = self.names.bearers_of(*kind, value).iter();
            let accounts = bearers.filter_map(|b| self.accounts.get(b.place()));
            let persons: BTreeSet<usize> = accounts.filter_map(|a| a.person).collect();
            persons.first().copied().filter(|_| persons.len() == 1)
        })
    }

    /// The bearers of a name, where it is theirs at that moment, one account after the other.
    fn find(
        &self,
        kind: HandleKind,
        issuer: Option<&str>,
        value: &str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&Bearer, Found<'_>)> {
        let bearers = self.names.bearers_of(kind, value);
        let accounts = bearers.chunk_by(|a, b| a.account == b.account);
        accounts.filter_map(move |names| {
            let held = names.iter().filter(|bearer| bearer.holds_at(at));
            let bearer = held.max_by_key(|bearer| bearer.strength)?;
            let account = self.accounts.get(bearer.place())?;
            let other_issuer = issuer
                .zip(account.issuer.as_deref())
                .is_some_and(|(a, b)| a != b);
            if bearer.strength == Strength::S3 && other_issuer {
                return None;
            }
            let place = account.person?;
            let person = self.persons.get(place)?;
            let lifecycle = person.lifecycle(at);
            if !in_force(person, kind, lifecycle, at) {
                return None;
            }
            let found = Found {
                identity: &person.id,
                account: &account.key,
                person: place,
                strength: bearer.strength,
                name_use: bearer.name_use,
                by_user_name: account.by_user_name,
                lifecycle,
                facts: account.facts,
            };
            Some((bearer, found))
        })
    }
}

/// A number is a person's while they work here; another name from some weeks before.
fn in_force(person: &Person, kind: HandleKind, lifecycle: Lifecycle, at: Timestamp) -> bool {
    match (kind, lifecycle) {
        (HandleKind::Phone, Lifecycle::Leaver | Lifecycle::PreHire) => false,
        (_, Lifecycle::PreHire) => person
            .hired()
            .is_none_or(|hired| hired.minus(PRE_HIRE_MS) <= at),
        _ => true,
    }
}

impl Directory for MemoryDirectory {
    fn look_up(
        &self,
        kind: HandleKind,
        issuer: Option<&str>,
        value: &str,
        at: Timestamp,
    ) -> Vec<Found<'_>> {
        let kind = class(kind);
        let also_mail = matches!(kind, HandleKind::SnowUser | HandleKind::ConnectUsername)
            && value.contains('@');
        let found = self.find(kind, issuer, value, at);
        let mut found: Vec<Found<'_>> = found.map(|(_, found)| found).collect();
        if also_mail {
            let mails = self.find(HandleKind::Email, issuer, value, at);
            found.extend(mails.map(|(_, found)| found));
        }
        if found.len() > 1 {
            found.sort_by_key(|found| (found.person, found.account));
        }
        found
    }

    fn person(&self, identity: &str, at: Timestamp) -> Option<PersonFacts<'_>> {
        self.person_at(*self.person_places.get(identity)?, at)
    }

    fn person_at(&self, place: usize, at: Timestamp) -> Option<PersonFacts<'_>> {
        let person = self.persons.get(place)?;
        Some(person.facts(at, &self.persons))
    }

    fn phone_owners(&self, number: &str, at: Timestamp) -> Option<Vec<PhoneOwner>> {
        if !self.has_phones {
            return None;
        }
        let mut owners: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
        let bearers = self.names.bearers_of(HandleKind::Phone, number);
        for (bearer, found) in self.find(HandleKind::Phone, None, number, at) {
            let held = bearers.iter().filter(|b| b.account == bearer.account);
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
        let owner = |(identity, since): (&str, _)| PhoneOwner {
            identity: identity.into(),
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
