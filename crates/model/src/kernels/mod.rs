//! Channels-last float32 layers for residual networks, fast on CPUs.
//!
//! Images are `[N, H, W, C]`, contiguous. In that order the channels of a pixel are neighbours in memory: they fill
//! vector registers without any rearrangement, and one row of a convolution's window is one run of floats. All
//! layers are candle operations, so candle's `backward` reaches through them. Weights keep torchvision's layout
//! `[Cout, Cin, kh, kw]`, whatever the layers make of them inside.
//!
//! Results do not depend on the number of threads. Measurements are in `docs/performance.md`. On NVIDIA GPUs convolution is
//! cuDNN's, and the other layers have kernels of their own (`docs/cuda.md`).
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use model::kernels::{batch_norm, batch_statistics, conv2d};
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

mod batch_norm;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
mod dims;
mod filter_gradient;
mod fused;
mod gather;
mod geometry;
#[cfg(any(feature = "cuda", all(test, unix)))]
mod gpu;
mod host;
mod pack;
mod padding;
mod parallel;
mod pointwise;
mod pooling;
#[cfg(test)]
mod reference;
mod simd;
mod sum;
mod tiles;
mod windows;

pub use batch_norm::{BatchStatistics, affine, batch_norm, batch_statistics};
pub use convolution::conv2d;
pub use fused::FusedConvolution;
pub use pooling::{global_average_pool, max_pool2d};

// The operations themselves, for the training step's own backward pass.
pub(crate) use batch_norm::{BatchNorm, apply_on_tape, differentiate, moving_statistics};
pub(crate) use convolution::Convolution;
#[cfg(feature = "cuda")]
pub(crate) use cuda::device::{check_driver, prepare};
#[cfg(feature = "cuda")]
pub(crate) use cuda::optimiser as gpu_optimiser;
#[cfg(feature = "cuda")]
pub(crate) use cuda::sampling::GpuSampler;
pub(crate) use dims::Dims;
pub(crate) use pooling::{AveragePool, MaxPool};
pub(crate) use simd::InstructionSet;
pub(crate) use sum::sum;

#[cfg(test)]
mod tests;
