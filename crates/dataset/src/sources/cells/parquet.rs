//! Rows of a Parquet file as text.

use std::fs::File;
use std::path::Path;

use disk::{ColumnBytes, ParquetReader};
use polars_arrow::array::{BinaryViewArray, BooleanArray, PrimitiveArray};
use polars_parquet::parquet::schema::types::PhysicalType;

use crate::files::not_read;
use crate::{Error, Result};

/// A Parquet file whose footer has been read.
pub(crate) struct ParquetTable {
    file: String,
    reader: ParquetReader,
}

impl ParquetTable {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let reader = ParquetReader::of(File::open(path).map_err(not_read(path))?);
        let reader = reader.map_err(|found| broken(&file, found))?;
        Ok(Self { file, reader })
    }

    /// Number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.reader.groups()
    }

    /// The bytes of a column in a row group.
    ///
    /// # Errors
    /// In words, when the file ends before them or cannot be read.
    pub(crate) fn column_bytes(&self, group: usize, column: usize) -> Result<ColumnBytes<'_>, String> {
        self.reader.bytes(group, column)
    }

    /// Whether a column holds bytes that the file does not call text.
    pub(crate) fn holds_bytes(&self, column: usize) -> bool {
        let column = self.reader.columns().get(column);
        column.is_some_and(|column| {
            let stored = &column.descriptor.primitive_type;
            stored.physical_type == PhysicalType::ByteArray
                && stored.logical_type.is_none()
                && stored.converted_type.is_none()
        })
    }

    /// Names of the columns; parts of a nested one are `column.part`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.reader.names()
    }

    /// Hands each row to `each`: its number, from 1, and its cells in the order of `columns`, empty where they are null.
    pub(crate) fn rows(&self, columns: &[usize], mut each: impl FnMut(usize, &[&str]) -> Result<()>) -> Result<()> {
        columns.iter().try_for_each(|&column| self.check_kind(column))?;
        let mut row = 0;
        for group in 0..self.groups() {
            let rows = self.reader.rows(group);
            let cells: Vec<Vec<String>> = columns
                .iter()
                .map(|&column| {
                    self.cells(group, column).map_err(|found| {
                        broken(
                            &self.file,
                            format!("{found}, in column {} of row group {group}", self.names()[column]),
                        )
                    })
                })
                .collect::<Result<_>>()?;
            for index in 0..rows {
                row += 1;
                let of_row: Vec<&str> = cells.iter().map(|column| column[index].as_str()).collect();
                each(row, &of_row)?;
            }
        }
        Ok(())
    }

    /// Refuses a column that does not hold one readable value in each row.
    fn check_kind(&self, column: usize) -> Result<()> {
        let Some(found) = self.reader.columns().get(column) else {
            return Ok(());
        };
        let descriptor = &found.descriptor;
        let what = if descriptor.max_rep_level > 0 || descriptor.max_def_level > 1 {
            "lists or parts"
        } else if matches!(
            descriptor.primitive_type.physical_type,
            PhysicalType::FixedLenByteArray(_) | PhysicalType::Int96
        ) {
            "numbers of 16 bits, decimals, old timestamps or bytes of fixed length"
        } else {
            return Ok(());
        };
        Err(Error::File {
            file: self.file.clone(),
            found: format!("{what} in the column `{}`", self.names()[column]),
            expected: "one text, number or truth value in each row (is this column an attribute? `attributes` chooses)"
                .to_owned(),
        })
    }

    /// The values of a column in a row group, read by how they are stored: what an integer stands for does not matter to a label.
    fn cells(&self, group: usize, column: usize) -> Result<Vec<String>, String> {
        let mut cells = Vec::new();
        for array in self.reader.values(group, column)? {
            let array = array.as_any();
            if let Some(values) = array.downcast_ref::<BooleanArray>() {
                cells.extend(values.iter().map(text));
            } else if let Some(values) = array.downcast_ref::<PrimitiveArray<i32>>() {
                cells.extend(values.iter().map(text));
            } else if let Some(values) = array.downcast_ref::<PrimitiveArray<i64>>() {
                cells.extend(values.iter().map(text));
            } else if let Some(values) = array.downcast_ref::<PrimitiveArray<f32>>() {
                cells.extend(values.iter().map(text));
            } else if let Some(values) = array.downcast_ref::<PrimitiveArray<f64>>() {
                cells.extend(values.iter().map(text));
            } else if let Some(values) = array.downcast_ref::<BinaryViewArray>() {
                cells.extend(values.iter().map(|value| text(value.map(String::from_utf8_lossy))));
            } else {
                return Err("values of an unknown type".to_owned());
            }
        }
        Ok(cells)
    }
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn broken(file: &str, found: String) -> Error {
    Error::File {
        file: file.to_owned(),
        found,
        expected: "a complete Parquet file with one value in each row; was the download or the copy cut off?"
            .to_owned(),
    }
}
