//! What a run needs from outside: looked for before anything else, so that a person hears of all of it at once.

use std::path::Path;

use candle_core::Device;

use crate::context::Context;
use crate::data::{self, celeba};
use crate::error::{Error, Result};
use crate::experiment::{DataSource, Experiment};
use crate::weights::find_pretrained;

/// Finds out whether data set and weights are there.
///
/// # Errors
/// One message that names everything that is missing, its size, and how to get it.
pub fn check(context: &Context) -> Result<()> {
    refuse(&missing(&context.experiment, &context.data_root))
}

/// Whether a device computes in the precision and by the algorithm that are asked for, where there is something to train.
///
/// # Errors
/// One message that names setting and device, and what to do.
pub fn arithmetic(experiment: &Experiment, device: &Device) -> Result<()> {
    if !trains(experiment) {
        return Ok(());
    }
    let precision = experiment.training.precision;
    precision.check(device).map_err(|expected| {
        Error::Request(format!(
            "training.precision: {precision}, expected {expected}; train on one (`--device cuda`), or with `--set training.precision=float32`"
        ))
    })?;
    let convolution = experiment.training.convolution;
    convolution.check(precision, device).map_err(|expected| {
        Error::Request(format!(
            "training.convolution: {convolution}, expected {expected}; train with `--set training.convolution=direct`"
        ))
    })
}

/// Everything that is missing.
pub fn missing(experiment: &Experiment, data_root: &Path) -> Vec<String> {
    let mut missing = missing_data(experiment, data_root);
    for (name, classifier) in &experiment.classifiers {
        if let Some(path) = classifier.weights.as_ref().filter(|path| !path.is_file()) {
            missing.push(format!("classifiers.{name}.weights: {} is no file", path.display()));
        }
    }
    if let Some(choice) = experiment.model.pretrained.as_ref().filter(|_| trains(experiment))
        && let Err(error) = find_pretrained(choice, data_root)
    {
        missing.push(error.to_string());
    }
    missing
}

/// Everything of the data set that is missing.
pub fn missing_data(experiment: &Experiment, data_root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    let folder = data::folder(&experiment.data, data_root);
    if experiment.data.source == DataSource::Celeba {
        missing.extend(celeba::missing(&folder));
    }
    if let Some(table) = experiment.data.table.as_ref().filter(|table| table.shapes.is_none()) {
        let config = table.config(&folder);
        let optional = [
            ("landmarks", &config.landmarks),
            ("masks", &config.masks),
            ("boxes", &config.boxes),
        ];
        // A Parquet file may hold the pictures itself.
        let images = table
            .images
            .as_ref()
            .filter(|_| config.file.extension().is_none_or(|kind| kind != "parquet"));
        let named = std::iter::once(("file", &config.file)).chain(images.map(|_| ("images", &config.images)));
        let named = named.chain(
            optional
                .into_iter()
                .filter_map(|(key, path)| Some((key, path.as_ref()?))),
        );
        for (key, path) in named.filter(|(_, path)| !path.exists()) {
            missing.push(format!(
                "data.table.{key}: {} is not there ({})",
                path.display(),
                match &experiment.data.folder {
                    Some(_) => "paths in data.table start from data.folder; that is a folder beside the experiment's file, or below --data",
                    None => "without data.folder a table is looked for beside the experiment's file, then in --data",
                }
            ));
        }
    }
    missing
}

fn trains(experiment: &Experiment) -> bool {
    experiment.classifiers.keys().any(|name| experiment.is_trained(name))
}

/// Turns what is missing into an error.
///
/// # Errors
/// One message that names all of it.
pub fn refuse(missing: &[String]) -> Result<()> {
    match missing {
        [] => Ok(()),
        [one] => Err(Error::Request(one.clone())),
        several => Err(Error::Request(format!(
            "this run needs what is not there:\n- {}",
            several.join("\n- ")
        ))),
    }
}
