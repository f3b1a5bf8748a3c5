//! What the claims are judged on: per attribute and classifier, means of errors and energies with their numbers of samples.

use crate::class::Class;
use crate::inference::Cell;

/// A mean, and the number of samples behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grounds {
    /// The mean.
    pub mean: Mean,
    /// Number of samples.
    pub n: usize,
}

/// Where a mean is known from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mean {
    /// Measured here: a cell of what is resampled over people.
    Cell(Cell),
    /// A number that somebody has published, without the samples behind it.
    Published(f64),
}

impl Grounds {
    /// A mean measured on so many images.
    #[must_use]
    pub fn measured(cell: Cell, n: usize) -> Self {
        Self {
            mean: Mean::Cell(cell),
            n,
        }
    }

    /// A published mean, which is taken to stand on enough samples.
    #[must_use]
    pub fn published(mean: f64) -> Self {
        Self {
            mean: Mean::Published(mean),
            n: usize::MAX,
        }
    }
}

/// What one classifier does with one attribute, by the training split's minority and majority class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClassifierEvidence {
    /// Error rate among the samples *of* the minority class.
    pub minority_error: Option<Grounds>,
    /// Error rate among the samples of the majority class.
    pub majority_error: Option<Grounds>,
    /// Mean proportional energy of the samples *predicted as* the minority class.
    pub minority_energy: Option<Grounds>,
    /// Mean proportional energy of the samples predicted as the majority class.
    pub majority_energy: Option<Grounds>,
    /// Constant part of the score / mean score of the samples predicted as the majority class (see
    /// [`BiasReliance`](crate::BiasReliance)).
    pub majority_constant: Option<Grounds>,
    /// Energy of the samples predicted as the majority class - the mean energy that the maps of the other attributes have in this one's
    /// region.
    pub majority_specificity: Option<Grounds>,
    /// Share of the samples *of* the majority class whose decision turns to the minority when the attribute is toggled in the image.
    pub majority_turned: Option<Grounds>,
}

impl ClassifierEvidence {
    /// Sorts errors by class and energies by predicted class, which come as `[positive, negative]`, by minority and majority.
    #[must_use]
    pub fn new(minority: Class, errors: [Option<Grounds>; 2], energies: [Option<Grounds>; 2]) -> Self {
        let (few, many) = match minority {
            Class::Positive => (0, 1),
            Class::Negative => (1, 0),
        };
        Self {
            minority_error: errors[few],
            majority_error: errors[many],
            minority_energy: energies[few],
            majority_energy: energies[many],
            majority_constant: None,
            majority_specificity: None,
            majority_turned: None,
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
    /// As `majority_turned` of the unbalanced classifier, with its threshold moved to where it answers to the balanced one's class weights.
    pub majority_turned_at_same_point: Option<Grounds>,
    /// Balanced less unbalanced energy of the samples that both predict as the majority class: the same images under both.
    pub majority_energy_rise: Option<Grounds>,
    /// Balanced less unbalanced loss of the score with the region hidden, beyond what is lost with an equal area elsewhere hidden (see
    /// [`Occluded`](crate::Occluded)), of the samples that both predict as the majority class, in logits.
    pub majority_loss_rise: Option<Grounds>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_majority_swaps_sides() {
        let grounds = |mean: f64, n| {
            Some(Grounds {
                n,
                ..Grounds::published(mean)
            })
        };
        let (errors, energies) = ([grounds(0.25, 8), grounds(0.5, 2)], [grounds(0.1, 7), grounds(0.6, 3)]);
        let evidence = ClassifierEvidence::new(Class::Negative, errors, energies);
        assert_eq!(
            (evidence.minority_error, evidence.majority_error),
            (errors[1], errors[0])
        );
        assert_eq!(
            (evidence.minority_energy, evidence.majority_energy),
            (energies[1], energies[0])
        );
    }
}
