//! What is known of everything that a step reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a step has read, or would read now: what is recorded of it, and compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Values by their dotted keys.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Contents of files by what a person calls them.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Other steps' artefacts: their hashes by step and path.
    #[serde(default)]
    pub artefacts: BTreeMap<String, BTreeMap<String, String>>,
}

impl Reads {
    /// One short text that stands for all of it and the step itself.
    pub(crate) fn key(&self, step: &str, version: u32) -> String {
        // Maps of texts: their serialisation cannot fail.
        let text = serde_json::to_string(&(step, version, self)).unwrap_or_default();
        disk::hash_of(text.as_bytes())
    }
}
