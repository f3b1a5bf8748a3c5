//! `predictions.parquet`, read.

use std::path::Path;

use crate::error::{Error, Result};
use pipeline::{ParquetFile, RowKeys};

/// Scores and labels of some images, row by row [N, A].
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The images and attributes.
    pub keys: RowKeys,
    /// 1 positive, -1 negative, 0 not annotated.
    pub labels: Vec<i8>,
    /// Logits: positive is predicted iff at least 0.
    pub scores: Vec<f32>,
    /// Who is in each image, N names: images of one name are of one person, patient or place. `None` where the data set does not know, or
    /// all its images are of different people: images are then the units.
    pub people: Option<Vec<String>>,
}

impl Predictions {
    /// Reads a classifier's `predictions.parquet`.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let labels = file.columns(&["label"])?.integers("label")?;
        let scores = file.columns(&["score"])?.singles("score")?;
        let scores: Option<Vec<f32>> = scores.into_iter().collect();
        let keys = RowKeys::of(&file.columns(&RowKeys::COLUMNS)?)?;
        Ok(Self {
            people: keys.people(&file)?,
            keys,
            labels: labels.into_iter().map(|label| label.signum() as i8).collect(),
            scores: scores.ok_or_else(|| Error::artefact(path, "a score is missing"))?,
        })
    }
}
