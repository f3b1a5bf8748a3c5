//! `predictions.parquet`, read.

use std::path::Path;

use metrics::People;

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
}

impl Predictions {
    /// Whom the images show: each its own person, where nobody knows better.
    pub fn people(&self) -> People {
        People::each_image(self.keys.images.len())
    }

    /// Reads a classifier's `predictions.parquet`.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let labels = file.columns(&["label"])?.integers("label")?;
        let scores = file.columns(&["score"])?.singles("score")?;
        let scores: Option<Vec<f32>> = scores.into_iter().collect();
        Ok(Self {
            keys: RowKeys::of(&file.columns(&RowKeys::COLUMNS)?)?,
            labels: labels.into_iter().map(|label| label.signum() as i8).collect(),
            scores: scores.ok_or_else(|| Error::artefact(path, "a score is missing"))?,
        })
    }
}
