//! Frozen features and their labels: what a head is fitted to.

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{ClassWeights, Error, Result};

/// Images whose features are in hand together.
const CHUNK: usize = 4096;

/// Pooled features of the training images, which do not change any more, with their labels.
#[derive(Debug, Clone, Copy)]
pub struct FrozenFeatures<'a> {
    features: &'a [f32],
    labels: &'a [i8],
    images: usize,
    channels: usize,
    attributes: usize,
}

impl<'a> FrozenFeatures<'a> {
    /// Features `[N, C]` and labels `[N, A]`: +1, -1, or 0 for "not annotated".
    ///
    /// # Errors
    /// [`Error::Shape`] when they are not of one number of images, or of none; [`Error::Setting`] when a feature is no finite number.
    pub fn new(features: &'a [f32], labels: &'a [i8], channels: usize, attributes: usize) -> Result<Self> {
        let images = features.len().checked_div(channels).unwrap_or_default();
        if images == 0 || features.len() != images * channels || labels.len() != images * attributes {
            return Err(Error::Shape {
                what: "features and labels",
                found: vec![features.len(), labels.len()],
                expected: format!("[N x {channels}, N x {attributes}], N at least 1"),
            });
        }
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            let (image, channel) = (at / channels, at % channels);
            let field = format!("features[{image}, {channel}]");
            return Err(Error::setting(field, features[at], "a finite number"));
        }
        Ok(Self {
            features,
            labels,
            images,
            channels,
            attributes,
        })
    }

    /// Number of channels, C.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of attributes, A.
    #[must_use]
    pub fn attributes(&self) -> usize {
        self.attributes
    }

    /// Number of images, N.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images
    }

    /// The features of an image.
    pub(super) fn of(&self, image: usize) -> &'a [f32] {
        &self.features[image * self.channels..][..self.channels]
    }

    /// The label of an image: +1, -1 or 0.
    pub(super) fn label(&self, image: usize, attribute: usize) -> i8 {
        self.labels[image * self.attributes + attribute].signum()
    }

    /// (positives, negatives) of an attribute.
    pub(super) fn counts(&self, attribute: usize) -> (usize, usize) {
        let count = |sign: i8| {
            let labels = (0..self.images).map(|image| self.label(image, attribute));
            labels.filter(|label| *label == sign).count()
        };
        (count(1), count(-1))
    }

    /// Sum of x x' over some images, x being the features with a 1 behind them: `[C + 1, C + 1]`. Sums run in float64 and in one order.
    pub(super) fn gram(&self, images: &[usize]) -> DMatrix<f64> {
        let size = self.channels + 1;
        let mut gram = DMatrix::zeros(size, size);
        for images in images.chunks(CHUNK) {
            let values = images.iter().flat_map(|&image| {
                let of_image = self.of(image).iter().map(|value| f64::from(*value));
                of_image.chain(std::iter::once(1.0))
            });
            // An image a column.
            let chunk = DMatrix::from_iterator(size, images.len(), values);
            gram.gemm(1.0, &chunk, &chunk.transpose(), 1.0);
        }
        gram
    }

    /// The same over all images.
    pub(super) fn gram_of_all(&self) -> DMatrix<f64> {
        let all: Vec<usize> = (0..self.images).collect();
        let mut gram = DMatrix::zeros(self.channels + 1, self.channels + 1);
        // A few chunks at a time: their products have the size of the sum.
        for some in all.chunks(8 * CHUNK) {
            let products: Vec<DMatrix<f64>> = some.par_chunks(CHUNK).map(|chunk| self.gram(chunk)).collect();
            products.iter().for_each(|product| gram += product);
        }
        gram
    }

    /// Sum of w x x' over the images of an attribute, with its class weights; `all` is that of all images with weight 1. Only the images
    /// of the two smaller of its three groups (positive, negative, not annotated) are gone through: the third is the rest.
    pub(super) fn weighted_gram(&self, attribute: usize, weights: &ClassWeights, all: &DMatrix<f64>) -> DMatrix<f64> {
        let (positive, negative) = (
            f64::from(weights.positive[attribute]),
            f64::from(weights.negative[attribute]),
        );
        let weight = |label: i8| match label {
            1 => positive,
            -1 => negative,
            _ => 0.0,
        };
        let mut groups: Vec<(f64, Vec<usize>)> = [1, -1, 0]
            .into_iter()
            .map(|label| {
                let images = (0..self.images).filter(|&image| self.label(image, attribute) == label);
                (weight(label), images.collect())
            })
            .collect();
        groups.sort_by_key(|(_, images)| std::cmp::Reverse(images.len()));
        let rest = groups[0].0;
        let mut gram = all * rest;
        for (weight, images) in groups.iter().skip(1).filter(|(weight, _)| *weight != rest) {
            gram += self.gram(images) * (weight - rest);
        }
        gram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// By the definition. 1e-9: float64 sums of 60 products below 100.
        #[test]
        fn weighted_sums_are_the_definition(
            features in prop::collection::vec(-3.0_f32..3.0, 60),
            labels in prop::collection::vec(-1_i8..=1, 40),
            pair in (0.01_f32..3.0, 0.01_f32..3.0),
        ) {
            let data = FrozenFeatures::new(&features, &labels, 3, 2).unwrap();
            let weights = ClassWeights { positive: vec![pair.0, 1.0], negative: vec![pair.1, 1.0] };
            let all = data.gram_of_all();
            for attribute in 0..2 {
                let found = data.weighted_gram(attribute, &weights, &all);
                let mut expected = DMatrix::<f64>::zeros(4, 4);
                for image in 0..20 {
                    let weight = match labels[image * 2 + attribute] {
                        1 => f64::from(weights.positive[attribute]),
                        -1 => f64::from(weights.negative[attribute]),
                        _ => 0.0,
                    };
                    let x: Vec<f64> = features[image * 3..][..3].iter().map(|v| f64::from(*v)).chain([1.0]).collect();
                    for row in 0..4 {
                        for column in 0..4 {
                            expected[(row, column)] += weight * x[row] * x[column];
                        }
                    }
                }
                prop_assert!((found - expected).amax() < 1e-9);
            }
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let error = FrozenFeatures::new(&[1.0; 6], &[1; 4], 3, 1).unwrap_err().to_string();
        assert!(error.contains("[N x 3, N x 1]"), "{error}");
        assert!(FrozenFeatures::new(&[], &[], 3, 1).is_err());
        assert!(FrozenFeatures::new(&[], &[], 0, 0).is_err());
        let error = FrozenFeatures::new(&[1.0, f32::NAN], &[1], 2, 1)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "features[0, 1]: NaN, expected a finite number");
    }
}
