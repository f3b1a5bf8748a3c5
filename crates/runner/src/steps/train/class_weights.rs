//! A classifier's class weights, from the numbers of its training images.

use model::{ClassWeights, Weighting};

use crate::error::{Error, Result};

/// A classifier's class weights by a scheme, from the (positives, negatives) of each of `attributes` among the training images.
///
/// # Errors
/// When an attribute has only one class among the training images; the message names it.
pub fn class_weights(
    name: &str,
    weighting: Weighting,
    counts: &[(usize, usize)],
    attributes: &[String],
) -> Result<ClassWeights> {
    ClassWeights::new(weighting, counts).map_err(|error| match error {
        model::Error::OneClass {
            attribute,
            positives,
            negatives,
        } => Error::Request(format!(
            "classifiers.{name}: {} has {positives} positives and {negatives} negatives among the training images; both classes \
             are needed: train on more images, or leave the attribute out of the label file",
            attributes[attribute]
        )),
        other => other.into(),
    })
}
