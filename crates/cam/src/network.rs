//! [`model`]'s networks can be explained: the one place that knows them.

use candle_core::Tensor;
use model::{Mode, Network};

use crate::explainable::{BiasGradient, Decomposition, Explainable, Head, InputGradients, Layer, Objective, Output};
use crate::{Error, Result};

impl Explainable for Network {
    fn layers(&self) -> Vec<Layer> {
        let architecture = self.architecture();
        let stages = architecture.layers().into_iter().zip(&architecture.stages);
        let layer = |(name, stage): (String, &model::Stage)| Layer {
            name,
            channels: stage.width * architecture.block.expansion(),
        };
        stages.map(layer).collect()
    }

    fn outputs(&self) -> usize {
        Network::outputs(self)
    }

    fn forward(&self, images: &Tensor) -> Result<Output> {
        Ok(Network::forward(self, images, Mode::Eval)?.into())
    }

    fn activations(&self, images: &Tensor, layer: &str) -> Result<Tensor> {
        Ok(Network::activations(self, images, layer, Mode::Eval)?)
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor> {
        Ok(Network::forward_from(self, layer, activations, Mode::Eval)?.logits)
    }

    fn gradients(&self, layer: &str, activations: &Tensor, attributes: &[usize]) -> Result<Tensor> {
        Ok(Network::gradients(self, layer, activations, attributes)?)
    }

    fn normalise(&self, images: &Tensor) -> Result<Tensor> {
        Ok(Network::normalise(self, images)?)
    }

    fn input_gradients(&self, input: &Tensor, objective: Objective<'_>) -> Result<InputGradients> {
        let found = match objective {
            Objective::Logits(attributes) => self.logit_gradients(input, attributes)?,
            Objective::Cells { layer, cells } => self.cell_gradients(input, layer, cells)?,
        };
        Ok(InputGradients {
            values: found.values.to_vec1()?,
            gradients: found.gradients,
        })
    }

    fn decompose(&self, images: &Tensor, attributes: &[usize]) -> Result<Decomposition> {
        let parts = Network::decompose(self, images, attributes)?;
        let bias = |one: model::BiasGradient| BiasGradient {
            bias: one.bias,
            gradient: one.gradient,
        };
        Ok(Decomposition {
            input: parts.input,
            input_gradient: parts.input_gradient,
            biases: parts.biases.into_iter().map(bias).collect(),
        })
    }

    fn head(&self) -> Option<Head> {
        Some(Network::head(self).into())
    }
}

impl From<model::Output> for Output {
    fn from(output: model::Output) -> Self {
        Self {
            features: output.features,
            logits: output.logits,
        }
    }
}

impl From<&model::Output> for Output {
    fn from(output: &model::Output) -> Self {
        output.clone().into()
    }
}

impl From<model::Head> for Head {
    fn from(head: model::Head) -> Self {
        Self {
            weight: head.weight,
            bias: head.bias,
        }
    }
}

impl From<model::Error> for Error {
    fn from(error: model::Error) -> Self {
        Self::Network(Box::new(error))
    }
}
