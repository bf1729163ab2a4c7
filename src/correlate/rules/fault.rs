//! A fault of a rule file: where, what, and what would be right.

use std::fmt;

use crate::correlate::rules::origin::{Place, RuleText};

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// The rule may be right all the same.
    Warning,
    /// The rule cannot be used.
    Error,
}

/// A fault of a rule file, with its place and remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 where only the file is known.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// How bad it is.
    pub gravity: Gravity,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The nearest thing that would be right.
    pub did_you_mean: Option<String>,
    /// The line, with a caret below the column.
    pub snippet: String,
}

impl RuleFault {
    /// A fault at a place of a file.
    #[must_use]
    pub fn at(file: &RuleText, place: Place, what: impl Into<String>) -> Self {
        let number = |n: u64| usize::try_from(n).unwrap_or(1).saturating_sub(1);
        let line = file.text.lines().nth(number(place.line));
        let caret = " ".repeat(number(place.column));
        Self {
            file: file.name.clone(),
            line: place.line,
            column: place.column,
            gravity: Gravity::Error,
            what: what.into(),
            remedy: None,
            did_you_mean: None,
            snippet: line
                .map(|line| format!("{line}\n{caret}^"))
                .unwrap_or_default(),
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same as a warning.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.gravity = Gravity::Warning;
        self
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.gravity == Gravity::Warning {
            "warning: "
        } else {
            ""
        };
        write!(
            f,
            "{}:{}:{}: {warning}{}",
            self.file, self.line, self.column, self.what
        )?;
        if let Some(right) = &self.did_you_mean {
            write!(f, "; did you mean `{right}`?")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        if !self.snippet.is_empty() {
            write!(f, "\n{}", self.snippet)?;
        }
        Ok(())
    }
}
