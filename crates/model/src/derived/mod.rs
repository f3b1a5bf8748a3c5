//! Classifiers that are derived from a trained one without training: its head with other thresholds ([`threshold`]), or another head
//! on its features ([`refit_head`]). They separate what class weights do to the threshold and to the head from what they do to the
//! features.

mod features;
mod least_squares;
mod logistic;
mod refit;
mod threshold;

pub use features::FrozenFeatures;
pub use refit::{GRADIENT_NORM, Refitted, refit_head};
pub use threshold::{ThresholdRule, prior_thresholds, validation_thresholds, with_thresholds};
