//! What the claims are judged on: per attribute and classifier, error rates and energies with their numbers of samples.

use crate::class::Class;
use crate::rates::ErrorRates;
use crate::statistics::Statistics;

/// A mean and the number of samples behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleMean {
    /// The mean: of errors (a rate) and energies in `[0, 1]`.
    pub mean: f64,
    /// Number of samples.
    pub n: usize,
}

impl From<Statistics> for SampleMean {
    fn from(statistics: Statistics) -> Self {
        Self {
            mean: statistics.mean,
            n: statistics.n,
        }
    }
}

/// What one classifier does with one attribute, by the training split's minority and majority class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClassifierEvidence {
    /// Error rate among the samples *of* the minority class.
    pub minority_error: Option<SampleMean>,
    /// Error rate among the samples of the majority class.
    pub majority_error: Option<SampleMean>,
    /// Mean proportional energy of the samples *predicted as* the minority class.
    pub minority_energy: Option<SampleMean>,
    /// Mean proportional energy of the samples predicted as the majority class.
    pub majority_energy: Option<SampleMean>,
    /// Constant part of the score / mean score of the samples predicted as the majority class (see
    /// [`BiasReliance`](crate::BiasReliance)).
    pub majority_constant: Option<SampleMean>,
    /// What the scores of the samples predicted as the majority class lose without the region beyond what they lose without an equal
    /// area elsewhere (see [`Occluded`](crate::Occluded)), in logits.
    pub majority_loss: Option<SampleMean>,
}

impl ClassifierEvidence {
    /// Sorts rates and energies, which come by positive and negative, by minority and majority; constant part and loss are left
    /// absent.
    #[must_use]
    pub fn new(
        minority: Class,
        rates: &ErrorRates,
        predicted_positive: Option<SampleMean>,
        predicted_negative: Option<SampleMean>,
    ) -> Self {
        let error = |class| {
            rates.rate(class).map(|mean| SampleMean {
                mean,
                n: rates.count(class),
            })
        };
        let (minority_energy, majority_energy) = match minority {
            Class::Positive => (predicted_positive, predicted_negative),
            Class::Negative => (predicted_negative, predicted_positive),
        };
        Self {
            minority_error: error(minority),
            majority_error: error(minority.opposite()),
            minority_energy,
            majority_energy,
            majority_constant: None,
            majority_loss: None,
        }
    }
}

/// What both classifiers do with one attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeEvidence {
    /// Share of the minority class in the training split, in `[0, 0.5]`.
    pub minority_share: f64,
    /// Whether the attribute has its place in the face. The energy of a global attribute (attractive, young, ...) is close to 1
    /// whatever the network looks at, so it takes no part in claims about energy.
    pub local: bool,
    /// The classifier trained with weight 1 for both classes.
    pub unbalanced: ClassifierEvidence,
    /// The classifier trained with class weights.
    pub balanced: ClassifierEvidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_majority_swaps_sides() {
        let rates = ErrorRates {
            positives: 8,
            negatives: 2,
            false_negatives: 2,
            false_positives: 1,
        };
        let (plus, minus) = (
            Some(SampleMean { mean: 0.1, n: 7 }),
            Some(SampleMean { mean: 0.6, n: 3 }),
        );
        let evidence = ClassifierEvidence::new(Class::Negative, &rates, plus, minus);
        assert_eq!(evidence.minority_error, Some(SampleMean { mean: 0.5, n: 2 }));
        assert_eq!(evidence.majority_error, Some(SampleMean { mean: 0.25, n: 8 }));
        assert_eq!((evidence.minority_energy, evidence.majority_energy), (minus, plus));
    }
}
