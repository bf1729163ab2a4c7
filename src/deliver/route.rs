//! Whom a revision concerns and what it asks of them, from the record alone: what was reached is
//! compared with the floor of the receiver, and with what the revision before had said.

use crate::deliver::alert::Activity;
use crate::deliver::notice::{Notice, Reached};
use crate::deliver::severity::{INFORMATIONAL, LOW};

/// From where on a receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// The least `severity_id`. Informational is never delivered, so 1 means 2.
    Severity(u8),
    /// Of a pager: alerts that page, of at least this `severity_id`.
    Page(u8),
}

impl Floor {
    /// Whether somebody with this floor is told.
    #[must_use]
    pub fn is_reached(self, by: Reached) -> bool {
        match self {
            Self::Severity(least) => by.severity_id >= least.max(LOW),
            Self::Page(least) => by.page && by.severity_id >= least.max(LOW),
        }
    }
}

/// What a receiver wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// From where on.
    pub floor: Floor,
    /// Tiers of the entity; empty means all.
    pub tiers: Vec<String>,
    /// Patterns: `HDT-04` with all its branches, `HDT-04b` one. Empty means all.
    pub patterns: Vec<String>,
}

/// What a revision asks of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Call for attention: it is new, or worse than before.
    Trigger,
    /// Tell what changed.
    Update,
    /// Take the call back.
    Resolve,
    /// Say nothing.
    Withhold(Withheld),
}

impl Decision {
    /// The word in documents, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Update => "update",
            Self::Resolve => "resolve",
            Self::Withhold(_) => "withhold",
        }
    }
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// The tier is not among those of the route.
    Tier,
    /// No finding is of a pattern of the route.
    Pattern,
    /// A silence is in force.
    Silenced,
    /// A campaign speaks for it.
    Member,
    /// Nothing but informational so far.
    Informational,
    /// The floor was never reached.
    BelowFloor,
}

impl Withheld {
    /// All of them, for metrics that show zero.
    pub const ALL: [Self; 6] = [
        Self::Tier,
        Self::Pattern,
        Self::Silenced,
        Self::Member,
        Self::Informational,
        Self::BelowFloor,
    ];

    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Pattern => "pattern",
            Self::Silenced => "silenced",
            Self::Member => "campaign_member",
            Self::Informational => "informational",
            Self::BelowFloor => "below_floor",
        }
    }
}

impl Route {
    /// What a revision asks of the receiver.
    #[must_use]
    pub fn decide(&self, notice: &Notice) -> Decision {
        let alert = &notice.alert;
        if !self.tiers.is_empty() && !self.tiers.contains(&alert.subject.tier) {
            return Decision::Withhold(Withheld::Tier);
        }
        if !self.has_pattern(notice) {
            return Decision::Withhold(Withheld::Pattern);
        }
        let was_reached = self.floor.is_reached(notice.peak);
        // Before silence and campaign: what was triggered is taken back under both.
        if alert.activity == Activity::Closed {
            return if was_reached {
                Decision::Resolve
            } else {
                Decision::Withhold(below(notice.peak))
            };
        }
        if notice.is_suppressed {
            return Decision::Withhold(Withheld::Silenced);
        }
        if notice.campaign.is_some() {
            return Decision::Withhold(Withheld::Member);
        }
        let now = notice.now();
        if !self.floor.is_reached(now) {
            return if was_reached {
                Decision::Update
            } else {
                Decision::Withhold(below(now))
            };
        }
        let rose = now.severity_id > notice.before.severity_id;
        if rose || (now.page && !notice.before.page) {
            Decision::Trigger
        } else {
            Decision::Update
        }
    }

    /// Whether any finding, also one that was taken back, is of a pattern of the route: else what was
    /// triggered by it would never be resolved.
    fn has_pattern(&self, notice: &Notice) -> bool {
        self.patterns.is_empty()
            || notice
                .patterns
                .iter()
                .any(|has| self.patterns.iter().any(|want| is_of(&has.id, want)))
    }
}

fn below(reached: Reached) -> Withheld {
    if reached.severity_id <= INFORMATIONAL {
        Withheld::Informational
    } else {
        Withheld::BelowFloor
    }
}

/// `HDT-04b` is of `HDT-04` and of `HDT-04b`; letters of either case.
fn is_of(id: &str, want: &str) -> bool {
    match id.split_at_checked(want.len()) {
        Some((head, branch)) => {
            head.eq_ignore_ascii_case(want) && branch.chars().all(|c| c.is_ascii_alphabetic())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
