//! What must hold of an experiment beyond the types of its keys.

use model::Architecture;

use super::range::{at_least, at_most, within};
use super::{ArchitectureChoice, Data, Experiment, MASKS, Network, Source};

/// Says which key is out of range, what it is and what is allowed.
pub(super) fn check(experiment: &Experiment) -> Result<(), String> {
    let data = &experiment.data;
    at_least("data.image_size", data.image_size, 16)?;
    at_most("data.image_size", data.image_size, 1024)?;
    within("data.training_fraction", data.training_fraction, f64::MIN_POSITIVE, 1.0)?;
    if let Some(threshold) = data.frontal_threshold {
        within(
            "data.frontal_threshold",
            f64::from(threshold),
            f64::MIN_POSITIVE,
            f64::from(f32::MAX),
        )?;
    }
    at_least("data.procedural.train", data.procedural.train, 1)?;
    at_least("data.procedural.test", data.procedural.test, 1)?;
    table(data)?;
    if experiment.regions() == MASKS && data.table.as_ref().is_some_and(|table| table.masks.is_none()) {
        return Err("measure.regions: masks, expected data.table.masks to say where they are".to_owned());
    }

    let architecture = experiment.model.architecture()?;
    for (channel, &deviation) in experiment.model.deviation.iter().flatten().enumerate() {
        within(
            &format!("model.deviation[{channel}]"),
            f64::from(deviation),
            1e-6,
            f64::from(f32::MAX),
        )?;
    }

    let training = &experiment.training;
    at_least("training.epochs", training.epochs, 1)?;
    at_least("training.batch_size", training.batch_size, 2)?;
    at_least("training.at_once", training.at_once.unwrap_or(1), 1)?;
    within("training.learning_rate", training.learning_rate, f64::MIN_POSITIVE, 1e6)?;
    within("training.momentum", training.momentum, 0.0, 0.9999)?;
    within("training.weight_decay", training.weight_decay, 0.0, 1e3)?;
    let augment = &training.augmentation;
    for (key, value, largest) in [
        ("scale", augment.scale, 0.5),
        ("rotation", augment.rotation, 180.0),
        ("shift", augment.shift, 1.0),
        ("blur", augment.blur, 50.0),
        ("mirror", augment.mirror, 1.0),
        ("brightness", augment.brightness, 1.0),
        ("contrast", augment.contrast, 1.0),
    ] {
        within(&format!("training.augmentation.{key}"), f64::from(value), 0.0, largest)?;
    }

    if experiment.classifiers.is_empty() {
        return Err("classifiers: at least one is needed".to_owned());
    }
    for (name, classifier) in &experiment.classifiers {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err(format!(
                "classifiers: `{name}` names a folder: letters, digits, `_` and `-` are allowed"
            ));
        }
        if classifier.class_weights.is_some() == classifier.weights.is_some() {
            return Err(format!(
                "classifiers.{name}: expected either class_weights, with which it is trained, or weights, a file that has it \
                 trained"
            ));
        }
        within(&format!("classifiers.{name}.exponent"), classifier.exponent, 0.0, 1.0)?;
        within(
            &format!("classifiers.{name}.beta"),
            classifier.beta,
            0.0,
            1.0 - f64::EPSILON,
        )?;
    }

    let explain = &experiment.explain;
    let config = explain.config()?;
    config
        .layer_of(&architecture)
        .map_err(|error| format!("explain: {error}"))?;
    if let Some(images) = explain.images {
        at_least("explain.images", images, 1)?;
    }
    for method in &experiment.measure.faithfulness.methods {
        let parsed = method.parse::<cam::Method>();
        parsed.map_err(|error| format!("measure.faithfulness.methods: {error}"))?;
    }
    at_least("measure.resamples", experiment.measure.resamples, 100)?;
    at_most("report.examples", experiment.report.examples, 12)?;
    experiment.figures.check()
}

fn table(data: &Data) -> Result<(), String> {
    match (data.source, &data.table) {
        (Source::Table, None) => {
            Err("data.table: missing; source: table needs at least its file and images".to_owned())
        }
        (Source::Table, Some(table)) => {
            let split = &table.split;
            within("data.table.split.validation", split.validation, 0.0, 1.0)?;
            within("data.table.split.test", split.test, f64::MIN_POSITIVE, 1.0)?;
            within(
                "data.table.split: validation and test together",
                split.validation + split.test,
                0.0,
                1.0 - f64::EPSILON,
            )?;
            if table.attributes.as_ref().is_some_and(Vec::is_empty) {
                return Err("data.table.attributes: none, expected at least one column, or null for all".to_owned());
            }
            match &table.shapes {
                Some(shapes) => {
                    at_least("data.table.shapes.images", shapes.images, 20)?;
                    at_most("data.table.shapes.images", shapes.images, 999_999)
                }
                None => Ok(()),
            }
        }
        (_, Some(_)) => Err("data.table: only with source: table".to_owned()),
        (_, None) => Ok(()),
    }
}

impl Network {
    /// The network's architecture, with its width applied.
    ///
    /// # Errors
    /// When the preset is unknown or the settings contradict each other: a message that names the key.
    pub fn architecture(&self) -> Result<Architecture, String> {
        let architecture = match &self.architecture {
            ArchitectureChoice::Preset(name) => {
                Architecture::preset(name).map_err(|error| format!("model.architecture: {error}"))?
            }
            ArchitectureChoice::Custom(architecture) => architecture.clone(),
        };
        let architecture = match self.width {
            Some(0) => return Err("model.width: 0, expected at least 1".to_owned()),
            Some(width) => architecture.with_width(width),
            None => architecture,
        };
        architecture
            .validate()
            .map_err(|error| format!("model.architecture: {error}"))?;
        Ok(architecture)
    }
}
