//! The bias-corrected and accelerated interval of a bootstrap, and its p value.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::freedom::freedom;
use crate::statistics::{CONFIDENCE, Interval, quantile};

/// So many resamples beyond a value say how rare it is; with fewer the normal tail goes on.
const TAIL: f64 = 5.0;

/// A correction 1 - a w of the acceleration is never taken to be less: where it vanishes its expansion has long ended.
const LEAST: f64 = 0.2;

/// What resamples and blocks of people make of a statistic.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replicates {
    /// The statistic of the sample.
    pub value: f64,
    /// That of each resample where it is defined; at least one half of those drawn.
    pub resamples: Vec<f64>,
    /// What the statistic changes by, for each block of people, with half of the block's weight taken away and with half of it added;
    /// each divided by the change of the weight, -1/2 and 1/2. Blocks for which it is not defined have none.
    pub influence: Vec<(f64, f64)>,
}

/// The bootstrap distribution and its corrections.
///
/// BCa (Efron 1987; DiCiccio & Efron 1996, equation 2.3) takes for the end at the normal quantile z the bootstrap distribution's quantile
/// at the normal score
///
/// ```text
/// w(z) = z0 + (z0 + z) / (1 - a (z0 + z))
/// ```
///
/// with the bias z0, the normal score of the estimate in that distribution, and the acceleration a, a sixth of the skewness of what single
/// people do to the estimate (over the root of their number). It is right to the second order in 1/√people; the third order is what fails
/// in groups of five or ten people, in two ways that are known, and mended:
///
/// - the bootstrap's variance is that of a population of exactly these people, (n-1)/n of what it should be. `inflation` is the
///   root of the ratio of two sums of squares of influences: by weights halved, and by the centred difference. For the mean of n
///   people they are s²/n (n(n-1)/(n-1/2)²) and (n-1)s²/n²; for sums and differences of groups of several sizes each group has its own.
///   (Weights are halved, not taken away, because that gives s²/n to within 1/(4n²), and because no group becomes empty by it.)
/// - the variance is an estimate: z is Student's quantile instead of the normal. The degrees of freedom are those of the sum
///   of squares of the influences, see [`freedom`].
///
/// So z becomes inflation · t (Hesterberg 2015 does both to the percentile interval, and calls it expanded).
#[derive(Debug, Clone)]
pub(super) struct Bca {
    sorted: Vec<f64>,
    deviation: f64,
    bias: f64,
    acceleration: f64,
    inflation: f64,
    student: StudentsT,
}

impl Bca {
    /// `None` where all resamples are equal, to rounding: people who do not differ say nothing about others, and an interval without width
    /// would claim certainty.
    pub(super) fn new(replicates: Replicates) -> Option<Self> {
        let Replicates {
            value,
            resamples: mut sorted,
            influence,
        } = replicates;
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let deviation = (sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let largest = sorted.first()?.abs().max(sorted.last()?.abs());
        if deviation.is_nan() || deviation <= 1e-12 * largest {
            return None;
        }
        let (acceleration, inflation, freedom) = moments(&influence);
        let mut found = Self {
            sorted,
            deviation,
            bias: 0.0,
            acceleration,
            inflation,
            student: StudentsT::new(0.0, 1.0, freedom).ok()?,
        };
        found.bias = found.score(value);
        Some(found)
    }

    /// The part of the resamples that lies beyond either joint with the normal tails.
    fn tail(&self) -> f64 {
        (TAIL / self.sorted.len() as f64).min(0.25)
    }

    /// The share of the resamples below a value, by the same interpolation as [`quantile`]; of equal ones one half.
    fn share_below(&self, value: f64) -> f64 {
        let last = self.sorted.len() as f64 - 1.0;
        let below = self.sorted.partition_point(|&other| other < value);
        let at_most = self.sorted.partition_point(|&other| other <= value);
        let position = match (
            below.checked_sub(1).map(|index| self.sorted[index]),
            self.sorted.get(below),
        ) {
            _ if below < at_most => (below + at_most - 1) as f64 / 2.0,
            (Some(low), Some(high)) => below as f64 - 1.0 + (value - low) / (high - low),
            (None, _) => 0.0,
            (_, None) => last,
        };
        position / last
    }

    /// The normal score of a value in the bootstrap distribution. Beyond the last few resamples it goes on with their standard deviation
    /// as its unit, as in a normal tail.
    fn score(&self, value: f64) -> f64 {
        let (share, tail) = (self.share_below(value), self.tail());
        let joint = |share: f64| quantile(&self.sorted, share).unwrap_or(value);
        if share < tail {
            normal_score(tail) + ((value - joint(tail)) / self.deviation).min(0.0)
        } else if share > 1.0 - tail {
            normal_score(1.0 - tail) + ((value - joint(1.0 - tail)) / self.deviation).max(0.0)
        } else {
            normal_score(share)
        }
    }

    /// The value at a normal score: the inverse of [`score`](Self::score).
    fn value_at(&self, score: f64) -> Option<f64> {
        let tail = self.tail();
        let (low, high) = (normal_score(tail), normal_score(1.0 - tail));
        let share = Normal::standard().cdf(score.clamp(low, high));
        let beyond = score - score.clamp(low, high);
        Some(quantile(&self.sorted, share)? + beyond * self.deviation)
    }

    /// The interval at [`CONFIDENCE`].
    pub(super) fn interval(&self) -> Option<Interval> {
        let z = self.inflation * self.student.inverse_cdf((1.0 + CONFIDENCE) / 2.0);
        let end = |z: f64| {
            let corrected = self.bias + z;
            self.value_at(self.bias + corrected / (1.0 - self.acceleration * corrected).max(LEAST))
        };
        Some(Interval {
            low: end(-z)?,
            high: end(z)?,
        })
    }

    /// The two-sided p value of the statistic's being 0: w(z) solved for the z at which 0 is an end.
    pub(super) fn p_value(&self) -> f64 {
        let distance = self.score(0.0) - self.bias;
        let corrected = distance / (1.0 + self.acceleration * distance).clamp(LEAST, 1.0 / LEAST);
        let z = (corrected - self.bias) / self.inflation;
        (2.0 * self.student.sf(z.abs())).min(1.0)
    }

    /// The resamples' standard deviation, for the number of people.
    pub(super) fn standard_error(&self) -> f64 {
        self.inflation * self.deviation
    }
}

fn normal_score(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share)
}

/// Acceleration, inflation and degrees of freedom.
fn moments(influence: &[(f64, f64)]) -> (f64, f64, f64) {
    let centred: Vec<f64> = influence.iter().map(|(halved, added)| (halved + added) / 2.0).collect();
    let sum = |power: i32| centred.iter().map(|value| value.powi(power)).sum::<f64>();
    let (second, third) = (sum(2), sum(3));
    let unbiased: f64 = influence.iter().map(|(halved, _)| halved * halved).sum();
    match freedom(&centred) {
        Some(freedom) => (
            third / (6.0 * second * second.sqrt()),
            (unbiased / second).sqrt().clamp(1.0, 2.0),
            freedom,
        ),
        // Ranks do not change with small weights: no influence, no correction.
        None => (0.0, 1.0, (influence.len() as f64 - 1.0).max(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// A distribution that is skewed by hand: squares of normal quantiles' distance from -4.
    fn skewed() -> Replicates {
        let at = |score: f64| (score + 4.0).powi(2);
        Replicates {
            value: at(0.1),
            resamples: (0..2000)
                .map(|i| at(normal_score((f64::from(i) + 0.5) / 2000.0)))
                .collect(),
            influence: (0..100)
                .map(|i| f64::from(i * i % 37) - 17.0)
                .map(|value| (value, value))
                .collect(),
        }
    }

    #[test]
    fn scores_and_values_are_inverse_also_in_the_tails() {
        let bca = Bca::new(skewed()).unwrap();
        for score in [-6.0, -3.0, -2.5, -1.0, 0.0, 0.7, 2.5, 4.0] {
            assert_abs_diff_eq!(bca.score(bca.value_at(score).unwrap()), score, epsilon = 1e-9);
        }
        // Ten deviations out, beyond all resamples.
        assert!(bca.score(bca.sorted[1999] + 10.0 * bca.deviation) > 12.0);
    }

    #[test]
    fn the_bias_is_the_estimate_s_score() {
        let bca = Bca::new(skewed()).unwrap();
        assert_abs_diff_eq!(bca.bias, 0.1, epsilon = 1e-3);
    }

    #[test]
    fn without_correction_it_is_the_percentile_interval_with_student_s_quantile() {
        let mut replicates = skewed();
        replicates.value = 16.0;
        replicates.influence = (0..50).flat_map(|_| [(1.0, 1.0), (-1.0, -1.0)]).collect();
        let bca = Bca::new(replicates).unwrap();
        let interval = bca.interval().unwrap();
        // All influences of one size: 99 degrees of freedom, t = 1.984217 (scipy).
        assert_abs_diff_eq!(interval.low, (4.0_f64 - 1.984_217).powi(2), epsilon = 2e-2);
        assert_abs_diff_eq!(interval.high, (4.0_f64 + 1.984_217).powi(2), epsilon = 6e-2);
    }

    #[test]
    fn the_p_value_is_the_level_at_which_0_is_an_end() {
        for shift in [8.5, 7.0, 5.0, 30.0, 25.0, 16.0] {
            let mut replicates = skewed();
            replicates.value -= shift;
            replicates.resamples.iter_mut().for_each(|value| *value -= shift);
            let bca = Bca::new(replicates).unwrap();
            let p = bca.p_value();
            // The ends at that level, from the other direction.
            let z = bca.inflation * bca.student.inverse_cdf(1.0 - p / 2.0);
            let end = |z: f64| {
                let corrected = bca.bias + z;
                bca.value_at(bca.bias + corrected / (1.0 - bca.acceleration * corrected))
                    .unwrap()
            };
            let nearest = end(-z).abs().min(end(z).abs());
            assert!(nearest < 1e-3, "shift {shift}: p {p}, ends {} {}", end(-z), end(z));
            let interval = bca.interval().unwrap();
            assert_eq!(
                p < 0.05,
                interval.low > 0.0 || interval.high < 0.0,
                "shift {shift}: p {p}, {interval:?}"
            );
        }
    }

    #[test]
    fn equal_resamples_say_nothing() {
        let constant = Replicates {
            resamples: vec![0.3; 100],
            value: 0.3,
            ..skewed()
        };
        assert!(Bca::new(constant).is_none());
        assert!(
            Bca::new(Replicates {
                resamples: Vec::new(),
                ..skewed()
            })
            .is_none()
        );
    }

    #[test]
    fn moments_by_hand() {
        // Means of five values, 0 0 0 0 1: centred influences are (x - mean)/5 = -.04 four times and .16.
        let of = |x: f64| ((x - 0.2) / 4.5, (x - 0.2) / 5.5);
        let (acceleration, inflation, freedom) = moments(&[of(0.0), of(0.0), of(0.0), of(0.0), of(1.0)]);
        assert_abs_diff_eq!(acceleration, 0.00384 / (6.0 * 0.032_f64.powf(1.5)), epsilon = 1e-12);
        assert_abs_diff_eq!(inflation, (5.0_f64 / 4.0).sqrt(), epsilon = 0.02);
        assert!((3.0..4.0).contains(&freedom), "{freedom}");
        assert_eq!(moments(&[(0.0, 0.0); 30]), (0.0, 1.0, 29.0));
    }
}
