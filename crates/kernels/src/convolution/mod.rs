//! Convolution of channels-last images, forward and both gradients.
//!
//! On the CPU an implicit GEMM, on NVIDIA GPUs cuDNN.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cuda")]
mod cudnn;
mod filter_gradient;
mod filter_stretch;
mod filter_tasks;
mod fused;
mod geometry;
mod implicit_gemm;
mod input_gradient;
mod microkernel;
mod operation;
mod packing;
mod padding;
mod paired_filter_gradient;
mod pairing;
mod panels;
mod pointwise;
mod products;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiled;
#[cfg(any(feature = "cuda", all(test, unix)))]
mod weight_order;
mod winograd;

pub use fused::FusedConvolution;
pub use input_gradient::InputGradient;
pub use operation::conv2d;

#[cfg(test)]
pub(crate) use filter_gradient::FilterGradient;
#[cfg(test)]
pub(crate) use geometry::{Filter, Geometry};
#[cfg(test)]
pub(crate) use input_gradient::costs as input_gradient_costs;
pub(crate) use operation::Convolution;
#[cfg(test)]
pub(crate) use operation::forward_costs;
#[cfg(test)]
pub(crate) use packing::packing;
#[cfg(all(test, unix))]
pub(crate) use weight_order::{pack, unpack};
