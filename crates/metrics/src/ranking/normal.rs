//! Two normal distributions of equal variance: what a pair of error rates says about any threshold.

use statrs::distribution::{ContinuousCDF, Normal};

/// Rates are taken to lie in these bounds: a rate of 0 or 1 has no finite quantile.
const BOUNDS: [f64; 2] = [0.0005, 0.9995];

/// The sensitivity index d' = z(1 - FNR) - z(FPR), z the standard normal quantile: how many standard deviations the scores of the two
/// classes lie apart, if they are two normal distributions of equal variance (Green and Swets 1966). Moving the threshold leaves it as
/// it is; at chance it is 0.
///
/// Both rates are shares in [0, 1], and are clipped to [0.0005, 0.9995] before. `None` where one is outside [0, 1] or not a number.
#[must_use]
pub fn d_prime(false_negative_rate: f64, false_positive_rate: f64) -> Option<f64> {
    let rates = [false_negative_rate, false_positive_rate];
    if rates.iter().any(|rate| !(0.0..=1.0).contains(rate)) {
        return None;
    }
    let normal = Normal::standard();
    let [fnr, fpr] = rates.map(|rate| rate.clamp(BOUNDS[0], BOUNDS[1]));
    Some(-normal.inverse_cdf(fnr) - normal.inverse_cdf(fpr))
}

/// Phi(-d'/2): the mean of both error rates where the threshold lies in the middle of the two normal distributions, in [0, 1]. No other
/// threshold has a smaller one.
#[must_use]
pub fn ideal_error(d_prime: f64) -> f64 {
    Normal::standard().cdf(-d_prime / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_that_are_none_have_none() {
        for bad in [-0.001, 1.001, f64::NAN, f64::INFINITY] {
            assert_eq!((d_prime(bad, 0.5), d_prime(0.5, bad)), (None, None));
        }
    }

    #[test]
    fn no_error_counts_as_one_in_two_thousand() {
        assert_eq!(d_prime(0.0, 1.0), d_prime(0.0005, 0.9995));
        assert_eq!(d_prime(0.0, 0.0), d_prime(0.0005, 0.0003));
    }

    proptest! {
        /// Rates of two normal distributions at any threshold give back their distance.
        #[test]
        fn the_threshold_does_not_matter(distance in 0.0_f64..3.0, threshold in -1.5_f64..1.5) {
            let normal = Normal::standard();
            let [fnr, fpr] = [threshold - distance / 2.0, -threshold - distance / 2.0].map(|at| normal.cdf(at));
            let found = d_prime(fnr, fpr).unwrap();
            prop_assert!((found - distance).abs() < 1e-9, "{found} {distance}");
            prop_assert!(ideal_error(found) <= (fnr + fpr) / 2.0 + 1e-9);
        }

        #[test]
        fn the_ideal_threshold_errs_on_both_classes_alike(error in 0.001_f64..0.5) {
            let found = ideal_error(d_prime(error, error).unwrap());
            // statrs computes the distribution to about 1e-11.
            prop_assert!((found - error).abs() < 1e-9, "{found} {error}");
        }
    }
}
