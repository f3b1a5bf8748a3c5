//! Grad-CAM++.

use super::point::Point;

/// Keeps the division from 0 where the gradient is 0; pytorch-grad-cam's. It is of the size of squared gradients behind a
/// pooling over many positions, so it matters.
const EPSILON: f64 = 1e-6;

/// L = sum_k w_k A_k with w_k = sum_ij alpha_ij max(g_ij, 0) and alpha = g^2 / (2 g^2 + g^3 sum_ij A): Chattopadhyay et al.
/// 2018, *Grad-CAM++*, with the higher derivatives of exp(z) as powers of g.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let totals = point.channel_sums(|a, _| a);
    let mut weights = vec![0.0; point.channels];
    for (_, gradient) in point.rows() {
        for ((weight, g), total) in weights.iter_mut().zip(gradient).zip(&totals) {
            let g = f64::from(*g);
            // A gradient that is not positive has no weight; a NaN must come through.
            if g > 0.0 || g.is_nan() {
                *weight += g * g * g / (2.0 * g * g + total * g * g * g + EPSILON);
            }
        }
    }
    point.weighted(&weights)
}
