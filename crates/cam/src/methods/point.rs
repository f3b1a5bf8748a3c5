//! What a map is made of at any layer: one image's activations and one score's gradient by them.

use std::sync::OnceLock;

use crate::Target;

/// The gradient of a score by the activations.
#[derive(Clone, Copy)]
pub(crate) enum Gradient<'a> {
    /// `[C]`, the same at all positions: the closed form at the last stage, w / (h w) times the target's sign.
    Uniform(&'a [f32]),
    /// `[P, C]`, by backpropagation.
    Each(&'a [f32]),
}

/// One image and one attribute at the target layer.
pub(crate) struct Point<'a> {
    /// `[P, C]`: A, one row per position.
    pub(crate) features: &'a [f32],
    /// g, of the explained score (not of the logit).
    pub(crate) gradient: Gradient<'a>,
    /// C.
    pub(crate) channels: usize,
    /// z.
    pub(crate) logit: f32,
    /// Derivative of the score by the logit.
    pub(crate) sign: f32,
    /// Which score is explained.
    pub(crate) target: Target,
    /// What a formula makes of the image's features alone, the same for all attributes.
    pub(crate) of_features: &'a OnceLock<Vec<f64>>,
}

impl Point<'_> {
    pub(crate) fn positions(&self) -> usize {
        self.features.len() / self.channels
    }

    /// What is made of the features alone: once an image, whatever the number of attributes.
    pub(crate) fn once(&self, make: impl FnOnce() -> Vec<f64>) -> &[f64] {
        self.of_features.get_or_init(make)
    }

    /// A and g at every position.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let gradient = move |position: usize| match self.gradient {
            Gradient::Uniform(row) => row,
            Gradient::Each(rows) => &rows[position * self.channels..][..self.channels],
        };
        let rows = self.features.chunks_exact(self.channels).enumerate();
        rows.map(move |(position, features)| (features, gradient(position)))
    }

    /// For every channel the sum over the positions of f(A, g), in float64.
    pub(crate) fn channel_sums(&self, f: impl Fn(f32, f32) -> f32) -> Vec<f64> {
        let mut sums = vec![0.0; self.channels];
        for (features, gradient) in self.rows() {
            for ((sum, a), g) in sums.iter_mut().zip(features).zip(gradient) {
                *sum += f64::from(f(*a, *g));
            }
        }
        sums
    }

    /// At every position the sum over the channels of f(A, g).
    pub(crate) fn position_sums(&self, f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let sum = |(features, gradient): (&[f32], &[f32])| {
            let terms = features.iter().zip(gradient).map(|(a, g)| f64::from(f(*a, *g)));
            terms.sum::<f64>() as f32
        };
        self.rows().map(sum).collect()
    }

    /// sum_k w_k A_k.
    pub(crate) fn weighted(&self, weights: &[f64]) -> Vec<f32> {
        weighted(self.features, weights)
    }
}

/// sum_k w_k A_k at every position, for A `[P, C]`.
pub(crate) fn weighted(features: &[f32], weights: &[f64]) -> Vec<f32> {
    let sum = |row: &[f32]| row.iter().zip(weights).map(|(a, w)| f64::from(*a) * w).sum::<f64>() as f32;
    features.chunks_exact(weights.len()).map(sum).collect()
}
