//! The prediction stage: the score of every attribute on every test image, and the mean of the features behind them.

use candle_core::Device;
use pipeline::{Columns, Declaration, LongWriter, Sandbox};

use super::pass::{self, Pass};
use super::step::Step;
use super::{reference, train};
use crate::artefacts;
use crate::error::Result;
use crate::inputs::{Artefact, Attributes, Inputs, People, TestImages};

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("predict/{classifier}")
}

/// Scores one classifier.
pub struct Predict<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    /// With labels.
    images: TestImages<'a>,
    people: People<'a>,
    checkpoint: Artefact,
}

impl<'a> Predict<'a> {
    /// The step of a classifier.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Self {
        Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            people: inputs.people(),
            checkpoint: train::checkpoint(classifier),
        }
    }
}

impl Step for Predict<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            people,
            checkpoint,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(people)
            .reading(checkpoint)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        let Self { images, classifier, .. } = self;
        let names = self.attributes.names();
        let network = pass::trained_network(folder, &self.checkpoint, names, device)?;
        let path = folder.output(&artefacts::predictions(classifier));
        let mut table = LongWriter::begin(&path, names, columns)?.with_people(self.people.of(images.indices()));
        let mut mean = cam::Reference::new();
        let pass = Pass {
            folder,
            device,
            images: **images,
            network: &network,
            title: folder.step(),
            together: pass::BATCH,
        };
        pass.over(images.indices(), |batch, _, output| {
            mean.add(&output.features)?;
            for (&index, scores) in batch.indices.iter().zip(output.logits.to_vec2::<f32>()?) {
                let labels = images.labels(index).iter().copied();
                table.add(images.name(index), labels.zip(scores))?;
            }
            Ok(())
        })?;
        table.finish()?;
        Ok(folder.write(&artefacts::reference(classifier), &reference::to_bytes(&mean)?)?)
    }
}

/// The scores of a classifier.
pub fn predictions(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::predictions(classifier))
}

/// The mean of its features.
pub fn features(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::reference(classifier))
}

/// The columns of a label and a score a row.
fn columns(table: Columns, rows: &[(i8, f32)]) -> Columns {
    let (labels, scores): (Vec<i8>, Vec<Option<f32>>) = rows.iter().map(|&(label, score)| (label, Some(score))).unzip();
    table.labels("label", &labels).singles("score", &scores)
}
