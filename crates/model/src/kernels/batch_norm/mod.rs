//! Batch normalisation, and everything that ResNet does elementwise between two convolutions, in one pass.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod layer;
mod moments;
mod operation;
mod passes;
mod statistics;

pub use operation::{affine, batch_norm, batch_statistics, moving_statistics};
pub use statistics::BatchStatistics;

// For the training step's own backward pass, and for the tests.
pub(crate) use layer::BatchNorm;
#[cfg(test)]
pub(crate) use moments::moments;
#[cfg(test)]
pub(crate) use operation::apply;
pub(crate) use operation::{apply_on_tape, differentiate};
