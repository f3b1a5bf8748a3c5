//! Differences of paired values.

use super::bootstrap::{Bootstrap, Interval};
use super::summary::Statistics;

/// Differences of pairs, such as one attribute's value under two classifiers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Number of pairs.
    pub n: usize,
    /// Mean of first - second.
    pub difference: f64,
    /// Its 95 % bootstrap interval over the pairs.
    pub interval: Option<Interval>,
    /// Pairs whose first is the larger.
    pub larger: usize,
    /// Cohen's d for pairs (1988): mean difference / its sample standard deviation. `None` where the differences do not vary.
    pub effect_size: Option<f64>,
}

impl Paired {
    /// Compares pairs; `None` if there are none or the slices differ in length.
    #[must_use]
    pub fn of(first: &[f64], second: &[f64], bootstrap: Bootstrap) -> Option<Self> {
        if first.len() != second.len() {
            return None;
        }
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let statistics = Statistics::of(&differences, bootstrap)?;
        let n = differences.len() as f64;
        let deviation = statistics.deviation * (n / (n - 1.0)).sqrt();
        Some(Self {
            n: differences.len(),
            difference: statistics.mean,
            interval: statistics.interval,
            larger: differences.iter().filter(|&&difference| difference > 0.0).count(),
            effect_size: (deviation > 0.0 && deviation.is_finite()).then(|| statistics.mean / deviation),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = Paired::of(&[3.0, 2.0, 4.0], &[1.0, 2.0, 0.0], Bootstrap::default()).unwrap();
        assert_eq!((found.n, found.difference, found.larger), (3, 2.0, 2));
        // Differences 2, 0, 4: sample deviation 2.
        assert!((found.effect_size.unwrap() - 1.0).abs() < 1e-12);
        let interval = found.interval.unwrap();
        assert!(interval.low <= 2.0 && interval.high >= 2.0);
    }

    #[test]
    fn what_does_not_vary_has_no_effect_size() {
        let constant = Paired::of(&[1.0, 2.0], &[0.0, 1.0], Bootstrap::default()).unwrap();
        assert_eq!(constant.effect_size, None);
        assert_eq!(
            Paired::of(&[1.0], &[0.0], Bootstrap::default()).unwrap().effect_size,
            None
        );
        assert_eq!(Paired::of(&[], &[], Bootstrap::default()), None);
        assert_eq!(Paired::of(&[1.0], &[], Bootstrap::default()), None);
    }
}
