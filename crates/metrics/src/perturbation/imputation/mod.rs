//! Noisy linear imputation: pixels taken out of an image without leaving a shape that a network can see.

mod equations;
mod factored;
mod iterative;

pub use factored::Imputer;
pub use iterative::{IMPUTATION_NOISE, noisy_linear_imputation};
