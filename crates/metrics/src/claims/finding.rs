//! The paper's claims, and what follows from them, judged on what was measured.

use std::fmt;

use super::evidence::{AttributeEvidence, ClassifierEvidence, SampleMean};
use crate::statistics::{Bootstrap, Interval, Statistics, spearman_with_interval};

/// A mean over fewer samples than this takes no part in a claim.
pub const MIN_SAMPLES: usize = 5;

/// A verdict needs at least this many attributes.
const MIN_ATTRIBUTES: usize = 3;

/// What the paper claims, each put as an effect that is positive where the claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Effect: minority error - majority error of the unbalanced classifier.
    MinorityErrsMore,
    /// Effect: minority energy - majority energy of the unbalanced classifier.
    MajorityLooksElsewhere,
    /// Effect: majority energy of the balanced classifier - that of the unbalanced one.
    BalancingRaisesMajorityEnergy,
    /// Effect: |minority error - majority error| of the unbalanced classifier - that of the balanced one.
    BalancingClosesErrorGap,
    /// Effect: rank correlation of imbalance (the majority's share) with the unbalanced classifier's minority energy - majority energy.
    EnergyGapGrowsWithImbalance,
    /// Effect: constant part / mean score of the samples predicted as the majority class, unbalanced classifier - balanced one.
    ///
    /// The constant part is the mean score, and that of a calibrated classifier follows the class's frequency: this says what imbalance
    /// does to scores, not how a decision is reached.
    MajorityScoreMoreConstant,
    /// Effect: what the scores of the samples predicted as the majority class lose with the region hidden, beyond what they lose with
    /// an equal area elsewhere hidden: balanced classifier - unbalanced one.
    MajorityNeedsRegionLess,
}

impl Claim {
    /// All claims, in the order of the paper's argument.
    pub const ALL: [Self; 7] = [
        Self::MinorityErrsMore,
        Self::MajorityLooksElsewhere,
        Self::BalancingRaisesMajorityEnergy,
        Self::BalancingClosesErrorGap,
        Self::EnergyGapGrowsWithImbalance,
        Self::MajorityScoreMoreConstant,
        Self::MajorityNeedsRegionLess,
    ];

    /// A name for files and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => "minority_errs_more",
            Self::MajorityLooksElsewhere => "majority_looks_elsewhere",
            Self::BalancingRaisesMajorityEnergy => "balancing_raises_majority_energy",
            Self::BalancingClosesErrorGap => "balancing_closes_error_gap",
            Self::EnergyGapGrowsWithImbalance => "energy_gap_grows_with_imbalance",
            Self::MajorityScoreMoreConstant => "majority_score_more_constant",
            Self::MajorityNeedsRegionLess => "majority_needs_region_less",
        }
    }

    /// The claim as a sentence.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => {
                "The unbalanced classifier errs more on the minority class than on the majority class"
            }
            Self::MajorityLooksElsewhere => {
                "The unbalanced classifier has less energy in the region when it predicts the majority class than when it predicts the minority class"
            }
            Self::BalancingRaisesMajorityEnergy => {
                "Balancing raises the energy in the region of samples predicted as the majority class"
            }
            Self::BalancingClosesErrorGap => "Balancing narrows the gap between minority error and majority error",
            Self::EnergyGapGrowsWithImbalance => {
                "The more imbalanced the attribute, the larger the unbalanced classifier's gap in energy"
            }
            Self::MajorityScoreMoreConstant => {
                "Of the score for the majority class, the unbalanced classifier has a larger part that is the same for every image than the balanced one"
            }
            Self::MajorityNeedsRegionLess => {
                "Hiding the region, beyond hiding an equal area elsewhere, takes less from the unbalanced classifier's score for the majority class than from the balanced one's"
            }
        }
    }

    /// What the number next to the verdict is.
    #[must_use]
    pub fn effect(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => "mean difference in error",
            Self::MajorityLooksElsewhere => "mean difference in energy",
            Self::BalancingRaisesMajorityEnergy => "mean rise in energy",
            Self::BalancingClosesErrorGap => "mean narrowing in error",
            Self::EnergyGapGrowsWithImbalance => "rank correlation",
            Self::MajorityScoreMoreConstant => "mean difference in the constant part's share",
            Self::MajorityNeedsRegionLess => "mean difference in loss",
        }
    }

    /// The effect in one attribute (for the correlation: its energy gap) and the number of samples behind it; `None` where a needed
    /// mean is absent or stands on fewer than [`MIN_SAMPLES`], or where the claim is about energy and the attribute is global.
    fn measure(self, attribute: &AttributeEvidence) -> Option<(f64, usize)> {
        let (unbalanced, balanced) = (&attribute.unbalanced, &attribute.balanced);
        let local = attribute.local.then_some(());
        match self {
            Self::MinorityErrsMore => difference(unbalanced.minority_error, unbalanced.majority_error),
            Self::BalancingClosesErrorGap => {
                let gap = |c: &ClassifierEvidence| difference(c.minority_error, c.majority_error);
                // Both classifiers are tested on the same samples: count them once.
                let ((before, n), (after, _)) = (gap(unbalanced)?, gap(balanced)?);
                Some((before.abs() - after.abs(), n))
            }
            Self::MajorityLooksElsewhere | Self::EnergyGapGrowsWithImbalance => {
                local.and_then(|()| difference(unbalanced.minority_energy, unbalanced.majority_energy))
            }
            Self::BalancingRaisesMajorityEnergy => {
                local.and_then(|()| difference(balanced.majority_energy, unbalanced.majority_energy))
            }
            Self::MajorityScoreMoreConstant => difference(unbalanced.majority_constant, balanced.majority_constant),
            Self::MajorityNeedsRegionLess => {
                local.and_then(|()| difference(balanced.majority_loss, unbalanced.majority_loss))
            }
        }
    }
}

/// Difference of two means and the samples behind both; `None` if either stands on too few.
fn difference(a: Option<SampleMean>, b: Option<SampleMean>) -> Option<(f64, usize)> {
    let enough = |measured: Option<SampleMean>| measured.filter(|m| m.n >= MIN_SAMPLES);
    let (a, b) = (enough(a)?, enough(b)?);
    Some((a.mean - b.mean, a.n + b.n))
}

/// Whether a run shows what is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every part of the rule holds.
    Observed,
    /// No part of it holds.
    NotObserved,
    /// Only some of it holds, or there are too few attributes to say.
    Undecided,
}

impl Verdict {
    /// How verdicts are reached, for whoever reads them.
    pub const RULE: &'static str = "Observed: the 95 % bootstrap interval over attributes lies above 0 and more than half of the \
        attributes show the effect. Not observed: neither. Undecided: only one of the two, or fewer than three attributes with at \
        least five samples behind every mean. For the rank correlation, observed: its interval lies above 0; not observed: the \
        coefficient is not positive.";
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::NotObserved => "not observed",
            Self::Undecided => "undecided",
        })
    }
}

/// A claim, its verdict, and the numbers that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was claimed.
    pub claim: Claim,
    /// What this run says.
    pub verdict: Verdict,
    /// Attributes that show the effect; `None` for a correlation, which no single attribute shows.
    pub supporting: Option<usize>,
    /// Attributes that were judged.
    pub attributes: usize,
    /// Attributes left out: global ones in claims about energy, and those with too few samples.
    pub left_out: usize,
    /// Mean effect over the judged attributes, or the correlation.
    pub effect: Option<f64>,
    /// Its 95 % bootstrap interval over attributes.
    pub interval: Option<Interval>,
    /// Test samples behind the means, added up over attributes.
    pub samples: usize,
}

impl Finding {
    fn new(claim: Claim, evidence: &[AttributeEvidence], bootstrap: Bootstrap) -> Self {
        let judged: Vec<(f64, f64, usize)> = evidence
            .iter()
            .filter_map(|attribute| {
                claim
                    .measure(attribute)
                    .map(|(effect, n)| (1.0 - attribute.minority_share, effect, n))
            })
            .collect();
        let (imbalance, effects): (Vec<f64>, Vec<f64>) =
            judged.iter().map(|&(imbalance, effect, _)| (imbalance, effect)).unzip();
        let (effect, interval, supporting) = if claim == Claim::EnergyGapGrowsWithImbalance {
            let found = spearman_with_interval(&imbalance, &effects, bootstrap);
            (found.map(|c| c.value), found.and_then(|c| c.interval), None)
        } else {
            let found = Statistics::of(&effects, bootstrap);
            let supporting = effects.iter().filter(|&&effect| effect > 0.0).count();
            (found.map(|s| s.mean), found.and_then(|s| s.interval), Some(supporting))
        };
        let clear = interval.is_some_and(|interval| interval.low > 0.0);
        let common = match supporting {
            Some(supporting) => 2 * supporting > effects.len(),
            None => effect.is_some_and(|value| value > 0.0),
        };
        let verdict = match (effects.len() >= MIN_ATTRIBUTES && interval.is_some(), clear, common) {
            (true, true, true) => Verdict::Observed,
            (true, false, false) => Verdict::NotObserved,
            _ => Verdict::Undecided,
        };
        Self {
            claim,
            verdict,
            supporting,
            attributes: judged.len(),
            left_out: evidence.len() - judged.len(),
            effect,
            interval,
            samples: judged.iter().map(|&(_, _, n)| n).sum(),
        }
    }
}

impl fmt::Display for Finding {
    /// The numbers behind the verdict, in one line: `35 of 35 attributes, mean difference in energy +0.361 [+0.304, +0.412], ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.supporting {
            Some(supporting) => write!(f, "{supporting} of {} attributes", self.attributes)?,
            None => write!(f, "{} attributes", self.attributes)?,
        }
        if let Some(effect) = self.effect {
            write!(f, ", {} {effect:+.3}", self.claim.effect())?;
        }
        if let Some(Interval { low, high }) = self.interval {
            write!(f, " [{low:+.3}, {high:+.3}]")?;
        }
        write!(f, ", {} samples", self.samples)?;
        if self.left_out > 0 {
            write!(f, "; {} left out", self.left_out)?;
        }
        Ok(())
    }
}

/// Judges every claim on the evidence of one run, one entry per attribute.
#[must_use]
pub fn findings(evidence: &[AttributeEvidence], bootstrap: Bootstrap) -> Vec<Finding> {
    Claim::ALL
        .into_iter()
        .map(|claim| Finding::new(claim, evidence, bootstrap))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(mean: f64) -> Option<SampleMean> {
        Some(SampleMean { mean, n: 50 })
    }

    /// Attributes whose unbalanced classifier has the given (minority, majority) errors and energies; the balanced one is even.
    fn attributes(n: usize, errors: (f64, f64), energies: (f64, f64)) -> Vec<AttributeEvidence> {
        (0..n)
            .map(|i| {
                let wobble = i as f64 * 1e-3;
                AttributeEvidence {
                    minority_share: 0.5 - i as f64 / (2.0 * n as f64),
                    local: true,
                    unbalanced: ClassifierEvidence {
                        minority_error: measured(errors.0 + wobble),
                        majority_error: measured(errors.1),
                        minority_energy: measured(energies.0 + wobble),
                        majority_energy: measured(energies.1),
                        majority_constant: measured(0.9),
                        majority_loss: measured(0.1),
                    },
                    balanced: ClassifierEvidence {
                        minority_error: measured(0.1),
                        majority_error: measured(0.1),
                        minority_energy: measured(0.4),
                        majority_energy: measured(0.4),
                        majority_constant: measured(0.4 + wobble),
                        majority_loss: measured(0.3),
                    },
                }
            })
            .collect()
    }

    fn verdicts(evidence: &[AttributeEvidence]) -> Vec<Verdict> {
        findings(evidence, Bootstrap::default())
            .into_iter()
            .map(|finding| finding.verdict)
            .collect()
    }

    #[test]
    fn the_effect_is_observed_where_it_is() {
        assert_eq!(
            verdicts(&attributes(20, (0.4, 0.1), (0.6, 0.2))),
            [Verdict::Observed; 7]
        );
    }

    #[test]
    fn the_opposite_is_not_observed() {
        let evidence = attributes(20, (0.1, 0.4), (0.2, 0.6));
        let verdicts = verdicts(&evidence);
        assert_eq!(verdicts[..3], [Verdict::NotObserved; 3]);
        // The gap is judged without its sign: an inverted one is narrowed as well.
        assert_eq!(verdicts[3], Verdict::Observed);
    }

    #[test]
    fn half_a_rule_is_undecided() {
        // Most attributes show it a little, one contradicts strongly: more than half, but the interval includes 0.
        let mut evidence = attributes(10, (0.11, 0.1), (0.6, 0.2));
        evidence[0].unbalanced.minority_error = measured(0.0);
        let finding = &findings(&evidence, Bootstrap::default())[0];
        assert_eq!((finding.supporting, finding.verdict), (Some(9), Verdict::Undecided));
    }

    #[test]
    fn few_samples_and_global_attributes_are_left_out_and_counted() {
        let mut evidence = attributes(10, (0.4, 0.1), (0.6, 0.2));
        evidence[0].local = false;
        evidence[1].unbalanced.minority_energy = Some(SampleMean {
            mean: 0.9,
            n: MIN_SAMPLES - 1,
        });
        evidence[2].unbalanced.majority_energy = None;
        let found = findings(&evidence, Bootstrap::default());
        let numbers: Vec<_> = found.iter().map(|f| (f.attributes, f.left_out, f.samples)).collect();
        assert_eq!(
            numbers,
            [
                (10, 0, 1000),
                (7, 3, 700),
                (8, 2, 800),
                (10, 0, 1000),
                (7, 3, 700),
                (10, 0, 1000),
                (9, 1, 900)
            ]
        );
    }

    #[test]
    fn too_few_attributes_decide_nothing() {
        assert_eq!(verdicts(&[]), [Verdict::Undecided; 7]);
        assert_eq!(
            verdicts(&attributes(2, (0.4, 0.1), (0.6, 0.2))),
            [Verdict::Undecided; 7]
        );
    }

    #[test]
    fn the_line_has_counts_effect_interval_and_samples() {
        let line = findings(&attributes(20, (0.4, 0.1), (0.6, 0.2)), Bootstrap::default())[0].to_string();
        assert!(
            line.starts_with("20 of 20 attributes, mean difference in error +0.3"),
            "{line}"
        );
        assert!(line.ends_with("], 2000 samples"), "{line}");
    }
}
