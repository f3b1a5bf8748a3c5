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
    /// Who is in each image, N names: images of one name are of one person, patient or place. `None` where the data set does not know, or
    /// all its images are of different people: images are then the units.
    pub named_people: Option<Vec<String>>,
}

impl Predictions {
    /// Whom the images show: each its own person, where nobody knows better.
    pub fn people(&self) -> People {
        match &self.named_people {
            Some(names) => People::of(names.iter().map(String::as_str)),
            None => People::each_image(self.keys.images.len()),
        }
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
        let keys = RowKeys::of(&file.columns(&RowKeys::COLUMNS)?)?;
        Ok(Self {
            named_people: keys.people(&file)?,
            keys,
            labels: labels.into_iter().map(|label| label.signum() as i8).collect(),
            scores: scores.ok_or_else(|| Error::artefact(path, "a score is missing"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disk::Columns;
    use pipeline::LongWriter;

    fn columns(table: Columns, rows: &[(i8, f32)]) -> Columns {
        let (labels, scores): (Vec<i8>, Vec<Option<f32>>) = rows.iter().map(|row| (row.0, Some(row.1))).unzip();
        table.labels("label", &labels).singles("score", &scores)
    }

    #[test]
    fn people_are_read_where_the_file_has_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("predictions.parquet");
        let names = ["Bald", "Young"].map(str::to_owned);
        for people in [None, Some(["2880", "7", "2880"].map(str::to_owned).to_vec())] {
            let writer = LongWriter::begin(&path, &names, columns).expect("begun");
            let mut writer = writer.with_people(people.clone());
            for image in ["1.jpg", "2.jpg", "3.jpg"] {
                writer.add(image, [(1, 0.5), (0, -0.25)]).expect("written");
            }
            writer.finish().expect("finished");
            let read = Predictions::read(&path).expect("readable");
            assert_eq!(
                read.people(),
                match people {
                    Some(_) => People::of(["2880", "7", "2880"]),
                    None => People::each_image(3),
                }
            );
            assert_eq!(read.named_people, people);
            assert_eq!(read.keys.images, ["1.jpg", "2.jpg", "3.jpg"]);
            assert_eq!((read.labels, read.scores), ([1, 0].repeat(3), [0.5, -0.25].repeat(3)));
        }
    }
}
