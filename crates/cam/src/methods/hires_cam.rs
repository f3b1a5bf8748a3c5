//! HiResCAM.

use super::forward_pass::ForwardPass;
use super::point::Point;
use crate::{Maps, Result};

/// L = sum_k g_k A_k, position by position, with g the score's gradient by A: Draelos & Carin 2020, *Use HiResCAM instead
/// of Grad-CAM for faithful explanations*. Here g_k is the same at all positions.
pub(crate) fn raw(pass: &ForwardPass) -> Result<Maps> {
    pass.combine(&pass.gradient()?)
}

/// The same at any layer.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    point.position_sums(|a, g| a * g)
}
