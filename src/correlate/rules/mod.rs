//! What is detected: rule files, compiled into operators over what is seen of one entity.

pub mod absence;
pub mod compile;
pub mod count;
pub mod distinct;
pub mod fault;
pub mod first_seen;
pub mod inline;
pub mod lint;
pub mod masks;
pub mod origin;
pub mod parse;
pub mod reach;
pub mod rule;
pub mod rule_set;
pub mod runs;
pub mod sequence;
pub mod set;
pub mod signal;
pub mod single;
pub mod story;
pub mod terms;

pub use fault::RuleFault;
pub use lint::{Declared, lint};
use masks::PATTERNS_MAX;
pub use masks::PatternMask;
pub use rule::Rule;
pub use rule_set::RuleSet;

/// The shipped rule files, by name. The file of every pattern is listed here.
pub const EMBEDDED: [(&str, &str); 8] = [
    ("hdt-01.yaml", include_str!("../../../rules/hdt-01.yaml")),
    ("hdt-03.yaml", include_str!("../../../rules/hdt-03.yaml")),
    ("hdt-04.yaml", include_str!("../../../rules/hdt-04.yaml")),
    ("hdt-05.yaml", include_str!("../../../rules/hdt-05.yaml")),
    ("hdt-07.yaml", include_str!("../../../rules/hdt-07.yaml")),
    ("hdt-09.yaml", include_str!("../../../rules/hdt-09.yaml")),
    ("hdt-12.yaml", include_str!("../../../rules/hdt-12.yaml")),
    ("hdt-15.yaml", include_str!("../../../rules/hdt-15.yaml")),
];

/// The shipped named sets.
pub const COMMON: (&str, &str) = ("common.yaml", include_str!("../../../rules/common.yaml"));

/// Compiles the shipped rules.
///
/// # Errors
/// Every fault of every file. A test keeps this from happening to the shipped ones.
pub fn embedded() -> Result<Vec<Rule>, Vec<RuleFault>> {
    load(COMMON, &EMBEDDED)
}

/// The shipped rules as the engine asks them.
///
/// # Errors
/// As [`embedded`].
pub fn embedded_set() -> Result<RuleSet, Vec<RuleFault>> {
    embedded().map(RuleSet::new)
}

/// Compiles a set of rule files against named sets.
///
/// # Errors
/// Every fault of every file, in the order of the files.
pub fn load(common: (&str, &str), files: &[(&str, &str)]) -> Result<Vec<Rule>, Vec<RuleFault>> {
    let sets = compile::common(common.0, common.1)?;
    let mut rules: Vec<Rule> = Vec::new();
    let mut faults = Vec::new();
    for (name, text) in files {
        match compile::rules(name, text, &sets) {
            Ok(compiled) => rules.extend(compiled),
            Err(found) => faults.extend(found),
        }
    }
    faults.extend(too_many(&rules));
    if faults.is_empty() {
        Ok(rules)
    } else {
        Err(faults)
    }
}

/// Sets of patterns are bits of one word.
fn too_many(rules: &[Rule]) -> Option<RuleFault> {
    let mut patterns: Vec<&str> = Vec::new();
    for rule in rules {
        if !patterns.contains(&rule.pattern.as_str()) {
            patterns.push(&rule.pattern);
        }
        if patterns.len() > PATTERNS_MAX {
            let what = format!("more than {PATTERNS_MAX} patterns");
            let fault = RuleFault::at(&rule.origin.file, rule.origin.id, what);
            return Some(fault.remedy("make some of them branches of one pattern"));
        }
    }
    None
}

/// Whether a text is the id of a pattern, `NAME-NN`, and of none of its branches.
#[must_use]
pub fn is_pattern(id: &str) -> bool {
    id.split_once('-').is_some_and(|(name, number)| {
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic());
        is_name && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
