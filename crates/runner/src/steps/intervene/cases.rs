//! The images in which attributes are toggled.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::inputs::{Counterfactuals, TestImages};

/// A test image, and the attribute that is toggled in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// The image's position in the data set.
    pub index: usize,
    /// The attribute.
    pub attribute: usize,
}

/// Up to `count` images of each class of each attribute in which it can be toggled alone: the first in one order of all, so that the images of
/// different attributes are often the same. Images in the data set's order.
pub fn cases(
    images: TestImages<'_>,
    counterfactuals: &Counterfactuals<'_>,
    attributes: usize,
    count: usize,
    seed: u64,
) -> Vec<Case> {
    let mut order = images.indices().to_vec();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let can = |index: usize, attribute: usize| counterfactuals.can_toggle_alone(attribute, images.labels(index));
    let of_class = |attribute: usize, label: i8| {
        let of_class = order
            .iter()
            .filter(move |&&index| images.labels(index)[attribute] == label);
        let toggled = of_class.filter(move |&&index| can(index, attribute));
        toggled.take(count).map(move |&index| Case { index, attribute })
    };
    let mut cases: Vec<Case> = (0..attributes)
        .flat_map(|attribute| of_class(attribute, 1).chain(of_class(attribute, -1)))
        .collect();
    cases.sort_unstable();
    cases
}
