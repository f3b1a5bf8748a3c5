//! Mean, deviation and a confidence interval of a group of values.

use super::bootstrap::{Bootstrap, Interval, Z};

/// Groups above this size get the analytic form of the bootstrap interval, see [`Statistics::of`].
const LARGE: usize = 500;

/// Summary of a group that is not empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation by the population formula (divided by `n`), as the paper's tables have it.
    pub deviation: f64,
    /// 95 % confidence interval of the mean; `None` for a single value, which says nothing about its own spread.
    pub interval: Option<Interval>,
}

impl Statistics {
    /// Summarises a group; `None` if it is empty.
    ///
    /// The interval is the percentile bootstrap's (Efron 1979): quantiles of the means of resamples. Above 500 values it
    /// is that distribution's Cornish-Fisher expansion instead of draws from it: mean + s/√n (z + g (z² - 1) / (6 √n)), with the
    /// group's deviation s and skewness g. The error is of order 1/n, below the noise of 1,000 draws, and it costs one pass.
    #[must_use]
    pub fn of(values: &[f64], bootstrap: Bootstrap) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let moment = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
        let deviation = moment(2).sqrt();
        let interval = if bootstrap.resamples == 0 {
            None
        } else if values.len() > LARGE {
            let skewness = if deviation > 0.0 {
                moment(3) / deviation.powi(3)
            } else {
                0.0
            };
            let end = |z: f64| mean + deviation / n.sqrt() * (z + skewness * (z * z - 1.0) / (6.0 * n.sqrt()));
            Some(Interval {
                low: end(-Z),
                high: end(Z),
            })
        } else {
            bootstrap.interval(values.len(), |draw| {
                Some(draw.iter().map(|&position| values[position]).sum::<f64>() / n)
            })
        };
        Some(Self {
            n: values.len(),
            mean,
            deviation,
            interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// A skewed sample in [0, 1], like the energies of a rarely active region.
    fn skewed(n: usize) -> Vec<f64> {
        (0..n).map(|i| ((i as f64 + 0.5) / n as f64).powi(4)).collect()
    }

    #[test]
    fn by_hand() {
        let statistics = Statistics::of(&[1.0, 2.0, 3.0, 6.0], Bootstrap::default()).unwrap();
        assert_eq!((statistics.n, statistics.mean), (4, 3.0));
        assert_abs_diff_eq!(statistics.deviation, 3.5_f64.sqrt(), epsilon = 1e-15);
        let interval = statistics.interval.unwrap();
        assert!(
            (1.0..3.0).contains(&interval.low) && (3.0..=6.0).contains(&interval.high),
            "{interval:?}"
        );
    }

    #[test]
    fn empty_and_single_groups() {
        assert_eq!(Statistics::of(&[], Bootstrap::default()), None);
        let one = Statistics::of(&[0.25], Bootstrap::default()).unwrap();
        assert_eq!((one.mean, one.deviation, one.interval), (0.25, 0.0, None));
        assert_eq!(
            Statistics::of(&[1.0, 2.0], Bootstrap { resamples: 0, seed: 1 })
                .unwrap()
                .interval,
            None
        );
    }

    #[test]
    fn the_seed_decides_the_interval() {
        let values = skewed(50);
        let interval = |seed| {
            Statistics::of(
                &values,
                Bootstrap {
                    seed,
                    ..Bootstrap::default()
                },
            )
            .unwrap()
            .interval
        };
        assert_eq!(interval(1), interval(1));
        assert_ne!(interval(1), interval(2));
    }

    #[test]
    fn a_constant_group_has_an_interval_without_width() {
        for n in [2, LARGE + 1] {
            let interval = Statistics::of(&vec![0.5; n], Bootstrap::default()).unwrap().interval;
            assert_eq!(interval, Some(Interval { low: 0.5, high: 0.5 }));
        }
    }

    #[test]
    fn the_analytic_interval_agrees_with_resampling() {
        let values = skewed(LARGE + 1);
        let n = values.len() as f64;
        let analytic = Statistics::of(&values, Bootstrap::default()).unwrap();
        let drawn = Bootstrap {
            resamples: 20_000,
            seed: 3,
        }
        .interval(values.len(), |draw| {
            Some(draw.iter().map(|&position| values[position]).sum::<f64>() / n)
        })
        .unwrap();
        let error = analytic.deviation / n.sqrt();
        // A 2.5 % quantile of 20,000 draws has a standard error of 0.019 standard errors of the mean; allow three of them. The
        // skewness term moves each end by 0.02 standard errors here, so it is checked separately below.
        let interval = analytic.interval.unwrap();
        assert_abs_diff_eq!(interval.low, drawn.low, epsilon = 0.06 * error);
        assert_abs_diff_eq!(interval.high, drawn.high, epsilon = 0.06 * error);
        assert!(
            interval.low + interval.high > 2.0 * analytic.mean,
            "right-skewed values shift the interval upwards"
        );
    }
}
