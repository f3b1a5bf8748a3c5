//! Whether a map orders the places of an image as the score does that loses them.

use crate::error::{Error, check_finite, check_length};
use crate::region::cell_of;
use crate::statistics::spearman;

/// Mean values of a map over the patches of a raster of `rows` x `columns`, row-major: a pixel belongs to the patch that its centre lies
/// in. A patch without pixel, of a raster finer than the map, has 0.
///
/// - `map`: row-major `[size, size]`
///
/// # Errors
/// A map of another length, or with a value that is not finite.
pub fn patch_means(map: &[f32], size: usize, [rows, columns]: [usize; 2]) -> Result<Vec<f64>, Error> {
    check_length("map", map.len(), size * size)?;
    check_finite(map)?;
    let mut sums = vec![(0.0, 0_usize); rows * columns];
    for (pixel, &value) in map.iter().enumerate() {
        let at = cell_of(pixel / size, size, rows) * columns + cell_of(pixel % size, size, columns);
        if let Some((sum, count)) = sums.get_mut(at) {
            *sum += f64::from(value);
            *count += 1;
        }
    }
    Ok(sums.into_iter().map(|(sum, count)| sum / count.max(1) as f64).collect())
}

/// Rank correlation (Spearman), in `[-1, 1]`, of what a map says of patches with how much the logit changes when each of them is
/// changed: 1 where the map orders the places as the network does.
///
/// - `patches`: a map's values over the patches ([`patch_means`]), or a map's cells
/// - `changes`: the logit's change by each patch, of either sign; its size counts
///
/// `None` for fewer than two patches, a map that is the same in all, and a logit that all change by as much.
///
/// # Errors
/// Changes of another number than patches; [`Error::NotANumber`].
pub fn patch_correlation(patches: &[f64], changes: &[f64]) -> Result<Option<f64>, Error> {
    check_length("changes of the logit", changes.len(), patches.len())?;
    let mut both = patches.iter().zip(changes);
    if let Some(index) = both.position(|(patch, change)| patch.is_nan() || change.is_nan()) {
        return Err(Error::NotANumber { index });
    }
    let sizes: Vec<f64> = changes.iter().map(|change| change.abs()).collect();
    Ok(spearman(patches, &sizes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn patches_are_means_of_their_pixels() {
        let map: Vec<f32> = (0..16).map(|pixel| (pixel / 8 * 10 + pixel % 4) as f32).collect();
        assert_eq!(patch_means(&map, 4, [2, 2]), Ok(vec![0.5, 2.5, 10.5, 12.5]));
        assert_eq!(patch_means(&map, 4, [1, 1]), Ok(vec![6.5]));
        assert_eq!(patch_means(&map[..9], 3, [3, 3]).unwrap().len(), 9);
        assert_eq!(patch_means(&[2.0], 1, [3, 1]), Ok(vec![0.0, 2.0, 0.0]));
        patch_means(&map, 3, [1, 1]).unwrap_err();
        patch_means(&[f32::NAN], 1, [1, 1]).unwrap_err();
    }

    #[test]
    fn the_size_of_a_change_counts_not_its_side() {
        for (changes, expected) in [([0.0, -7.0, 1.0], 1.0), ([-7.0, 0.0, 1.0], -1.0)] {
            let found = patch_correlation(&[0.1, 0.9, 0.5], &changes).unwrap().unwrap();
            assert_abs_diff_eq!(found, expected, epsilon = 1e-12);
        }
        assert_eq!(patch_correlation(&[0.5; 3], &[-7.0, 0.0, 1.0]), Ok(None));
        assert_eq!(patch_correlation(&[0.1, 0.2, 0.3], &[-1.0, 1.0, 1.0]), Ok(None));
        assert_eq!(patch_correlation(&[], &[]), Ok(None));
        patch_correlation(&[0.1], &[]).unwrap_err();
        assert_eq!(
            patch_correlation(&[0.1, 0.2], &[0.0, f64::NAN]),
            Err(Error::NotANumber { index: 1 })
        );
    }

    proptest! {
        #[test]
        fn means_keep_the_sum_of_equal_patches(values in prop::collection::vec(-1.0_f32..1.0, 36)) {
            let patches = patch_means(&values, 6, [3, 2]).unwrap();
            let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
            prop_assert!((patches.iter().sum::<f64>() * 6.0 - sum).abs() < 1e-9);
        }
    }
}
