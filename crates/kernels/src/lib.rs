//! Channels-last float32 layers for residual networks, fast on CPUs.
//!
//! Images are `[N, H, W, C]`, contiguous. In that order the channels of a pixel are neighbours in memory: they fill
//! vector registers without any rearrangement, and one row of a convolution's window is one run of floats. All
//! layers are candle operations, so candle's `backward` reaches through them. Weights keep torchvision's layout
//! `[Cout, Cin, kh, kw]`, whatever the layers make of them inside.
//!
//! A training step that records its layers on a [`Tape`] differentiates them without candle's additions, and [`optimiser::step`] changes
//! the parameters in place. [`FusedConvolution`] is a layer of an evaluated network, and [`InputGradient`], [`relu_gradient`] and
//! [`max_pool2d_gradient`] take many gradients of its outputs back to its input. [`Sampler`] makes images on a GPU. Errors are candle's.
//!
//! Results do not depend on the number of threads. Measurements are in `docs/develop/performance.md`. On NVIDIA GPUs convolution is
//! cuDNN's, and the other layers have kernels of their own (`docs/develop/cuda.md`).
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use kernels::{batch_norm, batch_statistics, conv2d};
//!
//! # fn main() -> candle_core::Result<()> {
//! let images = Tensor::randn(0f32, 1.0, (2, 8, 8, 3), &Device::Cpu)?;
//! let weight = Var::randn(0f32, 0.1, (16, 3, 3, 3), &Device::Cpu)?;
//! let gamma = Var::ones(16, DType::F32, &Device::Cpu)?;
//! let beta = Var::zeros(16, DType::F32, &Device::Cpu)?;
//!
//! let y = conv2d(&images, &weight, 2, 1)?;
//! let statistics = batch_statistics(&y)?;
//! let y = batch_norm(&y, &gamma, &beta, &statistics, 1e-5, None, true)?;
//! assert_eq!(y.dims(), [2, 4, 4, 16]);
//! let gradients = y.sum_all()?.backward()?;
//! assert_eq!(gradients.get(&weight).map(|gradient| gradient.dims()), Some(&[16, 3, 3, 3][..]));
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod batch_norm;
mod convolution;
mod dims;
mod gpu;
mod host;
pub mod optimiser;
mod parallel;
mod pooling;
mod precision;
#[cfg(test)]
mod reference;
mod relu;
mod sampling;
mod simd;
mod sum;
mod tape;

pub use algorithm::ConvolutionAlgorithm;
pub use batch_norm::{BatchStatistics, affine, batch_norm, batch_statistics, moving_statistics};
pub use convolution::{FusedConvolution, InputGradient, conv2d};
pub use gpu::gpu;
pub use pooling::{global_average_pool, max_pool2d, max_pool2d_gradient};
pub use precision::Precision;
pub use relu::relu_gradient;
pub use sampling::{SampledView, Sampler, SamplerInput};
pub use sum::sum;
pub use tape::Tape;

#[cfg(test)]
mod tests;
