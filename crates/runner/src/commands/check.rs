//! `biascam check`: what an experiment or a sweep would do, or what is wrong with its file, without data.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::data::{Place, faults};
use crate::error::{Result, describe};
use crate::experiment::{self, Change, Classifier, DataSource, Experiment, Loaded, RegionSource, Threshold};
use crate::included;
use crate::output::print;
use crate::regions;
use crate::run::{missing_data, refuse};
use crate::steps::examples::positions;
use crate::sweep::{Plan, is_sweep};
use pipeline::{Interrupt, Progress};
use render::text::counted;

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file of an experiment or of a sweep, or the name of one of the program's own
    #[arg(value_name = "EXPERIMENT|SWEEP")]
    pub file: PathBuf,
    /// Change a key of the experiment, e.g. --set training.epochs=2 (may be repeated)
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    pub settings: Vec<String>,
    /// Folder of all data sets; a table that is there is read too
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
}

/// Says what the plan is.
///
/// # Errors
/// Everything that is wrong with it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let file = &included::located(&arguments.file);
    // What cannot be read is told of by whoever reads it as an experiment.
    if included::read(file).is_ok_and(|text| is_sweep(&text)) {
        return print(sweep(&Plan::load(file, &arguments.settings)?));
    }
    let loaded = experiment::load(file, &arguments.settings)?;
    faces(&loaded.experiment)?;
    let looked_at = looked_at(&loaded.experiment, &arguments.data)?;
    let head = std::iter::once(&loaded.path).chain(&loaded.extends);
    let head: Vec<String> = head.map(|path| included::shown(path)).collect();
    print(format_args!("{}: nothing is wrong", head.join(", which extends ")))?;
    print(table(&lines(&loaded)))?;
    looked_at.iter().try_for_each(print)
}

/// Reads a table that is there; what is to be said of it, or of why it was not read.
///
/// # Errors
/// Everything that is wrong with it.
fn looked_at(experiment: &Experiment, root: &Path) -> Result<Vec<String>> {
    if experiment.data.source != DataSource::Table {
        return Ok(vec!["the data are not looked at".to_owned()]);
    }
    let absent = missing_data(experiment, root);
    if !absent.is_empty() {
        return Ok(vec![format!("the data are not looked at: {}", absent.join("; "))]);
    }
    let (progress, interrupt) = (Progress::new(), Interrupt::default());
    let place = Place {
        root,
        progress: &progress,
        interrupt: &interrupt,
    };
    match faults(&experiment.data, &place) {
        None => Ok(vec![
            "the data are not looked at, for they are not written yet".to_owned(),
        ]),
        Some((faults, mut notes)) if faults.is_empty() => {
            notes.push("the table and what belongs to it are read: nothing is wrong with them".to_owned());
            Ok(notes)
        }
        Some((faults, _)) => {
            refuse(&faults.iter().map(|error| describe(error)).collect::<Vec<_>>()).map(|()| Vec::new())
        }
    }
}

/// What can be wrong with settings that name attributes, where those are known without the data.
fn faces(experiment: &Experiment) -> Result<()> {
    if experiment.data.source == DataSource::Table {
        return Ok(());
    }
    let attributes = dataset::Attributes::celeba();
    regions::load(experiment, attributes.names())?;
    let named = experiment.figures.example_attributes.as_deref();
    positions(named.unwrap_or_default(), attributes.names()).map(drop)
}

/// How many runs of a sweep are named; `sweep --list` names all.
const NAMED: usize = 3;

fn sweep(plan: &Plan) -> String {
    let names: Vec<&str> = plan.runs.iter().map(|run| run.name.as_str()).take(NAMED).collect();
    let more = if plan.runs.len() > NAMED { ", ..." } else { "" };
    let seeds: Vec<String> = plan.file.seeds.iter().map(u64::to_string).collect();
    let mut lines = vec![
        ("experiment", included::shown(&plan.experiment)),
        ("along x", plan.x.clone()),
        (
            "runs",
            format!(
                "{} for {} points: {}{more}",
                plan.runs.len(),
                plan.points.len(),
                names.join(", ")
            ),
        ),
        ("results", format!("results/{}", plan.name)),
    ];
    if !seeds.is_empty() {
        lines.insert(2, ("seeds", seeds.join(", ")));
    }
    format!(
        "{}: nothing is wrong with the sweep\n{}",
        included::shown(&plan.path),
        table(&lines)
    )
}

fn table(lines: &[(&str, String)]) -> String {
    let lines: Vec<String> = lines.iter().map(|(name, text)| format!("{name:11}  {text}")).collect();
    lines.join("\n")
}

fn lines(loaded: &Loaded) -> Vec<(&'static str, String)> {
    let experiment = &loaded.experiment;
    let classifiers = experiment.classifiers_in_order();
    let classifiers: Vec<String> = classifiers.iter().map(|(name, one)| classifier(name, one)).collect();
    let mut lines = vec![
        ("data", data(experiment)),
        ("network", network(experiment)),
        ("training", training(experiment)),
        ("classifiers", classifiers.join("; ")),
        ("steps", steps(experiment)),
        ("results", Path::new("results").join(&loaded.name).display().to_string()),
    ];
    if let Some(coarse) = experiment.coarse_maps() {
        lines.insert(2, ("maps", coarse));
    }
    lines
}

fn data(experiment: &Experiment) -> String {
    let data = &experiment.data;
    let source = match (data.source, &data.table) {
        (DataSource::Celeba, _) => "CelebA".to_owned(),
        (DataSource::Table, Some(table)) => format!("the table {}", table.file.display()),
        _ => {
            let faces = &data.procedural;
            format!(
                "{} + {} + {} procedural faces",
                faces.train, faces.validation, faces.test
            )
        }
    };
    let part = if data.training_fraction < 1.0 {
        format!(", {} of the training images", data.training_fraction)
    } else {
        String::new()
    };
    format!("{source}{part}, at {0} x {0} pixels", data.image_size)
}

fn network(experiment: &Experiment) -> String {
    let network = &experiment.model;
    let text = match network.architecture() {
        Ok(architecture) => architecture.to_string(),
        Err(problem) => problem.to_string(),
    };
    match &network.pretrained {
        Some(weights) => format!("{text}, starting from {weights}"),
        None => format!("{text}, starting from random weights"),
    }
}

fn training(experiment: &Experiment) -> String {
    let training = &experiment.training;
    format!(
        "{} loss, {} of batches of {}, seed {}",
        in_yaml(&training.loss),
        counted(training.epochs, "epoch"),
        training.batch_size,
        experiment.seed
    )
}

fn classifier(name: &str, classifier: &Classifier) -> String {
    if let (Some(from), Some(change)) = (&classifier.from, classifier.change()) {
        let to = match (&classifier.to, classifier.class_weights) {
            (Some(to), _) => format!(" to those of {to}"),
            (None, Some(scheme)) => format!(" to class weights {}", in_yaml(&scheme)),
            (None, None) => String::new(),
        };
        let what = match change {
            Change::Threshold(Threshold::Prior) => format!("thresholds moved{to}"),
            Change::Threshold(rule) => format!("thresholds chosen on validation images ({})", in_yaml(&rule)),
            Change::Head => format!("head refitted{to}"),
        };
        return format!("{name}: {from} with its {what}");
    }
    let what = match (&classifier.class_weights, &classifier.weights) {
        (_, Some(file)) => format!("from {}", file.display()),
        (Some(scheme), None) if classifier.exponent < 1.0 => {
            format!(
                "class weights {} to the power of {}",
                in_yaml(scheme),
                classifier.exponent
            )
        }
        (Some(scheme), None) => format!("class weights {}", in_yaml(scheme)),
        (None, None) => "neither class weights nor weights".to_owned(),
    };
    match classifier.role {
        Some(role) if role.name() != name => format!("{name}: {what}, as the {role} one"),
        _ => format!("{name}: {what}"),
    }
}

fn steps(experiment: &Experiment) -> String {
    let explain = &experiment.explain;
    let measure = &experiment.measure;
    let mut steps = Vec::new();
    if experiment.classifiers.keys().any(|name| experiment.is_trained(name)) {
        steps.push("train".to_owned());
    }
    steps.push("predict".to_owned());
    let layer = explain.layer.as_ref().filter(|_| explain.method.has_layer());
    let at = layer.map_or_else(String::new, |layer| format!(" at {layer}"));
    steps.push(format!("explain ({}{at}, target {})", explain.method, explain.target));
    if measure.wants_occlusion() {
        let kinds = [
            (measure.occlusion.images, "images"),
            (measure.decomposed_images, "decomposed"),
        ];
        let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds.map(|(count, kind)| format!("{count} {kind}")).collect();
        steps.push(format!("occlude (at most {})", kinds.join(", ")));
    }
    if measure.faithfulness.images > 0 {
        steps.push(format!("faithfulness (at most {} scores)", measure.faithfulness.images));
    }
    if experiment.wants_interventions() {
        steps.push(format!(
            "intervene (at most {} images of each class)",
            measure.interventions.images
        ));
    }
    if measure.locality.images > 0 {
        steps.push(format!("locality ({})", counted(measure.locality.images, "image")));
    }
    steps.push(format!("measure (regions: {})", regions(experiment)));
    steps.push("draw".to_owned());
    steps.join(", ")
}

/// Where attributes are visible, with the files that say it.
fn regions(experiment: &Experiment) -> String {
    let table = experiment.data.table.as_ref();
    let (RegionSource::Masks, Some(table)) = (experiment.regions(), table) else {
        return experiment.regions().to_string();
    };
    let files = [("masks", &table.masks), ("boxes", &table.boxes)];
    let named: Vec<String> = files
        .into_iter()
        .filter_map(|(what, file)| Some(format!("{what} ({})", file.as_ref()?.display())))
        .collect();
    match named.as_slice() {
        [] => experiment.regions().to_string(),
        some => some.join(" and "),
    }
}

/// The name of a setting's value in YAML.
fn in_yaml(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}
