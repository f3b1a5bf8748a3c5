//! Residual blocks.

use candle_core::Tensor;

use super::parameters::Parameters;
use super::pass::Pass;
use super::unit::Unit;
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
        let around = match &self.downsample {
            Some(unit) => unit.forward(x, None, false, pass)?,
            None => x.clone(),
        };
        let mut y = x.clone();
        for (i, unit) in self.layers.iter().enumerate() {
            let residual = (i + 1 == self.layers.len()).then_some(&around);
            y = unit.forward(&y, residual, true, pass)?;
        }
        Ok(y)
    }
}

/// A stage's blocks one after the other.
pub(crate) fn run_stage(stage: &[Residual], x: Tensor, pass: Pass<'_>) -> Result<Tensor> {
    stage.iter().try_fold(x, |x, block| block.forward(&x, pass))
}
