//! How well scores tell the classes apart.

use super::normal::d_prime;
use super::sorted::{Ranking, share};
use crate::error::Error;

/// How well one attribute's scores tell its classes apart. All are absent where a class has no sample, or no weight.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Discrimination {
    /// Area under the receiver operating characteristic, in [0, 1]: how often a positive has a higher score than a negative; of equal
    /// scores half of the pairs count (Hanley and McNeil 1982).
    pub auroc: Option<f64>,
    /// Average precision, in [0, 1]: the sum of (R_n - R_(n-1)) P_n over the distinct scores from the highest on, R_n and P_n recall and
    /// precision of what has at least the nth score (scikit-learn's definition, without interpolation).
    pub average_precision: Option<f64>,
    /// The sensitivity index of the error rates at a score of 0 or at the threshold that was asked for, see [`d_prime`]. The threshold has a part in it unless the scores are normal.
    pub d_prime: Option<f64>,
}

impl Ranking {
    /// How well the scores tell the classes apart, each image with its weight (finite, at least 0), or each with the same. The rates of
    /// d' are those at a score of 0.
    ///
    /// # Errors
    /// Weights of another number than images, negative or not finite.
    pub fn discrimination(&self, weights: Option<&[f64]>) -> Result<Discrimination, Error> {
        self.discrimination_at(0.0, weights)
    }

    /// The same, with the rates of d' at another least positive score.
    ///
    /// # Errors
    /// As [`Ranking::discrimination`].
    pub fn discrimination_at(&self, threshold: f32, weights: Option<&[f64]>) -> Result<Discrimination, Error> {
        let weights = self.weights(weights)?;
        let (mut positives, mut negatives) = (0.0, 0.0);
        // Weight of pairs in the right order, and of precision at each positive.
        let (mut ordered, mut precision) = (0.0, 0.0);
        // Positives and negatives from the threshold on.
        let mut above = (0.0, 0.0);
        for tied in self.samples().chunk_by(|a, b| a.score == b.score).rev() {
            let (mut positive, mut negative) = (0.0, 0.0);
            for sample in tied {
                let weight = weights.of(sample);
                // Adding 0 takes no branch, and nothing foretells a label.
                positive += if sample.positive { weight } else { 0.0 };
                negative += if sample.positive { 0.0 } else { weight };
            }
            ordered += negative * (positives + positive / 2.0);
            positives += positive;
            negatives += negative;
            if positive > 0.0 {
                precision += positive * (positives / (positives + negatives));
            }
            if tied[0].score >= threshold {
                above = (positives, negatives);
            }
        }
        if !(positives > 0.0 && negatives > 0.0) {
            return Ok(Discrimination::default());
        }
        let false_negatives = share(above.0, positives).map(|found| 1.0 - found);
        Ok(Discrimination {
            auroc: share(ordered / positives, negatives),
            average_precision: share(precision, positives),
            d_prime: false_negatives
                .zip(share(above.1, negatives))
                .and_then(|(fnr, fpr)| d_prime(fnr, fpr)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Half, d_prime};
    use super::*;
    use crate::error_rates;
    use proptest::prelude::*;

    fn measure(scores: &[f32], labels: &[i8], weights: Option<&[f64]>) -> Discrimination {
        let halves = vec![Half::First; scores.len()];
        Ranking::of(scores, labels, &halves)
            .unwrap()
            .discrimination(weights)
            .unwrap()
    }

    #[test]
    fn by_hand() {
        // Pairs: 2 > 1 and 2 > -1 right, 1 = 1 half, 1 > -1 right: 3.5 of 4. Precision: 1 at the first, 2/3 at the tie.
        let found = measure(&[2.0, 1.0, 1.0, -1.0, 9.0], &[1, 1, -1, -1, 0], None);
        assert_eq!(found.auroc, Some(3.5 / 4.0));
        assert!((found.average_precision.unwrap() - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
        assert_eq!(found.d_prime, d_prime(0.0, 0.5));
    }

    #[test]
    fn rates_are_at_the_threshold_and_ranks_at_none() {
        let (scores, labels) = ([0.1, 0.4, 0.6, 0.7, 0.9], [-1_i8, 1, -1, 1, 1]);
        let ranking = Ranking::of(&scores, &labels, &[Half::First; 5]).unwrap();
        for threshold in [0.0, 0.5, 0.65] {
            let decisions = scores.map(|score| if score >= threshold { 1.0 } else { -1.0 });
            let rates = error_rates(&decisions, &labels).unwrap();
            let found = ranking.discrimination_at(threshold, None).unwrap();
            let expected = rates
                .false_negative_rate()
                .zip(rates.false_positive_rate())
                .and_then(|(fnr, fpr)| d_prime(fnr, fpr));
            assert!((found.d_prime.unwrap() - expected.unwrap()).abs() < 1e-9, "{threshold}");
            assert_eq!(found.auroc, Some(5.0 / 6.0));
        }
    }

    #[test]
    fn zero_of_either_sign_is_one_score_and_positive() {
        let found = measure(&[-0.0, 0.0], &[1, -1], None);
        assert_eq!((found.auroc, found.d_prime), (Some(0.5), d_prime(0.0, 1.0)));
    }

    #[test]
    fn one_class_has_none() {
        let none = Discrimination::default();
        assert_eq!(measure(&[], &[], None), none);
        assert_eq!(measure(&[1.0, 2.0], &[1, 1], None), none);
        assert_eq!(measure(&[1.0, 2.0], &[-1, 0], None), none);
        assert_eq!(measure(&[1.0, 2.0], &[-1, 1], Some(&[1.0, 0.0])), none);
    }

    #[test]
    fn endless_scores_are_the_ends() {
        let found = measure(&[f32::INFINITY, 0.0, f32::NEG_INFINITY], &[1, -1, -1], None);
        assert_eq!((found.auroc, found.average_precision), (Some(1.0), Some(1.0)));
    }

    /// Few distinct scores, so that many are equal; labels; and how often each was drawn.
    fn samples() -> impl Strategy<Value = Vec<(i8, i8, u8)>> {
        prop::collection::vec((-4_i8..5, -1_i8..2, 0_u8..4), 1..40)
    }

    proptest! {
        #[test]
        fn an_increasing_map_changes_nothing(samples in samples()) {
            let labels: Vec<i8> = samples.iter().map(|sample| sample.1).collect();
            let scores: Vec<f32> = samples.iter().map(|sample| f32::from(sample.0)).collect();
            // Increasing, and 0 stays: d' too.
            let mapped: Vec<f32> = scores.iter().map(|score| score.powi(3) * 0.25 + score.signum() * score.abs()).collect();
            prop_assert_eq!(measure(&scores, &labels, None), measure(&mapped, &labels, None));
        }

        #[test]
        fn a_turned_score_ranks_the_other_way(samples in samples()) {
            let labels: Vec<i8> = samples.iter().map(|sample| sample.1).collect();
            let scores: Vec<f32> = samples.iter().map(|sample| f32::from(sample.0)).collect();
            let turned: Vec<f32> = scores.iter().map(|score| -score).collect();
            let (found, other) = (measure(&scores, &labels, None).auroc, measure(&turned, &labels, None).auroc);
            prop_assert_eq!(found.is_some(), other.is_some());
            if let (Some(found), Some(other)) = (found, other) {
                prop_assert!((found + other - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn a_weight_is_a_number_of_copies(samples in samples()) {
            let (mut scores, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
            let (mut copies, mut of_copies) = (Vec::new(), Vec::new());
            for (score, label, times) in samples {
                scores.push(f32::from(score));
                labels.push(label);
                weights.push(f64::from(times));
                copies.extend(std::iter::repeat_n(f32::from(score), times.into()));
                of_copies.extend(std::iter::repeat_n(label, times.into()));
            }
            let (found, expected) = (measure(&scores, &labels, Some(&weights)), measure(&copies, &of_copies, None));
            let pairs = [
                (found.auroc, expected.auroc),
                (found.average_precision, expected.average_precision),
                (found.d_prime, expected.d_prime),
            ];
            for (found, expected) in pairs {
                prop_assert_eq!(found.is_some(), expected.is_some());
                prop_assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12);
            }
            // And the sensitivity index is that of the crate's error rates.
            let rates = error_rates(&copies, &of_copies).unwrap();
            let rates = rates.false_negative_rate().zip(rates.false_positive_rate());
            let index = rates.and_then(|(fnr, fpr)| d_prime(fnr, fpr));
            prop_assert!((index.unwrap_or(0.0) - found.d_prime.unwrap_or(0.0)).abs() < 1e-9);
        }
    }
}
