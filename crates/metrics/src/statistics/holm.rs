//! Correction of p values for their number.

/// Holm's (1979) adjusted p values, in the order given: at most a part α of such families has any adjusted value below α where no
/// difference exists, however the tests depend on each other.
///
/// The i-th smallest of m is multiplied by m - i + 1, made at least as large as the one before, and capped at 1.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (position, &index) in order.iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - position) as f64);
        adjusted[index] = largest.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// statsmodels 0.15.0: `multipletests([0.01, 0.04, 0.03, 0.005, 0.5, 0.03], method="holm")[1]`
    #[test]
    fn the_correction_is_statsmodels() {
        let expected = [0.05, 0.12, 0.12, 0.03, 0.5, 0.12];
        for (found, expected) in holm(&[0.01, 0.04, 0.03, 0.005, 0.5, 0.03]).into_iter().zip(expected) {
            assert_relative_eq!(found, expected, max_relative = 1e-12);
        }
    }

    #[test]
    fn one_test_needs_no_correction_and_none_exceeds_one() {
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
