//! One entry of the section `classifiers`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One of the compared classifiers: either its class weights in training, or the file that has it trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// How the two classes of an attribute are weighted in the loss.
    #[serde(default)]
    pub class_weights: Option<WeightScheme>,
    /// A trained classifier, to be scored and explained instead of training one: a checkpoint of this program, or a
    /// safetensors file with torchvision's names and one output an attribute.
    #[serde(default)]
    pub weights: Option<PathBuf>,
    /// 0 is no weighting, 1 the scheme; between, the scheme's weights to this power.
    #[serde(default = "Classifier::whole")]
    pub exponent: f64,
    /// The beta of `effective_number`.
    #[serde(default = "Classifier::beta")]
    pub beta: f64,
}

impl Classifier {
    /// A classifier with the whole of a scheme.
    pub fn new(class_weights: WeightScheme) -> Self {
        Self {
            class_weights: Some(class_weights),
            weights: None,
            exponent: Self::whole(),
            beta: Self::beta(),
        }
    }
    fn whole() -> f64 {
        1.0
    }
    fn beta() -> f64 {
        0.9999
    }
}

/// The schemes of class weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightScheme {
    /// 1 for both classes.
    None,
    /// The paper's: 1 for the minority class, n_minority / n_majority for the majority class.
    DomainAdaptive,
    /// n / (2 n_class).
    InverseFrequency,
    /// Cui et al. 2019.
    EffectiveNumber,
}
