//! How well a variance is known.

/// The degrees of freedom of a variance V that is the sum of the squares of n influences u (what each person does to a number):
/// twice the squared mean of such a sum over its variance, as in Satterthwaite (1946), with the influences' own fourth moment for the
/// variance:
///
/// ```text
/// 2 V² / (Σu⁴ - V²/n) · (n - 1)/n,   at least 1 and at most n - 1
/// ```
///
/// For many normal influences that is n - 1; it is fewer where a few people carry most of the variance, as where nearly all values are 0.
/// People without influence do not count. `None` with fewer than two that have any.
pub(super) fn freedom(influences: &[f64]) -> Option<f64> {
    let sum = |power: i32| influences.iter().map(|value| value.powi(power)).sum::<f64>();
    let second = sum(2);
    let least = 1e-9 * second.sqrt();
    let n = influences.iter().filter(|value| value.abs() > least).count() as f64;
    if n < 2.0 {
        return None;
    }
    let variance = sum(4) - second * second / n;
    let found = 2.0 * second * second / variance * (n - 1.0) / n;
    // Influences of one size have no variance left, up to rounding.
    let found = if variance > 0.0 { found } else { n };
    Some(found.clamp(1.0, n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn by_hand() {
        // V = 4, all of one size: n - 1.
        assert_eq!(freedom(&[1.0, -1.0, 1.0, -1.0]), Some(3.0));
        // V = 20, fourth powers 16 * 16 + 4: 2 * 400 / (260 - 80) * 4/5.
        let found = freedom(&[-1.0, 4.0, -1.0, -1.0, -1.0, 0.0]).unwrap();
        assert!((found - 2.0 * 400.0 / 180.0 * 0.8).abs() < 1e-12, "{found}");
        assert_eq!(
            (freedom(&[]), freedom(&[0.0; 9]), freedom(&[0.0, 2.0])),
            (None, None, None)
        );
    }

    #[test]
    fn of_normal_influences_it_is_their_number() {
        let normal = Normal::standard();
        let quantiles: Vec<f64> = (0..2000)
            .map(|i| normal.inverse_cdf((f64::from(i) + 0.5) / 2000.0))
            .collect();
        let found = freedom(&quantiles).unwrap();
        assert!((found / 2000.0 - 1.0).abs() < 0.02, "{found}");
    }

    proptest! {
        #[test]
        fn it_lies_between_one_and_their_number_less_one(influences in prop::collection::vec(-2.0_f64..2.0, 2..30)) {
            let found = freedom(&influences).unwrap();
            prop_assert!(1.0 <= found && found <= influences.len() as f64 - 1.0);
        }
    }
}
