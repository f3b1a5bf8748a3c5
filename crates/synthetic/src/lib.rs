//! Data sets that are made rather than photographed, with everything known about them.
//!
//! [`faces`] writes procedural faces in CelebA's layout, [`shapes`] pictures with a table of their attributes. Both know exactly
//! where each attribute is. How they are read is `dataset`'s.

mod counterfactual;
mod error;
pub mod faces;
mod folder;
mod seed;
pub mod shapes;
mod texture;

pub use counterfactual::Counterfactual;
pub use error::{Error, Result};
pub use folder::{Progress, WriteOutcome};
