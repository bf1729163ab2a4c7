//! Who is who in a binding: roles of bound facts, compared where both persons are known.

use super::Binding;
use crate::correlate::fact::Person;
use crate::correlate::view::Seen;
use smol_str::SmolStr;

/// A person named by a step of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    pub(super) step: usize,
    pub(super) role: WhoRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhoRole {
    Target,
    Requester,
    Agent,
    Approver,
    ApproverManager,
    TicketTarget,
    TicketRequester,
    TicketRequesterDelegates,
}

/// The identity ids a reference stands for.
enum People<'a> {
    One(&'a str),
    Many(&'a [SmolStr]),
}

impl<'a> People<'a> {
    fn ids(&self) -> impl Iterator<Item = &'a str> {
        let (one, many) = match self {
            Self::One(one) => (Some(*one), &[] as &[SmolStr]),
            Self::Many(many) => (None, *many),
        };
        one.into_iter().chain(many.iter().map(SmolStr::as_str))
    }
}

/// Whether two references share a person; `None` where nobody is known at one of them.
pub(super) fn same_person(bound: &Binding<'_, '_>, a: Who, b: Who) -> Option<bool> {
    let of = |who: Who| people(bound.get(who.step)?, who.role);
    let (a, b) = (of(a)?, of(b)?);
    Some(a.ids().any(|one| b.ids().any(|other| one == other)))
}

fn people<'a>(seen: &Seen<'a>, role: WhoRole) -> Option<People<'a>> {
    let fact = seen.fact;
    let id = |person: &'a Person| People::One(person.identity.as_str());
    match role {
        WhoRole::Target => fact.target.as_ref().map(id),
        WhoRole::Requester => fact.requester.as_ref().map(id),
        WhoRole::Agent => fact.agent.as_ref().map(id),
        WhoRole::Approver => fact.approver.as_ref().map(id),
        WhoRole::ApproverManager => {
            let manager = fact.approver.as_ref().and_then(|p| p.manager.as_deref());
            manager.map(People::One)
        }
        WhoRole::TicketTarget => seen.target().map(id),
        WhoRole::TicketRequester => seen.requester().map(id),
        WhoRole::TicketRequesterDelegates => seen
            .requester()
            .map(|person| People::Many(&person.delegates)),
    }
}

/// Whether the agent of a step is that of another bound fact.
pub(super) fn same_agent(bound: &Binding<'_, '_>, step: usize) -> bool {
    let Some(agent) = bound.get(step).and_then(|seen| seen.fact.agent.as_ref()) else {
        return false;
    };
    (0..super::SIGNALS_MAX)
        .filter(|other| *other != step)
        .filter_map(|other| bound.get(other)?.fact.agent.as_ref())
        .any(|other| other.identity == agent.identity)
}
