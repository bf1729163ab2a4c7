//! Where a rule was written: its file, the places of its parts, and its own tests. Lint and the
//! inline tests report with it.

use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use crate::correlate::rules::inline::InlineTest;

/// A place in a file, from 1; 0 where only the file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

/// The place of a value.
pub fn place_of<T>(value: &Spanned<T>) -> Place {
    value.referenced.into()
}

/// A rule file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// Name of the file.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Where a rule and its parts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: Arc<RuleText>,
    /// The id.
    pub id: Place,
    /// The operator.
    pub operator: Place,
    /// The description.
    pub description: Place,
    /// The name of the evidence.
    pub evidence: Place,
    /// Signals, in the order of the rule's.
    pub signals: Vec<Place>,
    /// Conditions of `when`, `when_any`, `unless`, and of the bonuses, in this order.
    pub conditions: Vec<Place>,
    /// Spans of the operator: of each threshold, else the one it has.
    pub spans: Vec<Place>,
    /// The tests.
    pub tests: Vec<InlineTest>,
}
