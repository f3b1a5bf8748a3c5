//! The sizes of a convolution, for all that compute it.

use crate::dims::{Dims, check_float};
use candle_core::{Result, Tensor, bail};

/// Dimensions of a weight in torchvision's layout, `[outputs, inputs, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    pub outputs: usize,
    pub inputs: usize,
    pub height: usize,
    pub width: usize,
}

impl Filter {
    /// Those of a weight, which must be float32.
    pub(crate) fn of(weight: &Tensor, op: &str) -> Result<Self> {
        check_float(weight, op, "weight")?;
        match *weight.dims() {
            [outputs, inputs, height, width] if outputs > 0 && height > 0 && width > 0 => Ok(Self {
                outputs,
                inputs,
                height,
                width,
            }),
            ref other => bail!("{op}: expected a weight [Cout, Cin, kh, kw], got shape {other:?}"),
        }
    }

    pub(crate) fn shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.height, self.width]
    }

    /// Pixels of a window.
    pub(crate) fn taps(&self) -> usize {
        self.height * self.width
    }

    pub(crate) fn elements(&self) -> usize {
        self.outputs * self.inputs * self.height * self.width
    }
}

/// A convolution whose sizes fit each other: a source `[N, H, W, Cin]`, a filter and an output `[N, H', W', Cout]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry {
    pub source: Dims,
    pub output: Dims,
    pub filter: Filter,
    pub stride: usize,
    pub padding: usize,
}

impl Geometry {
    pub(crate) fn new(source: Dims, filter: Filter, stride: usize, padding: usize, op: &str) -> Result<Self> {
        if filter.inputs != source.channels {
            bail!(
                "{op}: the weight {:?} expects {} input channels, the input {:?} has {}",
                filter.shape(),
                filter.inputs,
                source.array(),
                source.channels
            );
        }
        if stride == 0 {
            bail!("{op}: expected a stride of at least 1, got 0");
        }
        let extent =
            |size: usize, kernel: usize| (size + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1);
        let (Some(height), Some(width)) = (extent(source.height, filter.height), extent(source.width, filter.width))
        else {
            bail!(
                "{op}: the kernel {} x {} exceeds the input {} x {} with padding {padding}",
                filter.height,
                filter.width,
                source.height,
                source.width
            );
        };
        let output = Dims {
            images: source.images,
            height,
            width,
            channels: filter.outputs,
        };
        Ok(Self {
            source,
            output,
            filter,
            stride,
            padding,
        })
    }
}

/// Which of a GPU's engines may do a convolution; a CPU has one, which is exact and repeats itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "cuda"), allow(dead_code))]
pub(crate) struct Engines {
    /// Whether float32 factors may be rounded to TF32, forward and backward.
    pub tf32: bool,
    /// The fastest one, which is another one from run to run, and with it the order of sums. Otherwise the first that the heuristics
    /// propose, of those whose results are the same in each run.
    pub timed: bool,
}
