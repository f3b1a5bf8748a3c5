//! What a run will cost: images, steps, and time where a finished run tells how long that takes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Plan, PlannedRun};
use crate::artefacts;
use crate::experiment::{DataSource, Experiment, load};
use crate::recorded::Recorded;
use crate::request::Last;
use crate::run::Judge;
use pipeline::Manifest;

/// CelebA's official split: training and test images.
const CELEBA: [usize; 2] = [162_770, 19_962];

/// What a run computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Training images; absent where nobody has counted them yet, as those of a table.
    pub images: Option<usize>,
    /// Passes over them.
    pub epochs: usize,
    /// Classifiers that are trained.
    pub trained: usize,
    /// Steps of all trainings together.
    pub steps: Option<usize>,
    /// Test images before the frontal filter.
    pub test: Option<usize>,
}

impl Cost {
    /// The cost of an experiment on a data set of which these training and test images were counted.
    pub fn on(experiment: &Experiment, counted: Option<[usize; 2]>) -> Self {
        let known = Self::of(experiment);
        let Some([images, test]) = counted.filter(|_| known.images.is_none()) else {
            return known;
        };
        Self {
            images: Some(images),
            steps: Some(images / experiment.training.batch_size.max(1) * known.epochs * known.trained),
            test: Some(test),
            ..known
        }
    }

    /// The cost of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        let data = &experiment.data;
        let counted = match data.source {
            DataSource::Celeba => Some(CELEBA),
            DataSource::Procedural => Some([data.procedural.train, data.procedural.test]),
            // Of the example the rows are known.
            DataSource::Table => data.table.as_ref().and_then(|table| {
                let images = table.shapes?.images as f64;
                let part = |share: f64| (images * share).round() as usize;
                Some([
                    part(1.0 - table.split.validation - table.split.test),
                    part(table.split.test),
                ])
            }),
        };
        let images = counted.map(|[train, _]| (train as f64 * data.training_fraction).ceil() as usize);
        let epochs = experiment.training.epochs;
        let names = experiment.classifiers.keys();
        let trained = names.filter(|name| experiment.is_trained(name)).count();
        Self {
            images,
            epochs,
            trained,
            steps: images.map(|images| images / experiment.training.batch_size * epochs * trained),
            test: counted.map(|[_, test]| test),
        }
    }

    /// Images that trainings see, and images that classifiers are tried on. Those that nobody has counted are one: they compare with
    /// themselves alone.
    fn seen(&self, classifiers: usize) -> [f64; 2] {
        let count = |images: Option<usize>| images.unwrap_or(1) as f64;
        [
            count(self.images) * (self.epochs * self.trained) as f64,
            count(self.test) * classifiers as f64,
        ]
    }
}

/// What a finished run took.
#[derive(Debug, Clone)]
pub struct Experience {
    experiment: Experiment,
    /// What computed: `cpu` or `cuda`.
    device: String,
    /// Seconds of an image in training.
    training: f64,
    /// Seconds of a test image in prediction and explanation.
    test: f64,
    /// Seconds of a classifier in what no number of images changes.
    rest: f64,
}

impl Experience {
    /// From the finished runs of the sweep, then from the results of the experiment that it varies.
    pub fn collect(plan: &Plan, judge: &Judge, results: &Path, sweep: &Path) -> Vec<Self> {
        let base = plan.experiment.file_stem().map(|name| results.join(name));
        let folders: Vec<PathBuf> = plan.runs.iter().map(|run| sweep.join(&run.name)).chain(base).collect();
        let found = folders.iter().filter_map(|folder| {
            let experiment = load(&folder.join(artefacts::EXPERIMENT), &[]).ok()?.experiment;
            let manifest = Manifest::read(folder).ok()?;
            let recorded = Recorded {
                experiment: &experiment,
                manifest: &manifest,
                folder,
            };
            let is_finished = judge.is_finished(&recorded, Last::Measure);
            is_finished.then(|| Self::of(experiment, &manifest))?
        });
        found.collect()
    }

    /// From the record of a finished run; `None` if several devices had a part in it.
    fn of(experiment: Experiment, manifest: &Manifest) -> Option<Self> {
        let mut devices = BTreeSet::new();
        let mut seconds = |kinds: &[&str]| -> f64 {
            let of_kinds = manifest.stages.iter().filter(|(name, _)| {
                let kind = name.split('/').next().unwrap_or_default();
                kinds.contains(&kind)
            });
            let seconds = of_kinds.map(|(_, stage)| {
                devices.insert(kind_of(&stage.provenance.device));
                stage.seconds
            });
            seconds.sum()
        };
        let classifiers = experiment.classifiers.len();
        let [trained, tried] = Cost::of(&experiment).seen(classifiers).map(|images| images.max(1.0));
        let training = seconds(&["train"]) / trained;
        let test = seconds(&["predict", "explain"]) / tried;
        let rest = seconds(&["occlude", "faithfulness", "measure"]) / classifiers.max(1) as f64;
        let mut devices = devices.into_iter();
        let (Some(device), None) = (devices.next(), devices.next()) else {
            return None;
        };
        Some(Self {
            device: device.to_owned(),
            training,
            test,
            rest,
            experiment,
        })
    }

    /// The time that a run will take on a device, after a finished one that did the same for each image; `None` if there is none.
    pub fn time(all: &[Self], run: &PlannedRun, device: &str) -> Option<Duration> {
        let one = all.iter().find(|one| one.is_like(&run.experiment, device))?;
        let classifiers = run.experiment.classifiers.len();
        let [trained, tried] = Cost::of(&run.experiment).seen(classifiers);
        let seconds = one.training * trained + one.test * tried + one.rest * classifiers as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn is_like(&self, experiment: &Experiment, device: &str) -> bool {
        let (a, b) = (&self.experiment, experiment);
        let is_counted = |experiment| Cost::of(experiment).images.is_some();
        self.device == kind_of(device)
            && a.model == b.model
            && a.data.image_size == b.data.image_size
            && (a.data == b.data || is_counted(a) && is_counted(b))
            && a.training.augmentation == b.training.augmentation
            && a.explain == b.explain
            && a.measure == b.measure
    }
}

/// A device without its number.
fn kind_of(device: &str) -> &str {
    device.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Provenance, StepRecord};

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
                images: Some(50),
                epochs: 3,
                trained: 2,
                steps: Some(18),
                test: Some(7)
            }
        );
        let celeba = Cost::of(&experiment("data: {source: celeba}"));
        assert_eq!(celeba.images, Some(162_770));
        let theirs = Cost::of(&experiment(
            "{data: {source: celeba}, classifiers: {a: {weights: x.safetensors}}}",
        ));
        assert_eq!((theirs.trained, theirs.steps), (0, Some(0)));
    }

    #[test]
    fn a_table_that_nobody_has_counted_has_no_number() {
        let own = Cost::of(&experiment(
            "data: {source: table, table: {file: a.csv, images: b, image_column: c}}",
        ));
        assert_eq!((own.images, own.steps, own.test), (None, None, None));
        let example = Cost::of(&experiment(
            "data: {source: table, table: {file: a.csv, images: b, image_column: c, shapes: {images: 100, seed: 1}, split: {validation: 0.1, test: 0.2}}}",
        ));
        assert_eq!((example.images, example.test), (Some(70), Some(20)));
    }

    const FACES: &str = "data: {source: procedural, procedural: {train: 100, test: 10}}";

    /// A run as it is planned.
    fn planned(text: &str) -> PlannedRun {
        PlannedRun {
            name: "run".to_owned(),
            settings: Vec::new(),
            experiment: experiment(text),
        }
    }

    /// The record of a run on a device: each step took a second.
    fn record(device: &str) -> Manifest {
        let names = ["train/a", "train/b", "predict/a", "predict/b", "explain/a", "explain/b"];
        let all = [
            "occlude/a",
            "occlude/b",
            "faithfulness/a",
            "faithfulness/b",
            "measure",
            "draw",
        ];
        let stage = |name: &str| {
            let provenance = Provenance {
                device: device.to_owned(),
                ..Provenance::default()
            };
            let stage = StepRecord {
                seconds: 1.0,
                provenance,
                ..StepRecord::default()
            };
            (name.to_owned(), stage)
        };
        Manifest {
            stages: names.into_iter().chain(all).map(stage).collect(),
            ..Manifest::default()
        }
    }

    #[test]
    fn a_run_like_a_finished_one_takes_as_long() {
        let known = [Experience::of(experiment(FACES), &record("cuda:1")).expect("one device")];
        let seconds = |text: &str, device: &str| {
            Experience::time(&known, &planned(text), device).map(|time| time.as_secs_f64().round())
        };
        assert_eq!(seconds(FACES, "cuda:0"), Some(11.0), "all but drawing");
        let twice = "{data: {source: procedural, procedural: {train: 200, test: 10}}}";
        assert_eq!(
            seconds(twice, "cuda"),
            Some(13.0),
            "two trainings of two seconds instead of one"
        );
        assert_eq!(seconds(FACES, "cpu"), None);
        for other in ["measure: {occlusion: {images: 7}}", "model: {width: 3}"] {
            assert_eq!(seconds(&format!("{FACES}\n{other}"), "cuda"), None, "{other}");
        }
        let table = "data: {source: table, table: {file: a.csv, images: b, image_column: c}}";
        let own = [Experience::of(experiment(table), &record("cpu")).expect("one device")];
        assert!(Experience::time(&own, &planned(table), "cpu").is_some());
        let other = table.replace("a.csv", "other.csv");
        assert!(Experience::time(&own, &planned(&other), "cpu").is_none());
    }
}
