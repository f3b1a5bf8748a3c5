//! Where attributes are visible in an image, and in the square that a network sees of it.

mod aligned;
mod palette;
mod picture;
mod planes;
mod values;

pub use aligned::{aligned_masks, for_each_aligned};
pub use picture::MaskPicture;
pub use planes::AttributeMasks;
