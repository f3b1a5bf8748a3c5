//! Where attributes are visible in an image, and in the square that a network sees of it.

mod aligned;
mod planes;

pub use aligned::{aligned_masks, for_each_aligned};
pub use planes::AttributeMasks;
