//! One entry of the section `classifiers`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use model::{Scheme, Weighting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::yaml::Node;

/// One of the compared classifiers: either its class weights in training, or the file that has it trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// How the two classes of an attribute are weighted in the loss.
    #[serde(default)]
    pub class_weights: Option<Scheme>,
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
    /// What it is in the paper's comparison, whatever its name: `unbalanced` or `balanced`. The verdicts compare the two, and the
    /// paper's numbers stand beside them. A classifier that is called `unbalanced` or `balanced` has this role unless another claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
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
            exponent: Self::whole(),
            beta: Self::beta(),
            role: None,
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
