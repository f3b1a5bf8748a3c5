//! How well a map ranks the pixels of a region above the others.

use super::mask::Region;
use crate::error::{Error, check_finite, check_length};
use crate::ranking::{Half, Ranking};

/// Pixel AUROC, in `[0, 1]`: how often a pixel of the region has a larger value than one outside; of equal values half of the pairs count.
/// `0.5` is chance, and what every constant map has.
///
/// Quantus has it as `AUC`, after Fawcett, *An introduction to ROC analysis*, 2006. It looks at the order of all pixels and at no
/// value's size, so a map that is 0 over most of the image (after a ReLU) has many equal pairs and stays near `0.5`.
///
/// `None` where there is nothing to compare: a region without pixel, or without a pixel outside.
///
/// - `map`: row-major `[size, size]` of the region's size, finite, of either sign
///
/// # Errors
/// A map of another size than the region, or with a value that is not finite.
pub fn pixel_auroc(map: &[f32], region: &Region) -> Result<Option<f64>, Error> {
    check_length("map", map.len(), region.mask().len())?;
    check_finite(map)?;
    let labels: Vec<i8> = region
        .mask()
        .iter()
        .map(|&inside| if inside { 1 } else { -1 })
        .collect();
    let ranking = Ranking::of(map, &labels, &vec![Half::First; map.len()])?;
    Ok(ranking.discrimination(None)?.auroc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let region = Region::from_mask(2, vec![true, true, false, false]).unwrap();
        // Of four pairs 3 > 2, 3 > 1, 2 = 2 half, 2 > 1.
        assert_eq!(pixel_auroc(&[3.0, 2.0, 2.0, 1.0], &region), Ok(Some(3.5 / 4.0)));
        assert_eq!(pixel_auroc(&[-3.0, -2.0, 2.0, 1.0], &region), Ok(Some(0.0)));
        for constant in [0.0, -1.0, 7.0] {
            assert_eq!(pixel_auroc(&[constant; 4], &region), Ok(Some(0.5)));
        }
        // Zero has no sign.
        assert_eq!(pixel_auroc(&[-0.0, 0.0, 0.0, -0.0], &region), Ok(Some(0.5)));
    }

    #[test]
    fn a_region_needs_an_inside_and_an_outside() {
        for inside in [false, true] {
            let region = Region::from_mask(2, vec![inside; 4]).unwrap();
            assert_eq!(pixel_auroc(&[3.0, 2.0, 2.0, 1.0], &region), Ok(None));
        }
        let region = Region::from_mask(2, vec![true, false, false, false]).unwrap();
        pixel_auroc(&[0.0; 9], &region).unwrap_err();
        for bad in [f32::NAN, f32::INFINITY] {
            pixel_auroc(&[0.0, 0.0, bad, 0.0], &region).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn it_counts_pairs_and_sees_order_only(
            pixels in prop::collection::vec((-4_i8..5, any::<bool>()), 16),
        ) {
            let map: Vec<f32> = pixels.iter().map(|pixel| f32::from(pixel.0)).collect();
            let mask: Vec<bool> = pixels.iter().map(|pixel| pixel.1).collect();
            let outside: Vec<bool> = mask.iter().map(|inside| !inside).collect();
            let region = Region::from_mask(4, mask.clone()).unwrap();
            let found = pixel_auroc(&map, &region).unwrap();
            let (mut won, mut pairs) = (0.0, 0);
            for (a, _) in map.iter().zip(&mask).filter(|(_, inside)| **inside) {
                for (b, _) in map.iter().zip(&mask).filter(|(_, inside)| !**inside) {
                    pairs += 1;
                    won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                }
            }
            prop_assert_eq!(found.is_some(), pairs > 0);
            if let Some(found) = found {
                prop_assert!((found - won / f64::from(pairs)).abs() < 1e-12);
                let grown: Vec<f32> = map.iter().map(|value| (value / 3.0).exp()).collect();
                prop_assert_eq!(pixel_auroc(&grown, &region).unwrap(), Some(found));
                let turned = pixel_auroc(&map, &Region::from_mask(4, outside).unwrap()).unwrap();
                prop_assert!((turned.unwrap() + found - 1.0).abs() < 1e-12);
            }
        }
    }
}
