//! `match` of a rule file → its operator.

use serde_saphyr::Spanned;

use super::Compiler;
use crate::collect::event::Tier;
use crate::correlate::baseline::Kind;
use crate::correlate::rules::absence::Absence;
use crate::correlate::rules::count::Count;
use crate::correlate::rules::distinct::{Distinct, Of};
use crate::correlate::rules::first_seen::FirstSeen;
use crate::correlate::rules::parse::{AbsenceFile, OperatorFile, ThresholdFile, WithinFile};
use crate::correlate::rules::rule::{Operator, Threshold};
use crate::correlate::rules::sequence::Sequence;
use crate::correlate::rules::set::Set;
use crate::correlate::rules::single::Single;
use crate::correlate::rules::terms::Names;

impl Compiler<'_> {
    fn thresholds(&mut self, files: &[ThresholdFile]) -> Option<Vec<Threshold>> {
        let read: Vec<Option<Threshold>> = files
            .iter()
            .map(|file| {
                let within_ms = self.span(&file.within)?;
                Some(Threshold {
                    gte: file.gte,
                    within_ms,
                    min_tier: file.min_tier,
                })
            })
            .collect();
        read.into_iter().collect()
    }

    #[expect(clippy::too_many_lines, reason = "one arm per operator")]
    pub(super) fn operator(&mut self, file: &OperatorFile, names: &Names<'_>) -> Option<Operator> {
        match file {
            OperatorFile::Single { signal } => Some(Operator::Single(Single {
                signal: self.step(signal, names)?,
            })),
            OperatorFile::Count {
                signal,
                minus,
                by_class,
                any,
            } => {
                let signal = self.step(signal, names);
                let minus = minus.as_ref().map(|minus| self.step(minus, names));
                let thresholds = self.thresholds(any);
                Some(Operator::Count(Count {
                    signal: signal?,
                    minus: minus.map_or(Some(None), |minus| minus.map(Some))?,
                    by_class: *by_class,
                    thresholds: thresholds?,
                }))
            }
            OperatorFile::Distinct { signal, of, any } => {
                let signal = self.step(signal, names);
                let of = self.one_of(of, "value to count", &Of::ALL);
                let thresholds = self.thresholds(any)?;
                Some(Operator::Distinct(Distinct {
                    signal: signal?,
                    of: of?,
                    thresholds,
                }))
            }
            OperatorFile::Sequence {
                steps,
                within,
                overrides,
            } => {
                let steps = self.steps(steps, names);
                let within_ms = self.tiers(within, overrides)?;
                Some(Operator::Sequence(Sequence {
                    steps: steps?,
                    within_ms,
                }))
            }
            OperatorFile::Set {
                signals,
                min,
                within,
            } => {
                let signals = self.steps(signals, names);
                let within_ms = self.span(within)?;
                Some(Operator::Set(Set {
                    signals: signals?,
                    min: *min,
                    within_ms,
                }))
            }
            OperatorFile::FirstSeen { signal, values } => {
                let kinds = [
                    ("device", Kind::Device),
                    ("asn", Kind::Asn),
                    ("country", Kind::Country),
                ];
                let signal = self.step(signal, names);
                let values: Vec<Option<Kind>> = values
                    .iter()
                    .map(|value| self.one_of(value, "value", &kinds))
                    .collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>()?;
                Some(Operator::FirstSeen(FirstSeen {
                    signal: signal?,
                    values,
                }))
            }
            OperatorFile::Absence(file) => self.absence(file, names),
        }
    }

    fn tiers(
        &mut self,
        within: &Spanned<String>,
        overrides: &[WithinFile],
    ) -> Option<Vec<(Tier, i64)>> {
        let mut tiers = vec![(Tier::Standard, self.span(within)?)];
        for file in overrides {
            tiers.push((file.min_tier, self.span(&file.within)?));
        }
        tiers.sort_unstable();
        Some(tiers)
    }

    fn absence(&mut self, file: &AbsenceFile, names: &Names<'_>) -> Option<Operator> {
        let signal = self.step(&file.after, names);
        let expect = file.expect.as_ref().map(|expect| self.step(expect, names));
        let such_that = self.conditions(&file.such_that, names);
        let cleared_by = self.conditions(&file.cleared_by, names);
        let lookback_ms = file
            .lookback
            .as_ref()
            .map_or(Some(0), |span| self.span(span));
        let deadline_ms = self.span(&file.deadline);
        Some(Operator::Absence(Absence {
            after: signal?,
            expect: expect.map_or(Some(None), |expect| expect.map(Some))?,
            such_that,
            cleared_by,
            lookback_ms: lookback_ms?,
            deadline_ms: deadline_ms?,
        }))
    }
}
