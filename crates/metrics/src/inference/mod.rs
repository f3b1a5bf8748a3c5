//! How sure a number is, on new people: means of groups, whatever is made of them, and their verdicts.

mod bca;
mod draws;
mod estimate;
mod freedom;
mod judgement;
mod people;
mod ratios;
mod resampled;
mod seeds;
mod share;

pub use estimate::{Estimate, IntervalMethod};
pub use judgement::{AttributeCounts, Judged, Judgement, judge};
pub use people::People;
pub use ratios::{Cell, Ratios};
pub use resampled::Resampled;
pub use seeds::{OverSeeds, over_seeds};
pub use share::rate_interval;
