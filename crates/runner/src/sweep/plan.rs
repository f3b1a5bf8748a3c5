//! The plan of a sweep: every run, checked before anything starts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::equivalence::canonical;
use super::file::{SweepFile, Until};
use super::names::{run_name, short_keys, varying};
use super::points::{Combination, combinations, label};
use crate::error::{Error, Result};
use crate::experiment::{self, Experiment};
use crate::included;

/// One run of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// Its folder in the sweep's.
    pub name: String,
    /// What it changes of the experiment, as `--set` takes it.
    pub settings: Vec<String>,
    /// The experiment that results.
    pub experiment: Experiment,
}

/// One point of the sweep: where in the comparison the results of a run belong. Several points may share a run.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPoint {
    /// Position of its run.
    pub run: usize,
    /// The value along x as a person reads it.
    pub x: String,
    /// That value, if it is a number.
    pub number: Option<f64>,
    /// What else varies, in words; empty if nothing does.
    pub series: String,
    /// The seed; `None` where the experiment's own is used.
    pub seed: Option<u64>,
}

/// A sweep, expanded and checked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The sweep file's name without extension: the name of its results folder.
    pub name: String,
    /// The sweep file.
    pub path: PathBuf,
    /// The experiment that is varied.
    pub experiment: PathBuf,
    /// The sweep as it is written.
    pub file: SweepFile,
    /// The runs, in order.
    pub runs: Vec<PlannedRun>,
    /// The points, in order.
    pub points: Vec<PlannedPoint>,
    /// What x is, as a person reads it.
    pub x: String,
    /// The classifiers that are compared; empty for all.
    pub classifiers: Vec<String>,
}

impl Plan {
    /// Reads a sweep file and plans its runs. `settings` are `--set`s for all of them.
    ///
    /// # Errors
    /// One message with everything that is wrong: keys that are unknown, values out of range, runs that are the same.
    pub fn load(path: &Path, settings: &[String]) -> Result<Self> {
        let path = &included::located(path);
        let file = SweepFile::read(path)?;
        let fault = |message: String| Error::experiment(path.display().to_string(), message);
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| fault("a file name is needed, for it names the results".to_owned()))?
            .to_owned();
        let folder = included::folder_of(path);
        let experiment = experiment::resolved_experiment(path, &file.experiment);
        // What is wrong with the experiment itself would be wrong in every run.
        experiment::load(&experiment, &[])?;

        let (combinations, mut faults) = combinations(&file);
        let common: Vec<String> = file
            .set
            .0
            .iter()
            .map(|(key, value)| setting(folder, key, value))
            .chain(settings.iter().cloned())
            .collect();
        faults.extend(hidden(&file, &combinations, settings));
        let mut plan = Self {
            name,
            path: path.to_owned(),
            experiment,
            runs: Vec::new(),
            points: Vec::new(),
            x: String::new(),
            classifiers: file.compare.classifiers.clone().unwrap_or_default(),
            file,
        };
        if faults.is_empty() {
            plan.fill(&combinations, &common, &mut faults);
        }
        faults.dedup();
        match faults.as_slice() {
            [] => Ok(plan),
            [one] => Err(fault(one.clone())),
            several => Err(fault(format!("{} faults:\n- {}", several.len(), several.join("\n- ")))),
        }
    }

    /// How far each run goes.
    pub fn until(&self) -> Until {
        self.file.until
    }

    /// Makes runs and points of the combinations, and notes what is wrong with them.
    fn fill(&mut self, combinations: &[Combination], common: &[String], faults: &mut Vec<String>) {
        let folder = included::folder_of(&self.path).to_owned();
        let folder = folder.as_path();
        let axes = varying(combinations);
        let seeds: Vec<Option<u64>> = if self.file.seeds.is_empty() {
            vec![None]
        } else {
            self.file.seeds.iter().copied().map(Some).collect()
        };
        let mut keys = axes.clone();
        keys.push("seed".to_owned());
        let short = short_keys(&keys);
        let x = match &self.file.compare.x {
            Some(x) if combinations.iter().flatten().any(|choice| choice.axis == *x) => Some(x.clone()),
            Some(x) => {
                faults.push(format!("compare.x: `{x}` is no axis; axes are {}", axes.join(", ")));
                None
            }
            None => axes.first().cloned(),
        };
        let position = x.as_ref().and_then(|x| axes.iter().position(|axis| axis == x));
        self.x = match (&x, position) {
            (_, Some(position)) => short[position].clone(),
            (Some(x), None) => x.clone(),
            (None, None) => "configuration".to_owned(),
        };

        let mut exact: Vec<(Experiment, String)> = Vec::new();
        let mut made: Vec<Experiment> = Vec::new();
        for combination in combinations {
            for &seed in &seeds {
                let mut settings = common.to_vec();
                let chosen = combination.iter().flat_map(|choice| &choice.settings);
                settings.extend(chosen.map(|(key, value)| setting(folder, key, value)));
                if let Some(seed) = seed {
                    settings.extend(self.file.seed_keys.iter().map(|key| format!("{key}={seed}")));
                }
                let experiment = match experiment::load(&self.experiment, &settings) {
                    Ok(loaded) => loaded.experiment,
                    Err(error) => {
                        let found = match error {
                            Error::Experiment(found) => found.iter().map(ToString::to_string).collect(),
                            other => vec![other.to_string()],
                        };
                        for fault in found {
                            if !faults.contains(&fault) {
                                faults.push(fault);
                            }
                        }
                        continue;
                    }
                };
                let choice = |axis: &str| combination.iter().find(|choice| choice.axis == axis);
                let mut parts: Vec<(String, String)> = axes
                    .iter()
                    .zip(&short)
                    .filter_map(|(axis, short)| Some((short.clone(), choice(axis)?.label.clone())))
                    .collect();
                if let Some(seed) = seed.filter(|_| seeds.len() > 1) {
                    parts.push(("seed".to_owned(), seed.to_string()));
                }
                let name = run_name(&parts);
                if let Some((_, other)) = exact.iter().find(|(known, _)| *known == experiment) {
                    faults.push(format!("{name} and {other} are the same run: leave one of them out"));
                    continue;
                }
                exact.push((experiment.clone(), name.clone()));
                self.missing_classifiers(&experiment, faults);

                // Where nothing but the seed varies, all runs are of one setting: the experiment's.
                let of_experiment = || {
                    self.experiment
                        .file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned())
                };
                let (label, number) = x.as_deref().map_or_else(
                    || (of_experiment().unwrap_or_else(|| name.clone()), None),
                    |x| {
                        choice(x).map_or_else(
                            || looked_up(&experiment, x),
                            |choice| (choice.label.clone(), choice.number),
                        )
                    },
                );
                let others = axes.iter().zip(&short).filter(|(axis, _)| Some(*axis) != x.as_ref());
                let series: Vec<String> = others
                    .filter_map(|(axis, short)| Some(format!("{short} {}", choice(axis)?.label)))
                    .collect();
                let form = canonical(&experiment);
                let run = made.iter().position(|known| *known == form).unwrap_or_else(|| {
                    made.push(form);
                    if self.runs.iter().any(|run| run.name == name) {
                        faults.push(format!("two runs would be called {name}"));
                    }
                    self.runs.push(PlannedRun {
                        name,
                        settings,
                        experiment,
                    });
                    self.runs.len() - 1
                });
                self.points.push(PlannedPoint {
                    run,
                    x: label,
                    number,
                    series: series.join(", "),
                    seed,
                });
            }
        }
    }

    fn missing_classifiers(&self, experiment: &Experiment, faults: &mut Vec<String>) {
        for name in &self.classifiers {
            if !experiment.classifiers.contains_key(name) {
                let known: Vec<&str> = experiment.classifiers.keys().map(String::as_str).collect();
                let fault = format!(
                    "compare.classifiers: `{name}` is no classifier of the experiment, which has {}",
                    known.join(", ")
                );
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }
}

/// `--set`s that something in the sweep would override, silently: what a run chooses and its seed are set after them.
fn hidden(file: &SweepFile, combinations: &[Combination], settings: &[String]) -> Vec<String> {
    let chosen = combinations.iter().flatten().flat_map(|choice| &choice.settings);
    let seeded = file.seed_keys.iter().filter(|_| !file.seeds.is_empty());
    let own: BTreeSet<&str> = chosen.map(|(key, _)| key).chain(seeded).map(String::as_str).collect();
    // To set a key is to replace all that is below it.
    let replaces = |own: &&str, key: &str| {
        key.strip_prefix(*own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    settings
        .iter()
        .filter(|setting| {
            let key = setting.split('=').next().unwrap_or_default();
            own.iter().any(|own| replaces(own, key))
        })
        .map(|setting| format!("--set {setting}: the sweep varies this key itself"))
        .collect()
}

/// A key and its value in a sweep file of `folder` as `--set` takes them; JSON is YAML.
fn setting(folder: &Path, key: &str, value: &Value) -> String {
    format!("{key}={}", experiment::resolved_setting(key, value, folder))
}

/// The value of a key in a resolved experiment, for runs that leave x at what the experiment says.
fn looked_up(experiment: &Experiment, key: &str) -> (String, Option<f64>) {
    let whole = serde_json::to_value(experiment).unwrap_or_default();
    let found = key.split('.').try_fold(&whole, |value, part| value.get(part));
    found.map_or_else(|| ("–".to_owned(), None), |value| (label(value), value.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str, settings: &[&str]) -> Result<Plan> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(
            folder.path().join("base.yaml"),
            "data: {source: procedural}\nclassifiers: {swept: {class_weights: domain_adaptive}}\n",
        )
        .expect("written");
        let path = folder.path().join("sample.yaml");
        std::fs::write(&path, format!("experiment: base.yaml\n{text}")).expect("written");
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        Plan::load(&path, &settings)
    }

    /// Keys inside of a named axis, and one of a single run.
    const NAMED: &str =
        "axes: {net: {small: {model.width: 8}, large: {model.width: 16}}}\nruns: [{net: small, training.epochs: 2}]\n";
    const EXPONENTS: &str = "axes: {classifiers.swept.exponent: [0, 0.5, 1]}\nseeds: [1, 2]\n";

    /// Where only the seed varies, its runs are repetitions of one setting.
    #[test]
    fn seeds_alone_are_one_setting() {
        let plan = plan("seeds: [1, 2, 3]\nseed_keys: [seed, data.procedural.seed]\n", &[]).expect("a plan");
        assert_eq!((plan.runs.len(), plan.points.len()), (3, 3));
        let first = &plan.points[0];
        assert!(
            plan.points
                .iter()
                .all(|point| (&point.x, &point.series) == (&first.x, &first.series))
        );
    }

    #[test]
    fn runs_are_named_by_what_varies() {
        let plan = plan(EXPONENTS, &["training.epochs=3"]).expect("a plan");
        let names: Vec<&str> = plan.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "exponent-0_seed-1",
                "exponent-0_seed-2",
                "exponent-0.5_seed-1",
                "exponent-0.5_seed-2",
                "exponent-1_seed-1",
                "exponent-1_seed-2"
            ]
        );
        assert_eq!(
            plan.runs[3].settings,
            ["training.epochs=3", "classifiers.swept.exponent=0.5", "seed=2"]
        );
        let experiment = &plan.runs[3].experiment;
        assert_eq!((experiment.seed, experiment.training.epochs), (2, 3));
        let point = &plan.points[3];
        assert_eq!(
            (plan.x.as_str(), point.x.as_str(), point.number),
            ("exponent", "0.5", Some(0.5))
        );
        assert_eq!((point.series.as_str(), point.seed), ("", Some(2)));
    }

    #[test]
    fn schemes_share_their_unbalanced_end() {
        let plan = plan(
            "axes:\n  classifiers.swept.class_weights: [domain_adaptive, inverse_frequency]\n  classifiers.swept.exponent: [0, 1]\n\
             compare: {x: classifiers.swept.exponent}\n",
            &[],
        )
        .expect("a plan");
        let runs: Vec<usize> = plan.points.iter().map(|point| point.run).collect();
        assert_eq!((plan.runs.len(), runs), (3, vec![0, 1, 0, 2]));
        assert_eq!(plan.points[2].series, "class_weights inverse_frequency");
        assert_eq!(plan.points[2].x, "0");
    }

    #[test]
    fn explicit_runs_take_x_from_the_experiment() {
        let plan = plan(
            "axes: {classifiers.swept.exponent: [0, 0.5]}\nruns: [{training.loss: cross_entropy}]\n",
            &[],
        )
        .expect("a plan");
        let last = plan.points.last().expect("a point");
        assert_eq!((last.x.as_str(), last.series.as_str()), ("1.0", "loss cross_entropy"));
        assert_eq!(plan.runs[2].name, "loss-cross-entropy");
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let message = |text: &str, settings: &[&str]| plan(text, settings).expect_err(text).to_string();
        let found = message(
            "axes: {training.epoch: [1, 2], classifiers.swept.exponent: [0.5, 2]}\nseeds: [1, 2]\n",
            &[],
        );
        for part in ["training.epoch", "epochs"] {
            assert!(found.contains(part), "{found}");
        }
        assert_eq!(found.matches("--set training.epoch=1").count(), 1, "{found}");
        let found = message(
            "axes: {training.epochs: [0, 1], classifiers.swept.exponent: [0.5, 2]}\n",
            &[],
        );
        assert!(
            found.contains("faults") && found.contains("training.epochs: 0") && found.contains("exponent: 2"),
            "{found}"
        );
        for (text, settings, expected) in [
            (EXPONENTS, &["seed=3"][..], &["--set seed=3", "varies"][..]),
            (NAMED, &["model.width=3"], &["--set model.width=3", "varies"]),
            (NAMED, &["training.epochs=3"], &["--set training.epochs=3", "varies"]),
            (
                "axes: {training.augmentation: [{scale: 0}, {scale: 0.1}]}\n",
                &["training.augmentation.blur=1"],
                &["--set training.augmentation.blur=1", "varies"],
            ),
            (
                "axes: {seed: [1, 2, 1]}\n",
                &[],
                &["seed-1 and seed-1 are the same run"],
            ),
            ("axes: {seed: [1, 2]}\nruns: [{seed: 2}]\n", &[], &["the same run"]),
            (
                "axes: {training.epochs: [8, 9]}\nruns: [{seed: 1}]\n",
                &[],
                &["the same run"],
            ),
            (
                "axes: {seed: [1]}\ncompare: {x: training.loss}\n",
                &[],
                &["compare.x", "training.loss"],
            ),
            (
                "axes: {seed: [1]}\ncompare: {classifiers: [balanced]}\n",
                &[],
                &["balanced", "swept"],
            ),
            ("set: {trainin.epochs: 1}\n", &[], &["trainin"]),
        ] {
            let found = message(text, settings);
            for part in expected {
                assert!(found.contains(part), "{found:?} should contain {part:?}");
            }
        }
    }

    #[test]
    fn settings_beside_what_varies_are_of_all_runs() {
        let plan = plan(NAMED, &["model.architecture=resnet18"]).expect("a plan");
        assert_eq!(plan.runs.len(), 3);
    }

    #[test]
    fn a_missing_experiment_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("s.yaml");
        std::fs::write(&path, "experiment: absent.yaml\n").expect("written");
        let error = Plan::load(&path, &[]).expect_err("absent");
        assert!(error.to_string().contains("absent.yaml"), "{error}");
    }
}
