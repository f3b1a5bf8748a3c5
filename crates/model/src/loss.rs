//! Losses of binary classifiers with one weight per attribute and class.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{ClassWeights, Error, Result};

/// A loss of logits z against labels y in {-1, +1}.
///
/// Both are weighted means, (1/M) sum w(y) l(z, y), over the M annotated entries of a batch, M = N A when every label is
/// -1 or +1. A label 0 is "not annotated": it adds nothing to the sum and is not counted in M. The divisor is not the sum
/// of the weights, so smaller weights give a smaller loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// l = (z - y)^2: the paper's (Rudd et al. 2016).
    Euclidean,
    /// l = log(1 + exp(-y z)): binary cross-entropy of sigmoid(z).
    CrossEntropy,
}

impl Loss {
    /// Loss of a batch, a scalar >= 0.
    ///
    /// - `logits`: `[N, A]`
    /// - `labels`: `[N, A]`, -1, 0 or +1, on the device of the logits
    ///
    /// Value and gradient are finite for any finite logit for which z^2 (Euclidean) is.
    ///
    /// # Errors
    /// [`Error::Shape`] when logits, labels and weights do not belong together.
    pub fn forward(self, logits: &Tensor, labels: &Tensor, weights: &ClassWeights) -> Result<Tensor> {
        let shape = |what, found: &Tensor, expected| Error::Shape {
            what,
            found: found.dims().to_vec(),
            expected,
        };
        if logits.rank() != 2 || logits.dim(1)? != weights.len() {
            return Err(shape(
                "logits",
                logits,
                format!("[N, {}], one column per class weight", weights.len()),
            ));
        }
        if labels.dims() != logits.dims() {
            return Err(shape("labels", labels, format!("{:?} as the logits", logits.dims())));
        }
        let entry_weights = entry_weights(labels, weights)?;
        let terms = match self {
            Self::Euclidean => (logits - labels)?.sqr()?,
            Self::CrossEntropy => softplus_of_margin(logits, labels)?,
        };
        Ok((terms * entry_weights)?.sum_all()?)
    }
}

/// w(y) / M of every entry, 0 for the label 0.
fn entry_weights(labels: &Tensor, weights: &ClassWeights) -> Result<Tensor> {
    let attributes = weights.len();
    let row = |values: &[f32]| Tensor::from_slice(values, (1, attributes), labels.device());
    let positive = labels.relu()?.broadcast_mul(&row(&weights.positive)?)?;
    let negative = labels.neg()?.relu()?.broadcast_mul(&row(&weights.negative)?)?;
    let annotated = labels.abs()?.sum_all()?.maximum(1.0_f32)?;
    Ok((positive + negative)?.broadcast_div(&annotated)?)
}

/// log(1 + exp(-m)) of the margin m = y z, as max(-m, 0) + log(1 + exp(-|m|)), which overflows for no m.
///
/// The gradient, -y sigmoid(-m), is given in closed form: that of the stable form's parts is wrong at z = 0, where neither
/// part has one.
fn softplus_of_margin(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let z = logits.detach();
    let against = (labels * &z)?.neg()?;
    let value = (against.relu()? + (against.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    let gradient = (candle_nn::ops::sigmoid(&against)? * labels.neg()?)?;
    // Adds an exact 0 whose derivative is `gradient`.
    Ok((value + (gradient * (logits - z)?)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use candle_core::{Device, Var};

    /// Loss and gradient for one row of logits.
    fn evaluate(loss: Loss, logits: &[f32], labels: &[f32], weights: &ClassWeights) -> (f32, Vec<f32>) {
        let logits = Var::from_slice(logits, (1, logits.len()), &Device::Cpu).unwrap();
        let labels = Tensor::from_slice(labels, (1, labels.len()), &Device::Cpu).unwrap();
        let value = loss.forward(&logits, &labels, weights).unwrap();
        let gradient = value.backward().unwrap().get(&logits).unwrap().flatten_all().unwrap();
        (value.to_scalar().unwrap(), gradient.to_vec1().unwrap())
    }

    #[test]
    fn euclidean_by_hand() {
        let weights = ClassWeights {
            positive: vec![1.0, 0.5],
            negative: vec![0.25, 1.0],
        };
        let (value, gradient) = evaluate(Loss::Euclidean, &[3.0, -2.0], &[1.0, -1.0], &weights);
        assert_eq!(value, (4.0 + 1.0) / 2.0);
        assert_eq!(gradient, [2.0, -1.0]);
        let (value, gradient) = evaluate(Loss::Euclidean, &[3.0, -2.0], &[-1.0, 1.0], &weights);
        assert_eq!(value, (0.25 * 16.0 + 0.5 * 9.0) / 2.0);
        assert_eq!(gradient, [0.25 * 4.0, 0.5 * -3.0]);
    }

    #[test]
    fn cross_entropy_by_hand() {
        let (value, gradient) = evaluate(Loss::CrossEntropy, &[0.0, 2.0], &[1.0, -1.0], &ClassWeights::uniform(2));
        assert_relative_eq!(
            value,
            (2.0_f32.ln() + 2.0 + (-2.0_f32).exp().ln_1p()) / 2.0,
            epsilon = 1e-6
        );
        assert_relative_eq!(gradient[0], -0.25, epsilon = 1e-7);
        assert_relative_eq!(gradient[1], 0.5 / (1.0 + (-2.0_f32).exp()), epsilon = 1e-7);
    }

    #[test]
    fn large_logits_stay_finite_and_correct() {
        for magnitude in [17.0, 100.0, 1e4, 1e18] {
            let logits = [magnitude, -magnitude, magnitude, -magnitude];
            let labels = [1.0, -1.0, -1.0, 1.0];
            let (value, gradient) = evaluate(Loss::CrossEntropy, &logits, &labels, &ClassWeights::uniform(4));
            assert_relative_eq!(value, magnitude / 2.0, max_relative = 1e-6);
            for (found, expected) in gradient.iter().zip([0.0, 0.0, 0.25, -0.25]) {
                assert_relative_eq!(*found, expected, epsilon = 1e-7);
            }
        }
        let (value, gradient) = evaluate(
            Loss::Euclidean,
            &[100.0, -1e18],
            &[1.0, -1.0],
            &ClassWeights::uniform(2),
        );
        assert!(value.is_finite() && gradient.iter().all(|g| g.is_finite()));
    }

    #[test]
    fn unannotated_entries_take_no_part() {
        for loss in [Loss::Euclidean, Loss::CrossEntropy] {
            let (whole, whole_gradient) = evaluate(loss, &[0.5], &[-1.0], &ClassWeights::uniform(1));
            let (part, gradient) = evaluate(loss, &[0.5, 7.0], &[-1.0, 0.0], &ClassWeights::uniform(2));
            assert_eq!(part, whole);
            assert_eq!(gradient, [whole_gradient[0], 0.0]);
            let (none, gradient) = evaluate(loss, &[0.5, 7.0], &[0.0, 0.0], &ClassWeights::uniform(2));
            assert_eq!((none, gradient), (0.0, vec![0.0, 0.0]));
        }
    }

    #[test]
    fn shapes_are_checked() {
        let logits = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let labels = logits.narrow(0, 0, 1).unwrap();
        let message = Loss::Euclidean
            .forward(&logits, &labels, &ClassWeights::uniform(3))
            .unwrap_err()
            .to_string();
        assert_eq!(message, "labels: shape [1, 3], expected [2, 3] as the logits");
        let message = Loss::Euclidean
            .forward(&logits, &logits, &ClassWeights::uniform(4))
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "logits: shape [2, 3], expected [N, 4], one column per class weight"
        );
    }
}
