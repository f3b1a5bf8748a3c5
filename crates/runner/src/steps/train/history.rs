//! `training.parquet`: how a training went, epoch by epoch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use disk::Columns;
use pipeline::ReadTable;

/// One epoch of a training: a row of `training.parquet`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Mean of the training loss over the epoch's steps.
    pub loss: f64,
    /// Error among the minority class of the frontal validation images, mean over attributes.
    pub minority_error: Option<f64>,
    /// The same for the majority class.
    pub majority_error: Option<f64>,
}

/// The history as a table.
pub fn table(history: &[Epoch]) -> Columns {
    let numbers = |value: fn(&Epoch) -> Option<f64>| -> Vec<Option<f64>> { history.iter().map(value).collect() };
    Columns::default()
        .integers(
            "epoch",
            &history.iter().map(|epoch| epoch.epoch as i64).collect::<Vec<_>>(),
        )
        .doubles("learning_rate", &numbers(|epoch| Some(epoch.learning_rate)))
        .doubles("loss", &numbers(|epoch| Some(epoch.loss)))
        .doubles("validation_minority_error", &numbers(|epoch| epoch.minority_error))
        .doubles("validation_majority_error", &numbers(|epoch| epoch.majority_error))
}

/// How a training goes, in a line: the most important first, for a narrow terminal cuts it.
pub fn status(history: &[Epoch], epochs: usize, loss: f64, images_per_second: f64) -> String {
    let epoch = history.len() + 1;
    let error = history
        .last()
        .and_then(|last| last.minority_error.zip(last.majority_error))
        .map_or_else(String::new, |(minority, majority)| {
            format!("  error {minority:.3}/{majority:.3}")
        });
    format!("epoch {epoch}/{epochs}  loss {loss:.4}{error}  {images_per_second:.0} images/s")
}

/// Reads a classifier's training history.
///
/// # Errors
/// When it is absent or damaged.
pub fn read(path: &Path) -> Result<Vec<Epoch>> {
    let table = ReadTable::parquet(path)?;
    let complete = |value: Option<f64>| value.ok_or_else(|| Error::artefact(path, "a number is missing"));
    let epochs = table.integers("epoch")?;
    let (rates, losses) = (table.doubles("learning_rate")?, table.doubles("loss")?);
    let minority = table.doubles("validation_minority_error")?;
    let majority = table.doubles("validation_majority_error")?;
    (0..epochs.len())
        .map(|row| {
            Ok(Epoch {
                epoch: epochs[row].max(0) as usize,
                learning_rate: complete(rates[row])?,
                loss: complete(losses[row])?,
                minority_error: minority[row],
                majority_error: majority[row],
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_has_the_last_validation_s_errors() {
        let mut history = Vec::new();
        assert_eq!(
            status(&history, 10, 0.5, 880.4),
            "epoch 1/10  loss 0.5000  880 images/s"
        );
        history.push(Epoch {
            epoch: 1,
            learning_rate: 0.01,
            loss: 0.5,
            minority_error: Some(0.31),
            majority_error: Some(0.04),
        });
        assert_eq!(
            status(&history, 10, 0.25, 880.4),
            "epoch 2/10  loss 0.2500  error 0.310/0.040  880 images/s"
        );
    }
}
