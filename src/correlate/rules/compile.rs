//! Rule files → rules: every name resolved, every span read, all faults of a file at once.

mod operators;

use std::sync::Arc;

use serde_saphyr::Spanned;

use crate::collect::time::DAY_MS;
use crate::correlate::rules::fault::RuleFault;
use crate::correlate::rules::inline::InlineTest;
use crate::correlate::rules::is_pattern;
use crate::correlate::rules::origin::{Origin, Place, RuleText, place_of};
use crate::correlate::rules::parse::{
    self, CommonFile, OperatorFile, RuleFile, SignalFile, StatusFile, TestFile,
};
use crate::correlate::rules::rule::{Bonus, Evidence, Rule, Status};
use crate::correlate::rules::signal::{self, RowFault, Signal, unknown};
use crate::correlate::rules::terms::{self, Condition, Names, SIGNALS_MAX};

/// The longest span a rule may look back over: what the events topic and the windows keep.
pub const SPAN_MS_MAX: i64 = 7 * DAY_MS;

/// The named sets, compiled.
pub type Sets = Vec<(String, Signal)>;

/// One file while it is compiled: collects its faults.
struct Compiler<'t> {
    file: Arc<RuleText>,
    sets: &'t [(String, Signal)],
    faults: Vec<RuleFault>,
}

/// Compiles `common.yaml`.
///
/// # Errors
/// Every fault of the file.
pub fn common(file: &str, text: &str) -> Result<Sets, Vec<RuleFault>> {
    let CommonFile { sets: written } = parse::read_common(file, text)?;
    let mut sets: Sets = Vec::new();
    let mut faults = Vec::new();
    for set in written {
        let mut compiler = Compiler {
            file: rule_text(file, text),
            sets: &sets,
            faults: Vec::new(),
        };
        let compiled = compiler.signal(&set.signal.value);
        faults.append(&mut compiler.faults);
        sets.push((set.name.value, compiled));
    }
    if faults.is_empty() {
        Ok(sets)
    } else {
        Err(faults)
    }
}

/// Compiles every document of a rule file.
///
/// # Errors
/// Every fault of the file.
pub fn rules(file: &str, text: &str, sets: &Sets) -> Result<Vec<Rule>, Vec<RuleFault>> {
    let documents = parse::read(file, text)?;
    let mut compiler = Compiler {
        file: rule_text(file, text),
        sets,
        faults: Vec::new(),
    };
    let rules: Vec<Rule> = documents
        .iter()
        .filter_map(|document| compiler.rule(document))
        .collect();
    if compiler.faults.is_empty() {
        Ok(rules)
    } else {
        Err(compiler.faults)
    }
}

fn rule_text(file: &str, text: &str) -> Arc<RuleText> {
    Arc::new(RuleText {
        name: file.to_owned(),
        text: text.to_owned(),
    })
}

impl Compiler<'_> {
    fn fault<T>(&mut self, place: &Spanned<T>, fault: RowFault) {
        let mut found = RuleFault::at(&self.file, place_of(place), fault.what);
        found.did_you_mean = fault.did_you_mean;
        self.faults.push(found);
    }

    fn ok<T, P>(&mut self, place: &Spanned<P>, result: Result<T, RowFault>) -> Option<T> {
        result.map_err(|fault| self.fault(place, fault)).ok()
    }

    fn rule(&mut self, file: &RuleFile) -> Option<Rule> {
        let signals: Vec<(String, Signal)> = file
            .signals
            .iter()
            .map(|(name, row)| (name.clone(), self.signal(&row.value)))
            .collect();
        if signals.len() > SIGNALS_MAX {
            let what = format!(
                "{} signals; a rule has at most {SIGNALS_MAX}",
                signals.len()
            );
            self.fault(&file.id, RowFault::new(what));
        }
        let sets = self.sets;
        let names = Names {
            signals: &signals,
            sets,
        };
        let operator = self.operator(&file.operator.value, &names);
        let when = self.conditions(&file.when, &names);
        let when_any = self.conditions(&file.when_any, &names);
        let unless = self.conditions(&file.unless, &names);
        let mut bonus = Vec::new();
        for row in &file.score.bonus {
            let any = self.conditions(&row.any, &names);
            let unless = self.conditions(&row.unless, &names);
            bonus.push(Bonus {
                points: row.points,
                any,
                unless,
            });
        }
        let evidence = match &file.evidence {
            None => None,
            Some(name) => self.one_of(name, "evidence", &Evidence::ALL),
        };
        let pattern = self.pattern(&file.id);
        let tests = self.tests(&file.tests);
        let attacks = file
            .tags
            .iter()
            .filter_map(|tag| tag.strip_prefix("attack.t"));
        Some(Rule {
            id: file.id.value.clone(),
            pattern,
            title: file.title.clone(),
            description: file.description.value.trim().to_owned(),
            falsepositives: file.falsepositives.clone(),
            version: file.version,
            status: match file.status {
                StatusFile::Enabled => Status::Enabled,
                StatusFile::Shadow => Status::Shadow,
                StatusFile::Off => Status::Off,
            },
            attacks: attacks.map(|technique| format!("T{technique}")).collect(),
            entities: file.entities.clone(),
            evidence,
            operator: operator?,
            signals,
            when,
            when_any,
            unless,
            min_tier: file.min_tier,
            points: file.score.points,
            family: file.score.family,
            bonus,
            counter_evidence: file.score.counter_evidence,
            missing_control: missing(&file.operator.value),
            origin: Arc::new(self.origin(file, tests)),
        })
    }

    fn origin(&self, file: &RuleFile, tests: Vec<InlineTest>) -> Origin {
        let bonuses = file.score.bonus.iter();
        let bonuses = bonuses.flat_map(|bonus| bonus.any.iter().chain(&bonus.unless));
        let conditions = file.when.iter().chain(&file.when_any).chain(&file.unless);
        Origin {
            file: Arc::clone(&self.file),
            id: place_of(&file.id),
            operator: place_of(&file.operator),
            description: place_of(&file.description),
            evidence: file.evidence.as_ref().map(place_of).unwrap_or_default(),
            signals: file.signals.values().map(place_of).collect(),
            conditions: conditions
                .chain(bonuses)
                .chain(own_conditions(&file.operator.value))
                .map(place_of)
                .collect(),
            spans: span_places(&file.operator.value),
            tests,
        }
    }

    fn tests(&mut self, files: &[Spanned<TestFile>]) -> Vec<InlineTest> {
        let mut tests = Vec::new();
        for file in files {
            match InlineTest::read(file) {
                Ok(test) => tests.push(test),
                Err((place, what)) => self.faults.push(RuleFault::at(&self.file, place, what)),
            }
        }
        tests
    }

    /// `HDT-03a` → `HDT-03`.
    fn pattern(&mut self, id: &Spanned<String>) -> String {
        let pattern = id
            .value
            .trim_end_matches(|c: char| c.is_ascii_lowercase())
            .to_owned();
        if !is_pattern(&pattern) {
            let what = format!("`{}` is no rule id: expected NAME-NN or NAME-NNx", id.value);
            self.fault(id, RowFault::new(what));
        }
        pattern
    }

    fn signal(&mut self, file: &SignalFile) -> Signal {
        let mut parts: Vec<Signal> = Vec::new();
        for name in &file.sets {
            let found = self.sets.iter().find(|(known, _)| *known == name.value);
            match found {
                Some((_, signal)) => parts.push(signal.clone()),
                None => {
                    let known = self.sets.iter().map(|(known, _)| known.as_str());
                    let fault = unknown("set", &name.value, known);
                    self.fault(name, fault);
                }
            }
        }
        if !file.any_of.is_empty() {
            parts.push(Signal::any(
                file.any_of.iter().map(|one| self.signal(one)).collect(),
            ));
        }
        let mut rows = Vec::new();
        for (key, values) in &file.rows {
            rows.extend(self.ok(values, signal::row(key, &values.value.0)));
        }
        if !rows.is_empty() {
            let asks_item = rows.iter().any(|row| row.field == signal::Field::Item);
            let narrowed = !parts.is_empty() && !asks_item;
            parts.push(if narrowed {
                Signal::narrow(rows)
            } else {
                Signal::all(rows)
            });
        }
        let all = parts.into_iter().reduce(Signal::both);
        all.unwrap_or_else(|| Signal::all(Vec::new()))
    }

    fn conditions(&mut self, texts: &[Spanned<String>], names: &Names<'_>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for text in texts {
            conditions.extend(self.ok(text, terms::condition(&text.value, names)));
        }
        conditions
    }

    fn step(&mut self, name: &Spanned<String>, names: &Names<'_>) -> Option<usize> {
        self.ok(name, names.step(&name.value))
    }

    fn steps(&mut self, steps: &[Spanned<String>], names: &Names<'_>) -> Option<Vec<usize>> {
        let found: Vec<Option<usize>> = steps.iter().map(|name| self.step(name, names)).collect();
        found.into_iter().collect()
    }

    /// A positive span no longer than what is kept.
    fn span(&mut self, text: &Spanned<String>) -> Option<i64> {
        let span = self.ok(text, terms::span(&text.value))?;
        if !(0..=SPAN_MS_MAX).contains(&span) {
            let what = format!(
                "`{}` is not between 0 and 7d, the longest span kept",
                text.value
            );
            self.fault(text, RowFault::new(what));
            return None;
        }
        Some(span)
    }

    fn one_of<T: Copy>(
        &mut self,
        name: &Spanned<String>,
        what: &str,
        known: &[(&'static str, T)],
    ) -> Option<T> {
        let found = known
            .iter()
            .find(|(word, _)| *word == name.value)
            .map(|(_, value)| *value);
        if found.is_none() {
            let fault = unknown(what, &name.value, known.iter().map(|(word, _)| *word));
            self.fault(name, fault);
        }
        found
    }
}

fn missing(file: &OperatorFile) -> Option<String> {
    match file {
        OperatorFile::Absence(absence) => Some(absence.missing.clone()),
        OperatorFile::Single { .. }
        | OperatorFile::Count { .. }
        | OperatorFile::Distinct { .. }
        | OperatorFile::Sequence { .. }
        | OperatorFile::Set { .. }
        | OperatorFile::FirstSeen { .. } => None,
    }
}

/// Where the spans of an operator stand.
fn span_places(file: &OperatorFile) -> Vec<Place> {
    match file {
        OperatorFile::Single { .. } | OperatorFile::FirstSeen { .. } => Vec::new(),
        OperatorFile::Count { any, .. } | OperatorFile::Distinct { any, .. } => {
            let spans = any.iter().map(|threshold| &threshold.within);
            spans.map(place_of).collect()
        }
        OperatorFile::Sequence { within, .. } | OperatorFile::Set { within, .. } => {
            vec![place_of(within)]
        }
        OperatorFile::Absence(absence) => vec![place_of(&absence.deadline)],
    }
}

/// The conditions of an obligation itself: `such_that`, then `cleared_by`.
fn own_conditions(file: &OperatorFile) -> impl Iterator<Item = &Spanned<String>> {
    let (such_that, cleared_by): (&[_], &[_]) = match file {
        OperatorFile::Absence(absence) => (&absence.such_that, &absence.cleared_by),
        OperatorFile::Single { .. }
        | OperatorFile::Count { .. }
        | OperatorFile::Distinct { .. }
        | OperatorFile::Sequence { .. }
        | OperatorFile::Set { .. }
        | OperatorFile::FirstSeen { .. } => (&[], &[]),
    };
    such_that.iter().chain(cleared_by)
}
