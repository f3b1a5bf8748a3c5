//! A classifier that is to be trained.

use crate::context::Context;
use crate::error::Result;
use crate::experiment::Classifier;
use crate::pipeline::Key;
use crate::stages::{DataSet, bad_images};
use crate::weights::{WeightsFile, find_pretrained};

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
    /// That of everything the training depends on.
    pub key: Key,
}

impl Job {
    /// # Errors
    /// When the weights it starts from are nowhere, or unreadable.
    pub fn new(context: &Context, data: &DataSet, name: &str, classifier: Classifier) -> Result<Self> {
        let pretrained = match &context.experiment.model.pretrained {
            Some(choice) => Some(WeightsFile::read(&find_pretrained(choice, &context.data_root)?)?),
            None => None,
        };
        let key = Key::default()
            .settings(&context.experiment.seed)
            .settings(&context.experiment.data.deciding())
            .settings(&context.experiment.model.deciding())
            .settings(&context.experiment.training.deciding())
            .settings(&classifier)
            .settings(&bad_images::names(data))
            .text(&pretrained.as_ref().map_or_else(String::new, WeightsFile::hash))
            .text(&context.manifest().data);
        Ok(Self {
            name: name.to_owned(),
            classifier,
            pretrained,
            key,
        })
    }
}
