//! Seg-Eigen-CAM.

use super::eigen_cam::first_component;
use super::point::Point;

/// Eigen-CAM of the products |g| A instead of the activations, with the sign that makes the value of the largest size positive: Chung &
/// Ying 2025, *Seg-Eigen-CAM*, made for segmentation. A binary logit is a sum over positions too, so it is defined for one.
///
/// The size of the gradient does not depend on the direction of the score: all targets have the same map.
pub(crate) fn formula(point: &Point<'_>) -> Vec<f32> {
    let mut products = Vec::with_capacity(point.features.len());
    for (features, gradient) in point.rows() {
        let product = |(a, g): (&f32, &f32)| f64::from(*a) * f64::from(*g).abs();
        products.extend(features.iter().zip(gradient).map(product));
    }
    let projection = first_component(products, point.channels);
    let (least, most) = projection
        .iter()
        .fold((0.0_f64, 0.0_f64), |(least, most), &p| (least.min(p), most.max(p)));
    let sign = if least.abs() > most { -1.0 } else { 1.0 };
    projection.into_iter().map(|p| (sign * p) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use crate::methods::point::Gradient;
    use std::sync::OnceLock;

    #[test]
    fn what_stands_out_is_positive_whatever_the_gradients_sign() {
        let features = [1.0, 0.0, 0.0, 0.0, 5.0, 0.0];
        let of = |gradient: &[f32]| {
            formula(&Point {
                features: &features,
                gradient: Gradient::Uniform(gradient),
                channels: 2,
                logit: 1.0,
                sign: 1.0,
                target: Target::Positive,
                of_features: &OnceLock::new(),
            })
        };
        // The first channel weighs 4 and is (1, 0, 5) without its mean 2.
        for (found, expected) in of(&[-4.0, 0.5]).iter().zip([-4.0, -8.0, 12.0]) {
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
        assert_eq!(of(&[4.0, 0.5]), of(&[-4.0, 0.5]));
    }
}
