//! A head fitted again to frozen features.

use candle_core::{Device, Tensor};
use nalgebra::DVector;
use rayon::prelude::*;

use super::features::FrozenFeatures;
use super::least_squares::{self, Normal};
use super::logistic::Logistic;
use crate::{ClassWeights, Error, Head, Loss, Result};

/// The norm of the gradient, by an attribute's weights and bias, of its mean weighted loss, to which [`Loss::CrossEntropy`] is minimised.
pub const GRADIENT_NORM: f64 = 1e-6;

/// A head that was fitted to features.
#[derive(Debug)]
pub struct Refitted {
    /// Its weights and biases, in float32.
    pub head: Head,
    /// The largest norm, over attributes, of the gradient of the mean weighted loss where the fit ended, in float64: at most
    /// [`GRADIENT_NORM`] unless the classes of an attribute can be told apart without an error, for which no loss is the least.
    pub gradient_norm: f64,
}

/// The head whose weighted loss on these images is the least: exactly for [`Loss::Euclidean`], by the normal equations (with a ridge of
/// 1e-10 of their mean diagonal, undone by refinement, which decides between heads that are equally good), and to [`GRADIENT_NORM`] for
/// [`Loss::CrossEntropy`]. Computed in float64, each attribute by itself; the loss's other attributes and its scale play no part.
///
/// Retraining the last layer alone is Kang et al. 2020's classifier retraining (*Decoupling Representation and Classifier for
/// Long-Tailed Recognition*) and Kirichenko et al. 2023's last layer retraining.
///
/// # Errors
/// [`Error::OneClass`] for an attribute of which one class is missing; [`Error::Setting`] when weights are not positive numbers.
pub fn refit_head(loss: Loss, data: &FrozenFeatures<'_>, weights: &ClassWeights) -> Result<Refitted> {
    if weights.len() != data.attributes() {
        return Err(Error::setting(
            "class weights",
            weights.len(),
            data.attributes().to_string(),
        ));
    }
    let gram = data.gram_of_all();
    let fit = |attribute: usize| -> Result<(DVector<f64>, f64)> {
        let (positives, negatives) = data.counts(attribute);
        if positives == 0 || negatives == 0 {
            return Err(Error::OneClass {
                attribute,
                positives,
                negatives,
            });
        }
        let normal = Normal::new(data.weighted_gram(attribute, weights, &gram)).ok_or_else(|| {
            let pair = [weights.positive[attribute], weights.negative[attribute]];
            Error::setting("class weights", format!("{pair:?}"), "positive numbers")
        })?;
        Ok(match loss {
            Loss::Euclidean => {
                let theta = least_squares::fit(data, attribute, weights, &normal);
                let norm = least_squares_gradient(data, attribute, weights, &theta).norm();
                (theta, norm)
            }
            Loss::CrossEntropy => {
                let problem = Logistic {
                    data,
                    attribute,
                    weights,
                };
                let theta = problem.fit(&normal, GRADIENT_NORM);
                let norm = problem.evaluate(&theta).1.norm();
                (theta, norm)
            }
        })
    };
    let fitted: Vec<(DVector<f64>, f64)> = (0..data.attributes()).into_par_iter().map(fit).collect::<Result<_>>()?;
    let channels = data.channels();
    let weight = fitted
        .iter()
        .flat_map(|(theta, _)| theta.iter().take(channels).map(|value| *value as f32));
    let bias = fitted.iter().map(|(theta, _)| theta[channels] as f32);
    Ok(Refitted {
        head: Head {
            weight: Tensor::from_iter(weight, &Device::Cpu)?.reshape((data.attributes(), channels))?,
            bias: Tensor::from_iter(bias, &Device::Cpu)?,
        },
        gradient_norm: fitted.iter().map(|(_, norm)| *norm).fold(0.0, f64::max),
    })
}

/// Gradient of the mean over annotated images of w(y) (theta x - y)^2.
fn least_squares_gradient(
    data: &FrozenFeatures<'_>,
    attribute: usize,
    weights: &ClassWeights,
    theta: &DVector<f64>,
) -> DVector<f64> {
    let mut gradient = DVector::zeros(theta.len());
    let mut annotated = 0_usize;
    for image in 0..data.images() {
        let (y, weight) = match data.label(image, attribute) {
            1 => (1.0, weights.positive[attribute]),
            -1 => (-1.0, weights.negative[attribute]),
            _ => continue,
        };
        annotated += 1;
        let features = data.of(image);
        let error = least_squares::score(theta, features) - y;
        least_squares::add(&mut gradient, features, 2.0 * f64::from(weight) * error);
    }
    gradient / annotated.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const CHANNELS: usize = 5;
    const IMAGES: usize = 400;

    /// Overlapping classes, of which the first attribute's positives are rare; the last channel is always 0, as a dead one.
    fn sample() -> (Vec<f32>, Vec<i8>) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for image in 0..IMAGES {
            let x: Vec<f32> = (0..CHANNELS).map(|_| rng.random_range(0.0..2.0)).collect();
            let noise: [f32; 2] = [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)];
            let first = x[0] + x[1] - 3.0 + noise[0] > 0.0;
            let second = x[2] - x[3] + noise[1] > 0.0;
            features.extend(x[..CHANNELS - 1].iter().copied().chain([0.0]));
            labels.push(if first { 1 } else { -1 });
            labels.push(match (image % 10, second) {
                (0, _) => 0,
                (_, true) => 1,
                (_, false) => -1,
            });
        }
        (features, labels)
    }

    fn weights(data: &FrozenFeatures<'_>, scheme: Scheme) -> ClassWeights {
        let counts: Vec<_> = (0..2).map(|attribute| data.counts(attribute)).collect();
        ClassWeights::new(scheme, &counts).unwrap()
    }

    /// The loss of a head over each attribute, by the loss's own definition in float32.
    fn loss_of(loss: Loss, head: &Head, features: &[f32], labels: &[i8], weights: &ClassWeights) -> f32 {
        let features = Tensor::from_slice(features, (IMAGES, CHANNELS), &Device::Cpu).unwrap();
        let logits = features.matmul(&head.weight.t().unwrap()).unwrap();
        let logits = logits.broadcast_add(&head.bias).unwrap();
        let labels: Vec<f32> = labels.iter().map(|label| f32::from(*label)).collect();
        let labels = Tensor::from_vec(labels, (IMAGES, 2), &Device::Cpu).unwrap();
        loss.forward(&logits, &labels, weights).unwrap().to_scalar().unwrap()
    }

    /// Gradient descent on the loss of training, by candle, ends in the same head: 1e-3 of weights near 1, after 20,000 steps in
    /// float32.
    #[test]
    fn gradient_descent_ends_in_the_same_head() {
        let (features, labels) = sample();
        let data = FrozenFeatures::new(&features, &labels, CHANNELS, 2).unwrap();
        for (loss, rate) in [(Loss::Euclidean, 0.2), (Loss::CrossEntropy, 2.0)] {
            for scheme in [Scheme::None, Scheme::DomainAdaptive] {
                let weights = weights(&data, scheme);
                let found = refit_head(loss, &data, &weights).unwrap();
                assert!(found.gradient_norm <= GRADIENT_NORM, "{}", found.gradient_norm);
                let x = Tensor::from_slice(&features, (IMAGES, CHANNELS), &Device::Cpu).unwrap();
                let y: Vec<f32> = labels.iter().map(|label| f32::from(*label)).collect();
                let y = Tensor::from_vec(y, (IMAGES, 2), &Device::Cpu).unwrap();
                let zeros =
                    |shape: &[usize]| candle_core::Var::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
                let (w, b) = (zeros(&[2, CHANNELS]), zeros(&[2]));
                for _ in 0..20_000 {
                    let logits = x.matmul(&w.t().unwrap()).unwrap().broadcast_add(&b).unwrap();
                    let store = loss.forward(&logits, &y, &weights).unwrap().backward().unwrap();
                    for var in [&w, &b] {
                        let step = (store.get(var).unwrap() * rate).unwrap();
                        var.set(&(var.as_tensor() - step).unwrap()).unwrap();
                    }
                }
                let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                let pairs = flat(&found.head.weight).into_iter().zip(flat(&w));
                for (place, (found, descended)) in pairs.enumerate() {
                    // A channel that is always 0 has no best weight.
                    if place % CHANNELS < CHANNELS - 1 {
                        assert!(
                            (found - descended).abs() < 1e-3,
                            "{loss:?} {scheme:?}: {found} {descended}"
                        );
                    }
                }
                for (found, descended) in flat(&found.head.bias).into_iter().zip(flat(&b)) {
                    assert!(
                        (found - descended).abs() < 2e-3,
                        "{loss:?} {scheme:?}: {found} {descended}"
                    );
                }
            }
        }
    }

    /// The least loss is less than that of any head near it, and each scheme's head is the best for its own weights.
    #[test]
    fn no_head_near_it_is_better() {
        let (features, labels) = sample();
        let data = FrozenFeatures::new(&features, &labels, CHANNELS, 2).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for loss in [Loss::Euclidean, Loss::CrossEntropy] {
            let of = |scheme| {
                let weights = weights(&data, scheme);
                let head = refit_head(loss, &data, &weights).unwrap().head;
                (head, weights)
            };
            let (plain, balanced) = (of(Scheme::None), of(Scheme::DomainAdaptive));
            let value = |head: &Head, weights| loss_of(loss, head, &features, &labels, weights);
            assert!(value(&plain.0, &plain.1) < value(&balanced.0, &plain.1));
            assert!(value(&balanced.0, &balanced.1) < value(&plain.0, &balanced.1));
            let least = value(&balanced.0, &balanced.1);
            for _ in 0..50 {
                let noise: Vec<f32> = (0..2 * CHANNELS).map(|_| rng.random_range(-0.1..0.1)).collect();
                let noise = Tensor::from_vec(noise, (2, CHANNELS), &Device::Cpu).unwrap();
                let moved = Head {
                    weight: (&balanced.0.weight + noise).unwrap(),
                    bias: balanced.0.bias.clone(),
                };
                assert!(value(&moved, &balanced.1) > least);
            }
        }
    }

    #[test]
    fn classes_that_are_told_apart_without_error_end_too() {
        let features: Vec<f32> = (0..40)
            .map(|i| if i < 20 { i as f32 } else { 100.0 + i as f32 })
            .collect();
        let labels: Vec<i8> = (0..40).map(|i| if i < 20 { -1 } else { 1 }).collect();
        let data = FrozenFeatures::new(&features, &labels, 1, 1).unwrap();
        let found = refit_head(Loss::CrossEntropy, &data, &ClassWeights::uniform(1)).unwrap();
        let (w, b) = (
            found.head.weight.flatten_all().unwrap().to_vec1::<f32>().unwrap()[0],
            found.head.bias.to_vec1::<f32>().unwrap()[0],
        );
        assert!(w.is_finite() && b.is_finite());
        assert!(
            features
                .iter()
                .zip(&labels)
                .all(|(x, y)| (w * x + b) * f32::from(*y) > 0.0)
        );
    }

    #[test]
    fn an_attribute_of_one_class_is_refused() {
        let data = FrozenFeatures::new(&[1.0, 2.0], &[1, 0], 1, 1).unwrap();
        let error = refit_head(Loss::Euclidean, &data, &ClassWeights::uniform(1)).unwrap_err();
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
    }
}
