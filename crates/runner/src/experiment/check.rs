//! What must hold of an experiment beyond the types of its keys.

use candle_core::Device;
use model::Architecture;

use super::derived;
use super::range::{Problem, at_least, at_most, within};
use super::{
    ArchitectureChoice, Classifier, DataSettings, DataSource, Experiment, ExplainSettings, NetworkSettings,
    RegionSource, Role, TableSettings, TrainingSettings,
};

/// Every key that is out of range, what it is and what is allowed.
pub(super) fn check(experiment: &Experiment) -> Vec<Problem> {
    let mut results = data(&experiment.data);
    let table = experiment.data.table.as_ref();
    if *experiment.regions() == RegionSource::Masks && table.is_some_and(|table| !table.says_where()) {
        let message = "masks, expected data.table.masks or data.table.boxes to say where they are";
        results.push(Err(Problem::new("measure.regions", message)));
    }
    for (channel, &mean) in experiment.model.mean.iter().flatten().enumerate() {
        if !mean.is_finite() {
            let key = format!("model.mean[{channel}]");
            results.push(Err(Problem::new(key, format!("{mean}, expected a finite number"))));
        }
    }
    for (channel, &deviation) in experiment.model.deviation.iter().flatten().enumerate() {
        let key = format!("model.deviation[{channel}]");
        results.push(within(&key, f64::from(deviation), 1e-6, f64::from(f32::MAX)));
    }
    results.extend(training(&experiment.training));
    if experiment.classifiers.is_empty() {
        results.push(Err(Problem::new("classifiers", "at least one is needed")));
    }
    for (name, one) in &experiment.classifiers {
        results.extend(classifier(name, one));
        results.extend(derived::check(experiment, name, one).into_iter().map(Err));
    }
    for role in Role::ALL {
        let same = experiment.classifiers.iter().filter(|(_, one)| one.role == Some(role));
        let names: Vec<&str> = same.map(|(name, _)| name.as_str()).collect();
        if let [first, .., last] = names.as_slice() {
            let message = format!("{role}, which `{first}` is; expected one classifier of a role");
            results.push(Err(Problem::new(format!("classifiers.{last}.role"), message)));
        }
    }
    match experiment.model.architecture() {
        Ok(architecture) => results.push(explain(&experiment.explain, &architecture)),
        Err(problem) => results.push(Err(problem)),
    }
    if let Some(images) = experiment.explain.images {
        results.push(at_least("explain.images", images, 1));
    }
    results.push(at_least("measure.resamples", experiment.measure.resamples, 100));
    results.push(at_most("measure.resamples", experiment.measure.resamples, 1_000_000));
    results.push(at_most("report.examples", experiment.report.examples, 12));
    results.extend(experiment.figures.check());
    results.into_iter().filter_map(Result::err).collect()
}

fn data(data: &DataSettings) -> Vec<Result<(), Problem>> {
    let mut results = vec![
        at_least("data.image_size", data.image_size, 16),
        at_most("data.image_size", data.image_size, 1024),
        within("data.training_fraction", data.training_fraction, f64::MIN_POSITIVE, 1.0),
        at_least("data.procedural.train", data.procedural.train, 1),
        at_least("data.procedural.test", data.procedural.test, 1),
    ];
    if let Some(threshold) = data.frontal_threshold {
        let (key, most) = ("data.frontal_threshold", f64::from(f32::MAX));
        results.push(within(key, f64::from(threshold), f64::MIN_POSITIVE, most));
    }
    match (data.source, &data.table) {
        (DataSource::Table, None) => {
            let message = "missing; source: table needs at least its file, and mostly the folder of images";
            results.push(Err(Problem::new("data.table", message)));
        }
        (DataSource::Table, Some(of_table)) => results.extend(table(of_table)),
        (_, Some(_)) => results.push(Err(Problem::new("data.table", "only with source: table"))),
        (_, None) => {}
    }
    results
}

fn table(table: &TableSettings) -> Vec<Result<(), Problem>> {
    let split = &table.split;
    let mut results = vec![
        within("data.table.split.validation", split.validation, 0.0, 1.0),
        within("data.table.split.test", split.test, f64::MIN_POSITIVE, 1.0),
    ];
    let both = split.validation + split.test;
    if both > 1.0 - f64::EPSILON {
        let message = format!("validation and test together {both}, expected less than 1");
        results.push(Err(Problem::new("data.table.split", message)));
    }
    if table.attributes.as_ref().is_some_and(Vec::is_empty) {
        let message = "none, expected at least one column, or null for all";
        results.push(Err(Problem::new("data.table.attributes", message)));
    }
    if let Some(groups) = &table.group_column {
        let is_attribute = table.attributes.iter().flatten().any(|column| column == groups);
        for (taken, by) in [
            (table.split_column.as_ref() == Some(groups), "data.table.split_column"),
            (is_attribute, "data.table.attributes"),
        ] {
            if taken {
                let message = format!("`{groups}`, expected another column than those of {by}");
                results.push(Err(Problem::new("data.table.group_column", message)));
            }
        }
    }
    if let Some(shapes) = &table.shapes {
        results.push(at_least("data.table.shapes.images", shapes.images, 20));
        results.push(at_most("data.table.shapes.images", shapes.images, 999_999));
    }
    results
}

fn training(training: &TrainingSettings) -> Vec<Result<(), Problem>> {
    let mut results = vec![
        at_least("training.epochs", training.epochs, 1),
        at_least("training.batch_size", training.batch_size, 2),
        at_least("training.at_once", training.at_once.unwrap_or(1), 1),
        within("training.learning_rate", training.learning_rate, f64::MIN_POSITIVE, 1e6),
        within("training.momentum", training.momentum, 0.0, 0.9999),
        within("training.weight_decay", training.weight_decay, 0.0, 1e3),
    ];
    let augment = &training.augmentation;
    let deviations = [
        ("scale", augment.scale, 0.5),
        ("rotation", augment.rotation, 180.0),
        ("shift", augment.shift, 1.0),
        ("blur", augment.blur, 50.0),
        ("mirror", augment.mirror, 1.0),
        ("brightness", augment.brightness, 1.0),
        ("contrast", augment.contrast, 1.0),
    ];
    results.extend(
        deviations
            .map(|(key, value, most)| within(&format!("training.augmentation.{key}"), f64::from(value), 0.0, most)),
    );
    // What the two do not allow on a CPU they allow nowhere. Whether this machine's device can do it is seen before a training.
    let convolution = training.convolution;
    if let Err(expected) = convolution.check(training.precision, &Device::Cpu) {
        let message = format!("{convolution}, expected {expected}");
        results.push(Err(Problem::new("training.convolution", message)));
    }
    results
}

/// Folders of a results folder that are no classifier's.
const RESERVED: [&str; 3] = ["tables", "figures", "inputs"];

fn classifier(name: &str, classifier: &Classifier) -> Vec<Result<(), Problem>> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        let message = format!("`{name}` names a folder: letters, digits, `_` and `-` are allowed");
        return vec![Err(Problem::new("classifiers", message))];
    }
    if RESERVED.contains(&name) {
        let message = format!("`{name}` names a folder that every run has; expected another name");
        return vec![Err(Problem::new("classifiers", message))];
    }
    let key = format!("classifiers.{name}");
    let mut results = vec![
        within(&format!("{key}.exponent"), classifier.exponent, 0.0, 1.0),
        within(&format!("{key}.beta"), classifier.beta, 0.0, 1.0 - f64::EPSILON),
    ];
    if classifier.from.is_none() && classifier.class_weights.is_some() == classifier.weights.is_some() {
        let message = "expected either class_weights, with which it is trained, or weights, a file that has it trained, or `from`, another \
                       classifier that it is derived from";
        results.push(Err(Problem::new(key, message)));
    }
    results
}

fn explain(explain: &ExplainSettings, architecture: &Architecture) -> Result<(), Problem> {
    match explain.config().layer_of(&architecture.layers()) {
        Ok(_) => Ok(()),
        Err(cam::Error::Setting { field, found, expected }) => Err(Problem::new(
            format!("explain.{field}"),
            format!("{found}, expected {expected}"),
        )),
        Err(error) => Err(Problem::new("explain.layer", error.to_string())),
    }
}

impl NetworkSettings {
    /// The network's architecture, with its width applied.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn architecture(&self) -> Result<Architecture, Problem> {
        let fault = |error: model::Error| Problem::new("model.architecture", error.to_string());
        let architecture = match &self.architecture {
            ArchitectureChoice::Preset(name) => Architecture::preset(name).map_err(fault)?,
            ArchitectureChoice::Custom(architecture) => architecture.clone(),
        };
        let architecture = match self.width {
            Some(0) => return Err(Problem::new("model.width", "0, expected at least 1")),
            Some(width) => architecture.with_width(width),
            None => architecture,
        };
        architecture.validate().map_err(fault)?;
        Ok(architecture)
    }
}
