//! The means of one classifier and attribute, with their intervals over people.

use metrics::{Class, Estimate, Grounds, Mean, Resampled};

use super::sample::Groups;

/// Means by class, `[positive, negative]`; absent of an empty group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estimates {
    /// Error among the images of the class.
    pub error: [Option<Estimate>; 2],
    /// Energy of the images predicted as the class.
    pub energy: [Option<Estimate>; 2],
    /// Share of maps without positive value among those.
    pub empty: [Option<Estimate>; 2],
    /// Energy less that of the other attributes' maps in the same region.
    pub specificity: [Option<Estimate>; 2],
    /// Constant part / score.
    pub constant: [Option<Estimate>; 2],
    /// |z|.
    pub score: [Option<Estimate>; 2],
    /// What the region adds beyond the constant part.
    pub region: [Option<Estimate>; 2],
    /// What is lost with the region hidden.
    pub lost: [Option<Estimate>; 2],
    /// What is lost with an equal area elsewhere hidden.
    pub lost_control: [Option<Estimate>; 2],
    /// What is lost with the region hidden beyond that.
    pub loss: [Option<Estimate>; 2],
    /// Effect of toggling the attribute on its score in the images of the class.
    pub effect: [Option<Estimate>; 2],
    /// Share of the images of the class whose decision toggling it turns.
    pub turned: [Option<Estimate>; 2],
    /// By how much toggling another attribute changes the score, in the images of the class.
    pub foreign: [Option<Estimate>; 2],
    /// Number of images of the class in which the attribute is toggled.
    pub toggled: [usize; 2],
}

impl Estimates {
    pub(super) fn of(groups: &Groups, resampled: &Resampled) -> Self {
        let all = |grounds: [Option<Grounds>; 2]| {
            grounds.map(|grounds| match grounds?.mean {
                Mean::Cell(cell) => resampled.mean(cell),
                Mean::Published(_) => None,
            })
        };
        Self {
            error: all(groups.error),
            energy: all(groups.energy),
            empty: all(groups.empty),
            specificity: all(groups.specificity),
            constant: all(groups.constant),
            score: all(groups.score),
            region: all(groups.region),
            lost: all(groups.lost),
            lost_control: all(groups.lost_control),
            loss: all(groups.loss),
            effect: all(groups.effect),
            turned: all(groups.turned),
            foreign: all(groups.foreign),
            toggled: groups.effect.map(|grounds| grounds.map_or(0, |grounds| grounds.n)),
        }
    }
}

/// The one of a class.
pub fn of_class<T: Copy>(both: &[Option<T>; 2], class: Class) -> Option<T> {
    both[usize::from(class == Class::Negative)]
}
