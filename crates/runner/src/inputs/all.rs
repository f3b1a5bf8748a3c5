//! Everything that the steps of a run can read, but for each other's files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pipeline::{ContentHash, Contents};

use super::counterfactuals::Counterfactuals;
use super::images::{Images, Split, SplitImages, SplitLabels, TestImages, TrainingImages};
use super::looked_at::LookedAt;
use super::masks::Masks;
use super::parts::{Attributes, ClassCounts, Facts, Squares, Weights};
use super::people::People;
use super::regions::{AttributeRegions, DeclaredRegions};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::regions::{self, Regions};
use crate::weights::find_pretrained;

/// Everything that steps can read, but for each other's files.
pub struct Inputs<'a> {
    /// The whole experiment: each step takes its settings from it.
    pub experiment: &'a Experiment,
    attributes: &'a [String],
    /// Absent where the data set is not here.
    looked_at: Option<LookedAt<'a>>,
    regions: Regions,
    declared_regions: DeclaredRegions,
    /// Weights that are adopted, by classifier.
    weights: BTreeMap<String, (PathBuf, ContentHash)>,
    /// Weights that trainings start from.
    pretrained: Option<(PathBuf, ContentHash)>,
}

impl<'a> Inputs<'a> {
    /// Those of an experiment on its data set.
    ///
    /// # Errors
    /// Those of weights and regions.
    pub fn of(
        experiment: &'a Experiment,
        looked_at: LookedAt<'a>,
        data_root: &Path,
        contents: &Contents,
    ) -> Result<Self> {
        let mut inputs = Self::believed(experiment, looked_at.data.attributes())?;
        inputs.looked_at = Some(looked_at);
        for (name, classifier) in &experiment.classifiers {
            if let Some(path) = &classifier.weights {
                let content = weights_content(contents, path)?;
                inputs.weights.insert(name.clone(), (path.clone(), content));
            }
        }
        let trains = experiment.classifiers.keys().any(|name| experiment.is_trained(name));
        if let Some(choice) = experiment.model.pretrained.as_ref().filter(|_| trains) {
            let path = find_pretrained(choice, data_root)?;
            let content = weights_content(contents, &path)?;
            inputs.pretrained = Some((path, content));
        }
        Ok(inputs)
    }

    /// Those of an experiment whose data set and weights are not there, or not here: their files are taken to be what they were.
    ///
    /// # Errors
    /// Those of regions.
    pub fn believed(experiment: &'a Experiment, attributes: &'a [String]) -> Result<Self> {
        let regions = regions::load(experiment, attributes)?;
        Ok(Self {
            experiment,
            attributes,
            looked_at: None,
            declared_regions: DeclaredRegions::of(experiment, attributes, &regions),
            regions,
            weights: BTreeMap::new(),
            pretrained: None,
        })
    }

    /// Whether files are taken to be what they were.
    pub fn are_believed(&self) -> bool {
        self.looked_at.is_none()
    }

    /// The attributes' names, in their order.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes(self.attributes)
    }

    /// The images that are trained on, and those on which the training is followed, with their labels.
    pub fn training_images(&self) -> TrainingImages<'_> {
        TrainingImages(self.images(true))
    }

    /// How images become the squares that a network sees.
    pub fn squares(&self) -> Squares {
        let size = self.experiment.data.image_size;
        Squares(self.looked_at.map(|looked_at| looked_at.data.source.preparation(size)))
    }

    /// The images of one split, without labels.
    pub fn split_images(&self, split: Split) -> SplitImages<'_> {
        SplitImages {
            images: self.images(false),
            split,
        }
    }

    /// The labels of one split.
    pub fn split_labels(&self, split: Split) -> SplitLabels<'_> {
        SplitLabels {
            looked_at: self.looked_at,
            split,
        }
    }

    /// How often each attribute is there among the training images.
    pub fn class_counts(&self) -> ClassCounts<'_> {
        ClassCounts(self.looked_at)
    }

    /// The test images as the network sees them.
    pub fn test_images(&self) -> TestImages<'_> {
        TestImages(self.images(false))
    }

    /// The test images with their labels.
    pub fn labelled_test_images(&self) -> TestImages<'_> {
        TestImages(self.images(true))
    }

    /// Who is in the test images, where the data set knows.
    pub fn people(&self) -> People<'_> {
        People(self.looked_at)
    }

    /// The masks of the test images, where there are any.
    pub fn masks(&self) -> Masks<'_> {
        Masks(self.looked_at)
    }

    /// The test images drawn again with an attribute toggled, where the program draws the data set.
    pub fn counterfactuals(&self) -> Option<Counterfactuals<'_>> {
        Counterfactuals::new(&self.experiment.data, self.attributes, self.looked_at)
    }

    /// How often each attribute is there among the training images, and what else tables and figures say of the data set.
    pub fn facts(&self) -> Facts<'_> {
        Facts(self.looked_at)
    }

    /// Where attributes should be visible.
    pub fn regions(&self) -> AttributeRegions<'_> {
        AttributeRegions {
            regions: &self.regions,
            declared: &self.declared_regions,
            masks: self.masks(),
        }
    }

    /// The weights that a classifier has from elsewhere: its own, or those that its training starts from.
    pub fn weights(&self, classifier: &str) -> Option<Weights<'_>> {
        let (key, (path, content)) = match self.weights.get(classifier) {
            Some(own) => (format!("classifiers.{classifier}.weights"), own),
            None if self.experiment.is_trained(classifier) => {
                ("model.pretrained".to_owned(), self.pretrained.as_ref()?)
            }
            None => return None,
        };
        Some(Weights { key, path, content })
    }

    fn images(&self, labelled: bool) -> Images<'_> {
        Images::new(&self.experiment.data, self.looked_at, labelled)
    }
}

fn weights_content(contents: &Contents, path: &Path) -> Result<ContentHash> {
    contents.of(path).map_err(Error::io(path, "reading the weights"))
}
