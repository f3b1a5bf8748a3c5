//! Elementwise Grad-CAM.

use super::point::Point;

/// L = sum_k max(g_k A_k, 0), position by position: pytorch-grad-cam's `GradCAMElementWise`, which names no paper. Behind a ReLU,
/// where A >= 0, it is Layer-CAM.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    point.position_sums(|a, g| if a * g < 0.0 { 0.0 } else { a * g })
}
