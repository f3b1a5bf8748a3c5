//! How sure a number is, on new people: means of groups, whatever is made of them, and their verdicts.

mod bca;
mod draws;
mod estimate;
mod freedom;
mod people;
mod ratios;
mod resampled;
mod share;

pub use estimate::{Estimate, IntervalMethod};
pub use people::People;
pub use ratios::{Cell, Ratios};
pub use resampled::Resampled;
pub use share::rate_interval;
