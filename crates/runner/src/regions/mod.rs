//! Where each attribute is expected to be visible: the same place in every image, or another in each.

mod choice;
mod file;
mod kept;
mod region;

pub use choice::{Regions, choose, load};
pub use file::celeba;
pub use kept::kept;
pub use region::{AttributeRegion, outline};
