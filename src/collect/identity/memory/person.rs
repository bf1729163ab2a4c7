//! What the in-memory directory keeps of an account and of a person, worked out when it is built.

use std::sync::Arc;

use crate::collect::directory::{AgentRights, DELEGATES_MAX, Employment};
use crate::collect::identity::memory::lifecycle_of;
use crate::collect::identity::{AccountFacts, PersonFacts};
use crate::collect::time::Timestamp;
use crate::collect::words::{Lifecycle, Ternary, Tier};

/// A manager between two moments; `None` where nobody is known by that name.
pub(super) type DatedPerson = (Option<Timestamp>, Option<Timestamp>, Option<Arc<str>>);

/// An account record as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) key: Arc<str>,
    /// Place of its person.
    pub(super) person: Option<usize>,
    /// It was joined to its person by its user name.
    pub(super) by_user_name: bool,
    pub(super) issuer: Option<Arc<str>>,
    pub(super) from_hris: bool,
    pub(super) employment: Employment,
    pub(super) facts: AccountFacts,
    pub(super) employee_id: Option<Arc<str>>,
    pub(super) desk: bool,
    pub(super) rights: AgentRights,
    /// Last change of phone, private mail and manager of record.
    pub(super) changed: [Option<Timestamp>; 3],
    pub(super) managers: Vec<DatedPerson>,
    pub(super) delegates: Vec<Arc<str>>,
}

/// A person: their accounts, the root account first, and what holds at every moment.
#[derive(Debug, Clone)]
pub(super) struct Person {
    id: Arc<str>,
    accounts: Vec<usize>,
    hris: Vec<Employment>,
    all: Vec<Employment>,
    hired: Option<Timestamp>,
    lasting: PersonFacts,
}

impl Person {
    pub(super) fn new(id: Arc<str>, accounts: Vec<usize>) -> Self {
        Self {
            id,
            accounts,
            hris: Vec::new(),
            all: Vec::new(),
            hired: None,
            lasting: PersonFacts::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// First day of work.
    pub(super) const fn hired(&self) -> Option<Timestamp> {
        self.hired
    }

    pub(super) fn lifecycle(&self, at: Timestamp) -> Lifecycle {
        lifecycle_of(&self.hris, &self.all, at)
    }

    /// Works out what holds at every moment.
    pub(super) fn settle(&mut self, manages: bool, accounts: &[Account]) {
        let own: Vec<&Account> = self
            .accounts
            .iter()
            .filter_map(|a| accounts.get(*a))
            .collect();
        let of_hris = own.iter().filter(|a| a.from_hris);
        self.hris = of_hris.map(|a| a.employment).collect();
        self.all = own.iter().map(|a| a.employment).collect();
        self.hired = self.all.iter().filter_map(|e| e.hired()).min();
        let mut facts = PersonFacts {
            manages,
            ..PersonFacts::default()
        };
        let mut delegates: Vec<Arc<str>> = Vec::new();
        for account in own {
            let root = account.key == self.id;
            if root || !matches!(account.facts.tier, Tier::Machine | Tier::BreakGlass) {
                facts.tier = facts.tier.max(account.facts.tier);
            }
            facts.employee_id = facts.employee_id.or_else(|| account.employee_id.clone());
            facts.desk |= account.desk;
            delegates.extend(account.delegates.iter().cloned());
            add_rights(&mut facts.rights, &account.rights);
        }
        delegates.sort();
        delegates.dedup();
        delegates.truncate(DELEGATES_MAX);
        facts.delegates = delegates.into();
        self.lasting = facts;
    }

    /// What is known of the person at a moment.
    pub(super) fn facts(&self, at: Timestamp, accounts: &[Account]) -> PersonFacts {
        let mut facts = self.lasting.clone();
        facts.lifecycle = self.lifecycle(at);
        for account in self.accounts.iter().filter_map(|a| accounts.get(*a)) {
            let past = |moment: Option<Timestamp>| moment.filter(|moment| *moment <= at);
            let [phone, email, manager] = account.changed;
            facts.phone_at = facts.phone_at.max(past(phone));
            facts.email_at = facts.email_at.max(past(email));
            facts.manager_at = facts.manager_at.max(past(manager));
            if facts.manager.is_none() {
                let holds = |(from, to, _): &&DatedPerson| {
                    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
                };
                let now = account.managers.iter().rev().find(holds);
                facts.manager = now.and_then(|(_, _, person)| person.clone());
            }
        }
        facts
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
