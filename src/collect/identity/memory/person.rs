//! What the in-memory directory keeps of an account and of a person, worked out when it is built. What
//! every event asks for lies together; what few ask for lies apart.

use crate::collect::directory::{AccountRecord, AgentRights, DELEGATES_MAX, Employment};
use crate::collect::identity::{AccountFacts, PersonFacts};
use crate::collect::time::Timestamp;
use crate::collect::words::{Lifecycle, Ternary, Tier};

/// An account record as look-ups ask for it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) key: Box<str>,
    pub(super) issuer: Option<Box<str>>,
    /// Place of its person.
    pub(super) person: Option<usize>,
    /// It was joined to its person by its user name.
    pub(super) by_user_name: bool,
    pub(super) facts: AccountFacts,
}

impl Account {
    pub(super) fn of(key: &str, record: &AccountRecord) -> Self {
        Self {
            key: key.into(),
            issuer: record.issuer.as_deref().map(Into::into),
            person: None,
            by_user_name: false,
            facts: AccountFacts {
                created: record.created,
                tier: record.tier,
            },
        }
    }
}

/// What an account says of its person that changes with time.
#[derive(Debug, Clone)]
struct Dated {
    /// Last change of phone, private mail and manager of record.
    changed: [Option<Timestamp>; 3],
    /// Managers by place, between two moments; `None` where nobody is known by that name.
    managers: Vec<(Option<Timestamp>, Option<Timestamp>, Option<usize>)>,
}

impl Dated {
    fn says_nothing(&self) -> bool {
        self.changed == [None; 3] && self.managers.is_empty()
    }
}

/// A person: what holds at every moment, and what does not.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: Box<str>,
    /// Employment as the HRIS says first.
    first: Employment,
    /// The other accounts: of the HRIS, then all; empty where the first settles it.
    others: Box<[Employment]>,
    others_of_hris: usize,
    hired: Option<Timestamp>,
    pub(super) accounts: Box<[usize]>,
    lasting: Lasting,
    dated: Box<[Dated]>,
}

#[derive(Debug, Clone, Default)]
struct Lasting {
    employee_id: Option<Box<str>>,
    tier: Tier,
    desk: bool,
    manages: bool,
    /// The manager, where no account says since when.
    manager: Option<usize>,
    delegates: Box<[usize]>,
    rights: AgentRights,
}

/// The people whom names in exports mean, by place.
pub(super) type Referred<'r> = dyn Fn(&str) -> Option<usize> + 'r;

impl Person {
    pub(super) fn new(id: &str, accounts: Vec<usize>) -> Self {
        Self {
            id: id.into(),
            first: Employment::default(),
            others: Box::default(),
            others_of_hris: 0,
            hired: None,
            accounts: accounts.into(),
            lasting: Lasting::default(),
            dated: Box::default(),
        }
    }

    /// First day of work.
    pub(super) const fn hired(&self) -> Option<Timestamp> {
        self.hired
    }

    /// Employment: as the HRIS says, else as the liveliest account.
    pub(super) fn lifecycle(&self, at: Timestamp) -> Lifecycle {
        let first = self.first.at(at);
        if first != Lifecycle::Unknown || self.others.is_empty() {
            return first;
        }
        let order = |l: &Lifecycle| match l {
            Lifecycle::Active => 0,
            Lifecycle::OnLeave => 1,
            Lifecycle::PreHire => 2,
            Lifecycle::Leaver => 3,
            Lifecycle::Unknown => 4,
        };
        let (hris, all) = self
            .others
            .split_at_checked(self.others_of_hris)
            .unwrap_or_default();
        let mut said = hris
            .iter()
            .map(|e| e.at(at))
            .filter(|l| *l != Lifecycle::Unknown);
        said.next()
            .or_else(|| all.iter().map(|e| e.at(at)).min_by_key(order))
            .unwrap_or_default()
    }

    /// Works out everything from the records of the accounts, the root account first.
    pub(super) fn settle(&mut self, manages: bool, own: &[&AccountRecord], named: &Referred<'_>) {
        let all = own.iter().map(|r| r.employment());
        let of_hris = own.iter().filter(|r| r.system == "hris");
        let mut hris = of_hris.map(|r| r.employment());
        self.hired = all.clone().filter_map(Employment::hired).min();
        // Without an HRIS nothing is said first, and the liveliest account decides.
        self.first = hris.next().unwrap_or_default();
        let mut others: Vec<Employment> = hris.collect();
        self.others_of_hris = others.len();
        others.extend(all);
        self.others = others.into();
        let mut lasting = Lasting {
            manages,
            ..Lasting::default()
        };
        let mut delegates: Vec<usize> = Vec::new();
        let mut dated = Vec::new();
        for record in own {
            let root = record.key() == *self.id;
            if root || !matches!(record.tier, Tier::Machine | Tier::BreakGlass) {
                lasting.tier = lasting.tier.max(record.tier);
            }
            let employee = || record.employee_id.as_deref().map(Into::into);
            lasting.employee_id = lasting.employee_id.or_else(employee);
            lasting.desk |= record.desk;
            delegates.extend(record.delegates.iter().filter_map(|name| named(name)));
            add_rights(&mut lasting.rights, &record.rights);
            let managers = record.managers.iter();
            let managers = managers.map(|m| (m.from, m.to, named(&m.name)));
            dated.push(Dated {
                changed: [record.phone_at, record.email_at, record.manager_at],
                managers: managers.collect(),
            });
        }
        delegates.sort_unstable();
        delegates.dedup();
        delegates.truncate(DELEGATES_MAX);
        lasting.delegates = delegates.into();
        let undated = |dated: &Dated| {
            let mut managers = dated.managers.iter();
            managers.all(|(from, to, _)| from.is_none() && to.is_none())
        };
        if dated.iter().all(undated) {
            let named = dated.iter().filter_map(|dated| dated.managers.last()?.2);
            lasting.manager = named.into_iter().next();
            dated.iter_mut().for_each(|dated| dated.managers.clear());
        }
        dated.retain(|dated| !dated.says_nothing());
        self.dated = dated.into();
        self.lasting = lasting;
    }

    /// What is known of the person at a moment; `people` tells the others it names.
    pub(super) fn facts<'d>(&'d self, at: Timestamp, people: &'d [Self]) -> PersonFacts<'d> {
        let id = |place: usize| people.get(place).map(|person| &*person.id);
        let lasting = &self.lasting;
        let mut facts = PersonFacts {
            employee_id: lasting.employee_id.as_deref(),
            tier: lasting.tier,
            lifecycle: self.lifecycle(at),
            manager: lasting.manager.and_then(id),
            delegates: lasting.delegates.iter().filter_map(|p| id(*p)).collect(),
            desk: lasting.desk,
            manages: lasting.manages,
            rights: lasting.rights.clone(),
            ..PersonFacts::default()
        };
        for Dated { changed, managers } in &self.dated {
            let past = |moment: &Option<Timestamp>| moment.filter(|moment| *moment <= at);
            let [phone, email, manager] = changed;
            facts.phone_at = facts.phone_at.max(past(phone));
            facts.email_at = facts.email_at.max(past(email));
            facts.manager_at = facts.manager_at.max(past(manager));
            if facts.manager.is_none() {
                let now = managers.iter().rev().find(|(from, to, _)| {
                    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
                });
                facts.manager = now.and_then(|(_, _, person)| id((*person)?));
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
