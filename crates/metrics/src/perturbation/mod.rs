//! Parts of images taken away: holes, and what stands in them.

mod blur;
mod hole;
mod imputation;
mod seed;

pub use blur::blurred;
pub use hole::{Fill, Hole};
pub use imputation::{IMPUTATION_NOISE, Imputer, noisy_linear_imputation};
pub use seed::mixed;
