//! One entry of the section `classifiers`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use model::{Scheme, Weighting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::yaml::Node;

/// One of the compared classifiers: trained with class weights, read from the file that has it trained, or derived from another one by
/// another threshold or another head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// How the two classes of an attribute are weighted in the loss. Of a derived classifier: what its threshold or its head is to
    /// answer to.
    #[serde(default)]
    pub class_weights: Option<Scheme>,
    /// A trained classifier, to be scored and explained instead of training one: a checkpoint of this program, or a
    /// safetensors file with torchvision's names and one output an attribute.
    #[serde(default)]
    pub weights: Option<PathBuf>,
    /// The classifier that this one is derived from, without training: it has that one's features, and `threshold` or `head` says what
    /// it has instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The classifier whose class weights a derived one answers to, whatever those are: instead of `class_weights`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A derived classifier's threshold of every attribute, with the head of `from`: `prior`, where other class weights move it;
    /// `balanced_error`, where the two classes' mean error on the validation images is least; `rates`, where their errors there are
    /// nearest to each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// A derived classifier's head: `refitted` to the features of the training images, which stay as they are, with class weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadChange>,
    /// 0 is no weighting, 1 the scheme; between, the scheme's weights to this power.
    #[serde(default = "Classifier::whole")]
    pub exponent: f64,
    /// The beta of `effective_number`.
    #[serde(default = "Classifier::beta")]
    pub beta: f64,
    /// What it is in the paper's comparison, whatever its name: `unbalanced` or `balanced`. The verdicts compare the two, and the
    /// paper's numbers stand beside them. A classifier that is called `unbalanced` or `balanced` has this role unless another claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// How a derived classifier's thresholds are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// Where other class weights move it, for calibrated scores.
    Prior,
    /// Where the mean of both classes' errors on the validation images is least.
    BalancedError,
    /// Where both classes' errors on the validation images are nearest to each other.
    Rates,
}

/// How a derived classifier's head is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadChange {
    /// Fitted again to the same features, with class weights.
    Refitted,
}

/// What a derived classifier has instead of what its source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Other thresholds.
    Threshold(Threshold),
    /// Another head.
    Head,
}

/// What a classifier is in the paper's comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that is trained on the data as they are.
    Unbalanced,
    /// The one whose class weights make up for what is rare.
    Balanced,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Unbalanced, Self::Balanced];

    /// Its name in YAML, and of the paper's columns.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unbalanced => "unbalanced",
            Self::Balanced => "balanced",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The paper's two classifiers.
pub(super) fn paper_classifiers() -> BTreeMap<String, Classifier> {
    let named = |role: Role, scheme| (role.name().to_owned(), Classifier::new(scheme));
    BTreeMap::from([
        named(Role::Unbalanced, Scheme::None),
        named(Role::Balanced, Scheme::DomainAdaptive),
    ])
}

/// The same, as a file would say them.
pub(super) fn paper_classifiers_in_yaml() -> Node {
    let scheme = |scheme: &str| Node::Map(vec![("class_weights".to_owned(), Node::Text(scheme.to_owned()))]);
    let classifiers = vec![
        (Role::Unbalanced.name().to_owned(), scheme("none")),
        (Role::Balanced.name().to_owned(), scheme("domain_adaptive")),
    ];
    Node::Map(vec![("classifiers".to_owned(), Node::Map(classifiers))])
}

/// Gives each role that nobody claims to the classifier that is called so.
pub(super) fn give_roles(classifiers: &mut BTreeMap<String, Classifier>) {
    for role in Role::ALL {
        if classifiers.values().all(|classifier| classifier.role != Some(role))
            && let Some(classifier) = classifiers.get_mut(role.name())
        {
            classifier.role.get_or_insert(role);
        }
    }
}

impl Classifier {
    /// A classifier with the whole of a scheme.
    pub fn new(class_weights: Scheme) -> Self {
        Self {
            class_weights: Some(class_weights),
            weights: None,
            from: None,
            to: None,
            threshold: None,
            head: None,
            exponent: Self::whole(),
            beta: Self::beta(),
            role: None,
        }
    }

    /// Whether it is trained here, and neither read from a file nor derived.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.weights.is_none() && self.from.is_none()
    }

    /// What a derived classifier changes: of a checked experiment, absent of the others only.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        match (self.threshold, self.head) {
            (Some(threshold), _) => Some(Change::Threshold(threshold)),
            (None, Some(HeadChange::Refitted)) => Some(Change::Head),
            (None, None) => None,
        }
    }

    /// How its classes are weighted in the loss.
    #[must_use]
    pub fn weighting(&self) -> Weighting {
        Weighting {
            scheme: self.class_weights.unwrap_or(Scheme::None),
            exponent: self.exponent,
            beta: self.beta,
        }
    }

    /// The settings that decide what is trained: not the role.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            role: None,
            ..self.clone()
        }
    }

    fn whole() -> f64 {
        1.0
    }
    fn beta() -> f64 {
        Weighting::BETA
    }
}
