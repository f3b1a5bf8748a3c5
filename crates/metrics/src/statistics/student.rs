//! Student's t: an interval of a mean over a few independent repetitions, and a test of paired differences.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::bootstrap::{CONFIDENCE, Interval};

/// Mean and standard error of the mean, with n - 1 degrees of freedom; `None` below two values.
fn mean_and_error(values: &[f64]) -> Option<(f64, f64, StudentsT)> {
    let n = values.len() as f64;
    let distribution = StudentsT::new(0.0, 1.0, n - 1.0).ok().filter(|_| values.len() >= 2)?;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, (variance / n).sqrt(), distribution))
}

/// The 95 % interval of the mean of independent, nearly normal values, such as one number of several trainings that differ in
/// their seed: mean ± t s/√n, with s the sample deviation and t the quantile of n - 1 degrees of freedom.
///
/// Two values make t 12.7, three 4.3: few repetitions say little, and the interval says so. `None` below two values.
#[must_use]
pub fn student_interval(values: &[f64]) -> Option<Interval> {
    let (mean, error, distribution) = mean_and_error(values)?;
    let half = distribution.inverse_cdf((1.0 + CONFIDENCE) / 2.0) * error;
    Some(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// The two-sided p value of Student's t test that the mean of paired differences is 0.
///
/// `None` below two differences, or where they do not vary: no spread, no test.
#[must_use]
pub fn paired_t_test(differences: &[f64]) -> Option<f64> {
    let (mean, error, distribution) = mean_and_error(differences)?;
    (error > 0.0).then(|| 2.0 * distribution.sf((mean / error).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // scipy 1.17.1; statrs agrees with it to about 1e-9:
    //   a = [0.61,0.34,0.52,0.47,0.80,0.29,0.71,0.66,0.15,0.58]
    //   b = [0.55,0.36,0.41,0.44,0.62,0.30,0.59,0.60,0.19,0.43]
    //   stats.ttest_rel(a, b).pvalue                              -> 0.02447063151558614
    //   m = np.array([0.40, 0.44, 0.47])
    //   stats.t.interval(0.95, 2, m.mean(), stats.sem(m))         -> (0.3494266173153155, 0.5239067160180179)

    #[test]
    fn the_interval_is_scipy_s() {
        let interval = student_interval(&[0.40, 0.44, 0.47]).unwrap();
        assert_relative_eq!(interval.low, 0.349_426_617_315_315_5, max_relative = 1e-8);
        assert_relative_eq!(interval.high, 0.523_906_716_018_017_9, max_relative = 1e-8);
    }

    #[test]
    fn the_test_is_scipy_s() {
        let a = [0.61, 0.34, 0.52, 0.47, 0.80, 0.29, 0.71, 0.66, 0.15, 0.58];
        let b = [0.55, 0.36, 0.41, 0.44, 0.62, 0.30, 0.59, 0.60, 0.19, 0.43];
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        assert_relative_eq!(
            paired_t_test(&differences).unwrap(),
            0.024_470_631_515_586_14,
            max_relative = 1e-8
        );
    }

    #[test]
    fn too_few_or_constant_values_say_nothing() {
        assert_eq!(student_interval(&[0.5]), None);
        assert_eq!(student_interval(&[]), None);
        assert_eq!(student_interval(&[0.5, 0.5]), Some(Interval { low: 0.5, high: 0.5 }));
        assert_eq!(paired_t_test(&[0.5]), None);
        assert_eq!(paired_t_test(&[0.5, 0.5]), None);
    }
}
