//! What is detected: rule files, compiled into operators over what is seen of one entity.

pub mod absence;
pub mod compile;
pub mod count;
pub mod distinct;
pub mod first_seen;
pub mod parse;
pub mod rule;
pub mod runs;
pub mod sequence;
pub mod set;
pub mod signal;
pub mod single;
pub mod terms;

pub use parse::RuleFault;
pub use rule::Rule;

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
    if faults.is_empty() {
        Ok(rules)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests;
