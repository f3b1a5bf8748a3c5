//! Gradients of single logits inside an evaluated network, for explanations.
//!
//! All functions take several attributes at once: an image goes forward once, and the backward passes of its attributes are stacked in
//! a batch, one row for each (`linearisation.rs`).

use std::ops::Range;

use candle_core::{DType, Tensor};

use super::linearisation::Linearisation;
use super::resnet::channels_last;
use super::unit::Unit;
use crate::{Error, Mode, Network, Result};

/// Rows (an image and an attribute) of one backward pass: what bounds its memory.
const ROWS: usize = 64;

/// A batch norm's constant and what it does for the scores.
#[derive(Debug, Clone)]
pub struct BiasGradient {
    /// `[C]`: the shift b = beta - gamma mean / sqrt(variance + 1e-5) of y = scale x + b.
    pub bias: Tensor,
    /// `[N, K, h, w, C]`: gradient of the logits by y, before the residual's addition and the ReLU.
    pub gradient: Tensor,
}

/// What the logits of a piecewise linear network are made of: Srinivas & Fleuret 2019, *Full-Gradient Representation for
/// Neural Network Visualization*.
///
/// z = sum(x dz/dx) + sum over the batch norms of sum(b dz/dy) + the head's bias, exactly but for rounding.
#[derive(Debug, Clone)]
pub struct Decomposition {
    /// `[N, K]`: the chosen logits z.
    pub logits: Tensor,
    /// `[N, 3, S, S]`: the input x, after the fixed normalisation if the network has one.
    pub input: Tensor,
    /// `[N, K, 3, S, S]`: gradient of the logits by x.
    pub input_gradient: Tensor,
    /// Every batch norm, in the order of computation.
    pub biases: Vec<BiasGradient>,
}

impl Network {
    /// Gradients of the logits of `attributes` by activations `[N, C, h, w]` of a stage: `[N, K, C, h, w]`, a view of
    /// channels-last memory.
    ///
    /// Costs one forward and K backward passes of the stages behind `layer` per image, at most 64 backward ones in one batch. The
    /// result is as large as it says: give few images at a time.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`], [`Error::Setting`] for an attribute that the network does not have.
    pub fn gradients(&self, layer: &str, activations: &Tensor, attributes: &[usize]) -> Result<Tensor> {
        self.check_attributes(attributes)?;
        let behind = self.stage_index(layer)? + 1..self.stage_count();
        let (images, channels, height, width) = activations.dims4()?;
        let shape = (images, attributes.len(), height, width, channels);
        if images == 0 || attributes.is_empty() {
            return Ok(Tensor::zeros(shape, DType::F32, self.device())?.permute((0, 1, 4, 2, 3))?);
        }
        // Channels last, as the layers want them.
        let activations = channels_last(&activations.detach())?;
        let gradients = self.inside_pool(|| {
            let mut gradients = Vec::new();
            for images in chunks_of(images, attributes) {
                let some = activations.narrow(0, images.start, images.len())?;
                let at = self.stages_at(behind.clone(), &some)?;
                for attributes in attributes.chunks(ROWS) {
                    let of_result = self.seeds(&at, images.len(), attributes)?;
                    let parts = at.gradients(of_result, &mut |_, _| Ok(()))?;
                    gradients.push(kernels::sum(&parts)?);
                }
            }
            Ok(gradients)
        })?;
        Ok(joined(&gradients)?.reshape(shape)?.permute((0, 1, 4, 2, 3))?)
    }

    /// What the logits of `attributes` are made of, for images `[N, 3, S, S]`.
    ///
    /// Costs N forward and N K backward passes, at most 64 backward ones in one batch; the result holds the gradients at every batch
    /// norm, so give few images at a time.
    ///
    /// # Errors
    /// [`Error::Setting`] for no image, no attribute, or an attribute that the network does not have; [`Error::Shape`] like
    /// [`Network::forward`].
    pub fn decompose(&self, images: &Tensor, attributes: &[usize]) -> Result<Decomposition> {
        self.check_attributes(attributes)?;
        let normalised = self.normalise(images)?.detach();
        let count = images.dims()[0];
        if attributes.is_empty() {
            return Err(Error::setting("attributes", "none", "at least one"));
        }
        let input = channels_last(&normalised)?;
        let (mut logits, mut of_input) = (Vec::new(), Vec::new());
        // Every batch norm's shift and the gradients of all chunks, against the order of computation.
        let mut of_biases: Vec<(Tensor, Vec<Tensor>)> = Vec::new();
        self.inside_pool(|| {
            for images in chunks_of(count, attributes) {
                let stem = self.stem_at(&input.narrow(0, images.start, images.len())?)?;
                let at = self.stages_at(0..self.stage_count(), stem.result())?;
                let all = self.run_head(at.result(), Mode::Eval)?.logits;
                for attributes in attributes.chunks(ROWS) {
                    let mut visited = 0;
                    let mut visit = |unit: &Unit, gradient: &Tensor| {
                        if of_biases.len() == visited {
                            of_biases.push((unit.shift()?, Vec::new()));
                        }
                        of_biases[visited].1.push(gradient.clone());
                        visited += 1;
                        Ok(())
                    };
                    logits.push(all.index_select(&self.index(attributes)?, 1)?.flatten_all()?);
                    let parts = at.gradients(self.seeds(&at, images.len(), attributes)?, &mut visit)?;
                    of_input.push(stem.gradient(&parts, &mut visit)?);
                }
            }
            Ok(())
        })?;
        let stacked = |parts: &[Tensor]| -> Result<Tensor> {
            let all = joined(parts)?;
            let shape = [&[count, attributes.len()], &all.dims()[1..]].concat();
            Ok(all.reshape(shape)?)
        };
        let biases = of_biases.iter().rev().map(|(bias, parts)| {
            Ok(BiasGradient {
                bias: bias.clone(),
                gradient: stacked(parts)?,
            })
        });
        Ok(Decomposition {
            logits: stacked(&logits)?,
            input: normalised,
            input_gradient: stacked(&of_input)?.permute((0, 1, 4, 2, 3))?,
            biases: biases.collect::<Result<_>>()?,
        })
    }

    /// Gradients of the attributes' logits by the last stage's result, a row for each image and attribute, attributes innermost.
    fn seeds(&self, at: &Linearisation<'_>, images: usize, attributes: &[usize]) -> Result<Tensor> {
        let rows = vec![attributes; images].concat();
        self.logit_gradients_by(at.result(), &rows)
    }

    /// Gradients of each row's logit by features `[N, h, w, C]`: `[R, h, w, C]`, for a head behind a mean the same at all positions.
    pub(crate) fn logit_gradients_by(&self, features: &Tensor, attributes: &[usize]) -> Result<Tensor> {
        let (_, height, width, channels) = features.dims4()?;
        let rows = attributes.len();
        let weights = self.head().weight.index_select(&self.index(attributes)?, 0)?;
        let each = (weights / (height * width) as f64)?.reshape((rows, 1, 1, channels))?;
        Ok(each.broadcast_as((rows, height, width, channels))?.contiguous()?)
    }

    /// Positions among the outputs, on the network's device.
    pub(crate) fn index(&self, attributes: &[usize]) -> Result<Tensor> {
        let attributes: Vec<u32> = attributes.iter().map(|&attribute| attribute as u32).collect();
        Ok(Tensor::new(attributes.as_slice(), self.device())?)
    }

    pub(crate) fn check_attributes(&self, attributes: &[usize]) -> Result<()> {
        match attributes.iter().find(|&&attribute| attribute >= self.outputs()) {
            Some(attribute) => Err(Error::setting(
                "attribute",
                attribute,
                format!("less than {}, the network's outputs", self.outputs()),
            )),
            None => Ok(()),
        }
    }
}

/// Images that go through the network together, so that their rows, one for each attribute, are about [`ROWS`].
fn chunks_of(images: usize, attributes: &[usize]) -> impl Iterator<Item = Range<usize>> {
    let each = (ROWS / attributes.len().max(1)).max(1);
    (0..images)
        .step_by(each)
        .map(move |start| start..(start + each).min(images))
}

fn joined(parts: &[Tensor]) -> Result<Tensor> {
    match parts {
        [one] => Ok(one.clone()),
        parts => Ok(Tensor::cat(parts, 0)?),
    }
}
