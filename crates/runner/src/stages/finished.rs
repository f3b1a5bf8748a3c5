//! Whether a results folder already holds an experiment's results.

use std::path::Path;

use super::{draw, measure};
use crate::context::stage_key;
use crate::experiment::Experiment;
use crate::pipeline::Manifest;
use crate::request::Last;

/// Whether the last thing that happened in `folder` was this experiment, carried through to `last`, and its files are still there.
///
/// It looks at the manifest alone: neither the data set nor the files' contents are read again, as the run itself would do.
pub fn is_finished(experiment: &Experiment, manifest: &Manifest, folder: &Path, last: Last) -> bool {
    let (stage, key) = if last >= Last::Draw {
        ("draw", draw::key(experiment, manifest))
    } else {
        ("measure", measure::results_key(experiment, manifest))
    };
    let of_classifier = |name: &str| {
        experiment
            .classifiers
            .contains_key(name.split_once('/').map_or("", |(_, classifier)| classifier))
    };
    let needed = manifest
        .stages
        .iter()
        .filter(|(name, _)| *name == stage || of_classifier(name));
    let mut files = needed.flat_map(|(_, record)| record.artefacts.keys());
    let recorded = manifest.stages.get(stage);
    recorded.is_some_and(|record| record.key == stage_key(stage, key)) && files.all(|file| folder.join(file).is_file())
}
