//! Which accounts are one person: by employee id, else by verified primary mail; agents of a contact
//! centre by their single-sign-on name.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::directory::{AccountRecord, NameUse, Strength};
use crate::collect::identity::memory::MemoryDirectory;
use crate::collect::identity::memory::person::Person;
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle, Tier};

impl MemoryDirectory {
    pub(super) fn is_root(&self, record: &AccountRecord) -> bool {
        self.roots.contains(&record.system)
    }

    /// By employee id: root systems found a group, others join one that exists.
    pub(super) fn join_employees(&self, group_of: &mut BTreeMap<String, String>) {
        let mut known = BTreeSet::new();
        for founding in [true, false] {
            for (key, record) in &self.records {
                let Some(id) = record
                    .employee_id
                    .as_ref()
                    .map(|id| id.to_ascii_uppercase())
                else {
                    continue;
                };
                if founding && self.is_root(record) {
                    known.insert(id.clone());
                }
                if known.contains(&id) {
                    group_of.insert(key.clone(), format!("employee {id}"));
                }
            }
        }
    }

    /// By verified primary mail: into the one group that has the address, else with each other.
    pub(super) fn join_mails(&self, group_of: &mut BTreeMap<String, String>) {
        let grouped = group_of.clone();
        let open = self
            .records
            .iter()
            .filter(|(key, _)| !grouped.contains_key(*key));
        for (key, record) in open {
            let Some(mail) = &record.join_mail else {
                continue;
            };
            let logins = record
                .handles
                .iter()
                .filter(|h| h.name_use == NameUse::Login);
            let mails = std::iter::once(mail).chain(logins.map(|h| &h.value));
            let groups = mails
                .map(|mail| self.groups_with(mail, &grouped, record.read_at))
                .find(|groups| !groups.is_empty())
                .unwrap_or_default();
            match (groups.len(), groups.first()) {
                (0, _) => group_of.insert(key.clone(), format!("mail {mail}")),
                (1, Some(group)) => group_of.insert(key.clone(), group.clone()),
                _ => None,
            };
        }
    }

    /// The groups that an address leads to, as a primary one before an alias, those still at work
    /// before leavers.
    fn groups_with(
        &self,
        mail: &str,
        grouped: &BTreeMap<String, String>,
        at: Timestamp,
    ) -> BTreeSet<String> {
        let groups = [true, false].map(|primary_only| {
            let accounts = self.bearers(HandleKind::Email, mail, primary_only);
            let groups = accounts
                .into_iter()
                .filter_map(|account| grouped.get(account));
            groups.cloned().collect::<BTreeSet<String>>()
        });
        let groups = groups.into_iter().find(|groups| !groups.is_empty());
        let groups = groups.unwrap_or_default();
        if groups.len() < 2 {
            return groups;
        }
        let at_work = |group: &&String| self.is_at_work(group, grouped, at);
        let working: BTreeSet<String> = groups.iter().filter(at_work).cloned().collect();
        if working.is_empty() { groups } else { working }
    }

    fn is_at_work(&self, group: &str, grouped: &BTreeMap<String, String>, at: Timestamp) -> bool {
        let accounts = grouped.iter().filter(|(_, of)| *of == group);
        let roots = accounts.filter_map(|(key, _)| self.records.get(key));
        let mut states = roots
            .filter(|r| r.system == "hris")
            .map(|r| [r.lifecycle, r.lifecycle_at(at)]);
        states.any(|states| !states.contains(&Lifecycle::Leaver))
    }

    /// Accounts that bear a name as a login or primary mail, or as anything verified.
    fn bearers(&self, kind: HandleKind, value: &str, primary_only: bool) -> Vec<&String> {
        let bearers = self.names.bearers_of(kind, value).iter().filter(|bearer| {
            bearer.strength >= Strength::S2 && (!primary_only || bearer.name_use != NameUse::Alias)
        });
        let keys = bearers.filter_map(|bearer| {
            let account = self.accounts.get(bearer.place())?;
            let (key, _) = self.records.get_key_value(&*account.key)?;
            Some(key)
        });
        let mut keys: Vec<&String> = keys.collect();
        keys.dedup();
        keys
    }

    /// Agents of a contact centre by their single-sign-on name: as login, as user name of the desk
    /// tool, else as the local part of one work address.
    pub(super) fn join_user_names(
        &self,
        group_of: &mut BTreeMap<String, String>,
    ) -> BTreeSet<String> {
        let grouped = group_of.clone();
        let mut locals: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
        for (key, group) in &grouped {
            let mail = self.records.get(key).and_then(|r| r.join_mail.as_deref());
            if let Some((local, _)) = mail.and_then(|mail| mail.rsplit_once('@')) {
                locals.entry(local).or_default().insert(group);
            }
        }
        let mut joined = BTreeSet::new();
        for (key, record) in &self.records {
            let Some(name) = record
                .user_name
                .as_ref()
                .filter(|_| !grouped.contains_key(key))
            else {
                continue;
            };
            let by_name = [HandleKind::Email, HandleKind::SnowUser].map(|kind| {
                let accounts = self.bearers(kind, name, false);
                accounts
                    .into_iter()
                    .filter_map(|account| grouped.get(account))
                    .collect()
            });
            let [mail, desk]: [BTreeSet<&String>; 2] = by_name;
            let local = locals.get(name.as_str()).cloned().unwrap_or_default();
            let groups = [mail, desk, local]
                .into_iter()
                .find(|groups| !groups.is_empty());
            let groups = groups.unwrap_or_default();
            if let (1, Some(group)) = (groups.len(), groups.first()) {
                group_of.insert(key.clone(), (*group).clone());
                joined.insert(key.clone());
            }
        }
        joined
    }

    /// Names each group after its root account.
    pub(super) fn name_persons(&mut self, group_of: &BTreeMap<String, String>) {
        let mut groups: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (key, group) in group_of {
            groups.entry(group).or_default().push(key);
        }
        let mut persons: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for mut accounts in groups.into_values() {
            accounts.sort_by_key(|key| self.preference(key));
            let Some(root) = accounts.first() else {
                continue;
            };
            // A contact that a desk tool made up for a caller is nobody yet.
            if self.records.get(*root).is_some_and(|r| self.is_root(r)) {
                persons.insert(root, accounts);
            }
        }
        self.persons.clear();
        self.person_places.clear();
        for (place, (root, accounts)) in persons.into_iter().enumerate() {
            let places = accounts.iter();
            let places: Vec<usize> = places
                .filter_map(|key| self.account_places.get(key.as_str()).copied())
                .collect();
            for account in &places {
                if let Some(account) = self.accounts.get_mut(*account) {
                    account.person = Some(place);
                }
            }
            self.person_places.insert(root.as_str().into(), place);
            self.persons.push(Person::new(root, places));
        }
    }

    fn preference(&self, key: &str) -> (usize, bool, Tier, Option<Timestamp>, String) {
        let Some(record) = self.records.get(key) else {
            return (usize::MAX, true, Tier::Machine, None, key.to_owned());
        };
        let place = match self.roots.iter().position(|root| *root == record.system) {
            Some(place) if record.system != "hris" => place + 1,
            Some(_) => 0,
            None => usize::MAX,
        };
        let gone = record.lifecycle == Lifecycle::Leaver;
        (place, gone, record.tier, record.created, key.to_owned())
    }
}
