//! How many of a map's largest values lie in a region.

use std::cmp::Ordering;

use super::mask::Region;
use crate::error::{Error, check_finite, check_length};

/// Top-k intersection, in `[0, 1]`: the share inside the region of the `k` pixels with the largest values (Theiner, Müller-Budack and
/// Ewerth, *Interpretable Semantic Photo Geolocation*, 2022; Quantus' `TopKIntersection`, whose `k` is 1,000 by default).
///
/// Chance is the region's [area](Region::area), and so is the value of a constant map: of equal values at the border the same share
/// counts as lies inside, the mean over all orders of them. (Quantus takes the order in which its sort happens to leave them.) Where the
/// region has fewer than `k` pixels the value cannot reach 1. Divided by the area it is what Theiner et al. call concept influence.
///
/// `None` for a region without pixel, and for `k` = 0.
///
/// - `map`: row-major `[size, size]` of the region's size, finite, of either sign
///
/// # Errors
/// A map of another size than the region, or with a value that is not finite; [`Error::TooMany`] when the map has fewer than `k` pixels.
pub fn top_k_intersection(map: &[f32], region: &Region, k: usize) -> Result<Option<f64>, Error> {
    check_length("map", map.len(), region.mask().len())?;
    check_finite(map)?;
    if k > map.len() {
        return Err(Error::TooMany {
            asked: k,
            pixels: map.len(),
        });
    }
    if k == 0 || region.pixels() == 0 {
        return Ok(None);
    }
    let mut values = map.to_vec();
    let descending = |a: &f32, b: &f32| b.partial_cmp(a).unwrap_or(Ordering::Equal);
    let (_, &mut last, _) = values.select_nth_unstable_by(k - 1, descending);
    let (mut larger, mut larger_inside, mut equal, mut equal_inside) = (0_usize, 0_usize, 0_usize, 0_usize);
    for (&value, &inside) in map.iter().zip(region.mask()) {
        larger += usize::from(value > last);
        larger_inside += usize::from(value > last && inside);
        equal += usize::from(value == last);
        equal_inside += usize::from(value == last && inside);
    }
    let drawn = (k - larger) as f64 * equal_inside as f64 / equal as f64;
    Ok(Some((larger_inside as f64 + drawn) / k as f64))
}

/// Relevance rank accuracy, in `[0, 1]`: [`top_k_intersection`] with as many pixels as the region has, so that a map whose largest values
/// fill the region has 1 (Arras, Osman and Samek, *CLEVR-XAI*, 2022; Quantus' `RelevanceRankAccuracy`). Chance is the region's area.
///
/// `None` for a region without pixel.
///
/// # Errors
/// As [`top_k_intersection`].
pub fn relevance_rank_accuracy(map: &[f32], region: &Region) -> Result<Option<f64>, Error> {
    top_k_intersection(map, region, region.pixels())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relevance_order_with;
    use proptest::prelude::*;

    fn left_column() -> Region {
        Region::from_mask(3, (0..9).map(|pixel| pixel % 3 == 0).collect()).unwrap()
    }

    #[test]
    fn by_hand() {
        let map = [9.0, 8.0, 1.0, 7.0, -2.0, 1.0, 0.0, 1.0, 1.0];
        let share = |k| top_k_intersection(&map, &left_column(), k).unwrap().unwrap();
        assert_eq!(
            [share(1), share(2), share(3), share(9)],
            [1.0, 0.5, 2.0 / 3.0, 1.0 / 3.0]
        );
        assert_eq!(relevance_rank_accuracy(&map, &left_column()), Ok(Some(2.0 / 3.0)));
        // Two of the largest are sure, one is drawn from two of which one is inside.
        let tied = [9.0, 8.0, 0.0, 7.0, 7.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(relevance_rank_accuracy(&tied, &left_column()), Ok(Some(0.5)));
    }

    #[test]
    fn constant_maps_have_chance_and_nothing_lies_in_an_empty_region() {
        for constant in [0.0, -0.0, 3.0, -3.0] {
            assert_eq!(
                relevance_rank_accuracy(&[constant; 9], &left_column()),
                Ok(Some(1.0 / 3.0))
            );
        }
        let (none, all) = (
            Region::from_mask(3, vec![false; 9]).unwrap(),
            Region::from_mask(3, vec![true; 9]).unwrap(),
        );
        assert_eq!(top_k_intersection(&[1.0; 9], &none, 2), Ok(None));
        assert_eq!(relevance_rank_accuracy(&[1.0; 9], &none), Ok(None));
        assert_eq!(relevance_rank_accuracy(&[1.0; 9], &all), Ok(Some(1.0)));
        assert_eq!(top_k_intersection(&[1.0; 9], &all, 0), Ok(None));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let region = left_column();
        let error = top_k_intersection(&[0.0; 9], &region, 10).unwrap_err();
        assert_eq!(error.to_string(), "the 10 largest values of a map of 9 pixels");
        top_k_intersection(&[0.0; 4], &region, 1).unwrap_err();
        let mut map = [0.0; 9];
        map[4] = f32::NAN;
        top_k_intersection(&map, &region, 1).unwrap_err();
    }

    proptest! {
        /// Ties count as the mean over drawn orders, and complements share what is there.
        #[test]
        fn ties_are_means_over_orders(
            pixels in prop::collection::vec((0_i8..4, any::<bool>()), 16),
            k in 1_usize..17,
        ) {
            let map: Vec<f32> = pixels.iter().map(|pixel| f32::from(pixel.0)).collect();
            let mask: Vec<bool> = pixels.iter().map(|pixel| pixel.1).collect();
            let region = Region::from_mask(4, mask.clone()).unwrap();
            prop_assume!(region.pixels() > 0);
            let found = top_k_intersection(&map, &region, k).unwrap().unwrap();
            const DRAWS: u64 = 400;
            let drawn: usize = (0..DRAWS)
                .map(|seed| {
                    let order = relevance_order_with(&map, seed).unwrap();
                    order[..k].iter().filter(|&&pixel| mask[pixel]).count()
                })
                .sum();
            let mean = drawn as f64 / (DRAWS as usize * k) as f64;
            // A share of draws without replacement deviates by at most 1/2, here by 5 standard errors of the mean of 400.
            prop_assert!((found - mean).abs() < 5.0 * 0.5 / (DRAWS as f64).sqrt(), "{found} {mean}");
            let complement = Region::from_mask(4, mask.iter().map(|inside| !inside).collect()).unwrap();
            if let Some(other) = top_k_intersection(&map, &complement, k).unwrap() {
                prop_assert!((found + other - 1.0).abs() < 1e-12);
            }
        }
    }
}
