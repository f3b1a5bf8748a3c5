//! Tables as Parquet, row group by row group.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use polars_arrow::datatypes::ArrowSchema;
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, FileWriter, StatisticsOptions, Version, WriteOptions, get_dtype_encoding, row_group_iter,
};

use super::columns::Columns;
use super::error::TableError;

const OPTIONS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: CompressionOptions::Zstd(None),
    data_page_size: None,
};

/// A Parquet file under construction, in memory: zstd, texts and numbers by dictionaries where that is shorter, and statistics of
/// each column, as polars writes them.
#[derive(Default)]
pub struct ParquetWriter {
    /// Since the first table, whose columns are those of all.
    file: Option<FileWriter<Encoded>>,
    encoded: Encoded,
}

impl ParquetWriter {
    /// Adds a table as a row group. One without rows adds none, but says which columns there are.
    ///
    /// # Errors
    /// When columns differ in length, two have one name, or they are not those of the tables before.
    pub fn write(&mut self, table: Columns) -> Result<(), TableError> {
        let rows = table.rows()?;
        let schema = table.schema();
        let file = self.begun(&schema)?;
        if *file.schema() != schema {
            return Err(TableError::Columns);
        }
        if rows == 0 {
            return Ok(());
        }
        let encodings = schema.iter_values().map(|field| get_dtype_encoding(&field.dtype));
        let group = row_group_iter(
            RecordBatchT::new(rows, Arc::new(schema.clone()), table.into_arrays()),
            encodings.collect(),
            file.parquet_schema().fields().to_vec(),
            file.options(),
        );
        file.write(rows as u64, group).map_err(format)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When no table was written.
    pub fn finish(&mut self) -> Result<(), TableError> {
        let file = self.file.as_mut().ok_or(TableError::Columns)?;
        file.end(None).map_err(format)?;
        Ok(())
    }

    /// The bytes that came since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.encoded.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file, begun with these columns if it was not.
    fn begun(&mut self, schema: &ArrowSchema) -> Result<&mut FileWriter<Encoded>, TableError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => FileWriter::try_new(self.encoded.clone(), schema.clone(), OPTIONS).map_err(format)?,
        };
        Ok(self.file.insert(file))
    }
}

impl Columns {
    /// The table as a Parquet file.
    ///
    /// # Errors
    /// When columns differ in length, or two have one name.
    pub fn to_parquet(self) -> Result<Vec<u8>, TableError> {
        let mut file = ParquetWriter::default();
        file.write(self)?;
        file.finish()?;
        Ok(file.take())
    }
}

fn format(error: impl std::fmt::Display) -> TableError {
    TableError::Format(error.to_string())
}

/// Where a file writer leaves what it has encoded. It keeps its writer to itself and makes texts of a writer's errors, so it gets memory.
#[derive(Clone, Default)]
struct Encoded(Arc<Mutex<Vec<u8>>>);

impl Write for Encoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
