//! The scores on which methods are tried.

use std::collections::BTreeMap;

use metrics::Class;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::measured::Predictions;

/// One score: an image and an attribute.
pub struct Case {
    pub index: usize,
    pub attribute: usize,
    pub predicted: Class,
}

/// Up to `count` scores: every attribute and predicted class in turn, in an order that is drawn, each with an image that is drawn from
/// those with that prediction, none twice.
pub fn cases(test: &[usize], predictions: &Predictions, attributes: &[usize], count: usize, seed: u64) -> Vec<Case> {
    let width = predictions.keys.attributes.len();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut groups: BTreeMap<(usize, bool), Vec<usize>> = BTreeMap::new();
    for (row, &index) in test.iter().enumerate() {
        for &attribute in attributes {
            let positive = Class::predicted(predictions.scores[row * width + attribute]) == Class::Positive;
            groups.entry((attribute, positive)).or_default().push(index);
        }
    }
    groups.values_mut().for_each(|indices| indices.shuffle(&mut rng));
    let mut order: Vec<(usize, bool)> = groups.keys().copied().collect();
    order.shuffle(&mut rng);
    let most = groups.values().map(Vec::len).max().unwrap_or_default();
    let turn = |round: usize| {
        let (groups, order) = (&groups, &order);
        order.iter().filter_map(move |&(attribute, positive)| {
            Some(Case {
                index: *groups[&(attribute, positive)].get(round)?,
                attribute,
                predicted: if positive { Class::Positive } else { Class::Negative },
            })
        })
    };
    (0..most).flat_map(turn).take(count).collect()
}
