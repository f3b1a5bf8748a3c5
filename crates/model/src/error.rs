//! What can go wrong in a network, its training and its checkpoints.

use std::fmt;

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in a network, its training and its checkpoints.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting outside of its range.
    #[error("{field}: {found}, expected {expected}")]
    Setting {
        /// Name of the setting, such as `stages[1].kernel`.
        field: String,
        /// Its value.
        found: String,
        /// The values it can have.
        expected: String,
    },
    /// A preset's name that is not known.
    #[error("`{name}` is not an architecture; known: {}", known.join(", "))]
    UnknownArchitecture {
        /// The name that was asked for.
        name: String,
        /// The presets' names.
        known: &'static [&'static str],
    },
    /// A layer's name that the network does not have.
    #[error("`{name}` is not a layer; known: {}", known.join(", "))]
    UnknownLayer {
        /// The name that was asked for.
        name: String,
        /// The network's layers.
        known: Vec<String>,
    },
    /// Images, labels or weights of the wrong shape.
    #[error("{what}: shape {found:?}, expected {expected}")]
    Shape {
        /// What has the shape.
        what: &'static str,
        /// The shape it has.
        found: Vec<usize>,
        /// The shape it should have, in words.
        expected: String,
    },
    /// Tensors that are not those of the network.
    #[error("the tensors are not those of this network: {0}")]
    Tensors(TensorMismatch),
    /// Tensors of another program among which no network can be found; the text says what there is.
    #[error("{0}")]
    Foreign(String),
    /// A checkpoint of another architecture.
    #[error("checkpoint of another architecture: it holds {found}, expected {expected}")]
    OtherArchitecture {
        /// The checkpoint's architecture.
        found: String,
        /// The architecture that was asked for.
        expected: String,
    },
    /// A checkpoint of a classifier of other attributes.
    #[error("checkpoint of other attributes: {0}")]
    OtherAttributes(String),
    /// Bytes that are not a checkpoint.
    #[error("not a checkpoint of this program: {0}")]
    NotACheckpoint(String),
    /// An attribute that is positive, or negative, in all samples: there is nothing to learn, and no weight.
    #[error("attribute {attribute} has {positives} positives and {negatives} negatives, expected at least one of each")]
    OneClass {
        /// Index of the attribute.
        attribute: usize,
        /// Number of positive samples.
        positives: usize,
        /// Number of negative samples.
        negatives: usize,
    },
    /// A loss that is infinite or not a number.
    #[error(
        "the loss is {loss} at step {step} with learning rate {learning_rate:.3e}: training has diverged, try a smaller learning rate"
    )]
    NonFiniteLoss {
        /// The loss.
        loss: f32,
        /// Number of steps made before this one.
        step: u64,
        /// Learning rate of this step.
        learning_rate: f64,
    },
    /// A gradient that is infinite or not a number, though the loss is not.
    #[error(
        "the gradient of {parameter} is not finite at step {step} with learning rate {learning_rate:.3e}: training has diverged, try a smaller learning rate"
    )]
    NonFiniteGradient {
        /// Name of the parameter.
        parameter: String,
        /// Number of steps made before this one.
        step: u64,
        /// Learning rate of this step.
        learning_rate: f64,
    },
    /// An operation on tensors failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    pub(crate) fn setting(field: impl Into<String>, found: impl fmt::Display, expected: impl Into<String>) -> Self {
        Self::Setting {
            field: field.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }
}

/// How given tensors differ from those that are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TensorMismatch {
    /// Names that are needed and not given.
    pub missing: Vec<String>,
    /// Names that are given and not needed.
    pub extra: Vec<String>,
    /// Name, given shape, needed shape.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl TensorMismatch {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.shapes.is_empty()
    }
}

impl fmt::Display for TensorMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes: Vec<String> = self
            .shapes
            .iter()
            .map(|(name, found, needed)| format!("{name} {found:?} for {needed:?}"))
            .collect();
        let mut separator = "";
        for (what, names) in [
            ("missing", &self.missing),
            ("unknown", &self.extra),
            ("wrong shape", &shapes),
        ] {
            if !names.is_empty() {
                write!(f, "{separator}{} {what} ({})", names.len(), some_of(names))?;
                separator = "; ";
            }
        }
        Ok(())
    }
}

/// The first names of a long list.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += ", ...";
    }
    text
}
