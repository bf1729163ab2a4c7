//! Sets of actions and of patterns as bits, so that a question about one is a single instruction.

use crate::collect::event::Action;

/// Number of actions in the closed vocabulary.
pub const ACTIONS: usize = Action::ALL.len();

const _: () = assert!(ACTIONS <= 128, "a set of actions is 128 bits");

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions(pub u128);

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);
    /// Every action.
    pub const ALL: Self = Self(u128::MAX);

    /// The set of one action.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        Self(1 << action as u32)
    }

    /// Whether an action is in it.
    #[must_use]
    pub const fn has(self, action: Action) -> bool {
        self.0 >> action as u32 & 1 == 1
    }

    /// Whether the two share an action.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in one of them.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Patterns of one rule set at most: the bits of a [`PatternMask`].
pub const PATTERNS_MAX: usize = 64;

/// A set of patterns of one rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PatternMask(pub u64);

impl PatternMask {
    /// No pattern.
    pub const NONE: Self = Self(0);

    /// The set of one pattern, by its place in the rule set.
    #[must_use]
    pub const fn of(pattern: usize) -> Self {
        Self(if pattern < PATTERNS_MAX {
            1 << pattern
        } else {
            0
        })
    }

    /// Whether a pattern is in it.
    #[must_use]
    pub const fn has(self, pattern: usize) -> bool {
        self.0 & Self::of(pattern).0 != 0
    }

    /// What is in one of them.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// No pattern is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places of its patterns, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..PATTERNS_MAX).filter(move |pattern| self.has(*pattern))
    }
}
