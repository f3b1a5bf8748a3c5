//! Confidence intervals of proportions.

use super::bootstrap::{Interval, Z};

/// Wilson's score interval (Wilson 1927) of `part` of `whole`, at [`crate::CONFIDENCE`]: in `[0, 1]`, and of sensible width also
/// where the proportion is 0 or 1. `None` of nothing.
#[must_use]
pub fn wilson(part: usize, whole: usize) -> Option<Interval> {
    if whole == 0 {
        return None;
    }
    let (n, z2) = (whole as f64, Z * Z);
    let p = part.min(whole) as f64 / n;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At 0 and 1 the ends are exact; rounding should not say otherwise.
    Some(Interval {
        low: (middle - half).clamp(0.0, p),
        high: (middle + half).clamp(p, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15, `proportion_confint(part, whole, method="wilson")`.
    #[test]
    fn equals_statsmodels() {
        for (part, whole, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889),
            (5, 10, 0.236_593_090_512_564, 0.763_406_909_487_436),
            (10, 10, 0.722_467_200_137_111, 1.0),
            (1, 1000, 0.000_176_546_370_626, 0.005_642_558_597_958),
        ] {
            let found = wilson(part, whole).expect("samples");
            assert!((found.low - low).abs() < 1e-12, "{part} of {whole}: {found:?}");
            assert!((found.high - high).abs() < 1e-12, "{part} of {whole}: {found:?}");
        }
        assert_eq!(wilson(0, 0), None);
    }
}
