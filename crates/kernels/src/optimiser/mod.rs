//! Optimisers: update rules with PyTorch's definitions, applied to parameters where they are.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", all(test, unix)))]
pub(crate) mod gpu;
mod in_place;
mod rule;
mod step;

#[cfg(test)]
pub(crate) use rule::CHUNK;
pub use rule::{Rule, Update};
pub use step::{Memory, Slot, step};
