//! Convolution, batch norm, residual and ReLU as one kernel, for evaluation.

use super::geometry::Filter;
use super::microkernel::Epilogue;
use super::operation::Convolution;
use super::packing::pack_forward;
use crate::dims::{check_channels, check_residual};
use crate::host::host_floats;
use crate::simd::{InstructionSet, LANES};
use candle_core::{Result, Tensor, bail};

const NAME: &str = "fused convolution (channels last)";

/// A convolution with the batch norm that follows it, prepared once for many batches: `relu(conv2d(x) * scale + shift +
/// residual)`, residual and ReLU as asked for.
///
/// It holds a copy of the weights in the kernel's order, and so does not see what happens to the tensors it was made of. The
/// results are those of [`conv2d`](crate::conv2d) and [`affine`](crate::affine) to the bit: the sums are scaled while they are in registers, and not the
/// weights before, which would round differently and save nothing. Not differentiable; on the CPU only.
#[derive(Debug)]
pub struct FusedConvolution {
    filter: Filter,
    stride: usize,
    padding: usize,
    packed: Vec<f32>,
    /// Zeros up to a multiple of [`LANES`].
    scale: Vec<f32>,
    shift: Vec<f32>,
    set: InstructionSet,
}

impl FusedConvolution {
    /// `weight`: `[Cout, Cin, kh, kw]`; `scale`, `shift`: `[Cout]`; all float32. Stride and padding as in [`conv2d`](crate::conv2d).
    ///
    /// # Errors
    /// Wrong ranks, types or channel counts.
    pub fn new(weight: &Tensor, scale: &Tensor, shift: &Tensor, stride: usize, padding: usize) -> Result<Self> {
        Self::for_set(weight, [scale, shift], stride, padding, InstructionSet::detect())
    }

    pub(crate) fn for_set(
        weight: &Tensor,
        [scale, shift]: [&Tensor; 2],
        stride: usize,
        padding: usize,
        set: InstructionSet,
    ) -> Result<Self> {
        let filter = Filter::of(weight, NAME)?;
        check_channels(scale, filter.outputs, NAME, "the scale")?;
        check_channels(shift, filter.outputs, NAME, "the shift")?;
        let padded = |vector: &Tensor| -> Result<Vec<f32>> {
            let mut values = vector.to_vec1::<f32>()?;
            values.resize(filter.outputs.next_multiple_of(LANES), 0.0);
            Ok(values)
        };
        let weight = weight.contiguous()?;
        let (storage, layout) = weight.storage_and_layout();
        let values = host_floats(&storage, layout, NAME)?;
        Ok(Self {
            filter,
            stride,
            padding,
            packed: pack_forward(values, filter),
            scale: padded(scale)?,
            shift: padded(shift)?,
            set,
        })
    }

    /// `x`: `[N, H, W, Cin]`; `residual`: of the output's shape; both float32.
    ///
    /// # Errors
    /// Wrong ranks, types or channel counts, a stride of 0, and a kernel larger than the padded image.
    pub fn forward(&self, x: &Tensor, residual: Option<&Tensor>, relu: bool) -> Result<Tensor> {
        let convolution = Convolution::of_filter(x, self.filter, self.stride, self.padding, self.set)?;
        let output = convolution.output();
        if let Some(residual) = residual {
            check_residual(residual, output, NAME)?;
        }
        if !x.device().is_cpu() {
            bail!("{NAME}: expected an input in the memory of the CPU");
        }
        let x = x.contiguous()?;
        let residual = residual.map(Tensor::contiguous).transpose()?;
        let residual = residual.as_ref().map(Tensor::storage_and_layout);
        let residual = match &residual {
            Some((storage, layout)) => Some(host_floats(storage, layout, NAME)?),
            None => None,
        };
        let (storage, layout) = x.storage_and_layout();
        let epilogue = Epilogue {
            scale: &self.scale,
            shift: &self.shift,
            residual,
            relu,
        };
        let values = convolution.forward(host_floats(&storage, layout, NAME)?, &self.packed, Some(epilogue));
        Tensor::from_vec(values, output.shape(), x.device())
    }
}
