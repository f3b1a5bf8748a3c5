//! The prediction stage: the score of every attribute on every test image, and the mean of the features behind them.

use super::{DataSet, Inputs, evaluate, reference, train};
use crate::artefacts;
use crate::context::Context;
use crate::error::Result;
use pipeline::{Columns, Declaration, LongWriter};

/// Bumped when the stage would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The stage of a classifier.
pub fn stage(classifier: &str) -> String {
    format!("predict/{classifier}")
}

/// What the stage reads: the test images with their labels, and the network.
pub fn declaration(inputs: &Inputs<'_>, classifier: &str) -> Declaration {
    let declaration = inputs.attributes(inputs.declaration(stage(classifier), VERSION));
    inputs
        .labelled_test_images(declaration)
        .artefact(&train::stage(classifier), &artefacts::checkpoint(classifier))
}

/// Runs the stage for one classifier.
///
/// # Errors
/// Those of reading checkpoint and images, and of writing.
pub fn run(context: &Context, inputs: &Inputs<'_>, data: &DataSet, classifier: &str) -> Result<()> {
    context
        .workspace
        .step(&declaration(inputs, classifier), || predict(context, data, classifier))
}

fn predict(context: &Context, data: &DataSet, classifier: &str) -> Result<Vec<String>> {
    let network = evaluate::trained_network(context, data, classifier)?;
    let annotations = data.annotations();
    let path = artefacts::predictions(classifier);
    let mut table = LongWriter::begin(&context.results().join(&path), data.attributes(), columns)?;
    let mut mean = cam::Reference::new();
    let title = format!("predict/{classifier}");
    evaluate::for_each_batch(context, data, &network, &data.test, &title, |batch, output| {
        mean.add(&output.features)?;
        for (&index, scores) in batch.indices.iter().zip(output.logits.to_vec2::<f32>()?) {
            let labels = annotations.labels_of(index).iter().copied();
            table.add(&annotations.names[index], labels.zip(scores))?;
        }
        Ok(())
    })?;
    table.finish()?;
    let reference = artefacts::reference(classifier);
    context.results().write(&reference, &reference::to_bytes(&mean)?)?;
    Ok(vec![path, reference])
}

/// The columns of a label and a score a row.
fn columns(table: Columns, rows: &[(i8, f32)]) -> Columns {
    let (labels, scores): (Vec<i8>, Vec<Option<f32>>) = rows.iter().map(|&(label, score)| (label, Some(score))).unzip();
    table.labels("label", &labels).singles("score", &scores)
}
