//! Images made on the GPU.

mod batch;
mod sampler;

pub use batch::{PixelBatch, View};
pub use sampler::Sampler;
