//! A training that has diverged: its loss, its gradients, its weights or its scores are no numbers any more.

use model::Network;

use crate::error::{Error, Result};

/// Where a training is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The classifier.
    pub name: &'a str,
    /// The epoch, from 1.
    pub epoch: usize,
    /// `training.learning_rate`.
    pub learning_rate: f64,
}

impl Place<'_> {
    /// The error of a training of which something is not finite.
    pub fn diverged(&self, what: &str) -> Error {
        let Self { name, epoch, .. } = self;
        Error::Request(format!(
            "classifiers.{name}: the training has diverged: {what} in epoch {epoch}, with training.learning_rate {}; nothing \
             of it is kept. Take a smaller learning rate, such as `--set training.learning_rate={}`",
            in_short(self.learning_rate),
            in_short(self.learning_rate / 10.0)
        ))
    }

    /// What the network's crate says of a step, in these words where it has diverged.
    pub fn explained(&self, error: Error) -> Error {
        match &error {
            Error::Model(model::Error::NonFiniteLoss { loss, step, .. }) => {
                self.diverged(&format!("the loss is {loss} at step {step}"))
            }
            Error::Model(model::Error::NonFiniteGradient { parameter, step, .. }) => {
                self.diverged(&format!("the gradient of {parameter} is not finite at step {step}"))
            }
            _ => error,
        }
    }

    /// Refuses scores that are no numbers.
    ///
    /// # Errors
    /// When one is infinite or not a number.
    pub fn check_scores(&self, scores: &[f32], of: &str) -> Result<()> {
        match scores.iter().find(|score| !score.is_finite()) {
            Some(score) => Err(self.diverged(&format!("a score of the {of} images is {score}, which is not finite,"))),
            None => Ok(()),
        }
    }

    /// Refuses weights that are no numbers.
    ///
    /// # Errors
    /// When one is infinite or not a number.
    pub fn check_weights(&self, network: &Network) -> Result<()> {
        let mut tensors: Vec<_> = network.named_tensors().into_iter().collect();
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, tensor) in tensors {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(self.diverged(&format!("a number of `{name}` is {value}, which is not finite,")));
            }
        }
        Ok(())
    }
}

/// A number as people write it: very large and very small ones with an exponent.
fn in_short(number: f64) -> String {
    match number.abs() {
        1e-4..1e6 => number.to_string(),
        _ => format!("{number:e}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{Device, Tensor};
    use model::Architecture;

    use super::*;

    const PLACE: Place<'_> = Place {
        name: "balanced",
        epoch: 3,
        learning_rate: 50.0,
    };

    fn says(message: &str) {
        for part in [
            "classifiers.balanced",
            "diverged",
            "epoch 3",
            "learning_rate 50;",
            "learning_rate=5`",
        ] {
            assert!(message.contains(part), "{message} should contain {part}");
        }
    }

    #[test]
    fn learning_rates_are_short() {
        assert_eq!([0.01, 1e300, 1e-7].map(in_short), ["0.01", "1e300", "1e-7"]);
    }

    #[test]
    fn whichever_way_it_shows_the_same_is_said() {
        let loss = model::Error::NonFiniteLoss {
            loss: f32::NAN,
            step: 7,
            learning_rate: 50.0,
        };
        says(&PLACE.explained(loss.into()).to_string());
        for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            says(
                &PLACE
                    .check_scores(&[0.0, score], "validation")
                    .expect_err("not finite")
                    .to_string(),
            );
        }
        PLACE.check_scores(&[0.0, f32::MAX], "validation").expect("finite");

        let mut architecture = Architecture::preset("resnet18").expect("a preset").with_width(2);
        architecture.stages.truncate(1);
        let network = Network::new(&architecture, 1, 1, &Device::Cpu).expect("a network");
        PLACE.check_weights(&network).expect("finite");
        let mut tensors: HashMap<String, Tensor> = network.named_tensors();
        let variance = Tensor::new(&[1.0_f32, f32::INFINITY], &Device::Cpu).expect("a tensor");
        tensors.insert("bn1.running_var".to_owned(), variance);
        let network = Network::from_tensors(&architecture, 1, tensors, &Device::Cpu).expect("a network");
        let message = PLACE.check_weights(&network).expect_err("infinite").to_string();
        says(&message);
        assert!(message.contains("`bn1.running_var`"), "{message}");
        let other = Error::Request("another".to_owned());
        assert_eq!(PLACE.explained(other).to_string(), "another");
    }
}
