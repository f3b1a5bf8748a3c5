//! The prediction stage: the score of every attribute on every test image, and the mean of the features behind them.

use super::{DataSet, evaluate, reference};
use crate::artefacts;
use crate::context::Context;
use crate::error::Result;
use crate::pipeline::{Columns, Key, LongWriter};

/// Runs the stage for one classifier.
///
/// # Errors
/// Those of reading checkpoint and images, and of writing.
pub fn run(context: &Context, data: &DataSet, classifier: &str) -> Result<()> {
    let manifest = context.manifest();
    let key = Key::default()
        .settings(&context.experiment.data.deciding())
        .settings(&super::bad_images::names(data))
        .text(&manifest.data)
        .stages(&manifest, [format!("train/{classifier}").as_str()]);
    context.workspace.stage(&format!("predict/{classifier}"), key, || {
        predict(context, data, classifier)
    })
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
