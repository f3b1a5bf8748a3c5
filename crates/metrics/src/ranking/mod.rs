//! How well scores rank and what probabilities can be made of them: measures that no threshold decides.

mod calibrated;
mod discrimination;
mod halves;
mod isotonic;
mod normal;
mod sorted;

pub use calibrated::Calibrated;
pub use discrimination::Discrimination;
pub use halves::{Half, halves};
pub use normal::{d_prime, ideal_error};
pub use sorted::Ranking;
