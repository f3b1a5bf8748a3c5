//! The prediction stage: the score of every attribute on every test image, and the mean of the features behind them.

use super::{DataSet, evaluate, reference};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::frames::{PerAttribute, ReadTable};
use crate::manifest::Key;

/// Scores and labels of some images, row by row [N, A].
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The images and attributes.
    pub keys: PerAttribute,
    /// 1 positive, -1 negative, 0 not annotated.
    pub labels: Vec<i8>,
    /// Logits: positive is predicted iff at least 0.
    pub scores: Vec<f32>,
}

impl Predictions {
    /// Reads a classifier's `predictions.parquet`.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(context: &Context, classifier: &str) -> Result<Self> {
        let path = context.results.join(&path(classifier));
        let table = ReadTable::parquet(&path)?;
        let complete = |value: Option<f64>| value.ok_or_else(|| Error::artefact(&path, "a score is missing"));
        Ok(Self {
            keys: PerAttribute::of(&table)?,
            labels: table
                .integers("label")?
                .into_iter()
                .map(|label| label.signum() as i8)
                .collect(),
            scores: table
                .doubles("score")?
                .into_iter()
                .map(|score| complete(score).map(|score| score as f32))
                .collect::<Result<_>>()?,
        })
    }
}

fn path(classifier: &str) -> String {
    format!("{classifier}/predictions.parquet")
}

/// Runs the stage for one classifier.
///
/// # Errors
/// Those of reading checkpoint and images, and of writing.
pub fn run(context: &mut Context, data: &DataSet, classifier: &str) -> Result<()> {
    let key = Key::default()
        .settings(&context.experiment.data.deciding())
        .settings(&super::bad_images::names(data))
        .text(&context.manifest.data)
        .stages(&context.manifest, [format!("train/{classifier}").as_str()]);
    context.stage(&format!("predict/{classifier}"), key, |context| {
        predict(context, data, classifier)
    })
}

fn predict(context: &Context, data: &DataSet, classifier: &str) -> Result<Vec<String>> {
    let network = evaluate::trained_network(context, data, classifier)?;
    let annotations = data.annotations();
    let mut scores: Vec<Option<f32>> = Vec::with_capacity(data.test.len() * data.attributes().len());
    let mut mean = cam::Reference::new();
    let title = format!("predict/{classifier}");
    evaluate::for_each_batch(context, data, &network, &data.test, &title, |_, output| {
        mean.add(&output.features)?;
        scores.extend(output.logits.flatten_all()?.to_vec1::<f32>()?.into_iter().map(Some));
        Ok(())
    })?;
    let labels: Vec<i8> = data
        .test
        .iter()
        .flat_map(|&index| annotations.labels_of(index))
        .copied()
        .collect();
    let keys = PerAttribute {
        images: data
            .test
            .iter()
            .map(|&index| annotations.names[index].clone())
            .collect(),
        attributes: data.attributes().to_vec(),
    };
    let path = path(classifier);
    let bytes = keys
        .keys()
        .labels("label", &labels)
        .singles("score", &scores)
        .to_parquet();
    let bytes = bytes.map_err(|source| Error::Table {
        path: context.results.join(&path),
        source,
    })?;
    context.results.write(&path, &bytes)?;
    let reference = reference::path(classifier);
    context.results.write(&reference, &reference::to_bytes(&mean)?)?;
    Ok(vec![path, reference])
}
