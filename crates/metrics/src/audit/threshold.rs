//! How much of a gain in errors moving a threshold would have brought.

use crate::ranking::{d_prime, ideal_error};
use crate::statistics::{Bootstrap, Interval};

/// The two error rates of a classifier of one attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    false_negative_rate: f64,
    false_positive_rate: f64,
    d_prime: f64,
}

impl OperatingPoint {
    /// Of a false negative and a false positive rate; `None` where one is outside [0, 1] or not a number.
    #[must_use]
    pub fn of(false_negative_rate: f64, false_positive_rate: f64) -> Option<Self> {
        let d_prime = d_prime(false_negative_rate, false_positive_rate)?;
        Some(Self {
            false_negative_rate,
            false_positive_rate,
            d_prime,
        })
    }

    /// The mean of both rates, in [0, 1].
    #[must_use]
    pub fn balanced_error(&self) -> f64 {
        f64::midpoint(self.false_negative_rate, self.false_positive_rate)
    }

    /// The sensitivity index, see [`d_prime`].
    #[must_use]
    pub fn d_prime(&self) -> f64 {
        self.d_prime
    }

    /// The balanced error with the threshold moved to where it is least, if scores are normal: see [`ideal_error`].
    #[must_use]
    pub fn ideal_error(&self) -> f64 {
        ideal_error(self.d_prime)
    }
}

/// Two classifiers' errors, and what the first one's would be with its thresholds moved; means over attributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdGain {
    /// Number of attributes, at least 1.
    pub attributes: usize,
    /// Balanced error of the first classifier, in [0, 1].
    pub before: f64,
    /// The same with each threshold moved to where it errs least.
    pub moved: f64,
    /// Balanced error of the second classifier.
    pub after: f64,
    /// d' of both.
    pub d_prime: [f64; 2],
    /// Attributes in which the second one's d' is larger.
    pub more_sensitive: usize,
    /// (before - moved) / (before - after): 0 if thresholds explain nothing of the gain, 1 if they explain all of it, and more if
    /// moving them does better than the second classifier. `None` where there is no gain.
    pub share: Option<f64>,
    /// Its 95 % bootstrap percentile interval over attributes, taken for independent. `None` where some draw has no gain, for then the
    /// share has no bounds.
    pub interval: Option<Interval>,
}

/// How much of the gain of a second classifier over a first moving the first one's thresholds would have brought, if the scores of both
/// classes are normal with equal variance. One pair an attribute, first and second. `None` without attributes.
#[must_use]
pub fn threshold_gain(pairs: &[[OperatingPoint; 2]], bootstrap: Bootstrap) -> Option<ThresholdGain> {
    if pairs.is_empty() {
        return None;
    }
    let mean = |value: &dyn Fn(&[OperatingPoint; 2]) -> f64| pairs.iter().map(value).sum::<f64>() / pairs.len() as f64;
    let before = mean(&|[first, _]| first.balanced_error());
    let moved = mean(&|[first, _]| first.ideal_error());
    let after = mean(&|[_, second]| second.balanced_error());
    // Of each attribute: what moving gains, and what the second classifier does.
    let gains: Vec<[f64; 2]> = pairs
        .iter()
        .map(|[first, second]| {
            let before = first.balanced_error();
            [before - first.ideal_error(), before - second.balanced_error()]
        })
        .collect();
    let share = |draw: &[usize]| {
        let sum = |which: usize| draw.iter().map(|&at| gains[at][which]).sum::<f64>();
        (sum(1) > 0.0).then(|| sum(0) / sum(1))
    };
    let mut undefined = false;
    let interval = bootstrap.interval(pairs.len(), |draw| {
        let share = share(draw);
        undefined |= share.is_none();
        share
    });
    let all: Vec<usize> = (0..pairs.len()).collect();
    Some(ThresholdGain {
        attributes: pairs.len(),
        before,
        moved,
        after,
        d_prime: [mean(&|[first, _]| first.d_prime), mean(&|[_, second]| second.d_prime)],
        more_sensitive: pairs
            .iter()
            .filter(|[first, second]| second.d_prime > first.d_prime)
            .count(),
        share: share(&all),
        interval: interval.filter(|_| !undefined),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn point(fnr: f64, fpr: f64) -> OperatingPoint {
        OperatingPoint::of(fnr, fpr).unwrap()
    }

    #[test]
    fn a_moved_threshold_explains_all_or_nothing() {
        // d' = 2: at the ideal threshold both rates are Phi(-1); 1.5 and 0.5 standard deviations off it.
        let [ideal, low, high] = [0.158_655_253_931_457, 0.066_807_201_268_858, 0.308_537_538_725_987];
        let moved = [point(high, low), point(ideal, ideal)];
        let found = threshold_gain(&[moved, moved], Bootstrap::default()).unwrap();
        assert_abs_diff_eq!(found.share.unwrap(), 1.0, epsilon = 1e-9);
        let interval = found.interval.unwrap();
        assert_abs_diff_eq!(interval.low, interval.high, epsilon = 1e-9);
        assert_abs_diff_eq!(found.d_prime[0], 2.0, epsilon = 1e-9);
        let better = [point(ideal, ideal), point(low, low)];
        let found = threshold_gain(&[better], Bootstrap::default()).unwrap();
        assert_abs_diff_eq!(found.share.unwrap(), 0.0, epsilon = 1e-9);
        assert_eq!((found.more_sensitive, found.attributes, found.interval), (1, 1, None));
    }

    #[test]
    fn no_gain_has_no_share() {
        assert_eq!(threshold_gain(&[], Bootstrap::default()), None);
        let (good, bad) = (point(0.1, 0.1), point(0.2, 0.2));
        let worse = threshold_gain(&[[good, bad], [good, bad]], Bootstrap::default()).unwrap();
        assert_eq!((worse.share, worse.interval), (None, None));
        // Once better and once worse: drawn twice, the worse one has no gain.
        let mixed = [[point(0.4, 0.4), good], [good, bad]];
        let mixed = threshold_gain(&mixed, Bootstrap::default()).unwrap();
        assert!(mixed.share.is_some() && mixed.interval.is_none());
        assert_eq!(OperatingPoint::of(1.2, 0.1), None);
    }
}
