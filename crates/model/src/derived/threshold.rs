//! Thresholds of decisions, moved without touching the network.
//!
//! A threshold t of an attribute makes its decision z >= t and its score z - t. That is the head's bias less t, so what has moved
//! thresholds is a network like any other ([`with_thresholds`]).

use candle_core::Tensor;

use crate::{ClassWeights, Error, Head, Loss, Result};

/// How thresholds are chosen on scores of images that were not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdRule {
    /// The least mean of both classes' errors.
    BalancedError,
    /// Errors of both classes as near to each other as they come.
    EqualRates,
}

/// The threshold of each attribute at which scores that were fitted with class weights `from` decide as scores fitted with `to` would at
/// 0, if both are calibrated: both follow the same posterior of the attribute.
///
/// With weights (w+, w-) the best score's odds q / (1 - q) are (w+ / w-) P / (1 - P) of the posterior P, where q = (z + 1) / 2 for
/// [`Loss::Euclidean`] and q = sigmoid(z) for [`Loss::CrossEntropy`]. The other weights decide positive where (v+ / v-) P / (1 - P) >= 1,
/// that is where q / (1 - q) >= r = (w+ v-) / (w- v+): t = (r - 1) / (r + 1), and t = log r. From weight 1 to balanced weights, r is
/// p / (1 - p) of the training share p of positives, so t = 2 p - 1 and t = log(p / (1 - p)): the post-hoc logit adjustment of Menon et
/// al. 2021 (*Long-tail learning via logit adjustment*, equation 9).
#[must_use]
pub fn prior_thresholds(loss: Loss, from: &ClassWeights, to: &ClassWeights) -> Vec<f64> {
    let ratio = |weights: &ClassWeights, attribute: usize| {
        f64::from(weights.positive[attribute]) / f64::from(weights.negative[attribute])
    };
    (0..from.len().min(to.len()))
        .map(|attribute| {
            let odds = ratio(from, attribute) / ratio(to, attribute);
            match loss {
                Loss::Euclidean => (odds - 1.0) / (odds + 1.0),
                Loss::CrossEntropy => odds.ln(),
            }
        })
        .collect()
}

/// The threshold of each attribute by a rule, from scores `[N, A]` and labels `[N, A]` of images: +1, -1, or 0 for "not annotated". It
/// lies half-way between two scores, of equally good ones nearest to 0.
///
/// # Errors
/// [`Error::OneClass`] for an attribute of which one class is missing; [`Error::Shape`] when scores and labels do not belong together;
/// [`Error::Setting`] when a score is not a number.
pub fn validation_thresholds(
    rule: ThresholdRule,
    scores: &[f32],
    labels: &[i8],
    attributes: usize,
) -> Result<Vec<f64>> {
    if scores.len() != labels.len() || attributes == 0 || !scores.len().is_multiple_of(attributes) {
        return Err(Error::Shape {
            what: "scores and labels",
            found: vec![scores.len(), labels.len()],
            expected: format!("[N x {attributes}] both"),
        });
    }
    let of = |attribute: usize| {
        let column = scores.iter().zip(labels).skip(attribute).step_by(attributes);
        let mut known: Vec<(f64, bool)> = Vec::new();
        for (row, (score, label)) in column.enumerate() {
            if score.is_nan() {
                return Err(Error::setting(format!("scores[{row}, {attribute}]"), score, "a number"));
            }
            if *label != 0 {
                known.push((f64::from(*score), *label > 0));
            }
        }
        threshold(rule, attribute, known)
    };
    (0..attributes).map(of).collect()
}

fn threshold(rule: ThresholdRule, attribute: usize, mut known: Vec<(f64, bool)>) -> Result<f64> {
    let positives = known.iter().filter(|(_, positive)| *positive).count();
    let negatives = known.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(Error::OneClass {
            attribute,
            positives,
            negatives,
        });
    }
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Below the threshold: all of it is decided negative.
    let (mut missed, mut rejected) = (0, 0);
    let mut best: Option<([f64; 3], f64)> = None;
    for place in 0..=known.len() {
        let at = match (place.checked_sub(1).map(|below| known[below].0), known.get(place)) {
            (None, Some(&(first, _))) => first,
            (Some(below), Some(&(above, _))) if above > below => below + (above - below) / 2.0,
            // Equal scores are decided alike.
            (Some(_), Some(_)) => f64::NAN,
            (Some(last), None) => f64::from((last as f32).next_up()),
            (None, None) => f64::NAN,
        };
        if !at.is_nan() {
            let (miss, alarm) = (
                f64::from(missed) / positives as f64,
                (negatives - rejected) as f64 / negatives as f64,
            );
            let (mean, gap) = ((miss + alarm) / 2.0, (miss - alarm).abs());
            let order = match rule {
                ThresholdRule::BalancedError => [mean, 0.0, at.abs()],
                ThresholdRule::EqualRates => [gap, mean, at.abs()],
            };
            if best.is_none_or(|(known, _)| order < known) {
                best = Some((order, at));
            }
        }
        match known.get(place) {
            Some((_, true)) => missed += 1,
            Some((_, false)) => rejected += 1,
            None => {}
        }
    }
    Ok(best.map_or(0.0, |(_, at)| at))
}

/// The head whose decisions are those of `head` with these thresholds, one an attribute: its biases less them.
///
/// # Errors
/// [`Error::Shape`] for another number of thresholds than outputs.
pub fn with_thresholds(head: &Head, thresholds: &[f64]) -> Result<Head> {
    let biases = head.bias.to_vec1::<f32>()?;
    if biases.len() != thresholds.len() {
        return Err(Error::Shape {
            what: "thresholds",
            found: vec![thresholds.len()],
            expected: format!("[{}], one an attribute", biases.len()),
        });
    }
    let moved: Vec<f32> = biases
        .iter()
        .zip(thresholds)
        .map(|(bias, threshold)| (f64::from(*bias) - threshold) as f32)
        .collect();
    Ok(Head {
        weight: head.weight.clone(),
        bias: Tensor::from_vec(moved, biases.len(), head.bias.device())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scheme, Weighting};
    use approx::assert_relative_eq;
    use candle_core::Device;
    use proptest::prelude::*;

    /// The formulas of Menon et al., and back again.
    #[test]
    fn to_balanced_weights_it_is_the_logit_adjustment() {
        let counts = [(250, 750), (500, 500), (900, 100)];
        let (plain, balanced) = (
            ClassWeights::new(Scheme::None, &counts).unwrap(),
            ClassWeights::new(Scheme::DomainAdaptive, &counts).unwrap(),
        );
        let there = prior_thresholds(Loss::Euclidean, &plain, &balanced);
        let back = prior_thresholds(Loss::Euclidean, &balanced, &plain);
        let logits = prior_thresholds(Loss::CrossEntropy, &plain, &balanced);
        for (attribute, (positives, negatives)) in counts.into_iter().enumerate() {
            let (positives, negatives): (usize, usize) = (positives, negatives);
            let p = positives as f64 / (positives + negatives) as f64;
            assert_relative_eq!(there[attribute], 2.0 * p - 1.0, epsilon = 1e-7);
            assert_relative_eq!(back[attribute], 1.0 - 2.0 * p, epsilon = 1e-7);
            assert_relative_eq!(logits[attribute], (p / (1.0 - p)).ln(), epsilon = 1e-7);
        }
        assert_eq!(there[1], 0.0, "exactly: the derived classifier is its source");
        let half = Weighting {
            exponent: 0.5,
            ..Scheme::InverseFrequency.into()
        };
        let half = ClassWeights::new(half, &counts).unwrap();
        let logits = prior_thresholds(Loss::CrossEntropy, &plain, &half);
        assert_relative_eq!(logits[0], 0.5 * (1.0_f64 / 3.0).ln(), epsilon = 1e-6);
    }

    /// A balanced classifier's best score, from that of one without weights: the moved threshold makes the same decisions.
    #[test]
    fn it_decides_as_the_other_weights_would() {
        let counts = [(200, 1800)];
        let (plain, balanced) = (
            ClassWeights::new(Scheme::None, &counts).unwrap(),
            ClassWeights::new(Scheme::DomainAdaptive, &counts).unwrap(),
        );
        let t = prior_thresholds(Loss::Euclidean, &plain, &balanced)[0];
        for percent in 1..100 {
            let posterior = f64::from(percent) / 100.0 + 0.001;
            let (positive, negative) = (f64::from(balanced.positive[0]), f64::from(balanced.negative[0]));
            // The minimum of w+ P (z - 1)^2 + w- (1 - P) (z + 1)^2.
            let weighted = [positive * posterior, negative * (1.0 - posterior)];
            let best = (weighted[0] - weighted[1]) / (weighted[0] + weighted[1]);
            assert_eq!(2.0 * posterior - 1.0 >= t, best >= 0.0, "{posterior}");
        }
    }

    #[test]
    fn by_hand() {
        let scores = [-0.9_f32, -0.6, -0.5, -0.5, 0.1, 0.4];
        let labels = [-1_i8, -1, 1, -1, 1, 0];
        // At -0.2: 1 of 2 positives missed, no false alarm of 3. At -0.55: none missed, 1 of 3: the better.
        let found = validation_thresholds(ThresholdRule::BalancedError, &scores, &labels, 1).unwrap();
        assert_relative_eq!(found[0], -0.55, epsilon = 1e-7);
        // |FNR - FPR|: 1/3 at -0.55, 1/2 at -0.2.
        let found = validation_thresholds(ThresholdRule::EqualRates, &scores, &labels, 1).unwrap();
        assert_relative_eq!(found[0], -0.55, epsilon = 1e-7);
        let error = validation_thresholds(ThresholdRule::EqualRates, &[0.1, 0.2], &[1, 0], 1).unwrap_err();
        assert!(
            matches!(
                error,
                Error::OneClass {
                    attribute: 0,
                    positives: 1,
                    negatives: 0
                }
            ),
            "{error}"
        );
        let error = validation_thresholds(ThresholdRule::EqualRates, &[0.1, f32::NAN], &[1, -1], 1).unwrap_err();
        assert_eq!(error.to_string(), "scores[1, 0]: NaN, expected a number");
        assert!(validation_thresholds(ThresholdRule::EqualRates, &[0.1], &[1, 1], 2).is_err());
    }

    proptest! {
        /// Against every threshold that there is.
        #[test]
        fn no_threshold_is_better(rows in prop::collection::vec((-8_i8..8, any::<bool>()), 2..40)) {
            let positives = rows.iter().filter(|(_, positive)| *positive).count();
            prop_assume!(positives > 0 && positives < rows.len());
            let scores: Vec<f32> = rows.iter().map(|(score, _)| f32::from(*score) / 4.0).collect();
            let labels: Vec<i8> = rows.iter().map(|(_, positive)| if *positive { 1 } else { -1 }).collect();
            let errors = |t: f64| {
                let wrong = |sign: i8| {
                    let of_class = || scores.iter().zip(&labels).filter(move |(_, label)| **label == sign);
                    let wrong = of_class().filter(|(score, _)| (f64::from(**score) >= t) != (sign > 0)).count();
                    wrong as f64 / of_class().count() as f64
                };
                (wrong(1), wrong(-1))
            };
            let all = || (-40..=40).map(|step| f64::from(step) / 16.0 + 0.01);
            let t = validation_thresholds(ThresholdRule::BalancedError, &scores, &labels, 1).unwrap()[0];
            let mean = |t: f64| { let (a, b) = errors(t); (a + b) / 2.0 };
            prop_assert!(all().all(|other| mean(t) <= mean(other) + 1e-12));
            let t = validation_thresholds(ThresholdRule::EqualRates, &scores, &labels, 1).unwrap()[0];
            let gap = |t: f64| { let (a, b) = errors(t); (a - b).abs() };
            prop_assert!(all().all(|other| gap(t) <= gap(other) + 1e-12));
        }
    }

    #[test]
    fn biases_take_the_thresholds() {
        let head = Head {
            weight: Tensor::new(&[[1.0_f32], [2.0]], &Device::Cpu).unwrap(),
            bias: Tensor::new(&[0.1_f32, 0.2], &Device::Cpu).unwrap(),
        };
        let moved = with_thresholds(&head, &[0.0, -0.5]).unwrap();
        assert_eq!(moved.bias.to_vec1::<f32>().unwrap(), [0.1, 0.7]);
        assert!(with_thresholds(&head, &[0.0]).is_err());
    }
}
