//! Convolution as a candle operation.

#[cfg(feature = "cuda")]
use super::cuda;
use super::filter_gradient::FilterGradient;
use super::geometry::{Engines, Filter, Geometry};
use super::implicit_gemm::{ImplicitGemm, OutputPhase};
use super::input_gradient::{self, Packed};
use super::microkernel::Epilogue;
use super::packing::pack_forward;
use super::paired_filter_gradient::PairedFilterGradient;
use super::pairing::{pair_pixels, pair_weights, pairs_of};
use super::products::Products;
use super::winograd::{self, Winograd};
use crate::dims::Dims;
#[cfg(feature = "cuda")]
use crate::gpu::Operand;
use crate::host::{floats, host_floats};
use crate::simd::{Bf16, InstructionSet};
use crate::{ConvolutionAlgorithm, Precision};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

/// Two-dimensional convolution (cross-correlation, as PyTorch's `conv2d` without bias) of channels-last images.
///
/// - `x`: `[N, H, W, Cin]`, float32;
/// - `weight`: `[Cout, Cin, kh, kw]`, float32, torchvision's layout;
/// - `stride >= 1` and `padding` (zeros on each side) hold for both directions.
///
/// Returns `[N, (H + 2 padding - kh) / stride + 1, (W + 2 padding - kw) / stride + 1, Cout]`. Differentiable in both
/// arguments; the gradient of `x` is computed only where `x` depends on a variable.
///
/// # Errors
/// Wrong ranks, types or channel counts, a stride of 0, and a kernel larger than the padded image.
pub fn conv2d(x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    Convolution::new(x, weight, stride, padding, InstructionSet::detect())?.apply(x, weight)
}

/// A checked convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    of: Geometry,
    set: InstructionSet,
    /// How a CPU multiplies bfloat16 numbers, where factors are rounded to these.
    bf16: Option<Bf16>,
    /// Whether Winograd's products are taken where they suit.
    winograd: bool,
    #[cfg_attr(not(feature = "cuda"), allow(dead_code))]
    engines: Engines,
}

const NAME: &str = "conv2d (channels last)";

impl Convolution {
    pub(crate) fn new(x: &Tensor, weight: &Tensor, stride: usize, padding: usize, set: InstructionSet) -> Result<Self> {
        Self::of_filter(x, Filter::of(weight, NAME)?, stride, padding, set)
    }

    pub(crate) fn of_filter(
        x: &Tensor,
        filter: Filter,
        stride: usize,
        padding: usize,
        set: InstructionSet,
    ) -> Result<Self> {
        Ok(Self {
            of: Geometry::new(Dims::of(x, NAME)?, filter, stride, padding, NAME)?,
            set,
            bf16: None,
            winograd: false,
            engines: Engines::default(),
        })
    }

    /// The same in a precision; `timed` if it is done so often that looking for the fastest way is worth while. What the types of `x`
    /// tell, bfloat16 or not, needs no word here.
    pub(crate) fn within(self, precision: Precision, timed: bool) -> Self {
        let engines = Engines {
            tf32: precision == Precision::Tf32,
            timed,
        };
        let bf16 = Bf16::detect().filter(|_| precision == Precision::Bf16);
        Self { engines, bf16, ..self }
    }

    /// The same, by Winograd's products if they suit and factors are float32.
    pub(crate) fn by(self, algorithm: ConvolutionAlgorithm) -> Self {
        let fast = algorithm == ConvolutionAlgorithm::Fast;
        Self {
            winograd: fast && self.bf16.is_none() && winograd::suits(self.of),
            ..self
        }
    }

    /// Factors rounded to bfloat16 and multiplied in this way.
    #[cfg(test)]
    pub(crate) fn rounded(self, way: Bf16) -> Self {
        Self {
            bf16: Some(way),
            ..self
        }
    }

    pub(crate) fn apply(self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op2(&weight.contiguous()?, self)
    }

    /// The output of a weight that [`pack_forward`] has packed, of float32 factors.
    pub(crate) fn forward(&self, x: &[f32], packed: &[f32], epilogue: Option<Epilogue<'_>>) -> Vec<f32> {
        forward(self.of, packed, epilogue).run(x, Products::Float32(self.set))
    }

    pub(crate) fn output(&self) -> Dims {
        self.of.output
    }
}

/// The product that a convolution is, of floats or of pairs, of which a pixel of the source has as many as `of` says channels.
pub(super) fn forward<'a>(of: Geometry, packed: &'a [f32], epilogue: Option<Epilogue<'a>>) -> ImplicitGemm<'a> {
    let phase = OutputPhase {
        output: (0, 0),
        size: (of.output.height, of.output.width),
        source: (0, 0),
        window: (of.filter.height, of.filter.width),
        weights: packed.into(),
    };
    ImplicitGemm {
        source: of.source,
        output: of.output,
        padding: (of.padding, of.padding),
        source_step: of.stride,
        output_step: 1,
        phases: vec![phase],
        epilogue,
    }
}

/// Vector operations of each task of a forward pass, on the threads of the pool that asks.
#[cfg(test)]
pub(crate) fn forward_costs(of: Geometry) -> Vec<usize> {
    let packed = pack_forward(&vec![0.0; of.filter.elements()], of.filter);
    forward(of, &packed, None).costs()
}

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (floats(x, x_layout, NAME)?, floats(w, w_layout, NAME)?);
        if self.winograd {
            let output = Winograd::forward(self.of, weight, self.set).run(x, self.set);
            return Ok((CpuStorage::F32(output), self.of.output.shape().into()));
        }
        let packed = pack_forward(weight, self.of.filter);
        let output = match self.bf16 {
            None => self.forward(x, &packed, None),
            Some(way) => {
                let read = self.of.filter.inputs;
                let source = Dims {
                    channels: pairs_of(read),
                    ..self.of.source
                };
                let (x, weights) = (pair_pixels(x, read, way), pair_weights(&packed, read));
                let of_pairs = Geometry { source, ..self.of };
                forward(of_pairs, &weights, None).run(&x, Products::Bf16(way))
            }
        };
        Ok((CpuStorage::F32(output), self.of.output.shape().into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        w: &CudaStorage,
        w_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let operands = [Operand::new(x, x_layout)?, Operand::new(w, w_layout)?];
        let output = cuda::forward(self.of, self.engines, operands)?;
        Ok((output, self.of.output.shape().into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // On a tape they are as the caller has them.
        let (x, weight) = (&x.contiguous()?, &weight.contiguous()?);
        #[cfg(feature = "cuda")]
        if gradient.device().is_cuda() {
            return cuda::backward(self.of, self.engines, [x, weight, gradient]);
        }
        let gradient = gradient.contiguous()?;
        let (storage, layout) = gradient.storage_and_layout();
        let gradient = host_floats(&storage, layout, NAME)?;
        let data = if x.track_op() {
            let (storage, layout) = weight.storage_and_layout();
            let weight = host_floats(&storage, layout, NAME)?;
            let packed = || Packed::new(weight, self.of.filter, self.of.stride, self.of.padding);
            let values = match self.bf16 {
                None if self.winograd => Winograd::backward(self.of, weight, self.set).run(gradient, self.set),
                None => input_gradient::run(self.of, &packed(), gradient, Products::Float32(self.set)),
                Some(way) => {
                    let channels = self.of.output.channels;
                    let gradient = pair_pixels(gradient, channels, way);
                    input_gradient::run(self.of, &packed().paired(channels), &gradient, Products::Bf16(way))
                }
            };
            Some(Tensor::from_vec(values, x.shape(), x.device())?)
        } else {
            None
        };
        let filter = if weight.track_op() {
            let (storage, layout) = x.storage_and_layout();
            let x = host_floats(&storage, layout, NAME)?;
            let values = match self.bf16 {
                None => FilterGradient { of: self.of }.run(x, gradient, self.set),
                Some(way) => PairedFilterGradient { of: self.of, way }.run(x, gradient),
            };
            Some(Tensor::from_vec(values, weight.shape(), weight.device())?)
        } else {
            None
        };
        Ok((data, filter))
    }
}
