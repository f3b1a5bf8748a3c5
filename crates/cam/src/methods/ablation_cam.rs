//! Ablation-CAM.

use super::point::{Gradient, Point, weighted};

/// w_k = (t - t_k) / |t|, with t the score and t_k the score when channel k is 0 everywhere: Desai & Ramaswamy 2020, *Ablation-CAM*.
/// For a score below 0 the division by |t| keeps the sign that its direction has.
///
/// pytorch-grad-cam puts 0 only where the features' minimum is 0, and otherwise a value that grows within a batch; that is
/// a mistake, and not followed.
pub(crate) fn weights(score: f32, ablated: impl Iterator<Item = f32>) -> Vec<f64> {
    // The size of the weights does not matter to a final map: without a score the differences stand for themselves.
    let scale = if score == 0.0 { 1.0 } else { f64::from(score.abs()) };
    ablated
        .map(|other| (f64::from(score) - f64::from(other)) / scale)
        .collect()
}

/// The closed form at the last stage: the logit is linear in the channels' means, so without channel k it is
/// z - sum_ij A dz/dA.
pub(crate) fn closed_form(point: &Point<'_>) -> Vec<f32> {
    debug_assert!(
        matches!(point.gradient, Gradient::Uniform(_)),
        "the last stage's gradient"
    );
    let contributions = point.channel_sums(|a, g| a * g);
    let score = point.target.score(point.sign, point.logit);
    let ablated = contributions.iter().map(|contribution| {
        let logit = f64::from(point.logit) - f64::from(point.sign) * contribution;
        point.target.score(point.sign, logit as f32)
    });
    point.weighted(&weights(score, ablated))
}

/// The map from scores of forward passes without each channel, `[C]`; features `[P, C]`.
pub(crate) fn map(features: &[f32], score: f32, ablated: impl Iterator<Item = f32>) -> Vec<f32> {
    weighted(features, &weights(score, ablated))
}
