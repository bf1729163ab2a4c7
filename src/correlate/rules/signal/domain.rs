//! What a signal can match at all, worked out once when it is compiled: a sieve in front of its rows.

use super::{Field, Row, Test};
use crate::collect::entity::is_recovery;
use crate::collect::event::{Action, Outcome};
use crate::correlate::rules::masks::{ACTIONS, Actions};
use crate::correlate::view::Stands;

/// One bit per outcome.
pub type Outcomes = u8;

const EVERY: Outcomes = u8::MAX;

/// What facts a signal can match. Never too narrow; where rows look at other fields, too wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Outcomes by action, of an event that came by itself.
    direct: [Outcomes; ACTIONS],
    /// Outcomes by action, of an event that came with a call or ticket.
    told: [Outcomes; ACTIONS],
    /// Actions that stand in `direct`.
    alone: Actions,
    /// Actions that stand in `told`.
    with_others: Actions,
    /// A whole contact.
    pub contact: bool,
    /// A whole ticket.
    pub ticket: bool,
}

/// The bit of an outcome.
#[must_use]
pub const fn outcome_bit(outcome: Outcome) -> Outcomes {
    1 << outcome as u32
}

impl Domain {
    /// What rows can match. Without a row on what a fact stands for they ask for events, unless they
    /// narrow another signal.
    pub(super) fn of_rows(rows: &[Row], narrows: bool) -> Self {
        let item = rows.iter().find(|row| row.field == Field::Item);
        let stands = |stands: Stands| match item {
            None => narrows || stands == Stands::Event,
            Some(row) => row.allows(1 << stands as u32),
        };
        let mut table = [EVERY; ACTIONS];
        if !stands(Stands::Event) {
            table = [0; ACTIONS];
        }
        for (outcomes, action) in table.iter_mut().zip(Action::ALL) {
            for row in rows {
                *outcomes &= row.outcomes(action);
            }
        }
        let direct = rows.iter().all(Row::may_come_alone);
        let may = |action| rows.iter().all(|row| row.outcomes(action) != 0);
        let part_of = |part: u128| {
            let mut of = rows.iter().filter(|row| row.field == Field::PartOf);
            of.all(|row| row.allows(part))
        };
        Self {
            direct: if direct { table } else { [0; ACTIONS] },
            told: table,
            alone: Actions::NONE,
            with_others: Actions::NONE,
            contact: stands(Stands::Contact) && may(Action::ContactStarted) && part_of(1),
            ticket: stands(Stands::Ticket) && may(Action::TicketOpened) && part_of(2),
        }
        .counted()
    }

    fn merge(&self, other: &Self, one: impl Fn(Outcomes, Outcomes) -> Outcomes) -> Self {
        let mut merged = self.clone();
        for (to, from) in merged.direct.iter_mut().zip(other.direct) {
            *to = one(*to, from);
        }
        for (to, from) in merged.told.iter_mut().zip(other.told) {
            *to = one(*to, from);
        }
        merged
    }

    /// What both can match.
    pub(super) fn both(&self, other: &Self) -> Self {
        Self {
            contact: self.contact && other.contact,
            ticket: self.ticket && other.ticket,
            ..self.merge(other, |a, b| a & b)
        }
        .counted()
    }

    /// What one of them can match.
    pub(super) fn either(&self, other: &Self) -> Self {
        Self {
            contact: self.contact || other.contact,
            ticket: self.ticket || other.ticket,
            ..self.merge(other, |a, b| a | b)
        }
        .counted()
    }

    fn counted(mut self) -> Self {
        let of = |table: &[Outcomes; ACTIONS]| {
            let held = Action::ALL.into_iter().zip(table);
            held.filter(|(_, outcomes)| **outcomes != 0)
                .fold(Actions::NONE, |all, (action, _)| {
                    all.or(Actions::of(action))
                })
        };
        self.alone = of(&self.direct);
        self.with_others = of(&self.told);
        self
    }

    /// Nothing can match.
    pub(super) const NOTHING: Self = Self {
        direct: [0; ACTIONS],
        told: [0; ACTIONS],
        alone: Actions::NONE,
        with_others: Actions::NONE,
        contact: false,
        ticket: false,
    };

    /// Actions of events that can match.
    #[must_use]
    pub const fn actions(&self) -> Actions {
        self.alone.or(self.with_others)
    }

    /// Actions of events that came by themselves and can match.
    #[must_use]
    pub const fn alone(&self) -> Actions {
        self.alone
    }

    /// Actions of events that came with a call or ticket and can match.
    #[must_use]
    pub const fn with_others(&self) -> Actions {
        self.with_others
    }

    /// Whether nothing at all can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions() == Actions::NONE && !self.contact && !self.ticket
    }

    /// Outcomes with which an event of an action, come by itself, can match.
    #[must_use]
    pub fn outcomes(&self, action: Action) -> Outcomes {
        self.direct.get(action as usize).copied().unwrap_or(0)
    }
}

impl Row {
    /// Whether a set of words allows one of `bits`.
    fn allows(&self, bits: u128) -> bool {
        match &self.test {
            Test::In(mask) => mask & bits != 0,
            Test::Exists(wanted) => *wanted,
            Test::Text(_) | Test::Number(..) | Test::Flag(_) => false,
        }
    }

    /// The outcomes this row leaves an event of `action`.
    fn outcomes(&self, action: Action) -> Outcomes {
        let of = |allowed: bool, outcomes: Outcomes| if allowed { outcomes } else { 0 };
        let absent = self.test == Test::Exists(false);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the other fields may be anything, whatever the action"
        )]
        match self.field {
            Field::Action => of(self.allows(1 << action as u32), EVERY),
            Field::Outcome => match &self.test {
                Test::In(mask) => u8::try_from(mask & 0xff).unwrap_or(EVERY),
                _ => of(!absent, EVERY),
            },
            Field::Recovery if !absent => of(is_recovery(action), outcome_bit(Outcome::Success)),
            Field::Callback if self.test == Test::Flag(true) => {
                of(action == Action::CallbackCompleted, EVERY)
            }
            _ => EVERY,
        }
    }

    /// Whether an event that came with no call or ticket can satisfy the row.
    fn may_come_alone(&self) -> bool {
        self.field != Field::PartOf || self.test == Test::Exists(false)
    }
}
