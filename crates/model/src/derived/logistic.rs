//! The head of the least weighted cross-entropy: a convex problem, solved by a quasi-Newton method (L-BFGS; Nocedal & Wright 2006,
//! algorithm 7.4) that begins with the bound of the second derivative that the loss has everywhere (Böhning & Lindsay 1988): a quarter of
//! the normal equations' matrix.

use std::collections::VecDeque;

use nalgebra::DVector;

use super::features::FrozenFeatures;
use super::least_squares::{Normal, add, score};
use crate::ClassWeights;

/// Steps after which a head is taken as it is.
const STEPS: usize = 500;
/// Steps that the curvature is told from.
const HISTORY: usize = 10;

/// One attribute's problem: the mean over its annotated images of w(y) log(1 + exp(-y theta x)).
pub(super) struct Logistic<'a> {
    pub(super) data: &'a FrozenFeatures<'a>,
    pub(super) attribute: usize,
    pub(super) weights: &'a ClassWeights,
}

impl Logistic<'_> {
    /// The loss and its gradient.
    pub(super) fn evaluate(&self, theta: &DVector<f64>) -> (f64, DVector<f64>) {
        let (positive, negative) = (
            f64::from(self.weights.positive[self.attribute]),
            f64::from(self.weights.negative[self.attribute]),
        );
        let (mut loss, mut gradient, mut annotated) = (0.0, DVector::zeros(theta.len()), 0_usize);
        for image in 0..self.data.images() {
            let (y, weight) = match self.data.label(image, self.attribute) {
                1 => (1.0, positive),
                -1 => (-1.0, negative),
                _ => continue,
            };
            annotated += 1;
            let features = self.data.of(image);
            let against = -y * score(theta, features);
            loss += weight * (against.max(0.0) + (-against.abs()).exp().ln_1p());
            add(&mut gradient, features, -y * weight / (1.0 + (-against).exp()));
        }
        let count = annotated.max(1) as f64;
        (loss / count, gradient / count)
    }

    /// Weights and bias (the last), from a start, to a gradient of at most this norm, or as near as [`STEPS`] steps come. `normal` is
    /// sum w x x' of the attribute.
    pub(super) fn fit(&self, normal: &Normal, norm: f64) -> DVector<f64> {
        let (positives, negatives) = self.data.counts(self.attribute);
        // The second derivative of the mean is at most normal / (4 n).
        let scale = 4.0 * (positives + negatives).max(1) as f64;
        let mut theta = DVector::zeros(self.data.channels() + 1);
        let (mut loss, mut gradient) = self.evaluate(&theta);
        let mut past: VecDeque<(DVector<f64>, DVector<f64>)> = VecDeque::new();
        for _ in 0..STEPS {
            if gradient.norm() <= norm {
                break;
            }
            let mut direction = -descent(&gradient, &past, |g| normal.direction(g) * scale);
            if direction.dot(&gradient) >= 0.0 {
                past.clear();
                direction = -normal.direction(&gradient) * scale;
            }
            let slope = direction.dot(&gradient);
            let mut length = 1.0;
            let next = loop {
                let candidate = &theta + &direction * length;
                let (value, slopes) = self.evaluate(&candidate);
                if value <= loss + 1e-4 * length * slope {
                    break Some((candidate, value, slopes));
                }
                length /= 2.0;
                if length < 1e-10 {
                    break None;
                }
            };
            // Nothing nearer can be told in float64.
            let Some((candidate, value, slopes)) = next else { break };
            let (step, change) = (&candidate - &theta, &slopes - &gradient);
            if step.dot(&change) > 0.0 {
                past.push_back((step, change));
                if past.len() > HISTORY {
                    past.pop_front();
                }
            }
            (theta, loss, gradient) = (candidate, value, slopes);
        }
        theta
    }
}

/// The two loops of L-BFGS: the inverse curvature of the last steps, times the gradient; `first` is that before the first step.
fn descent(
    gradient: &DVector<f64>,
    past: &VecDeque<(DVector<f64>, DVector<f64>)>,
    first: impl Fn(&DVector<f64>) -> DVector<f64>,
) -> DVector<f64> {
    let mut q = gradient.clone();
    let mut shares = Vec::with_capacity(past.len());
    for (step, change) in past.iter().rev() {
        let share = step.dot(&q) / step.dot(change);
        q -= change * share;
        shares.push(share);
    }
    let mut r = first(&q);
    for ((step, change), share) in past.iter().zip(shares.into_iter().rev()) {
        let other = change.dot(&r) / step.dot(change);
        r += step * (share - other);
    }
    r
}
