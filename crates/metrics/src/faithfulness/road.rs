//! ROAD: how many pixels go, and the combined score. What stands in their place is [`crate::noisy_linear_imputation`].

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn removal_grows_with_the_fraction(pixels in 1_usize..500, a in 0.0_f64..1.0, b in 0.0_f64..1.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(removed_pixels(pixels, low) <= removed_pixels(pixels, high));
            prop_assert!((removed_pixels(pixels, a) as f64 - a * pixels as f64).abs() <= 1.0 + 1e-9);
        }
    }
}
