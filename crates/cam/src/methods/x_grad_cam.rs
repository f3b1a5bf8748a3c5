//! XGrad-CAM.

use super::point::Point;

/// Keeps the division from 0 where a channel is dead; pytorch-grad-cam's.
const EPSILON: f64 = 1e-7;

/// L = sum_k w_k A_k with w_k = sum_ij g A / sum_ij A: Fu et al. 2020, *Axiom-based Grad-CAM*.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let products = point.channel_sums(|a, g| a * g);
    let totals = point.channel_sums(|a, _| a);
    let weights = products
        .iter()
        .zip(totals)
        .map(|(product, total)| product / (total + EPSILON));
    point.weighted(&weights.collect::<Vec<_>>())
}
