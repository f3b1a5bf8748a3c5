//! Seeds as units: what several trainings say together.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::{CONFIDENCE, Interval};

/// A number over several trainings that differ in their seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverSeeds {
    /// Mean over the seeds.
    pub value: f64,
    /// Its interval at [`CONFIDENCE`]: for a new training (and, see [`over_seeds`], new people).
    pub interval: Interval,
    /// Its standard error.
    pub standard_error: f64,
    /// The two-sided p value of its being 0.
    pub p_value: f64,
    /// Number of seeds.
    pub seeds: usize,
}

/// The mean of one number over trainings with different seeds, by Student's t with seeds - 1 degrees of freedom: `values` has it for
/// each seed.
///
/// `within` has the standard errors over people, seed by seed, and is given exactly where **all seeds are tested on the same people**
/// (a data set's test images). Who these people are then moves all seeds together, and is not in the spread between them; the mean of
/// the variances over people is added to the variance of the mean over seeds. Where each seed has people of its own (procedural faces drawn
/// by the seed), their spread is in that between seeds already, and `within` is `None`.
///
/// The mean variance is added in whole, though a part of it (what people do to one training and not to the next) is in the spread too;
/// and the degrees of freedom stay seeds - 1, though the people's part is known better. Both err on the side of wider intervals.
///
/// `None` for fewer than two seeds, where nothing varies, for numbers that are not finite, and where `within` has another length.
#[must_use]
pub fn over_seeds(values: &[f64], within: Option<&[f64]>) -> Option<OverSeeds> {
    let seeds = values.len() as f64;
    if values.len() < 2 || within.is_some_and(|within| within.len() != values.len()) {
        return None;
    }
    let value = values.iter().sum::<f64>() / seeds;
    let between = values.iter().map(|of_seed| (of_seed - value).powi(2)).sum::<f64>() / (seeds - 1.0) / seeds;
    let of_people = within.unwrap_or(&[]).iter().map(|error| error * error).sum::<f64>() / seeds;
    let standard_error = (between + of_people).sqrt();
    if !(value.is_finite() && standard_error.is_finite() && standard_error > 0.0) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, seeds - 1.0).ok()?;
    let half = student.inverse_cdf((1.0 + CONFIDENCE) / 2.0) * standard_error;
    Some(OverSeeds {
        value,
        interval: Interval {
            low: value - half,
            high: value + half,
        },
        standard_error,
        p_value: (2.0 * student.sf((value / standard_error).abs())).min(1.0),
        seeds: values.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    // scipy 1.17.1:
    //   m = np.array([0.40, 0.44, 0.47, 0.39, 0.52])
    //   stats.t.interval(0.95, 4, m.mean(), stats.sem(m))   -> (0.3779462761007977, 0.5100537238992024)
    //   stats.ttest_1samp(m - 0.4, 0).pvalue                -> 0.1380761826688939
    #[test]
    fn without_people_it_is_scipy_s_t_test() {
        let values = [0.40, 0.44, 0.47, 0.39, 0.52];
        let found = over_seeds(&values, None).unwrap();
        assert_relative_eq!(found.interval.low, 0.377_946_276_100_797_7, max_relative = 1e-8);
        assert_relative_eq!(found.interval.high, 0.510_053_723_899_202_4, max_relative = 1e-8);
        let against = over_seeds(&values.map(|value| value - 0.4), None).unwrap();
        assert_relative_eq!(against.p_value, 0.138_076_182_668_893_9, max_relative = 1e-8);
        assert_eq!(found.seeds, 5);
    }

    #[test]
    fn people_widen_it() {
        // Between: 0.02 / 2 = 0.01; people: (0.01 + 0.03) / 2 = 0.02.
        let found = over_seeds(&[0.4, 0.6], Some(&[0.1, 0.03_f64.sqrt()])).unwrap();
        assert_relative_eq!(found.standard_error, 0.03_f64.sqrt(), max_relative = 1e-12);
    }

    #[test]
    fn what_cannot_be_said() {
        assert_eq!(over_seeds(&[0.4], None), None);
        assert_eq!(over_seeds(&[], None), None);
        assert_eq!(over_seeds(&[0.4, 0.4], None), None);
        assert_eq!(over_seeds(&[0.4, f64::NAN], None), None);
        assert_eq!(over_seeds(&[0.4, 0.5], Some(&[0.1])), None);
        assert!(over_seeds(&[0.4, 0.4], Some(&[0.1, 0.1])).is_some());
    }

    /// 2,000 sweeps of three seeds over the same people, whose sampling moves all of them together by twice what a seed does: the interval
    /// that knows of the people holds (95 % less four standard errors of 2,000 repetitions, 2 %), the one that does not is right in
    /// less than three quarters of the sweeps.
    #[test]
    fn shared_people_are_not_in_the_spread_between_seeds() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let (mut with, mut without) = (0, 0);
        for _ in 0..2000 {
            let people = 2.0 * normal();
            let values = [normal(), normal(), normal()].map(|seed| people + seed);
            let holds = |found: Option<OverSeeds>| {
                let interval = found.unwrap().interval;
                u32::from(interval.low <= 0.0 && interval.high >= 0.0)
            };
            with += holds(over_seeds(&values, Some(&[2.0; 3])));
            without += holds(over_seeds(&values, None));
        }
        assert!(with > 1860, "{with}");
        assert!(without < 1500, "{without}");
    }
}
