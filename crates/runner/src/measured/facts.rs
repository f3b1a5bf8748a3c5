//! `data.json`: what results say of the data set they are of, so that they can be drawn without it.

use std::path::Path;

use metrics::Class;
use serde::{Deserialize, Serialize};

use crate::artefacts;
use crate::error::{Error, Result};

/// What tables and figures need to know of a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFacts {
    /// Names of the attributes, in the data set's order.
    pub attributes: Vec<String>,
    /// (positives, negatives) of each attribute among the training images.
    pub counts: Vec<(usize, usize)>,
    /// Number of training images.
    pub training: usize,
    /// Number of scored test images.
    pub test: usize,
    /// Which test images those are, in words.
    pub filter: String,
}

impl DataFacts {
    /// Those that a run has left in its results folder.
    ///
    /// # Errors
    /// When the file is absent, damaged, or contradicts itself.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(artefacts::FACTS);
        let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading"))?;
        let facts: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Error::artefact(
                &path,
                format!("not what a run writes: {}", pipeline::json_fault(&error)),
            )
        })?;
        if facts.attributes.len() != facts.counts.len() {
            let (names, counts) = (facts.attributes.len(), facts.counts.len());
            return Err(Error::artefact(
                &path,
                format!("{names} attributes with {counts} counts"),
            ));
        }
        Ok(facts)
    }

    /// What the scored images are called: none are frontal but faces that went through that filter.
    pub fn test_images(&self) -> &'static str {
        match self.filter.as_str() {
            "frontal" => "frontal test images",
            _ => "test images",
        }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain data: its serialisation cannot fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The position of an attribute.
    pub fn position(&self, attribute: &str) -> Option<usize> {
        self.attributes.iter().position(|name| name == attribute)
    }

    /// The rarer class of an attribute among the training images.
    pub fn minority(&self, attribute: usize) -> Class {
        let (positives, negatives) = self.counts[attribute];
        Class::minority(positives, negatives)
    }
}
