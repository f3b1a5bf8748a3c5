//! A Parquet file whose footer has been read.

use std::borrow::Borrow;
use std::fs::File;

use polars_arrow::array::Array;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, ColumnDescriptor, FileMetadata};
use polars_parquet::parquet::read::read_metadata;

use super::values::stored_values;
use crate::guarded::without_panic;
use crate::read_at::read_exact_at;

/// A Parquet file whose footer has been read. Errors are what was found, in words, without the file's name.
pub struct ParquetReader<F = File> {
    file: F,
    metadata: FileMetadata,
}

/// A column in a row group, as the file has it.
pub struct ColumnBytes<'a> {
    /// What the footer says of it.
    pub metadata: &'a ColumnChunkMetadata,
    /// Where its bytes begin in the file.
    pub start: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl<F: Borrow<File>> ParquetReader<F> {
    /// Reads the footer.
    ///
    /// # Errors
    /// When this is no whole Parquet file.
    pub fn of(file: F) -> Result<Self, String> {
        let metadata = without_panic(|| read_metadata(&mut file.borrow()))
            .ok_or("no whole Parquet file (its footer is damaged)")?
            .map_err(|error| format!("no whole Parquet file ({error})"))?;
        Ok(Self { file, metadata })
    }

    /// The columns; one that is nested counts as its parts.
    pub fn columns(&self) -> &[ColumnDescriptor] {
        self.metadata.schema().columns()
    }

    /// Names of the columns; parts of a nested one are `column.part`.
    pub fn names(&self) -> Vec<String> {
        let name = |column: &ColumnDescriptor| {
            let parts: Vec<&str> = column.path_in_schema.iter().map(|part| part.as_str()).collect();
            parts.join(".")
        };
        self.columns().iter().map(name).collect()
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.metadata.row_groups.len()
    }

    /// Rows of a row group; none where there is no such group.
    pub fn rows(&self, group: usize) -> usize {
        self.metadata.row_groups.get(group).map_or(0, |group| group.num_rows())
    }

    /// Bytes of a row group in the file; none where there is no such group.
    pub fn group_bytes(&self, group: usize) -> u64 {
        let group = self.metadata.row_groups.get(group);
        group.map_or(0, |group| group.compressed_size() as u64)
    }

    /// The bytes of a column in a row group.
    ///
    /// # Errors
    /// When there is no such column, or the file ends before it or cannot be read.
    pub fn bytes(&self, group: usize, column: usize) -> Result<ColumnBytes<'_>, String> {
        let group = self.metadata.row_groups.get(group);
        let group = group.ok_or("a row group that is not there")?;
        let metadata = group.parquet_columns().get(column);
        let metadata = metadata.ok_or("a column that is not there")?;
        let range = metadata.byte_range();
        let file = self.file.borrow();
        let length = file.metadata().map_or(0, |file| file.len());
        if range.start > range.end || range.end > length {
            return Err("values beyond the end of the file".to_owned());
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(|_| "too many bytes")?];
        read_exact_at(file, &mut bytes, range.start).map_err(|error| error.to_string())?;
        let start = range.start;
        Ok(ColumnBytes { metadata, start, bytes })
    }

    /// The values of a column in a row group, one a row, by how they are stored, whatever they stand for: truths, numbers of 32 and 64
    /// bits, and views of bytes.
    ///
    /// # Errors
    /// When the column is nested, stored in another way or damaged.
    pub fn values(&self, group: usize, column: usize) -> Result<Vec<Box<dyn Array>>, String> {
        let rows = self.rows(group);
        let complete = |found: usize| match found == rows {
            true => Ok(()),
            false => Err(format!("{found} values for {rows} rows")),
        };
        let ColumnBytes { metadata, bytes, .. } = self.bytes(group, column)?;
        complete(usize::try_from(metadata.num_values()).map_err(|_| "a negative number of values")?)?;
        let read = without_panic(|| stored_values(metadata, bytes));
        let arrays = read.unwrap_or_else(|| Err("damaged values".to_owned()))?;
        complete(arrays.iter().map(|array| array.len()).sum())?;
        Ok(arrays)
    }
}
