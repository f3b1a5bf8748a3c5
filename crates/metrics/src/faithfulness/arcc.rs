//! ARCC: one number of a map's coherency, complexity and faithfulness.

use crate::error::{Error, check_finite, check_length};
use crate::statistics::pearson;

/// The percentages of pixels that stay in ARCC's ROAD, pytorch-grad-cam's defaults.
pub const ARCC_PERCENTILES: [f64; 4] = [20.0, 40.0, 60.0, 80.0];

/// Coherency, in `[0, 1]`: (r + 1) / 2, r the correlation (Pearson) of a map with the map of the same score on the image times the map,
/// so on what the map says is needed. Poppi, Cornia, Baraldi and Cucchiara, *Revisiting the Evaluation of Class Activation Mapping for
/// Explainability*, 2021, as pytorch-grad-cam has it.
///
/// `None` where one of the maps is constant, or for fewer than two pixels. (The library counts 1/2 there.)
///
/// # Errors
/// Maps of different length, or with a value that is not finite.
pub fn coherency(map: &[f32], of_masked: &[f32]) -> Result<Option<f64>, Error> {
    check_length("map of the masked image", of_masked.len(), map.len())?;
    check_finite(map)?;
    check_finite(of_masked)?;
    let wide = |map: &[f32]| map.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    Ok(pearson(&wide(map), &wide(of_masked)).map(|value| f64::midpoint(value, 1.0)))
}

/// Complexity, in `[0, 1]` for a map in `[0, 1]`: the mean of its absolute values, of Poppi et al. Less is better: a map that shows the
/// whole image says nothing.
///
/// `None` for a map without pixel.
///
/// # Errors
/// A value that is not finite.
pub fn complexity(map: &[f32]) -> Result<Option<f64>, Error> {
    check_finite(map)?;
    let sum: f64 = map.iter().map(|&value| f64::from(value).abs()).sum();
    Ok((!map.is_empty()).then(|| sum / map.len() as f64))
}

/// ARCC, in `[0, 1]`, higher is better: the harmonic mean of the [`coherency`], of 1 - the [`complexity`], and of twice the ROAD score
/// cut to `[0, 1]`, as pytorch-grad-cam (arXiv 2605.14641) defines it. It is Poppi et al.'s ADCC with ROAD in the place of the average
/// drop of the score on the image times the map.
///
/// - `road`: [`road_combined`](crate::road_combined) at [`ARCC_PERCENTILES`], **of probabilities** of the explained class. Of a binary
///   output that is 1 / (1 + exp(-t)) of its score t (z, -z, or z with the sign that it had on the whole image). Twice such a score is
///   in `[-1, 1]`. Logits have no such range: they would be cut to 1 as soon as they change by 1, and the score is not defined for them.
///
/// 0 where one of the three is 0. `None` for values that are no number, or coherency and complexity outside of `[0, 1]`.
#[must_use]
pub fn arcc(coherency: f64, complexity: f64, road: f64) -> Option<f64> {
    if !((0.0..=1.0).contains(&coherency) && (0.0..=1.0).contains(&complexity) && !road.is_nan()) {
        return None;
    }
    let parts = [coherency, 1.0 - complexity, (2.0 * road).clamp(0.0, 1.0)];
    // 1/0 is infinite, and 3 divided by that is 0.
    Some(3.0 / parts.iter().map(|part| 1.0 / part.abs()).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn parts_by_hand() {
        for (other, expected) in [([0.0, 0.5, 0.25], 1.0), ([1.0, 0.0, 0.5], 0.0)] {
            let found = coherency(&[0.0, 1.0, 0.5], &other).unwrap().unwrap();
            assert_abs_diff_eq!(found, expected, epsilon = 1e-12);
        }
        assert_eq!(coherency(&[0.0, 1.0], &[1.0, 1.0]), Ok(None));
        assert_eq!(complexity(&[0.0, 1.0, 0.5, 0.5]), Ok(Some(0.5)));
        assert_eq!(complexity(&[]), Ok(None));
        coherency(&[0.0], &[0.0, 1.0]).unwrap_err();
        complexity(&[f32::NAN]).unwrap_err();
    }

    #[test]
    fn arcc_by_hand() {
        // 3 / (2 + 2 + 1).
        assert_abs_diff_eq!(arcc(0.5, 0.5, 0.5).unwrap(), 0.6, epsilon = 1e-15);
        assert_abs_diff_eq!(arcc(0.5, 0.5, 9.0).unwrap(), 0.6, epsilon = 1e-15);
        assert_eq!(arcc(1.0, 0.0, 0.5), Some(1.0));
        for (a, b, c) in [(0.0, 0.5, 0.5), (0.5, 1.0, 0.5), (0.5, 0.5, 0.0), (0.5, 0.5, -0.3)] {
            assert_eq!(arcc(a, b, c), Some(0.0), "{a} {b} {c}");
        }
        for (a, b, c) in [
            (f64::NAN, 0.5, 0.5),
            (1.1, 0.5, 0.5),
            (0.5, -0.1, 0.5),
            (0.5, 0.5, f64::NAN),
        ] {
            assert_eq!(arcc(a, b, c), None, "{a} {b} {c}");
        }
    }

    proptest! {
        #[test]
        fn it_grows_with_each_part_and_lies_between_them(
            a in 0.01_f64..1.0, b in 0.0_f64..0.99, c in 0.01_f64..0.5, more in 0.0_f64..0.5,
        ) {
            let found = arcc(a, b, c).unwrap();
            let parts = [a, 1.0 - b, 2.0 * c];
            prop_assert!(parts.iter().copied().fold(1.0, f64::min) <= found + 1e-12);
            prop_assert!(found <= parts.iter().copied().fold(0.0, f64::max) + 1e-12);
            prop_assert!(arcc((a + more).min(1.0), b, c).unwrap() >= found - 1e-12);
            prop_assert!(arcc(a, (b - more).max(0.0), c).unwrap() >= found - 1e-12);
            prop_assert!(arcc(a, b, c + more).unwrap() >= found - 1e-12);
        }
    }
}
