//! Whether predicted probabilities are frequencies.

use super::bootstrap::Interval;
use super::proportion::wilson;

/// Ranges of equal width that the probabilities are sorted into.
const BINS: usize = 10;

/// The samples whose predicted probabilities lie in one range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of them that came true.
    pub observed: f64,
    /// Wilson's interval of that share.
    pub interval: Interval,
    /// Number of samples, at least 1.
    pub samples: usize,
}

/// How far predicted probabilities are from frequencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Ten ranges of equal width, from 0 to 1, without those that have no sample.
    pub bins: Vec<CalibrationBin>,
    /// The expected calibration error (Naeini et al. 2015): the mean of |predicted - observed| over the ranges, weighted by their
    /// samples. `None` without samples.
    pub error: Option<f64>,
}

/// The calibration of predictions: each a probability and whether it came true.
#[must_use]
pub fn calibration(predictions: impl IntoIterator<Item = (f64, bool)>) -> Calibration {
    // Samples, those that came true, and the sum of the probabilities, range by range.
    let mut ranges = [(0_usize, 0_usize, 0.0); BINS];
    for (probability, came_true) in predictions {
        let range = &mut ranges[((probability * BINS as f64) as usize).min(BINS - 1)];
        range.0 += 1;
        range.1 += usize::from(came_true);
        range.2 += probability;
    }
    let bins: Vec<CalibrationBin> = ranges
        .into_iter()
        .filter_map(|(samples, came_true, sum)| {
            Some(CalibrationBin {
                predicted: sum / samples as f64,
                observed: came_true as f64 / samples as f64,
                interval: wilson(came_true, samples)?,
                samples,
            })
        })
        .collect();
    let all: usize = bins.iter().map(|bin| bin.samples).sum();
    let distance = |bin: &CalibrationBin| (bin.predicted - bin.observed).abs() * bin.samples as f64;
    Calibration {
        error: (all > 0).then(|| bins.iter().map(distance).sum::<f64>() / all as f64),
        bins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = calibration([(0.75, true), (0.25, false), (0.0, false), (0.25, true), (1.0, true)]);
        let bins: Vec<_> = found
            .bins
            .iter()
            .map(|bin| (bin.predicted, bin.observed, bin.samples))
            .collect();
        assert_eq!(bins, [(0.0, 0.0, 1), (0.25, 0.5, 2), (0.75, 1.0, 1), (1.0, 1.0, 1)]);
        let error = found.error.unwrap();
        assert!((error - (2.0 * 0.25 + 0.25) / 5.0).abs() < 1e-15, "{error}");
    }

    #[test]
    fn nothing_has_no_calibration() {
        let none = calibration([]);
        assert!(none.bins.is_empty() && none.error.is_none());
    }
}
