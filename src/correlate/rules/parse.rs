//! What a detection engineer writes: rule files as YAML, exactly as they stand, unknown keys refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use crate::collect::entity::EntityKind;
use crate::collect::event::Tier;
use crate::correlate::rules::fault::RuleFault;
use crate::correlate::rules::origin::RuleText;
use crate::correlate::score::Family;

/// One document of a rule file: one branch of a pattern.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Id with branch, e.g. `HDT-03a`.
    pub id: Spanned<String>,
    /// Short title.
    pub title: String,
    /// Raised when the meaning changes.
    pub version: u32,
    /// `enabled`, `shadow` or `off`.
    #[serde(default)]
    pub status: StatusFile,
    /// ATT&CK and CSF tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// One paragraph that an analyst understands.
    pub description: Spanned<String>,
    /// Cases that must stay quiet.
    #[serde(default)]
    pub falsepositives: Vec<String>,
    /// Kinds of entity it is decided on.
    #[serde(default = "on_identities")]
    pub entities: Vec<EntityKind>,
    /// Evidence an obligation waits for.
    #[serde(default)]
    pub evidence: Option<Spanned<String>>,
    /// Signals by name.
    pub signals: BTreeMap<String, Spanned<SignalFile>>,
    /// Exactly one operator.
    #[serde(rename = "match")]
    pub operator: Spanned<OperatorFile>,
    /// All must hold.
    #[serde(default)]
    pub when: Vec<Spanned<String>>,
    /// Some must hold.
    #[serde(default)]
    pub when_any: Vec<Spanned<String>>,
    /// None may hold.
    #[serde(default)]
    pub unless: Vec<Spanned<String>>,
    /// Lowest tier.
    #[serde(default)]
    pub min_tier: Tier,
    /// Points and family.
    pub score: ScoreFile,
    /// Stories with what the rule finds in them.
    #[serde(default)]
    pub tests: Vec<Spanned<TestFile>>,
}

/// One test of a rule, in lines: people, events and findings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// What it shows.
    pub name: String,
    /// `T tier=executive manager=M`, where somebody is not ordinary.
    #[serde(default)]
    pub people: Vec<Spanned<String>>,
    /// `10m credential.password_reset target=T agent=A`.
    pub events: Vec<Spanned<String>>,
    /// `identity|T @10m 45`: entity, time of the anchor, points with bonuses. Empty: quiet.
    pub expect: Vec<Spanned<String>>,
}

fn on_identities() -> Vec<EntityKind> {
    vec![EntityKind::Identity]
}

/// `status` of a rule.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusFile {
    /// Findings count.
    #[default]
    Enabled,
    /// Findings are recorded apart.
    Shadow,
    /// Not evaluated.
    Off,
}

/// `score` of a rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreFile {
    /// Whole points.
    pub points: i64,
    /// Family.
    pub family: Family,
    /// Extra points.
    #[serde(default)]
    pub bonus: Vec<BonusFile>,
    /// Whether counter-evidence lowers it.
    #[serde(default = "yes")]
    pub counter_evidence: bool,
}

fn yes() -> bool {
    true
}

/// One bonus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BonusFile {
    /// Whole points.
    pub points: i64,
    /// Some of these must hold.
    pub any: Vec<Spanned<String>>,
    /// None of these may hold.
    #[serde(default)]
    pub unless: Vec<Spanned<String>>,
}

/// `match`: one key, the operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum OperatorFile {
    /// One event.
    Single {
        /// Signal.
        signal: Spanned<String>,
    },
    /// Too many of one kind.
    Count {
        /// Signal.
        signal: Spanned<String>,
        /// Taken off the count.
        #[serde(default)]
        minus: Option<Spanned<String>>,
        /// Count each recovery class apart.
        #[serde(default)]
        by_class: bool,
        /// Any of these is enough.
        any: Vec<ThresholdFile>,
    },
    /// Too many different values.
    Distinct {
        /// Signal.
        signal: Spanned<String>,
        /// What is counted.
        of: Spanned<String>,
        /// Any of these is enough.
        any: Vec<ThresholdFile>,
    },
    /// One after the other.
    Sequence {
        /// Signals, first to last.
        steps: Vec<Spanned<String>>,
        /// Longest span.
        within: Spanned<String>,
        /// Longer or shorter for some tiers.
        #[serde(default)]
        overrides: Vec<WithinFile>,
    },
    /// All of them, in any order.
    Set {
        /// Signals.
        signals: Vec<Spanned<String>>,
        /// How many of them.
        min: usize,
        /// Span.
        within: Spanned<String>,
    },
    /// Never seen before.
    FirstSeen {
        /// Signal.
        signal: Spanned<String>,
        /// `device`, `asn`, `country`.
        values: Vec<Spanned<String>>,
    },
    /// Something that had to follow did not.
    Absence(Box<AbsenceFile>),
}

/// `absence`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceFile {
    /// Signal that opens the obligation.
    pub after: Spanned<String>,
    /// Signal that is the control.
    #[serde(default)]
    pub expect: Option<Spanned<String>>,
    /// What must hold between the two.
    #[serde(default)]
    pub such_that: Vec<Spanned<String>>,
    /// Or: any of these holds.
    #[serde(default)]
    pub cleared_by: Vec<Spanned<String>>,
    /// How far before the anchor the control may lie.
    #[serde(default)]
    pub lookback: Option<Spanned<String>>,
    /// How long after it the control may come.
    pub deadline: Spanned<String>,
    /// What is missing then, in words.
    pub missing: String,
}

/// One threshold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdFile {
    /// At least so many.
    pub gte: usize,
    /// In this span.
    pub within: Spanned<String>,
    /// For this tier and above.
    #[serde(default)]
    pub min_tier: Tier,
}

/// A span for a tier and above.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithinFile {
    /// Tier.
    pub min_tier: Tier,
    /// Span.
    pub within: Spanned<String>,
}

/// A signal: rows `field|modifier: value`, a named set, alternatives.
#[derive(Debug, Clone, Default)]
pub struct SignalFile {
    /// Named sets of `common.yaml`, all of which must hold.
    pub sets: Vec<Spanned<String>>,
    /// Alternatives.
    pub any_of: Vec<Self>,
    /// Rows by key.
    pub rows: Vec<(String, Spanned<Words>)>,
}

/// One value or a list of them, as text.
#[derive(Debug, Clone, Default)]
pub struct Words(pub Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E>(self, value: &str) -> Result<Words, E> {
                Ok(Words(vec![value.to_owned()]))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Words, E> {
                Ok(Words(vec![value.to_string()]))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Words, E> {
                Ok(Words(vec![value.to_string()]))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Words, E> {
                Ok(Words(vec![value.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element::<Self::Value>()? {
                    words.extend(word.0);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for SignalFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = SignalFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a signal: `field: value` rows, `set` or `any_of`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SignalFile, A::Error> {
                let mut signal = SignalFile::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "set" => signal.sets.push(map.next_value()?),
                        "any_of" => signal.any_of = map.next_value()?,
                        _ => signal.rows.push((key, map.next_value()?)),
                    }
                }
                Ok(signal)
            }
        }
        deserializer.deserialize_map(Rows)
    }
}

/// The named sets of `common.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommonFile {
    /// Signals by name, each beginning with `$`, in an order in which none uses a later one.
    pub sets: Vec<NamedSet>,
}

/// One named set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSet {
    /// Name, beginning with `$`.
    pub name: Spanned<String>,
    /// What it is.
    pub signal: Spanned<SignalFile>,
}

/// Reads every document of a rule file.
///
/// # Errors
/// YAML that does not parse, an unknown or missing key, a value of the wrong type.
pub fn read(file: &str, text: &str) -> Result<Vec<RuleFile>, Vec<RuleFault>> {
    serde_saphyr::from_multiple(text).map_err(|fault| vec![syntax(file, text, &fault)])
}

/// Reads `common.yaml`.
///
/// # Errors
/// As [`read`].
pub fn read_common(file: &str, text: &str) -> Result<CommonFile, Vec<RuleFault>> {
    serde_saphyr::from_str(text).map_err(|fault| vec![syntax(file, text, &fault)])
}

fn syntax(file: &str, text: &str, fault: &serde_saphyr::Error) -> RuleFault {
    let place = fault.location().unwrap_or(Location::UNKNOWN);
    let what = fault.to_string();
    let first = what.lines().next().unwrap_or_default().to_owned();
    let file = RuleText {
        name: file.to_owned(),
        text: text.to_owned(),
    };
    RuleFault::at(&file, place.into(), first)
}
