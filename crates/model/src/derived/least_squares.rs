//! The head of the least weighted square error, in closed form.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::features::FrozenFeatures;
use crate::ClassWeights;

/// Part of the mean diagonal that is added to the normal equations, so that channels that are always 0, or that others make up, have a
/// solution too: of the heads of least loss it takes one of small weights.
const RIDGE: f64 = 1e-10;

/// Solutions are improved so often against the equations without the ridge.
const REFINEMENTS: usize = 3;

/// The normal equations' matrix, sum of w x x', factorised.
pub(super) struct Normal {
    matrix: DMatrix<f64>,
    factor: Cholesky<f64, Dyn>,
}

impl Normal {
    /// `None` where the matrix is of no weight at all, or not of finite numbers.
    pub(super) fn new(matrix: DMatrix<f64>) -> Option<Self> {
        let mean = matrix.trace() / matrix.nrows() as f64;
        let mut ridge = RIDGE * mean;
        if !(ridge > 0.0 && ridge.is_finite()) {
            return None;
        }
        // Rounding can leave the least eigenvalue of a large singular matrix below the first ridge.
        for _ in 0..4 {
            let mut regular = matrix.clone();
            (0..regular.nrows()).for_each(|i| regular[(i, i)] += ridge);
            if let Some(factor) = Cholesky::new(regular) {
                return Some(Self { matrix, factor });
            }
            ridge *= 100.0;
        }
        None
    }

    /// The solution of matrix * x = right.
    pub(super) fn solve(&self, right: &DVector<f64>) -> DVector<f64> {
        let mut solution = self.factor.solve(right);
        for _ in 0..REFINEMENTS {
            let rest = right - &self.matrix * &solution;
            solution += self.factor.solve(&rest);
        }
        solution
    }

    /// The factor's solution alone: a direction, not a result.
    pub(super) fn direction(&self, right: &DVector<f64>) -> DVector<f64> {
        self.factor.solve(right)
    }
}

/// Weights and bias (the last) of an attribute, which minimise sum w(y) (theta x - y)^2.
pub(super) fn fit(
    data: &FrozenFeatures<'_>,
    attribute: usize,
    weights: &ClassWeights,
    normal: &Normal,
) -> DVector<f64> {
    let (positive, negative) = (
        f64::from(weights.positive[attribute]),
        f64::from(weights.negative[attribute]),
    );
    let mut right = DVector::zeros(data.channels() + 1);
    for image in 0..data.images() {
        let weighted = match data.label(image, attribute) {
            1 => positive,
            -1 => -negative,
            _ => continue,
        };
        add(&mut right, data.of(image), weighted);
    }
    normal.solve(&right)
}

/// Adds factor * x to a sum, x being the features with a 1 behind them.
pub(super) fn add(sum: &mut DVector<f64>, features: &[f32], factor: f64) {
    let (last, channels) = (features.len(), sum.as_mut_slice());
    channels
        .iter_mut()
        .zip(features)
        .for_each(|(sum, value)| *sum += factor * f64::from(*value));
    channels[last] += factor;
}

/// theta x.
pub(super) fn score(theta: &DVector<f64>, features: &[f32]) -> f64 {
    let theta = theta.as_slice();
    let products = theta
        .iter()
        .zip(features)
        .map(|(weight, value)| weight * f64::from(*value));
    products.sum::<f64>() + theta[features.len()]
}
