//! Whether results are of the same data set and weights, where those cannot be looked at.

use std::path::Path;

use crate::artefacts;
use crate::experiment::{DataSettings, Experiment, load};

/// Whether the experiment that a results folder keeps takes its images and weights from where this one does. A step declares them by
/// content; where contents are believed, at least the settings that lead to them have to be the same.
pub fn are_the_same(folder: &Path, experiment: &Experiment) -> bool {
    let Ok(before) = load(&folder.join(artefacts::EXPERIMENT), &[]) else {
        return false;
    };
    sources(&before.experiment) == sources(experiment)
}

type Sources<'a> = (DataSettings, Option<&'a str>, Vec<(&'a str, Option<&'a Path>)>);

fn sources(experiment: &Experiment) -> Sources<'_> {
    let weights = experiment.classifiers.iter();
    (
        experiment.data.deciding(),
        experiment.model.pretrained.as_deref(),
        weights
            .map(|(name, one)| (name.as_str(), one.weights.as_deref()))
            .collect(),
    )
}
