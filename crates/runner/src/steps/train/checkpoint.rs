//! Where the step that makes a classifier leaves it.

use crate::artefacts;
use crate::inputs::Artefact;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("train/{classifier}")
}

/// Its network.
pub fn checkpoint(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::checkpoint(classifier))
}
