//! Shapley-CAM.

use super::grad_cam;
use super::point::Point;

/// L = sum_k w_k A_k with w_k the mean over the positions of g - H A / 2, H the score's Hessian by the activations: Cai 2025, *CAMs
/// as Shapley Value-based Explainers*, from the second-order expansion of the score.
///
/// Behind every stage our networks are piecewise linear in the activations (convolutions, batch norms with running statistics,
/// ReLUs, a mean and a linear head), so H is 0 wherever it exists, which is also what automatic differentiation gives, and this
/// is Grad-CAM at every layer.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    grad_cam::formula(point)
}
