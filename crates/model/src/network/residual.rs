//! Residual blocks.

use candle_core::Tensor;

use super::parameters::Parameters;
use super::pass::{Mode, Pass};
use super::unit::{Unit, Visit};
use crate::Result;
use crate::architecture::{Block, Stage};

/// A residual block: convolutions with batch norm, and the way around them.
#[derive(Debug)]
pub(crate) struct Residual {
    layers: Vec<Unit>,
    downsample: Option<Unit>,
}

impl Residual {
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        block: Block,
        stage: &Stage,
        first: bool,
        inputs: usize,
    ) -> Result<Self> {
        let (width, outputs) = (stage.width, stage.width * block.expansion());
        let (stride, kernel) = if first {
            (stage.stride, stage.entry_kernel.unwrap_or(stage.kernel))
        } else {
            (1, stage.kernel)
        };
        // Inputs, outputs, kernel and stride of each convolution.
        let convolutions = match block {
            Block::Basic => vec![([inputs, width], kernel, stride), ([width, width], stage.kernel, 1)],
            Block::Bottleneck => {
                vec![
                    ([inputs, width], 1, 1),
                    ([width, width], kernel, stride),
                    ([width, outputs], 1, 1),
                ]
            }
        };
        let mut layers = Vec::new();
        for (i, (channels, kernel, stride)) in convolutions.into_iter().enumerate() {
            let names = [format!("{name}.conv{}", i + 1), format!("{name}.bn{}", i + 1)];
            layers.push(Unit::new(
                parameters,
                names.each_ref().map(String::as_str),
                channels,
                kernel,
                stride,
            )?);
        }
        let downsample = if stride != 1 || inputs != outputs {
            let names = [format!("{name}.downsample.0"), format!("{name}.downsample.1")];
            Some(Unit::new(
                parameters,
                names.each_ref().map(String::as_str),
                [inputs, outputs],
                1,
                stride,
            )?)
        } else {
            None
        };
        Ok(Self { layers, downsample })
    }

    pub(crate) fn forward(&self, x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        let around = self.around(x, pass)?;
        let mut y = x.clone();
        for (i, unit) in self.layers.iter().enumerate() {
            let residual = (i + 1 == self.layers.len()).then_some(&around);
            y = unit.forward(&y, residual, true, pass)?;
        }
        Ok(y)
    }

    /// The way around the convolutions.
    fn around(&self, x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        match &self.downsample {
            Some(unit) => unit.forward(x, None, false, pass),
            None => Ok(x.clone()),
        }
    }
}

/// A block evaluated at some images, with what its way back needs.
pub(crate) struct KeptBlock {
    /// `[N, H, W, C]`.
    input: Tensor,
    /// The result of every convolution's unit, after its ReLU; the last is the block's.
    results: Vec<Tensor>,
}

impl KeptBlock {
    /// `[N, h, w, C']`.
    pub(crate) fn result(&self) -> &Tensor {
        self.results.last().unwrap_or(&self.input)
    }
}

impl Residual {
    /// [`forward`](Self::forward) in evaluation.
    pub(crate) fn keep(&self, x: &Tensor) -> Result<KeptBlock> {
        let pass = Pass::from(Mode::Eval);
        let around = self.around(x, pass)?;
        let mut results: Vec<Tensor> = Vec::with_capacity(self.layers.len());
        for (i, unit) in self.layers.iter().enumerate() {
            let residual = (i + 1 == self.layers.len()).then_some(&around);
            results.push(unit.forward(results.last().unwrap_or(x), residual, true, pass)?);
        }
        Ok(KeptBlock {
            input: x.clone(),
            results,
        })
    }

    /// Gradients by the input, which count together, from gradients `[R, h, w, C']` by the result, likewise. R is a multiple of the
    /// images. Units are visited against the order of computation.
    pub(crate) fn input_gradients(
        &self,
        kept: &KeptBlock,
        of_result: &[Tensor],
        visit: &mut Visit<'_>,
    ) -> Result<Vec<Tensor>> {
        let of_sum = kernels::relu_gradient(kept.result(), of_result)?;
        let mut gradient = of_sum.clone();
        for (i, unit) in self.layers.iter().enumerate().rev() {
            visit(unit, &gradient)?;
            let Some(before) = i.checked_sub(1) else {
                gradient = unit.input_gradient(&gradient, &kept.input)?;
                break;
            };
            let input = &kept.results[before];
            gradient = kernels::relu_gradient(input, &[unit.input_gradient(&gradient, input)?])?;
        }
        let around = match &self.downsample {
            Some(unit) => {
                visit(unit, &of_sum)?;
                unit.input_gradient(&of_sum, &kept.input)?
            }
            None => of_sum,
        };
        Ok(vec![gradient, around])
    }
}

/// A stage's blocks one after the other.
pub(crate) fn run_stage(stage: &[Residual], x: Tensor, pass: Pass<'_>) -> Result<Tensor> {
    stage.iter().try_fold(x, |x, block| block.forward(&x, pass))
}
