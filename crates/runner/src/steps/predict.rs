//! The prediction stage: the score of every attribute on every test image, and the mean of the features behind them.

use candle_core::Device;
use disk::Columns;
use pipeline::{Declaration, LongWriter, Sandbox};

use super::pass::{self, Family, Pass};
use super::step::SharedStep;
use super::{reference, train};
use crate::artefacts;
use crate::error::{Error, Result};
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
    /// Whether the features are its own: of a derived classifier they are another's, whose step writes their mean.
    learnt: bool,
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
            learnt: !inputs.experiment.is_derived(classifier),
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            people: inputs.people(),
            checkpoint: train::checkpoint(classifier),
        }
    }
}

impl SharedStep for Predict<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            learnt: _,
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

    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()> {
        let Some((first, folder)) = steps.first() else {
            return Ok(());
        };
        let (names, images) = (first.attributes.names(), first.images);
        let family = Family::read(
            steps.iter().map(|(step, folder)| (*folder, &step.checkpoint)),
            names,
            device,
        )?;
        let mut tables = Vec::new();
        for (step, folder) in steps {
            let path = folder.output(&artefacts::predictions(step.classifier));
            let people = step.people.of(images.indices());
            tables.push(LongWriter::begin(&path, names, columns)?.with_people(people));
        }
        let mut mean = cam::Reference::new();
        let pass = Pass {
            folder,
            device,
            images: *images,
            title: folder.step(),
            together: pass::BATCH,
        };
        pass.over(images.indices(), |batch, input| {
            let outputs = family.outputs(input)?;
            if let Some(output) = outputs.first() {
                mean.add(&output.features)?;
            }
            let classifiers = steps.iter().map(|(step, _)| step.classifier);
            for (classifier, (table, output)) in classifiers.zip(tables.iter_mut().zip(outputs)) {
                for (&index, scores) in batch.indices.iter().zip(output.logits.to_vec2::<f32>()?) {
                    check_scores(classifier, images.name(index), names, &scores)?;
                    let labels = images.labels(index).iter().copied();
                    table.add(images.name(index), labels.zip(scores))?;
                }
            }
            Ok(())
        })?;
        for ((step, folder), table) in steps.iter().zip(tables) {
            table.finish()?;
            if step.learnt {
                folder.write(&artefacts::reference(step.classifier), &reference::to_bytes(&mean)?)?;
            }
        }
        Ok(())
    }
}

/// Refuses scores that are no numbers: nothing could be measured with them.
fn check_scores(classifier: &str, image: &str, names: &[String], scores: &[f32]) -> Result<()> {
    let Some((name, score)) = names.iter().zip(scores).find(|(_, score)| !score.is_finite()) else {
        return Ok(());
    };
    Err(Error::Request(format!(
        "classifiers.{classifier}: the score of {image} for {name} is {score}, which is not finite: its training has diverged, or its \
         weights from elsewhere are damaged; a smaller training.learning_rate, or other weights, give scores that can be measured"
    )))
}

/// The scores of a classifier.
pub fn predictions(classifier: &str) -> Artefact {
    Artefact::new(step_name(classifier), artefacts::predictions(classifier))
}

/// The mean of a classifier's features, which the step of the one that has learnt them writes.
pub fn mean_features(inputs: &Inputs<'_>, classifier: &str) -> Artefact {
    let learnt = inputs.experiment.features_of(classifier);
    Artefact::new(step_name(learnt), artefacts::reference(learnt))
}

/// The columns of a label and a score a row.
fn columns(table: Columns, rows: &[(i8, f32)]) -> Columns {
    let (labels, scores): (Vec<i8>, Vec<Option<f32>>) = rows.iter().map(|&(label, score)| (label, Some(score))).unzip();
    table.labels("label", &labels).singles("score", &scores)
}
