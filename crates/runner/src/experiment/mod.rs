//! An experiment: everything that decides a run's numbers, as read from a YAML file.
//!
//! Each section has a file and a struct of its own; a key that is left out has the default written in the section's `Default`, a key
//! that is not known is refused. [`load`] reads a file, those that it `extends`, and `--set`; the result is checked and complete, and is
//! written in full to `results/NAME/experiment.yaml`, from which the same run can be made again.
//!
//! **Paths.** A relative path in a YAML file starts from that file's folder; one in `--set`, as all on the command line, from the working
//! directory, and so do those in a file inside the program. This holds of `extends`, `data.folder`, `measure.regions`, `model.pretrained`
//! and `classifiers.NAME.weights`, of a sweep's `experiment`, and of a mask in a regions file. Those in `data.table` start from
//! `data.folder`, and without it they too start from the file's folder. What is not there is looked for by its name: an experiment among
//! those inside the program, a data set below `--data`, weights on the hub.

mod check;
mod classifier;
mod coarse;
mod data;
mod derived;
mod explain;
mod extends;
mod figures;
mod load;
mod meant;
mod measure;
mod network;
mod paths;
mod range;
mod report;
mod schema;
mod small;
mod table;
mod training;
mod unset;

pub use classifier::{Change, Classifier, Role, Threshold};
pub use data::{DataSettings, DataSource, OnBadImage, Procedural};
pub use derived::{Kind, Origin};
pub use explain::ExplainSettings;
pub use figures::FigureSettings;
pub use load::{Loaded, load, settings_of, to_yaml};
pub use meant::keys_like;
pub use measure::{
    FaithfulnessSettings, Hide, InterventionSettings, LocalitySettings, MeasureSettings, OcclusionSettings,
    RegionSource,
};
pub use network::{ArchitectureChoice, IMAGENET_DEVIATION, IMAGENET_MEAN, NetworkSettings, repository_of};
pub use paths::{is_path, resolved, resolved_experiment, resolved_setting, way};
pub use range::Problem;
pub use report::ReportSettings;
pub use schema::schema;
pub use table::TableSettings;
pub use training::TrainingSettings;
pub use unset::Unset;

use std::collections::BTreeMap;

use metrics::Bootstrap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A complete experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The seed of the weights, the order of the images and their augmentation.
    #[serde(default = "one")]
    pub seed: u64,
    /// Where the images come from and how they are aligned.
    pub data: DataSettings,
    /// The classifier's network.
    #[serde(default)]
    pub model: NetworkSettings,
    /// How the classifiers are trained.
    #[serde(default)]
    pub training: TrainingSettings,
    /// The classifiers that are trained and compared, by name. All else being equal they differ in their class weights. One that is
    /// `null` is left out, whatever an extended file says of it.
    #[serde(default = "classifier::paper_classifiers")]
    pub classifiers: BTreeMap<String, Classifier>,
    /// How decisions are explained.
    #[serde(default)]
    pub explain: ExplainSettings,
    /// How explanations are measured.
    #[serde(default)]
    pub measure: MeasureSettings,
    /// What is drawn, and how.
    #[serde(default)]
    pub figures: FigureSettings,
    /// What the report shows beside the figures.
    #[serde(default)]
    pub report: ReportSettings,
    /// What nobody has set; of an experiment that a results folder keeps nothing.
    #[serde(skip)]
    pub unset: Unset,
}

fn one() -> u64 {
    1
}

impl Experiment {
    /// Whether a classifier is trained here, and neither read from a file nor derived.
    pub fn is_trained(&self, classifier: &str) -> bool {
        self.classifiers.get(classifier).is_some_and(Classifier::is_trained)
    }

    /// How intervals are drawn.
    pub fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            resamples: self.measure.resamples,
            seed: self.seed,
        }
    }

    /// Where the attributes' regions come from: `measure.regions`, or what fits the data.
    pub fn regions(&self) -> &RegionSource {
        let masks = self.data.table.as_ref().is_some_and(TableSettings::says_where);
        match (&self.measure.regions, self.data.source) {
            (Some(choice), _) => choice,
            (None, DataSource::Table) if masks => &RegionSource::Masks,
            (None, DataSource::Table) => &RegionSource::Whole,
            (None, _) => &RegionSource::Celeba,
        }
    }

    /// Their names, in the same order as [`Self::classifiers_in_order`].
    pub fn classifier_names(&self) -> Vec<String> {
        let all = self.classifiers_in_order();
        all.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The classifiers in the order in which they are made and shown: those with a role first, the unbalanced one
    /// before the balanced one, then by name; after them the derived ones, each behind what it is derived from, thresholds before heads.
    pub fn classifiers_in_order(&self) -> Vec<(&str, &Classifier)> {
        let mut all: Vec<_> = self
            .classifiers
            .iter()
            .map(|(name, classifier)| (name.as_str(), classifier))
            .collect();
        all.sort_by_key(|(name, classifier)| (classifier.role.is_none(), classifier.role, *name));
        let (derived, mut ordered): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, one)| one.from.is_some());
        let place = |name: &str, ordered: &[(&str, &Classifier)]| ordered.iter().position(|(known, _)| *known == name);
        let mut waiting = derived;
        loop {
            let (mut ready, rest): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .map(|(name, one)| (one.from.as_deref().and_then(|from| place(from, &ordered)), name, one))
                .partition(|(from, ..)| from.is_some());
            if ready.is_empty() {
                // Only of an experiment that was not checked: what is derived from nothing comes last.
                ordered.extend(rest.into_iter().map(|(_, name, one)| (name, one)));
                return ordered;
            }
            ready.sort_by_key(|(from, name, one)| (*from, one.threshold.is_none(), *name));
            ordered.extend(ready.into_iter().map(|(_, name, one)| (name, one)));
            waiting = rest.into_iter().map(|(_, name, one)| (name, one)).collect();
        }
    }
}
