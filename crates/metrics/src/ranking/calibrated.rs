//! How good the probabilities are that scores can be made into.

use super::halves::Half;
use super::isotonic::Isotonic;
use super::sorted::{Ranking, Weights};
use crate::error::Error;

/// Ranges of equal width that the probabilities are sorted into.
const BINS: usize = 10;

/// How good the probabilities are that one attribute's scores become by an increasing map.
///
/// The map is fitted, not given: scores are no probabilities, and trained with other weights they would not be. It is isotonic
/// regression, fitted on one half of the people and applied to the other, and the other way round: no image is measured by a map that
/// has seen it or another image of its person. Moving a threshold or any other increasing map changes both numbers little: only between
/// the scores fitted to, where the map is a straight line.
///
/// Both are absent unless both classes have samples, with weight, in both halves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calibrated {
    /// Brier score (1950), in [0, 1]: the mean of (probability - label)^2 with labels 1 and 0. 0 is perfect; p (1 - p) is what the share
    /// p of positives as everybody's probability has.
    pub brier: Option<f64>,
    /// Expected calibration error (Naeini et al. 2015), in [0, 1]: over ten ranges of equal width, the mean of |mean probability - share
    /// of positives|, weighted by what lies in the range.
    pub calibration_error: Option<f64>,
}

impl Ranking {
    /// How good the probabilities are that the scores become, each image with its weight (finite, at least 0), or each with the same.
    /// The map is fitted with the weights too.
    ///
    /// # Errors
    /// Weights of another number than images, negative or not finite.
    pub fn calibrated(&self, weights: Option<&[f64]>) -> Result<Calibrated, Error> {
        let weights = self.weights(weights)?;
        let mut sums = Sums::default();
        for (fitted, measured) in [(Half::First, Half::Second), (Half::Second, Half::First)] {
            let Some(map) = self.fitted(fitted, weights) else {
                return Ok(Calibrated::default());
            };
            let mut reader = map.reader();
            for sample in self.samples_of(measured) {
                sums.add(reader.probability(sample.score), sample.positive, weights.of(sample));
            }
        }
        Ok(sums.measures())
    }

    /// The map of a half.
    fn fitted(&self, half: Half, weights: Weights<'_>) -> Option<Isotonic> {
        let of_half = self.samples_of(half).iter();
        Isotonic::fit(of_half.map(|sample| (sample.score, sample.positive, weights.of(sample))))
    }
}

/// What both measures are made of.
#[derive(Default)]
struct Sums {
    weight: f64,
    squares: f64,
    /// Of each range: the sum of probability - label. Divided by its weight and weighted by it again, that weight drops out.
    distance: [f64; BINS],
}

impl Sums {
    fn add(&mut self, probability: f64, positive: bool, weight: f64) {
        let distance = probability - f64::from(u8::from(positive));
        self.weight += weight;
        self.squares += weight * distance * distance;
        self.distance[((probability * BINS as f64) as usize).min(BINS - 1)] += weight * distance;
    }

    fn measures(&self) -> Calibrated {
        let mean = |sum: f64| Some(sum / self.weight).filter(|mean| mean.is_finite());
        Calibrated {
            brier: mean(self.squares),
            calibration_error: mean(self.distance.iter().map(|sum| sum.abs()).sum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::calibration;
    use proptest::prelude::*;

    const HALVES: [Half; 2] = [Half::First, Half::Second];

    fn measure(scores: &[f32], labels: &[i8], halves: &[Half], weights: Option<&[f64]>) -> Calibrated {
        Ranking::of(scores, labels, halves)
            .unwrap()
            .calibrated(weights)
            .unwrap()
    }

    #[test]
    fn by_hand() {
        let [a, b] = HALVES;
        // The first half's map is 0 until 1, then 1 from 3; at the second's 2 it is 1/2. The second's is 0 until 0, 1 from 2; at 1 it is 1/2.
        let found = measure(&[1.0, 3.0, 0.0, 2.0], &[-1, 1, -1, 1], &[a, a, b, b], None);
        assert_eq!(found.brier, Some((0.25 + 0.25) / 4.0));
        // In the range of 1/2 one came true and one did not.
        assert_eq!(found.calibration_error, Some(0.0));
    }

    #[test]
    fn a_half_of_one_class_has_none() {
        let [a, b] = HALVES;
        let none = Calibrated::default();
        assert_eq!(measure(&[1.0, 2.0, 3.0], &[1, -1, 1], &[a, a, b], None), none);
        let all = ([1.0, 2.0, 3.0, 4.0], [1, -1, 1, -1], [a, a, b, b]);
        assert_ne!(measure(&all.0, &all.1, &all.2, None), none);
        assert_eq!(measure(&all.0, &all.1, &all.2, Some(&[1.0, 1.0, 1.0, 0.0])), none);
        assert_eq!(measure(&[], &[], &[], None), none);
    }

    proptest! {
        /// The error is that of the crate's calibration of the same probabilities, and of a map on the same ranks they stay the same.
        #[test]
        fn it_is_the_calibration_of_the_fitted_probabilities(
            samples in prop::collection::vec((-4_i8..5, any::<bool>(), any::<bool>()), 4..60)
        ) {
            let scores: Vec<f32> = samples.iter().map(|sample| f32::from(sample.0)).collect();
            let labels: Vec<i8> = samples.iter().map(|sample| if sample.1 { 1 } else { -1 }).collect();
            let halves: Vec<Half> = samples.iter().map(|sample| HALVES[usize::from(sample.2)]).collect();
            let found = measure(&scores, &labels, &halves, None);
            let ranking = Ranking::of(&scores, &labels, &halves).unwrap();
            let weights = ranking.weights(None).unwrap();
            let maps = HALVES.map(|half| ranking.fitted(half, weights));
            let [Some(first), Some(second)] = &maps else {
                prop_assert_eq!(found, Calibrated::default());
                return Ok(());
            };
            let predictions = [(Half::First, second), (Half::Second, first)].into_iter().flat_map(|(half, map)| {
                let of_half = ranking.samples_of(half).iter();
                of_half.map(|sample| (map.reader().probability(sample.score), sample.positive))
            });
            let expected = calibration(predictions).error.unwrap();
            prop_assert!((found.calibration_error.unwrap() - expected).abs() < 1e-12);
            // Straight lines between scores stay where they were under a linear map.
            let mapped: Vec<f32> = scores.iter().map(|score| 4.0 * score - 2.0).collect();
            let moved = measure(&mapped, &labels, &halves, None);
            prop_assert!((found.brier.unwrap() - moved.brier.unwrap()).abs() < 1e-12);
        }

        /// An image that is drawn twice counts twice, and one that is not drawn is not there.
        #[test]
        fn a_weight_is_a_number_of_copies(
            samples in prop::collection::vec((-4_i8..5, any::<bool>(), any::<bool>(), 0_u8..4), 4..60)
        ) {
            let score = |sample: &(i8, bool, bool, u8)| f32::from(sample.0);
            let label = |sample: &(i8, bool, bool, u8)| if sample.1 { 1 } else { -1 };
            let half = |sample: &(i8, bool, bool, u8)| HALVES[usize::from(sample.2)];
            let of = |samples: &[(i8, bool, bool, u8)], weights: Option<&[f64]>| {
                let scores: Vec<f32> = samples.iter().map(score).collect();
                let labels: Vec<i8> = samples.iter().map(label).collect();
                let halves: Vec<Half> = samples.iter().map(half).collect();
                measure(&scores, &labels, &halves, weights)
            };
            let weights: Vec<f64> = samples.iter().map(|sample| f64::from(sample.3)).collect();
            let copies: Vec<_> = samples.iter().flat_map(|sample| std::iter::repeat_n(*sample, sample.3.into())).collect();
            let (found, expected) = (of(&samples, Some(&weights)), of(&copies, None));
            let pairs = [(found.brier, expected.brier), (found.calibration_error, expected.calibration_error)];
            for (found, expected) in pairs {
                prop_assert_eq!(found.is_some(), expected.is_some());
                prop_assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12, "{found:?} {expected:?}");
            }
        }
    }
}
