//! A table read from disk.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use disk::{check_parquet, without_panic};
use polars::prelude::*;

use crate::error::{Error, Result};

/// A whole Parquet file, of which some columns at a time are read.
#[derive(Debug)]
pub struct ParquetFile {
    path: PathBuf,
}

impl ParquetFile {
    /// Looks whether a file is whole.
    ///
    /// # Errors
    /// When it cannot be opened, or is not Parquet.
    pub fn open(path: &Path) -> Result<Self> {
        File::open(path).map_err(Error::io(path, "opening"))?;
        check_parquet(path).map_err(|found| Error::artefact(path, format!("no whole Parquet file: {found}")))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Reads some columns.
    ///
    /// # Errors
    /// When one is absent or damaged.
    pub fn columns(&self, names: &[&str]) -> Result<ReadTable> {
        self.read(Some(names.iter().copied().map(str::to_owned).collect()))
    }

    /// Whether there is a column of this name.
    ///
    /// # Errors
    /// When the file cannot be opened or is damaged.
    pub fn has(&self, name: &str) -> Result<bool> {
        let path = &self.path;
        let file = File::open(path).map_err(Error::io(path, "opening"))?;
        let schema = without_panic(|| ParquetReader::new(file).schema());
        let schema =
            schema.ok_or_else(|| Error::artefact(path, "damaged, or Parquet of a kind that cannot be read"))?;
        Ok(schema.map_err(Error::table(path))?.contains(name))
    }

    /// Reads some columns, or all.
    fn read(&self, columns: Option<Vec<String>>) -> Result<ReadTable> {
        let path = &self.path;
        let file = File::open(path).map_err(Error::io(path, "opening"))?;
        let frame = without_panic(|| ParquetReader::new(file).with_columns(columns).finish());
        let frame = frame.ok_or_else(|| Error::artefact(path, "damaged, or Parquet of a kind that cannot be read"))?;
        ReadTable::from(path, frame)
    }
}

/// A table read from disk, with typed access to its columns.
#[derive(Debug)]
pub struct ReadTable {
    frame: DataFrame,
    path: PathBuf,
}

impl ReadTable {
    /// Reads a Parquet file.
    ///
    /// # Errors
    /// When it cannot be opened, is not Parquet, or is damaged.
    pub fn parquet(path: &Path) -> Result<Self> {
        ParquetFile::open(path)?.read(None)
    }

    /// Reads a CSV file.
    ///
    /// # Errors
    /// When it cannot be read or is not CSV.
    pub fn csv(path: &Path, has_header: bool) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading"))?;
        let options = CsvReadOptions::default()
            .with_has_header(has_header)
            .with_infer_schema_length(Some(1000));
        Self::from(path, options.into_reader_with_file_handle(Cursor::new(bytes)).finish())
    }

    fn from(path: &Path, frame: PolarsResult<DataFrame>) -> Result<Self> {
        let path = path.to_owned();
        match frame {
            Ok(frame) => Ok(Self { frame, path }),
            Err(source) => Err(Error::Table { path, source }),
        }
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<String> {
        self.frame.get_column_names().iter().map(ToString::to_string).collect()
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    fn cast(&self, name: &str, to: &DataType) -> Result<Column> {
        let column = self.frame.column(name).and_then(|column| column.strict_cast(to));
        column.map_err(Error::table(&self.path))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A column of texts.
    ///
    /// # Errors
    /// When it is absent or has nulls.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        let values = self.strings(name)?;
        self.complete(name, values.iter().map(|value| value.map(str::to_owned)))
    }

    /// A column of texts, without a copy of each.
    pub(super) fn strings(&self, name: &str) -> Result<StringChunked> {
        let column = self.cast(name, &DataType::String)?;
        let values = column.str().map_err(|source| self.fault(source))?;
        if values.null_count() > 0 {
            return Err(self.empty_cells(name));
        }
        Ok(values.clone())
    }

    /// A column of labels or other whole numbers.
    ///
    /// # Errors
    /// When it is absent, has nulls, or values that are no whole numbers.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let column = self.cast(name, &DataType::Int64)?;
        let values = column.i64().map_err(|source| self.fault(source))?;
        self.complete(name, values.iter())
    }

    /// A column of numbers in single precision; null is `None`.
    ///
    /// # Errors
    /// When it is absent or has other values than numbers.
    pub fn singles(&self, name: &str) -> Result<Vec<Option<f32>>> {
        let column = self.cast(name, &DataType::Float32)?;
        let values = column.f32().map_err(|source| self.fault(source))?;
        Ok(values.iter().collect())
    }

    /// A column of numbers; null is `None`.
    ///
    /// # Errors
    /// When it is absent or has other values than numbers.
    pub fn doubles(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let column = self.cast(name, &DataType::Float64)?;
        let values = column.f64().map_err(|source| self.fault(source))?;
        Ok(values.iter().collect())
    }

    fn fault(&self, source: PolarsError) -> Error {
        Error::table(&self.path)(source)
    }

    fn complete<T>(&self, name: &str, values: impl Iterator<Item = Option<T>>) -> Result<Vec<T>> {
        let values: Option<Vec<T>> = values.collect();
        values.ok_or_else(|| self.empty_cells(name))
    }

    fn empty_cells(&self, name: &str) -> Error {
        Error::artefact(&self.path, format!("column `{name}` has empty cells"))
    }

    /// The table as polars has it.
    #[cfg(test)]
    pub(super) fn frame(&self) -> &DataFrame {
        &self.frame
    }
}

#[cfg(test)]
mod tests {
    use super::super::Columns;
    use super::*;

    #[test]
    fn damaged_files_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        std::fs::write(&path, b"PAR1 and then nothing").expect("written");
        ReadTable::parquet(&path).expect_err("not Parquet");
    }

    #[test]
    fn columns_are_read_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        let table = Columns::default()
            .integers("a", &[1, 2])
            .singles("b", &[None, Some(0.5)]);
        std::fs::write(&path, table.to_parquet().expect("a table")).expect("written");
        let file = ParquetFile::open(&path).expect("whole");
        assert_eq!(
            ["a", "b", "c"].map(|name| file.has(name).expect("whole")),
            [true, true, false]
        );
        let read = file.columns(&["b"]).expect("there");
        assert_eq!(read.columns(), ["b"]);
        assert_eq!(read.singles("b").expect("numbers"), [None, Some(0.5)]);
        let message = crate::error::describe(&file.columns(&["c"]).expect_err("absent"));
        assert!(message.contains("table.parquet") && message.contains('c'), "{message}");
    }
}
