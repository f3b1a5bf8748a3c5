//! The faithfulness step: whether the maps of some methods tell what the classifier uses.

mod baselines;
mod cases;
mod localised;
mod removal;
mod trial;

pub use trial::{Try, step_name};
