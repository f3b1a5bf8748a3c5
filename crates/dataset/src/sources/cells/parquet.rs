//! Rows of a Parquet file as text.

use std::fs::File;
use std::path::Path;

use disk::{read_exact_at, without_panic};
use polars_arrow::array::{BinaryViewArray, BooleanArray, PrimitiveArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, FileMetadata};
use polars_parquet::parquet::read::read_metadata;
use polars_parquet::parquet::schema::types::PhysicalType;

use crate::files::not_read;
use crate::sources::flat_column::flat_column;
use crate::{Error, Result};

/// A Parquet file whose footer has been read.
pub(crate) struct ParquetTable {
    file: String,
    handle: File,
    metadata: FileMetadata,
}

/// A column in a row group: where its bytes begin in the file, and they themselves.
pub(crate) struct ColumnBytes<'a> {
    pub(crate) metadata: &'a ColumnChunkMetadata,
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
}

impl ParquetTable {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let handle = File::open(path).map_err(not_read(path))?;
        let metadata = without_panic(|| read_metadata(&mut &handle))
            .ok_or_else(|| broken(&file, "no whole Parquet file (its footer is damaged)".to_owned()))?
            .map_err(|error| broken(&file, format!("no whole Parquet file ({error})")))?;
        Ok(Self { file, handle, metadata })
    }

    /// Number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.metadata.row_groups.len()
    }

    /// The bytes of a column in a row group.
    ///
    /// # Errors
    /// In words, when the file ends before them or cannot be read.
    pub(crate) fn column_bytes(&self, group: usize, column: usize) -> Result<ColumnBytes<'_>, String> {
        let group = self
            .metadata
            .row_groups
            .get(group)
            .ok_or("a row group that is not there")?;
        let metadata = group
            .parquet_columns()
            .get(column)
            .ok_or("a column that is not there")?;
        let range = metadata.byte_range();
        let length = self.handle.metadata().map_or(0, |file| file.len());
        if range.start > range.end || range.end > length {
            return Err("values beyond the end of the file".to_owned());
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(|_| "too many bytes")?];
        read_exact_at(&self.handle, &mut bytes, range.start).map_err(|error| error.to_string())?;
        let start = range.start;
        Ok(ColumnBytes { metadata, start, bytes })
    }

    /// Whether a column holds bytes that the file does not call text.
    pub(crate) fn holds_bytes(&self, column: usize) -> bool {
        let column = self.metadata.schema().columns().get(column);
        column.is_some_and(|column| {
            let stored = &column.descriptor.primitive_type;
            stored.physical_type == PhysicalType::ByteArray
                && stored.logical_type.is_none()
                && stored.converted_type.is_none()
        })
    }

    /// Names of the columns; parts of a nested one are `column.part`.
    pub(crate) fn names(&self) -> Vec<String> {
        let columns = self.metadata.schema().columns().iter();
        let path = |column: &[_]| {
            column
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<String>>()
                .join(".")
        };
        columns.map(|column| path(&column.path_in_schema)).collect()
    }

    /// Hands each row to `each`: its number, from 1, and its cells in the order of `columns`, empty where they are null.
    pub(crate) fn rows(&self, columns: &[usize], mut each: impl FnMut(usize, &[&str]) -> Result<()>) -> Result<()> {
        columns.iter().try_for_each(|&column| self.check_kind(column))?;
        let mut row = 0;
        for group in 0..self.metadata.row_groups.len() {
            let rows = self.metadata.row_groups[group].num_rows();
            let cells: Vec<Vec<String>> = columns
                .iter()
                .map(|&column| {
                    let cells = without_panic(|| self.cells(group, column)).unwrap_or(Err("damaged values".to_owned()));
                    let complete = cells.and_then(|cells| match cells.len() {
                        found if found == rows => Ok(cells),
                        found => Err(format!("{found} values for {rows} rows")),
                    });
                    complete.map_err(|found| {
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
        let Some(found) = self.metadata.schema().columns().get(column) else {
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
        let ColumnBytes { metadata, bytes, .. } = self.column_bytes(group, column)?;
        let descriptor = &metadata.descriptor().descriptor;
        let dtype = match descriptor.primitive_type.physical_type {
            PhysicalType::Boolean => ArrowDataType::Boolean,
            PhysicalType::Int32 => ArrowDataType::Int32,
            PhysicalType::Int64 => ArrowDataType::Int64,
            PhysicalType::Float => ArrowDataType::Float32,
            PhysicalType::Double => ArrowDataType::Float64,
            PhysicalType::ByteArray => ArrowDataType::BinaryView,
            // Refused before.
            _ => return Err("values of a kind that is not read".to_owned()),
        };
        let arrays = flat_column(metadata, bytes, dtype)?;
        let mut cells = Vec::new();
        for array in &arrays {
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
