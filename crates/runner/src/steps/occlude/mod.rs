//! The occlusion step: what every decision loses when the attribute's region is hidden, and what of it all biases make.

mod hidden;
mod hide;
mod hider;

pub use hide::{Occlude, step_name};
