//! What a table of rates and energies says by itself, without scores or images.

mod area;
mod correlated;
mod grim;
mod threshold;

pub use area::{AgainstArea, against_area};
pub use correlated::spearman_over_groups;
pub use grim::{Grim, grim};
pub use threshold::{OperatingPoint, ThresholdGain, threshold_gain};
