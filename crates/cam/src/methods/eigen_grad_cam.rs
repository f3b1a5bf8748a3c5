//! Eigen-Grad-CAM.

use super::eigen_cam::{first_component, oriented};
use super::point::Point;

/// Eigen-CAM of the products g A instead of the activations: pytorch-grad-cam's `EigenGradCAM`, which names no paper. The sign is
/// that of the target's evidence, as in Eigen-CAM.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let mut products = Vec::with_capacity(point.features.len());
    for (features, gradient) in point.rows() {
        products.extend(
            features
                .iter()
                .zip(gradient)
                .map(|(a, g)| f64::from(*a) * f64::from(*g)),
        );
    }
    oriented(&first_component(products, point.channels), point)
}
