//! Layer-CAM.

use super::point::Point;

/// L = sum_k max(g_k, 0) A_k, position by position: Jiang et al. 2021, *LayerCAM*.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    point.position_sums(|a, g| if g < 0.0 { 0.0 } else { g * a })
}
