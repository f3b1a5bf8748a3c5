//! The step behind derived classifiers: the pooled features of a trained network on the training or the validation images, computed once
//! and kept. Images are as they are: none is augmented.
//!
//! - `NAME/training_features.safetensors`, `NAME/validation_features.safetensors`: `features` [N, C] float32, in the order of the split

use std::path::Path;

use candle_core::{Device, Tensor};
use model::Mode;
use pipeline::{Declaration, Sandbox};

use super::checkpoint::checkpoint;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{Change, Origin, Threshold};
use crate::inputs::{Artefact, Attributes, Inputs, Split, SplitImages};
use crate::steps::pass::{self, Pass};
use crate::steps::step::SharedStep;

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

fn step_name(classifier: &str, split: Split) -> String {
    format!("{}_features/{classifier}", split.name())
}

/// A classifier's features on a split's images.
pub fn features(classifier: &str, split: Split) -> Artefact {
    Artefact::new(
        step_name(classifier, split),
        artefacts::features(classifier, split.name()),
    )
}

/// Computes the features of one classifier.
pub struct Features<'a> {
    classifier: String,
    attributes: Attributes<'a>,
    images: SplitImages<'a>,
    checkpoint: Artefact,
}

impl<'a> Features<'a> {
    /// The steps on a split: of each classifier that one is derived from which needs them.
    pub fn all(inputs: &'a Inputs<'_>, split: Split) -> Vec<Self> {
        let experiment = inputs.experiment;
        let needs = |name: &String| match experiment.origin(name) {
            Some(Origin::Derived { change, .. }) => split_of(change) == Some(split),
            _ => false,
        };
        let families = experiment.families();
        let needed = families.into_iter().filter(|family| family.iter().any(needs));
        needed
            .filter_map(|family| family.into_iter().next())
            .map(|classifier| Self {
                attributes: inputs.attributes(),
                images: inputs.split_images(split),
                checkpoint: checkpoint(&classifier),
                classifier,
            })
            .collect()
    }
}

/// The images whose features a change is made of.
pub fn split_of(change: Change) -> Option<Split> {
    match change {
        Change::Threshold(Threshold::Prior) => None,
        Change::Threshold(Threshold::BalancedError | Threshold::Rates) => Some(Split::Validation),
        Change::Head => Some(Split::Training),
    }
}

impl SharedStep for Features<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            checkpoint,
        } = self;
        Declaration::of(step_name(classifier, images.split()), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(checkpoint)
    }

    /// Of several trained networks on the same images, each of which is decoded once.
    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()> {
        let Some((first, folder)) = steps.first() else {
            return Ok(());
        };
        let (names, images) = (first.attributes.names(), first.images);
        let mut networks = Vec::new();
        for (step, folder) in steps {
            networks.push(pass::trained_network(folder, &step.checkpoint, names, device)?);
        }
        let mut all: Vec<Vec<f32>> = vec![Vec::new(); steps.len()];
        let pass = Pass {
            folder,
            device,
            images: *images,
            title: folder.step(),
            together: pass::BATCH,
        };
        pass.over(images.indices(), |_, input| {
            for (network, features) in networks.iter().zip(&mut all) {
                let output = network.forward(input, Mode::Eval)?;
                features.extend(output.features.mean((2, 3))?.flatten_all()?.to_vec1::<f32>()?);
            }
            Ok(())
        })?;
        for ((step, folder), features) in steps.iter().zip(all) {
            let rows = images.indices().len();
            let channels = features.len() / rows.max(1);
            let tensor = Tensor::from_vec(features, (rows, channels), &Device::Cpu)?;
            let path = artefacts::features(&step.classifier, images.split().name());
            let bytes = safetensors::serialize([("features", tensor)], None)
                .map_err(|error| Error::Request(format!("{path} cannot be written: {error}")))?;
            folder.write(&path, &bytes)?;
        }
        Ok(())
    }
}

/// Reads such a file: the features [N, C], and C.
///
/// # Errors
/// When it is absent or damaged.
pub fn read(path: &Path) -> Result<(Vec<f32>, usize)> {
    let fault = |message: String| Error::artefact(path, message);
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the features"))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| fault(format!("not safetensors: {error}")))?;
    let features = tensors
        .get("features")
        .ok_or_else(|| fault("no tensor `features`".to_owned()))?;
    match features.dims() {
        [_, channels] => Ok((features.flatten_all()?.to_vec1()?, *channels)),
        other => Err(fault(format!("features {other:?}, expected [N, C]"))),
    }
}
