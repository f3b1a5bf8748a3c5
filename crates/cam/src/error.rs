//! What can go wrong with maps.

/// Result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with maps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is not known.
    #[error("`{name}` is not a {kind}; known: {}", known.join(", "))]
    UnknownName {
        /// What kind of thing was asked for.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// Tensors or slices that do not belong together.
    #[error("{what}: shape {found:?}, expected {expected}")]
    Shape {
        /// What has the shape.
        what: &'static str,
        /// The shape it has.
        found: Vec<usize>,
        /// The shape it should have, in words.
        expected: String,
    },
    /// A map that is infinite or not a number: the network's weights or the image are broken.
    #[error("the map of image {image} and attribute {attribute} is not finite")]
    NotFinite {
        /// Position of the image in the batch.
        image: usize,
        /// Position among the explained attributes.
        attribute: usize,
    },
    /// The label's score is to be explained, and there is no label.
    #[error("image {image} has no label of attribute {attribute}, whose score was to be explained")]
    NoLabel {
        /// Position of the image in the batch.
        image: usize,
        /// Position among the explained attributes.
        attribute: usize,
    },
    /// A method that looks at more than one forward pass.
    #[error("{method} needs more than the one forward pass that is made here; cam::Explainer makes the others")]
    NeedsNetwork {
        /// The method's name.
        method: &'static str,
    },
    /// A method that compares with a reference was not given one.
    #[error("centred_cam explains what an image has beyond the mean of a data set, and was not given that mean")]
    NoReference,
    /// A method that does not exist at an inner layer.
    #[error("{method} is defined at the network's last stage only, `{last}`, not at `{layer}`")]
    LastStageOnly {
        /// The method's name.
        method: &'static str,
        /// The layer that was asked for.
        layer: String,
        /// The last stage.
        last: String,
    },
    /// A setting outside of its range.
    #[error("{field}: {found}, expected {expected}")]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// Its value.
        found: String,
        /// The values it can have.
        expected: &'static str,
    },
    /// A layer that the network does not have.
    #[error("`{name}` is not a layer; known: {}", known.join(", "))]
    UnknownLayer {
        /// The name that was asked for.
        name: String,
        /// The network's layers.
        known: Vec<String>,
    },
    /// An attribute that the network has no output for.
    #[error("attribute: {attribute}, expected less than {outputs}, the network's outputs")]
    UnknownAttribute {
        /// Its position.
        attribute: usize,
        /// Number of outputs.
        outputs: usize,
    },
    /// A method that is defined by a linear head, of a network without one.
    #[error(
        "{method} is defined for networks whose last layer is averaged and mapped linearly to the scores, and this one is another"
    )]
    NoLinearHead {
        /// The method's name.
        method: &'static str,
    },
    /// The network refused its input.
    #[error(transparent)]
    Network(Box<dyn std::error::Error + Send + Sync>),
    /// An operation on tensors failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
