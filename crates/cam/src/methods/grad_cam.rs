//! Grad-CAM.

use super::forward_pass::ForwardPass;
use super::point::Point;
use crate::{Maps, Result};

/// L = sum_k alpha_k A_k with alpha_k the mean over the positions of the score's gradient by A_k: Selvaraju et al. 2017,
/// *Grad-CAM*. The mean of a constant gradient is the gradient.
pub(crate) fn raw(pass: &ForwardPass) -> Result<Maps> {
    pass.combine(&pass.gradient()?)
}

/// The same at any layer.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let positions = point.positions() as f64;
    let weights = point.channel_sums(|_, g| g);
    point.weighted(&weights.iter().map(|sum| sum / positions).collect::<Vec<_>>())
}
