//! Maximum and average pooling.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", all(test, unix)))]
pub(crate) mod gpu;
mod operation;
mod windows;

pub use operation::{global_average_pool, max_pool2d, max_pool2d_gradient};

pub(crate) use operation::{AveragePool, MaxPool};
#[cfg(all(test, unix))]
pub(crate) use windows::Windows;
