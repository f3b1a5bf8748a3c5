//! Quantiles.

/// The quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan's type 7, numpy's default).
/// `None` of nothing.
#[must_use]
pub fn quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    let position = probability * sorted.len().checked_sub(1)? as f64;
    let below = position.floor();
    let low = *sorted.get(below as usize)?;
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    Some(low + (high - low) * (position - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.percentile([1, 2, 3, 4], [0, 5, 25, 50, 75, 95, 100])`
    #[test]
    fn equals_numpy() {
        let expected = [
            (0.0, 1.0),
            (0.05, 1.15),
            (0.25, 1.75),
            (0.5, 2.5),
            (0.75, 3.25),
            (0.95, 3.85),
            (1.0, 4.0),
        ];
        for (probability, expected) in expected {
            let found = quantile(&[1.0, 2.0, 3.0, 4.0], probability).unwrap();
            assert!((found - expected).abs() < 1e-12, "{probability}: {found}");
        }
        assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.3)), (None, Some(7.0)));
    }
}
