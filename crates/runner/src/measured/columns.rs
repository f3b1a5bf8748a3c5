//! The parts of the scores as columns of `energy.parquet`, written and read.

use metrics::{BiasReliance, Evidence};

use crate::error::Result;
use disk::Columns;
use pipeline::ParquetFile;

/// A part of a score, and how to find and put it in a decomposition.
type Part = (
    &'static str,
    fn(&BiasReliance) -> f64,
    fn(&mut BiasReliance) -> &mut f64,
);

/// The columns of `energy.parquet`, in logits of the predicted class.
const PARTS: [Part; 10] = [
    ("bias", |r| r.bias, |r| &mut r.bias),
    ("constant", |r| r.constant, |r| &mut r.constant),
    (
        "evidence_for_inside",
        |r| r.evidence.for_inside,
        |r| &mut r.evidence.for_inside,
    ),
    (
        "evidence_for_outside",
        |r| r.evidence.for_outside,
        |r| &mut r.evidence.for_outside,
    ),
    (
        "evidence_against_inside",
        |r| r.evidence.against_inside,
        |r| &mut r.evidence.against_inside,
    ),
    (
        "evidence_against_outside",
        |r| r.evidence.against_outside,
        |r| &mut r.evidence.against_outside,
    ),
    (
        "specific_for_inside",
        |r| r.specific.for_inside,
        |r| &mut r.specific.for_inside,
    ),
    (
        "specific_for_outside",
        |r| r.specific.for_outside,
        |r| &mut r.specific.for_outside,
    ),
    (
        "specific_against_inside",
        |r| r.specific.against_inside,
        |r| &mut r.specific.against_inside,
    ),
    (
        "specific_against_outside",
        |r| r.specific.against_outside,
        |r| &mut r.specific.against_outside,
    ),
];

/// Adds the columns of some decompositions, one a row, to a long table.
pub fn write_columns<'a>(table: Columns, rows: impl Iterator<Item = &'a BiasReliance> + Clone) -> Columns {
    PARTS.iter().fold(table, |table, (name, get, _)| {
        // Not a number: evidence of an image without a region.
        let value = |row: &BiasReliance| Some(get(row) as f32).filter(|value| !value.is_nan());
        let values: Vec<Option<f32>> = rows.clone().map(value).collect();
        table.singles(name, &values)
    })
}

/// The decompositions in `energy.parquet`, images outermost, in the precision in which they are stored.
pub struct Decompositions {
    /// One for each of [`PARTS`]; not a number where there is no evidence.
    columns: [Vec<f32>; PARTS.len()],
}

impl Decompositions {
    /// Reads them.
    ///
    /// # Errors
    /// When a column is missing or has other values than numbers.
    pub fn read(file: &ParquetFile) -> Result<Self> {
        let mut columns: [Vec<f32>; PARTS.len()] = Default::default();
        for (column, (name, ..)) in columns.iter_mut().zip(&PARTS) {
            let values = file.columns(&[name])?.singles(name)?;
            *column = values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        }
        Ok(Self { columns })
    }

    /// The head's biases alone, row by row.
    pub fn biases(&self) -> &[f32] {
        &self.columns[0]
    }

    /// The constant parts alone.
    pub fn constants(&self) -> &[f32] {
        &self.columns[1]
    }

    /// What the region adds beyond the constant part ([`Evidence::inside`]); not a number where there is no region.
    pub fn regions(&self) -> Vec<f32> {
        let [.., for_inside, _, against_inside, _] = &self.columns;
        for_inside.iter().zip(against_inside).map(|(a, b)| a + b).collect()
    }

    /// Those of one of `width` attributes, one an image, without the score; evidence is not a number where it is absent.
    pub fn of_attribute(&self, attribute: usize, width: usize) -> Vec<BiasReliance> {
        let empty = BiasReliance {
            score: 0.0,
            bias: 0.0,
            constant: 0.0,
            evidence: Evidence::default(),
            specific: Evidence::default(),
        };
        let mut rows = vec![empty; self.columns[0].len() / width];
        for ((_, _, place), column) in PARTS.iter().zip(&self.columns) {
            for (row, &value) in rows.iter_mut().zip(column[attribute..].iter().step_by(width)) {
                *place(row) = f64::from(value);
            }
        }
        rows
    }
}
