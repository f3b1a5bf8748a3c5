//! An evaluated network at some images: a linear map from small changes of a layer to small changes of the logits.
//!
//! One forward pass keeps what decides that map: which values a ReLU lets through, and which a maximum takes. The backward passes of
//! many rows then share it: K rows for each image are one batch through the transposed layers, without another forward pass, without
//! gradients of weights, and without copies of the activations.

use candle_core::Tensor;

use super::layers;
use super::pass::Mode;
use super::residual::{KeptBlock, Residual};
use super::unit::{Unit, Visit};
use crate::Result;

/// The blocks between a layer and another one, at some images.
pub(crate) struct Linearisation<'a> {
    blocks: Vec<(&'a Residual, KeptBlock)>,
    /// `[N, h, w, C]`: the last one's result.
    result: Tensor,
}

impl<'a> Linearisation<'a> {
    /// At activations `[N, h, w, C]`, through these stages.
    pub(crate) fn new(stages: &'a [Vec<Residual>], activations: &Tensor) -> Result<Self> {
        let mut result = activations.clone();
        let mut blocks = Vec::new();
        for block in stages.iter().flatten() {
            let kept = block.keep(&result)?;
            result = kept.result().clone();
            blocks.push((block, kept));
        }
        Ok(Self { blocks, result })
    }

    /// `[N, h, w, C]`: the last block's result.
    pub(crate) fn result(&self) -> &Tensor {
        &self.result
    }

    /// Gradients by the activations, which count together, from gradients `[R, h, w, C]` by the result, likewise.
    pub(crate) fn gradients(&self, of_result: Tensor, visit: &mut Visit<'_>) -> Result<Vec<Tensor>> {
        let mut gradients = vec![of_result];
        for (block, kept) in self.blocks.iter().rev() {
            gradients = block.input_gradients(kept, &gradients, visit)?;
        }
        Ok(gradients)
    }
}

/// The layers before the first stage, at some images.
pub(crate) struct Stem<'a> {
    unit: &'a Unit,
    /// `[N, S, S, 3]`, `[N, h, w, C]`, and after the pooling, if there is one.
    input: Tensor,
    activated: Tensor,
    pooled: Option<Tensor>,
}

impl<'a> Stem<'a> {
    /// At normalised images `[N, S, S, 3]`.
    pub(crate) fn new(unit: &'a Unit, max_pool: bool, input: &Tensor) -> Result<Self> {
        let pass = Mode::Eval.into();
        let activated = unit.forward(input, None, true, pass)?;
        let pooled = max_pool.then(|| layers::stem_pool(&activated, pass)).transpose()?;
        Ok(Self {
            unit,
            input: input.clone(),
            activated,
            pooled,
        })
    }

    pub(crate) fn result(&self) -> &Tensor {
        self.pooled.as_ref().unwrap_or(&self.activated)
    }

    /// Gradients `[R, S, S, 3]` by the input, from those by the result, which count together.
    pub(crate) fn gradient(&self, of_result: &[Tensor], visit: &mut Visit<'_>) -> Result<Tensor> {
        let gradient = match &self.pooled {
            Some(pooled) => {
                let of_pooled = kernels::sum(of_result)?;
                let of_activated = layers::stem_pool_gradient(&self.activated, pooled, &of_pooled)?;
                kernels::relu_gradient(&self.activated, &[of_activated])?
            }
            None => kernels::relu_gradient(&self.activated, of_result)?,
        };
        visit(self.unit, &gradient)?;
        self.unit.input_gradient(&gradient, &self.input)
    }
}
