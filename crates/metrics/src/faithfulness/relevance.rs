//! The order in which a map takes pixels away, and the area under the curve of the score while they go: deletion and insertion.

use std::cmp::Ordering;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, check_finite};

/// Positions of a map's values from the largest to the smallest; equal values in the order of their positions.
///
/// # Errors
/// [`Error::Map`] for a value that is not finite: it has no rank.
pub fn relevance_order(map: &[f32]) -> Result<Vec<usize>, Error> {
    check_finite(map)?;
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].partial_cmp(&map[a]).unwrap_or(Ordering::Equal));
    Ok(order)
}

/// [`relevance_order`] with equal values in an order drawn with `seed`. After its ReLU a map is zero over much of the image; in reading
/// order an image would lose its upper part first, and any method would seem to look there.
///
/// # Errors
/// As [`relevance_order`].
pub fn relevance_order_with(map: &[f32], seed: u64) -> Result<Vec<usize>, Error> {
    let mut places: Vec<usize> = (0..map.len()).collect();
    places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let shuffled: Vec<f32> = places.iter().map(|&place| map[place]).collect();
    Ok(relevance_order(&shuffled)?.into_iter().map(|at| places[at]).collect())
}

/// The mean of a curve over [0, 1], by the trapezoidal rule over equally spaced values: the score of deletion (lower is more
/// faithful) and of insertion (higher is) of Petsiuk, Das and Saenko, *RISE*, BMVC 2018, section 4.2.
///
/// `None` for fewer than two values, or one that is not finite.
#[must_use]
pub fn curve_area(values: &[f64]) -> Option<f64> {
    let [first, .., last] = values else { return None };
    let area = (values.iter().sum::<f64>() - f64::midpoint(*first, *last)) / (values.len() - 1) as f64;
    area.is_finite().then_some(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_order_is_from_large_to_small_and_stable() {
        assert_eq!(relevance_order(&[0.1, 0.7, 0.1, -0.0, 0.0]), Ok(vec![1, 0, 2, 3, 4]));
        assert!(relevance_order(&[0.1, f32::NAN]).is_err());
    }

    #[test]
    fn ties_are_drawn_and_the_rest_is_not() {
        let map: Vec<f32> = (0..40).map(|i| if i < 30 { 0.0 } else { i as f32 }).collect();
        let (one, again, other) = (
            relevance_order_with(&map, 1).unwrap(),
            relevance_order_with(&map, 1).unwrap(),
            relevance_order_with(&map, 2).unwrap(),
        );
        assert_eq!(one, again);
        assert_ne!(one, other);
        for order in [&one, &other] {
            assert_eq!(order[..10], [39, 38, 37, 36, 35, 34, 33, 32, 31, 30]);
            let mut rest = order[10..].to_vec();
            rest.sort_unstable();
            assert_eq!(rest, (0..30).collect::<Vec<_>>());
        }
    }

    /// The score is the sum of what the pixels contribute. Deleting them in the order of their contributions 4, 3, 2, 1 leaves
    /// 10, 6, 3, 1, 0: area (5 + 6 + 3 + 1) / 4. Inserting them gives 0, 4, 7, 9, 10.
    #[test]
    fn deletion_and_insertion_of_a_sum() {
        let contributions = [2.0_f32, 4.0, 1.0, 3.0];
        let order = relevance_order(&contributions).unwrap();
        let inserted: Vec<f64> = (0..=4)
            .map(|count| {
                order[..count]
                    .iter()
                    .map(|&pixel| f64::from(contributions[pixel]))
                    .sum()
            })
            .collect();
        let deleted: Vec<f64> = inserted.iter().map(|sum| 10.0 - sum).collect();
        assert_eq!((curve_area(&deleted), curve_area(&inserted)), (Some(3.75), Some(6.25)));
    }

    #[test]
    fn areas_by_hand() {
        assert_eq!(curve_area(&[1.0, 0.0]), Some(0.5));
        assert_eq!(curve_area(&[1.0, 0.0, 0.0]), Some(0.25));
        assert_eq!(curve_area(&[2.0; 7]), Some(2.0));
        assert_eq!((curve_area(&[1.0]), curve_area(&[1.0, f64::NAN])), (None, None));
    }

    proptest! {
        /// Of a score that is a sum over pixels, no order deletes more, or inserts more, than that of what they contribute.
        #[test]
        fn the_best_map_of_a_sum_is_what_pixels_contribute(
            contributions in prop::collection::vec(-1.0_f32..1.0, 2..30),
            seed in any::<u64>(),
        ) {
            let area = |order: &[usize]| {
                let sum = |kept: &[usize]| kept.iter().map(|&pixel| f64::from(contributions[pixel])).sum::<f64>();
                let deleted: Vec<f64> = (0..=order.len()).map(|count| sum(&order[count..])).collect();
                let inserted: Vec<f64> = (0..=order.len()).map(|count| sum(&order[..count])).collect();
                (curve_area(&deleted).unwrap(), curve_area(&inserted).unwrap())
            };
            let best = area(&relevance_order(&contributions).unwrap());
            let other = area(&relevance_order_with(&vec![0.0; contributions.len()], seed).unwrap());
            prop_assert!(best.0 <= other.0 + 1e-9 && best.1 >= other.1 - 1e-9);
        }
    }
}
