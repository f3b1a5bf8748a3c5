//! Gradients of single logits inside an evaluated network, for explanations.
//!
//! All functions take several attributes at once: their backward passes are stacked in the batch, one row for each image
//! and attribute, so that the number of passes does not depend on the number of attributes.

use candle_core::{DType, Tensor, Var};

use super::pass::{Pass, Probe};
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
    /// Costs K forward and K backward passes of the stages behind `layer` per image, at most 64 in one batch. The result is
    /// as large as it says: give few images at a time.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`], [`Error::Setting`] for an attribute that the network does not have.
    pub fn gradients(&self, layer: &str, activations: &Tensor, attributes: &[usize]) -> Result<Tensor> {
        self.check_attributes(attributes)?;
        let (images, channels, height, width) = activations.dims4()?;
        // Channels last, as the layers want them.
        let activations = activations.detach().permute((0, 2, 3, 1))?.contiguous()?;
        let rows = rows(images, attributes);
        let mut gradients = Vec::new();
        for rows in rows.chunks(ROWS) {
            let input = Var::from_tensor(&take_images(&activations, rows)?)?;
            let output = self.forward_from(layer, &input.permute((0, 3, 1, 2))?, Mode::Eval)?;
            let store = self.chosen(&output.logits, rows)?.sum_all()?.backward()?;
            gradients.push(gradient_of(&store, &input)?);
        }
        if gradients.is_empty() {
            return Ok(Tensor::zeros(
                (images, attributes.len(), channels, height, width),
                DType::F32,
                self.device(),
            )?);
        }
        let gradients = Tensor::cat(&gradients, 0)?.reshape((images, attributes.len(), height, width, channels))?;
        Ok(gradients.permute((0, 1, 4, 2, 3))?)
    }

    /// What the logits of `attributes` are made of, for images `[N, 3, S, S]`.
    ///
    /// Costs N K forward and backward passes, at most 64 in one batch; the result holds the gradients at every batch norm, so
    /// give few images at a time.
    ///
    /// # Errors
    /// [`Error::Setting`] for no image, no attribute, or an attribute that the network does not have; [`Error::Shape`] like
    /// [`Network::forward`].
    pub fn decompose(&self, images: &Tensor, attributes: &[usize]) -> Result<Decomposition> {
        self.check_attributes(attributes)?;
        let input = self.normalise(images)?.detach();
        let count = images.dims()[0];
        let rows = rows(count, attributes);
        if rows.is_empty() {
            return Err(Error::setting("attributes", "none", "at least one, and an image"));
        }
        let mut logits = Vec::new();
        let mut of_input = Vec::new();
        let mut of_biases: Vec<(Tensor, Vec<Tensor>)> = Vec::new();
        for rows in rows.chunks(ROWS) {
            let probe = Probe::default();
            let pass = Pass {
                mode: Mode::Eval,
                tape: None,
                probe: Some(&probe),
            };
            let x = Var::from_tensor(&take_images(&input, rows)?)?;
            let features = self.run_normalised(&x, pass)?;
            let chosen = self.chosen(&self.run_head(&features, Mode::Eval)?.logits, rows)?;
            let store = chosen.sum_all()?.backward()?;
            logits.push(chosen.detach());
            of_input.push(gradient_of(&store, &x)?);
            for (i, (bias, zeros)) in probe.into_found().into_iter().enumerate() {
                if of_biases.len() == i {
                    of_biases.push((bias, Vec::new()));
                }
                of_biases[i].1.push(gradient_of(&store, &zeros)?);
            }
        }
        let stacked = |parts: &[Tensor]| -> Result<Tensor> {
            let all = Tensor::cat(parts, 0)?;
            let shape = [&[count, attributes.len()], &all.dims()[1..]].concat();
            Ok(all.reshape(shape)?)
        };
        let biases = of_biases.iter().map(|(bias, parts)| {
            Ok(BiasGradient {
                bias: bias.clone(),
                gradient: stacked(parts)?,
            })
        });
        Ok(Decomposition {
            logits: stacked(&logits)?,
            input: input.permute((0, 3, 1, 2))?,
            input_gradient: stacked(&of_input)?.permute((0, 1, 4, 2, 3))?,
            biases: biases.collect::<Result<_>>()?,
        })
    }

    fn check_attributes(&self, attributes: &[usize]) -> Result<()> {
        match attributes.iter().find(|&&attribute| attribute >= self.outputs()) {
            Some(attribute) => Err(Error::setting(
                "attribute",
                attribute,
                format!("less than {}, the network's outputs", self.outputs()),
            )),
            None => Ok(()),
        }
    }

    /// The logit of each row's attribute, `[R]`.
    fn chosen(&self, logits: &Tensor, rows: &[(usize, usize)]) -> Result<Tensor> {
        let attributes: Vec<u32> = rows.iter().map(|(_, attribute)| *attribute as u32).collect();
        let index = Tensor::from_vec(attributes, (rows.len(), 1), logits.device())?;
        Ok(logits.gather(&index, 1)?.squeeze(1)?)
    }
}

/// Image and attribute of every row, attributes innermost.
fn rows(images: usize, attributes: &[usize]) -> Vec<(usize, usize)> {
    let per_image = |image| attributes.iter().map(move |&attribute| (image, attribute));
    (0..images).flat_map(per_image).collect()
}

fn take_images(x: &Tensor, rows: &[(usize, usize)]) -> Result<Tensor> {
    let images: Vec<u32> = rows.iter().map(|(image, _)| *image as u32).collect();
    let index = Tensor::new(images.as_slice(), x.device())?;
    Ok(x.index_select(&index, 0)?)
}

fn gradient_of(store: &candle_core::backprop::GradStore, x: &Var) -> Result<Tensor> {
    // A variable that the logits do not depend on has no gradient in candle's store.
    match store.get(x) {
        Some(gradient) => Ok(gradient.contiguous()?.detach()),
        None => Ok(x.zeros_like()?.detach()),
    }
}
