//! What a file leaves open, where a default may follow the data.

/// Which settings that decide the cost of a run nobody has set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unset {
    /// `model.architecture`, `width` and `pretrained`.
    pub network: bool,
    /// `measure.faithfulness.images`.
    pub faithfulness: bool,
    /// `measure.decomposed_images`.
    pub decomposed: bool,
}
