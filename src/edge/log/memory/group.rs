//! Consumer groups of the in-memory log: generations, sticky assignment, cooperative hand-over.
//!
//! A partition moves in two steps, as under `cooperative-sticky`: its old owner gives it up in a
//! poll (or is evicted), only then its new owner gets it. All members subscribe to equal topics.

use crate::edge::log::Partition;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) instance: Option<String>,
    topics: BTreeSet<String>,
    /// What it has been told that it owns.
    owned: BTreeSet<Partition>,
    /// What it should own.
    target: BTreeSet<Partition>,
    /// The generation it knows: a rejoin happens behind the back of a running cycle.
    known: u64,
}

/// What a poll tells a member about its assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Lost,
    Fenced,
    Revoked(Vec<Partition>),
    Assigned(Vec<Partition>),
    None,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) offsets: BTreeMap<Partition, i64>,
    generation: u64,
    members: BTreeMap<u64, Member>,
    next_member: u64,
}

impl Group {
    /// A member joins; one with the same instance id is replaced and keeps its partitions, without
    /// a new generation.
    pub(super) fn join(
        &mut self,
        instance: Option<&str>,
        topics: &[String],
        all: &[Partition],
    ) -> u64 {
        self.next_member += 1;
        let id = self.next_member;
        let same = |m: &&Member| m.instance.is_some() && m.instance.as_deref() == instance;
        let old = self
            .members
            .iter()
            .find(|(_, m)| same(m))
            .map(|(id, _)| *id);
        let mut member = Member {
            instance: instance.map(str::to_owned),
            topics: topics.iter().cloned().collect(),
            ..Member::default()
        };
        let replaced = old.and_then(|id| self.members.remove(&id));
        let is_replacement = replaced.is_some();
        if let Some(old) = replaced {
            member.target = old.target;
            member.known = self.generation;
        }
        self.members.insert(id, member);
        if !is_replacement {
            self.rebalance(all);
        }
        id
    }

    /// A member leaves or its session ends.
    pub(super) fn remove(&mut self, id: u64, all: &[Partition]) {
        if self.members.remove(&id).is_some() {
            self.rebalance(all);
        }
    }

    /// Members in the order in which they joined.
    pub(super) fn members(&self) -> Vec<(u64, Option<String>)> {
        let members = self.members.iter();
        members.map(|(id, m)| (*id, m.instance.clone())).collect()
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a cycle of this member may commit offsets now.
    pub(super) fn check(&self, id: u64) -> Result<(), &'static str> {
        match self.members.get(&id) {
            None => Err("UnknownMemberId"),
            Some(member) if member.known != self.generation => Err("IllegalGeneration"),
            Some(_) => Ok(()),
        }
    }

    /// Begins a new generation and shares the partitions out again.
    pub(super) fn rebalance(&mut self, all: &[Partition]) {
        self.generation += 1;
        let Some(first) = self.members.values().next() else {
            return;
        };
        let topics = first.topics.clone();
        let mut free: BTreeSet<Partition> = all
            .iter()
            .filter(|p| topics.contains(&*p.topic))
            .cloned()
            .collect();
        let base = free.len() / self.members.len();
        let mut extra = free.len() % self.members.len();
        // Those who hold most get the remainder, so that as little as possible moves.
        let mut order: Vec<u64> = self.members.keys().copied().collect();
        order.sort_by_key(|id| {
            std::cmp::Reverse(self.members.get(id).map_or(0, |m| m.target.len()))
        });
        let mut room = BTreeMap::new();
        for id in order {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            let quota = base + usize::from(extra > 0);
            extra = extra.saturating_sub(1);
            let kept = member
                .target
                .iter()
                .filter(|p| free.contains(*p))
                .take(quota);
            member.target = kept.cloned().collect();
            free.retain(|p| !member.target.contains(p));
            room.insert(id, quota - member.target.len());
        }
        for (id, room) in room {
            let take: Vec<Partition> = free.iter().take(room).cloned().collect();
            free.retain(|p| !take.contains(p));
            if let Some(member) = self.members.get_mut(&id) {
                member.target.extend(take);
            }
        }
    }

    /// The next step of the hand-over for a member that polls.
    pub(super) fn change(&mut self, id: u64, instance: Option<&str>) -> Change {
        let generation = self.generation;
        let Some(member) = self.members.get_mut(&id) else {
            let taken = |m: &Member| instance.is_some() && m.instance.as_deref() == instance;
            let is_fenced = self.members.values().any(taken);
            return if is_fenced {
                Change::Fenced
            } else {
                Change::Lost
            };
        };
        let given_up: Vec<Partition> = member.owned.difference(&member.target).cloned().collect();
        if !given_up.is_empty() {
            member.owned.retain(|p| member.target.contains(p));
            // The second round of the cooperative protocol: everyone rejoins.
            self.generation += 1;
            member.known = self.generation;
            return Change::Revoked(given_up);
        }
        member.known = generation;
        let wanted: Vec<Partition> = member.target.difference(&member.owned).cloned().collect();
        let elsewhere = |p: &Partition| self.members.values().any(|m| m.owned.contains(p));
        let gained: Vec<Partition> = wanted.into_iter().filter(|p| !elsewhere(p)).collect();
        if gained.is_empty() {
            return Change::None;
        }
        if let Some(member) = self.members.get_mut(&id) {
            member.owned.extend(gained.iter().cloned());
        }
        Change::Assigned(gained)
    }
}
