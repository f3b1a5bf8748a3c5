//! Batch normalisation, and everything that ResNet does elementwise between two convolutions, in one pass.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", all(test, unix)))]
pub(crate) mod gpu;
mod layer;
mod moments;
mod operation;
mod passes;
mod statistics;

pub use operation::{affine, batch_norm, batch_statistics, moving_statistics};
pub use statistics::BatchStatistics;

#[cfg(test)]
pub(crate) use layer::BatchNorm;
#[cfg(test)]
pub(crate) use moments::moments;
#[cfg(test)]
pub(crate) use operation::apply;
// For the training step's own backward pass.
pub(crate) use operation::{apply_on_tape, by_batch, differentiate};

#[cfg(test)]
pub(crate) mod loops {
    pub(crate) use super::cpu::loops as passes;
    pub(crate) use super::moments::loops as statistics;
}
