//! What a run will cost: images, steps, and time where a finished run tells how long that takes.

use std::path::{Path, PathBuf};

use super::{Plan, PlannedRun};
use crate::artefacts;
use crate::experiment::{Experiment, Source, load};
use pipeline::Manifest;

/// CelebA's official split: training and test images.
const CELEBA: [usize; 2] = [162_770, 19_962];

/// What a run computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Training images.
    pub images: usize,
    /// Passes over them.
    pub epochs: usize,
    /// Classifiers that are trained.
    pub trained: usize,
    /// Steps of all trainings together.
    pub steps: usize,
    /// Test images before the frontal filter.
    pub test: usize,
}

impl Cost {
    /// The cost of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        let [train, test] = match experiment.data.source {
            Source::Celeba => CELEBA,
            Source::Procedural => [experiment.data.procedural.train, experiment.data.procedural.test],
            // A table's rows are not counted here; of the example they are known.
            Source::Table => {
                let table = experiment.data.table.as_ref();
                let split = table.map(|table| table.split).unwrap_or_default();
                let images = table.and_then(|table| table.shapes).map_or(0, |shapes| shapes.images) as f64;
                let part = |share: f64| (images * share).round() as usize;
                [part(1.0 - split.validation - split.test), part(split.test)]
            }
        };
        let images = (train as f64 * experiment.data.training_fraction).ceil() as usize;
        let epochs = experiment.training.epochs;
        let names = experiment.classifiers.keys();
        let trained = names.filter(|name| experiment.is_trained(name)).count();
        Self {
            images,
            epochs,
            trained,
            steps: images / experiment.training.batch_size * epochs * trained,
            test,
        }
    }
}

/// What a finished run took.
#[derive(Debug, Clone)]
pub struct Experience {
    experiment: Experiment,
    /// Seconds of one image in training, and of one test image in everything after it.
    training: f64,
    test: f64,
}

impl Experience {
    /// From the finished runs of the sweep, then from the results of the experiment that it varies.
    pub fn collect(plan: &Plan, results: &Path, sweep: &Path) -> Vec<Self> {
        let base = plan.experiment.file_stem().map(|name| results.join(name));
        let folders: Vec<PathBuf> = plan.runs.iter().map(|run| sweep.join(&run.name)).chain(base).collect();
        folders.iter().filter_map(|folder| Self::of(folder)).collect()
    }

    fn of(folder: &Path) -> Option<Self> {
        let experiment = load(&folder.join(artefacts::EXPERIMENT), &[]).ok()?.experiment;
        let manifest = Manifest::read(folder).ok()?;
        let seconds = |prefix: &str| -> Option<f64> {
            let of_kind = manifest.stages.iter().filter(|(name, _)| name.starts_with(prefix));
            let seconds: Vec<f64> = of_kind.map(|(_, stage)| stage.seconds).collect();
            (!seconds.is_empty()).then(|| seconds.iter().sum())
        };
        let cost = Cost::of(&experiment);
        let classifiers = experiment.classifiers.len().max(1);
        let after = seconds("predict/")? + seconds("explain/")? + seconds("measure").unwrap_or(0.0);
        Some(Self {
            training: seconds("train/")? / (cost.images * cost.epochs * cost.trained).max(1) as f64,
            test: after / (cost.test * classifiers).max(1) as f64,
            experiment,
        })
    }

    /// Seconds that a run will take, after a finished one with the same network, image size and augmentation; `None` if there is none.
    pub fn seconds(all: &[Self], run: &PlannedRun) -> Option<f64> {
        let alike = |one: &&Self| {
            let (a, b) = (&one.experiment, &run.experiment);
            a.model == b.model
                && a.data.image_size == b.data.image_size
                && a.training.augmentation == b.training.augmentation
                && a.explain == b.explain
        };
        let one = all.iter().find(alike)?;
        let cost = Cost::of(&run.experiment);
        let classifiers = run.experiment.classifiers.len();
        Some(
            one.training * (cost.images * cost.epochs * cost.trained) as f64
                + one.test * (cost.test * classifiers) as f64,
        )
    }
}

/// Seconds as a person reads them.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..6000 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(text: &str) -> Experiment {
        crate::yaml::parse(text, "an experiment").expect("an experiment")
    }

    #[test]
    fn costs_by_hand() {
        let cost = Cost::of(&experiment(
            "{data: {source: procedural, procedural: {train: 100, test: 7}, training_fraction: 0.5}, training: {epochs: 3, \
             batch_size: 16}}",
        ));
        // 50 images make 3 whole batches; two classifiers, three epochs.
        assert_eq!(
            cost,
            Cost {
                images: 50,
                epochs: 3,
                trained: 2,
                steps: 18,
                test: 7
            }
        );
        let celeba = Cost::of(&experiment("data: {source: celeba}"));
        assert_eq!(celeba.images, 162_770);
        let theirs = Cost::of(&experiment(
            "{data: {source: celeba}, classifiers: {a: {weights: x.safetensors}}}",
        ));
        assert_eq!((theirs.trained, theirs.steps), (0, 0));
    }

    #[test]
    fn durations_are_readable() {
        assert_eq!(
            [3.4, 75.0, 7260.0].map(duration),
            ["3 s", "1 min 15 s", "2 h 01 min"].map(str::to_owned)
        );
    }
}
