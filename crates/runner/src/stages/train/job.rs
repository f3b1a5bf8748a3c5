//! A classifier that is to be trained.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::error::Result;
use crate::experiment::Classifier;
use crate::weights::{WeightsFile, find_pretrained};
use pipeline::Declaration;

/// The stage of a classifier.
pub fn stage(classifier: &str) -> String {
    format!("train/{classifier}")
}

/// A classifier that is to be trained.
pub struct Job {
    /// Its name.
    pub name: String,
    /// What the experiment says of it.
    pub classifier: Classifier,
    /// The weights it starts from.
    pub pretrained: Option<WeightsFile>,
    /// What the training reads.
    pub declaration: Declaration,
}

impl Job {
    /// # Errors
    /// When the weights it starts from are nowhere, or unreadable.
    pub fn new(context: &Context, name: &str, classifier: Classifier, declaration: Declaration) -> Result<Self> {
        let pretrained = match &context.experiment.model.pretrained {
            Some(choice) => Some(WeightsFile::read(&find_pretrained(choice, &context.data_root)?)?),
            None => None,
        };
        Ok(Self {
            name: name.to_owned(),
            classifier,
            pretrained,
            declaration,
        })
    }

    /// What tells this training from any other: one that was interrupted goes on only with the same.
    pub fn key(&self) -> String {
        // A training reads no other step's files.
        let reads = self.declaration.reads(&BTreeMap::new());
        reads.key(self.declaration.step(), self.declaration.version())
    }
}
