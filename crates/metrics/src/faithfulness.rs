//! Whether a map tells what the network uses: the pure parts of deletion, insertion, ROAD, the pointing game and Attention-IoU.
//!
//! Deletion, insertion and ROAD take pixels out of an image in the order of a map and watch the explained score; what is here
//! is the order, the area under the curve, and what needs no network.

use std::cmp::Ordering;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Error, Region};

/// Positions of a map's values from the largest to the smallest; equal values in the order of their positions.
///
/// # Errors
/// [`Error::Map`] for a value that is not finite: it has no rank.
pub fn relevance_order(map: &[f32]) -> Result<Vec<usize>, Error> {
    if let Some(&bad) = map.iter().find(|value| !value.is_finite()) {
        return Err(Error::Map { energy: f64::from(bad) });
    }
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

/// The percentages of pixels that stay in ROAD's average, pytorch-grad-cam's defaults.
pub const ROAD_PERCENTILES: [f64; 9] = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0];

/// ROAD's combined score: (mean score with the least relevant pixels imputed - mean score with the most relevant imputed) / 2, as
/// pytorch-grad-cam's `ROADCombined`; above 0 for a map that knows which pixels matter. Rong et al., *A Consistent and Efficient
/// Evaluation Strategy for Attribution Methods*, ICML 2022, show that the two orders agree on methods once pixels are imputed.
///
/// One value for each of [`ROAD_PERCENTILES`]; `None` for slices that are empty, differ in length or have a value that is not finite.
#[must_use]
pub fn road_combined(least_relevant: &[f64], most_relevant: &[f64]) -> Option<f64> {
    if least_relevant.is_empty() || least_relevant.len() != most_relevant.len() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let score = (mean(least_relevant) - mean(most_relevant)) / 2.0;
    score.is_finite().then_some(score)
}

/// How many of `pixels` are at or above the percentile that leaves `fraction` of them, as in ROAD's published code: all pixels
/// whose value is at least the (linearly interpolated) 1 - `fraction` quantile.
///
/// `fraction` outside of [0, 1] is taken as the nearer end. At 0 one pixel is left, the largest.
#[must_use]
pub fn removed_pixels(pixels: usize, fraction: f64) -> usize {
    if pixels == 0 {
        return 0;
    }
    let position = (1.0 - fraction.clamp(0.0, 1.0)) * (pixels - 1) as f64;
    // A position that is whole but for rounding is that of a pixel, which is at the percentile and so removed.
    let whole = position.round();
    let kept = if (position - whole).abs() < 1e-9 {
        whole
    } else {
        position.ceil()
    };
    pixels - kept as usize
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

/// The pointing game (Zhang et al., *Top-down Neural Attention by Excitation Backprop*, IJCV 2018, section 4.1): whether the
/// map's largest value lies in the region, or within `tolerance` pixels of it (theirs: 15, for photographs of any size).
///
/// `None` when the map points nowhere: all its values are equal, or the region is empty. Of several largest values the first in
/// reading order counts.
///
/// # Errors
/// A map of another size than the region, or with values that are not finite.
pub fn pointing_game(map: &[f32], region: &Region, tolerance: f64) -> Result<Option<bool>, Error> {
    let size = region.size();
    if map.len() != size * size {
        return Err(Error::Length {
            what: "map",
            found: map.len(),
            expected: size * size,
        });
    }
    let order = relevance_order(map)?;
    let (Some(&first), Some(&last)) = (order.first(), order.last()) else {
        return Ok(None);
    };
    if map[first] <= map[last] || region.pixels() == 0 {
        return Ok(None);
    }
    let inside = region.mask().iter().enumerate().filter(|(_, inside)| **inside);
    let distance = |pixel: usize| {
        let along = |a: usize, b: usize| a.abs_diff(b) as f64;
        along(pixel % size, first % size).hypot(along(pixel / size, first / size))
    };
    Ok(Some(
        inside.map(|(pixel, _)| distance(pixel)).any(|away| away <= tolerance),
    ))
}

/// Attention-IoU of two maps that are not negative (Serianni, Zhu, Russakovsky and Ramaswamy, *Attention IoU: Examining Biases in
/// CelebA using Attention Maps*, CVPR 2025; checked against the definition in the authors' code): with a and b divided by their
/// sums,
///
/// sum a b / sum ((a + b) / 2)^2, in [0, 1], 1 iff they are the same map up to a factor.
///
/// Of the maps of two attributes on an image it is the paper's *heatmap score*; of a map and a mask (0 and 1) its *mask score*.
/// `None` when one of them is all zero: it has no distribution to compare. (The authors' code counts 0 there.)
///
/// # Errors
/// Maps of different length, or with negative values or values that are not finite.
pub fn attention_iou(a: &[f32], b: &[f32]) -> Result<Option<f64>, Error> {
    if a.len() != b.len() {
        return Err(Error::Length {
            what: "second map",
            found: b.len(),
            expected: a.len(),
        });
    }
    if let Some(&bad) = a.iter().chain(b).find(|value| !(value.is_finite() && **value >= 0.0)) {
        return Err(Error::Map { energy: f64::from(bad) });
    }
    let sum = |map: &[f32]| map.iter().map(|&value| f64::from(value)).sum::<f64>();
    let (sum_a, sum_b) = (sum(a), sum(b));
    if sum_a <= 0.0 || sum_b <= 0.0 {
        return Ok(None);
    }
    let (mut product, mut square) = (0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) / sum_a, f64::from(b) / sum_b);
        product += a * b;
        square += f64::midpoint(a, b).powi(2);
    }
    Ok(Some((product / square).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
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
    fn road_by_hand() {
        assert_eq!(road_combined(&[1.0, 0.5], &[0.0, -0.5]), Some(0.5));
        assert_eq!(road_combined(&[1.0], &[]), None);
        assert_eq!(road_combined(&[], &[]), None);
        assert_eq!(road_combined(&[f64::NAN], &[0.0]), None);
    }

    /// `(values >= numpy.percentile(values, 100 * (1 - fraction))).sum()` of values that all differ.
    #[test]
    fn percentiles_are_numpys() {
        let expected = [
            (144, 0.9, 129),
            (144, 0.5, 72),
            (144, 0.1, 15),
            (11, 0.3, 4),
            (5, 1.0, 5),
            (5, 0.0, 1),
        ];
        for (pixels, fraction, removed) in expected {
            assert_eq!(removed_pixels(pixels, fraction), removed, "{fraction} of {pixels}");
        }
        assert_eq!(removed_pixels(0, 0.5), 0);
        assert_eq!(removed_pixels(7, 2.0), 7);
    }

    #[test]
    fn areas_by_hand() {
        assert_eq!(curve_area(&[1.0, 0.0]), Some(0.5));
        assert_eq!(curve_area(&[1.0, 0.0, 0.0]), Some(0.25));
        assert_eq!(curve_area(&[2.0; 7]), Some(2.0));
        assert_eq!((curve_area(&[1.0]), curve_area(&[1.0, f64::NAN])), (None, None));
    }

    #[test]
    fn a_map_points_at_its_largest_value() {
        // Inside: the left column of 3 x 3.
        let region = Region::from_mask(3, (0..9).map(|i| i % 3 == 0).collect()).unwrap();
        let peak = |at: usize| -> Vec<f32> { (0..9).map(|i| if i == at { 1.0 } else { 0.2 }).collect() };
        assert_eq!(pointing_game(&peak(3), &region, 0.0), Ok(Some(true)));
        assert_eq!(pointing_game(&peak(4), &region, 0.0), Ok(Some(false)));
        assert_eq!(pointing_game(&peak(4), &region, 1.0), Ok(Some(true)));
        assert_eq!(pointing_game(&peak(5), &region, 1.0), Ok(Some(false)));
        for flat in [[0.0; 9], [3.0; 9]] {
            assert_eq!(pointing_game(&flat, &region, 9.0), Ok(None));
        }
        let nowhere = Region::from_mask(3, vec![false; 9]).unwrap();
        assert_eq!(pointing_game(&peak(3), &nowhere, 9.0), Ok(None));
        assert!(pointing_game(&[0.0; 4], &region, 0.0).is_err());
    }

    #[test]
    fn attention_iou_by_hand() {
        // (1, 0) and (1/2, 1/2): 1/2 / (9/16 + 1/16).
        let value = attention_iou(&[2.0, 0.0], &[3.0, 3.0]).unwrap().unwrap();
        assert_abs_diff_eq!(value, 0.8, epsilon = 1e-12);
        assert_eq!(attention_iou(&[1.0, 0.0], &[0.0, 4.0]), Ok(Some(0.0)));
        assert_eq!(attention_iou(&[0.0, 0.0], &[0.0, 4.0]), Ok(None));
        assert!(attention_iou(&[1.0], &[1.0, 2.0]).is_err());
        assert!(attention_iou(&[1.0, -1.0], &[1.0, 2.0]).is_err());
    }

    proptest! {
        #[test]
        fn attention_iou_is_a_symmetric_share(pairs in prop::collection::vec((0.0_f32..9.0, 0.0_f32..9.0), 1..50)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let value = attention_iou(&a, &b).unwrap();
            prop_assert_eq!(value, attention_iou(&b, &a).unwrap());
            prop_assert!(value.is_none_or(|value| (0.0..=1.0).contains(&value)));
            let doubled: Vec<f32> = a.iter().map(|value| 2.0 * value).collect();
            let same = attention_iou(&a, &doubled).unwrap();
            prop_assert!(same.is_none_or(|value| (value - 1.0).abs() < 1e-9));
        }

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

        #[test]
        fn removal_grows_with_the_fraction(pixels in 1_usize..500, a in 0.0_f64..1.0, b in 0.0_f64..1.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(removed_pixels(pixels, low) <= removed_pixels(pixels, high));
            prop_assert!((removed_pixels(pixels, a) as f64 - a * pixels as f64).abs() <= 1.0 + 1e-9);
        }
    }
}
