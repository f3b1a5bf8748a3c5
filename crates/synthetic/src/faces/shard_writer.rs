//! Writes shards as the hub's data set has them, for data sets that are made rather than fetched.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::Split;
use dataset::shards::{FOLDER, shard_name};
use polars_arrow::array::{Array, BinaryArray, BooleanArray, PrimitiveArray, StructArray, Utf8Array};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, StatisticsOptions, Version, WriteOptions, row_group_iter,
};

use crate::{Error, Result};

/// Rows of a row group: what the hub's own library chooses for images.
pub(super) const GROUP: usize = 100;
/// Rows of a shard, about as many as the hub's have.
const SHARD: usize = 8_000;

/// An image as a row of a shard.
pub(super) struct Row<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) name: String,
    pub(super) identity: i64,
    pub(super) labels: &'a [i8],
}

/// The shards of one split, written one after the other.
pub(super) struct ShardWriter {
    folder: PathBuf,
    split: Split,
    rows: usize,
    written: usize,
    schema: Arc<ArrowSchema>,
    open: Option<(PathBuf, FileWriter<BufWriter<File>>)>,
}

impl ShardWriter {
    /// A writer of `rows` rows into the data set's folder, which has to exist.
    pub(super) fn new(data: &Path, split: Split, rows: usize, attributes: &[String]) -> Self {
        let image = ArrowDataType::Struct(vec![
            Field::new("bytes".into(), ArrowDataType::LargeBinary, true),
            Field::new("path".into(), ArrowDataType::LargeUtf8, true),
        ]);
        let fields = [
            Field::new("image".into(), image, true),
            Field::new("celeb_id".into(), ArrowDataType::Int64, true),
        ];
        let labels = attributes
            .iter()
            .map(|name| Field::new(name.as_str().into(), ArrowDataType::Boolean, true));
        let schema = fields
            .into_iter()
            .chain(labels)
            .map(|field| (field.name.clone(), field));
        Self {
            folder: data.join(FOLDER),
            split,
            rows,
            written: 0,
            schema: Arc::new(schema.collect()),
            open: None,
        }
    }

    /// Writes a row group. All but a shard's last have [`GROUP`] rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let (path, mut writer) = match self.open.take() {
            Some(open) => open,
            None => self.start()?,
        };
        let bytes = BinaryArray::<i64>::from_iter_values(rows.iter().map(|row| row.bytes));
        let names = Utf8Array::<i64>::from_iter_values(rows.iter().map(|row| row.name.as_str()));
        let image = self
            .schema
            .get_at_index(0)
            .map(|(_, field)| field.dtype.clone())
            .unwrap_or_default();
        let mut columns: Vec<Box<dyn Array>> = vec![
            StructArray::new(image, rows.len(), vec![bytes.boxed(), names.boxed()], None).boxed(),
            PrimitiveArray::from_vec(rows.iter().map(|row| row.identity).collect()).boxed(),
        ];
        for attribute in 0..self.schema.len() - columns.len() {
            let labels: Vec<bool> = rows.iter().map(|row| row.labels.get(attribute) == Some(&1)).collect();
            columns.push(BooleanArray::from_slice(labels).boxed());
        }
        let encodings: Vec<Vec<Encoding>> = (0..columns.len())
            .map(|column| vec![Encoding::Plain; if column == 0 { 2 } else { 1 }])
            .collect();
        let group = row_group_iter(
            RecordBatchT::new(rows.len(), Arc::clone(&self.schema), columns),
            encodings.into(),
            writer.parquet_schema().fields().to_vec(),
            writer.options(),
        );
        writer
            .write(rows.len() as u64, group)
            .map_err(|error| cannot_write(&path, error))?;
        self.written += rows.len();
        if self.written.is_multiple_of(SHARD) || self.written == self.rows {
            writer.end(None).map_err(|error| cannot_write(&path, error))?;
        } else {
            self.open = Some((path, writer));
        }
        Ok(())
    }

    fn start(&self) -> Result<(PathBuf, FileWriter<BufWriter<File>>)> {
        let name = shard_name(self.split, self.written / SHARD, self.rows.div_ceil(SHARD));
        let path = self.folder.join(name);
        let file = File::create(&path).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        let options = WriteOptions {
            statistics: StatisticsOptions::empty(),
            version: Version::V1,
            compression: CompressionOptions::Snappy,
            data_page_size: None,
        };
        let writer = FileWriter::try_new(BufWriter::new(file), self.schema.as_ref().clone(), options);
        let writer = writer.map_err(|error| cannot_write(&path, error))?;
        Ok((path, writer))
    }
}

fn cannot_write(path: &Path, error: impl Display) -> Error {
    Error::Write {
        path: path.to_owned(),
        source: io::Error::other(error.to_string()),
    }
}
