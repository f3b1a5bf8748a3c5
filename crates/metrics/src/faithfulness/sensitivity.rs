//! How much a map changes under inputs that should not change it.

use crate::error::{Error, check_finite, check_length};

/// How much maps of other inputs differ from a map; 0 where they are the same, without an upper end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensitivity {
    /// The mean of the [relative changes](relative_change): Quantus' `AvgSensitivity`.
    pub average: f64,
    /// The largest: Quantus' `MaxSensitivity`.
    pub max: f64,
}

/// How much another map differs from a map, relative to the map: ‖map - other‖ / ‖map‖, both lengths Euclidean.
///
/// It is what Quantus averages and takes the largest of in the sensitivities of Yeh et al., *On the (In)fidelity and Sensitivity of
/// Explanations*, NeurIPS 2019, and Bhatt et al., IJCAI 2020; their other input is the image with a little noise added. 0 for the same map
/// and 1 for a map of zeros; a map that keeps its place and doubles has 1 too, so compare maps of one scale (final ones).
///
/// `None` for a map of zeros, which has no length to compare with.
///
/// # Errors
/// Maps of different length, or with a value that is not finite.
pub fn relative_change(map: &[f32], other: &[f32]) -> Result<Option<f64>, Error> {
    check_length("other map", other.len(), map.len())?;
    check_finite(map)?;
    check_finite(other)?;
    let (mut change, mut own) = (0.0, 0.0);
    for (&a, &b) in map.iter().zip(other) {
        change += (f64::from(a) - f64::from(b)).powi(2);
        own += f64::from(a).powi(2);
    }
    Ok((own > 0.0).then(|| (change / own).sqrt()))
}

/// The mean and the largest [`relative_change`] from a map to the maps of other inputs that should not change it, such as the same face
/// with other noise.
///
/// `None` without another map, and for a map of zeros.
///
/// # Errors
/// As [`relative_change`].
pub fn sensitivity<'a>(map: &[f32], others: impl IntoIterator<Item = &'a [f32]>) -> Result<Option<Sensitivity>, Error> {
    let (mut sum, mut max, mut count) = (0.0, 0.0_f64, 0_usize);
    for other in others {
        let Some(change) = relative_change(map, other)? else {
            return Ok(None);
        };
        sum += change;
        max = max.max(change);
        count += 1;
    }
    Ok((count > 0).then(|| Sensitivity {
        average: sum / count as f64,
        max,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn changes_by_hand() {
        assert_eq!(relative_change(&[3.0, 4.0], &[3.0, 4.0]), Ok(Some(0.0)));
        assert_eq!(relative_change(&[3.0, 4.0], &[0.0, 0.0]), Ok(Some(1.0)));
        assert_eq!(relative_change(&[3.0, 4.0], &[6.0, 0.0]), Ok(Some(1.0)));
        let found = sensitivity(&[3.0, 4.0], [[3.0, 4.0].as_slice(), &[3.0, 6.0]])
            .unwrap()
            .unwrap();
        assert_abs_diff_eq!(found.average, 0.2, epsilon = 1e-12);
        assert_abs_diff_eq!(found.max, 0.4, epsilon = 1e-12);
    }

    #[test]
    fn nothing_is_relative_to_a_map_of_zeros() {
        assert_eq!(relative_change(&[0.0; 3], &[1.0; 3]), Ok(None));
        assert_eq!(sensitivity(&[0.0; 3], [[1.0; 3].as_slice()]), Ok(None));
        assert_eq!(sensitivity(&[1.0; 3], []), Ok(None));
        relative_change(&[1.0; 3], &[1.0; 2]).unwrap_err();
        relative_change(&[1.0; 2], &[1.0, f32::NAN]).unwrap_err();
    }

    proptest! {
        /// It is relative: both maps may grow. And the largest change is none smaller than the mean.
        #[test]
        fn changes_are_relative(
            triples in prop::collection::vec((-9.0_f32..9.0, -9.0_f32..9.0, -9.0_f32..9.0), 1..30),
            exponent in -9_i32..9,
        ) {
            let map: Vec<f32> = triples.iter().map(|one| one.0).collect();
            let others: [Vec<f32>; 2] = [triples.iter().map(|one| one.1).collect(), triples.iter().map(|one| one.2).collect()];
            let grown = |map: &[f32]| map.iter().map(|value| value * 2.0_f32.powi(exponent)).collect::<Vec<_>>();
            let found = sensitivity(&map, others.iter().map(Vec::as_slice)).unwrap().unwrap();
            let larger: Vec<Vec<f32>> = others.iter().map(|other| grown(other)).collect();
            let again = sensitivity(&grown(&map), larger.iter().map(Vec::as_slice)).unwrap().unwrap();
            prop_assert!((found.average - again.average).abs() <= 1e-9 * found.average);
            prop_assert!(0.0 <= found.average && found.average <= found.max);
        }
    }
}
