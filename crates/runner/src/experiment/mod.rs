//! An experiment: everything that decides a run's numbers, as read from a YAML file.
//!
//! Each section has a file and a struct of its own; a key that is left out has the default written in the section's `Default`, a key
//! that is not known is refused. [`load`] reads a file and applies `--set`; the result is checked and complete, and is
//! written in full to `results/NAME/experiment.yaml`, from which the same run can be made again.

mod check;
mod classifier;
mod data;
mod explain;
mod figures;
mod load;
mod measure;
mod network;
mod range;
mod report;
mod table;
mod training;

pub use classifier::{Classifier, WeightScheme};
pub use data::{Data, OnBadImage, Procedural, Source};
pub use explain::{Explain, Rise};
pub use figures::Figures;
pub use load::{Loaded, load, settings_of, to_yaml};
pub use measure::{Faithfulness, Fill, Hide, Measure, Occlusion};
pub use network::{ArchitectureChoice, IMAGENET_DEVIATION, IMAGENET_MEAN, Network};
pub use report::Report;
pub use table::{Shapes, Table};
pub use training::{Augment, Optimiser, Schedule, Training};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A complete experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The seed of the weights, the order of the images and their augmentation.
    #[serde(default = "one")]
    pub seed: u64,
    /// Where the images come from and how they are aligned.
    pub data: Data,
    /// The classifier's network.
    #[serde(default)]
    pub model: Network,
    /// How the classifiers are trained.
    #[serde(default)]
    pub training: Training,
    /// The classifiers that are trained and compared, by name. All else being equal they differ in their class weights.
    #[serde(default = "paper_classifiers")]
    pub classifiers: BTreeMap<String, Classifier>,
    /// How decisions are explained.
    #[serde(default)]
    pub explain: Explain,
    /// How explanations are measured.
    #[serde(default)]
    pub measure: Measure,
    /// What is drawn, and how.
    #[serde(default)]
    pub figures: Figures,
    /// What the report shows beside the figures.
    #[serde(default)]
    pub report: Report,
}

/// The paper's two classifiers are compared under these names.
pub const UNBALANCED: &str = "unbalanced";
/// See [`UNBALANCED`].
pub const BALANCED: &str = "balanced";

/// `measure.regions`: the paper's.
pub const CELEBA_REGIONS: &str = "celeba";
/// `measure.regions`: the data set's masks.
pub const MASKS: &str = "masks";
/// `measure.regions`: the whole image.
pub const NO_REGIONS: &str = "none";

fn one() -> u64 {
    1
}

fn paper_classifiers() -> BTreeMap<String, Classifier> {
    BTreeMap::from([
        (UNBALANCED.to_owned(), Classifier::new(WeightScheme::None)),
        (BALANCED.to_owned(), Classifier::new(WeightScheme::DomainAdaptive)),
    ])
}

impl Experiment {
    /// Whether a classifier is trained here, and not read from a file.
    pub fn is_trained(&self, classifier: &str) -> bool {
        self.classifiers
            .get(classifier)
            .is_some_and(|classifier| classifier.weights.is_none())
    }

    /// Where the attributes' regions come from: `measure.regions`, or what fits the data.
    pub fn regions(&self) -> &str {
        let masks = self.data.table.as_ref().is_some_and(|table| table.masks.is_some());
        match (&self.measure.regions, self.data.source) {
            (Some(choice), _) => choice,
            (None, Source::Table) if masks => MASKS,
            (None, Source::Table) => NO_REGIONS,
            (None, _) => CELEBA_REGIONS,
        }
    }

    /// Their names, in the same order as [`Self::classifiers_in_order`].
    pub fn classifier_names(&self) -> Vec<String> {
        let all = self.classifiers_in_order();
        all.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The classifiers in the order in which they are trained and shown: the unbalanced one first, then by name.
    pub fn classifiers_in_order(&self) -> Vec<(&str, &Classifier)> {
        let mut all: Vec<_> = self
            .classifiers
            .iter()
            .map(|(name, classifier)| (name.as_str(), classifier))
            .collect();
        all.sort_by_key(|(name, _)| (*name != UNBALANCED, *name != BALANCED, *name));
        all
    }
}
