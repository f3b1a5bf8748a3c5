//! Batches of images made on a GPU from decoded pixels.

mod batch;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", all(test, unix)))]
pub(crate) mod gpu;
mod sampler;

pub use batch::{SampledView, SamplerInput};
pub use sampler::Sampler;
