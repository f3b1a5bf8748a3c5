//! Tables on disk: the one module that knows polars.
//!
//! Values that belong to an image and an attribute are stored long, one row for each pair, images outermost: the form
//! that polars, pandas and R group and plot without reshaping.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use dataset::{check_parquet, without_panic};
use polars::prelude::*;

use crate::error::{Error, Result};

/// A table in memory, column by column.
#[derive(Debug, Clone, Default)]
pub struct Table(Vec<Column>);

impl Table {
    /// Adds a column of texts.
    #[must_use]
    pub fn texts<S: AsRef<str>>(mut self, name: &str, values: &[S]) -> Self {
        let values: StringChunked = values.iter().map(|value| Some(value.as_ref())).collect();
        self.0.push(values.with_name(name.into()).into_column());
        self
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn integers(mut self, name: &str, values: &[i64]) -> Self {
        self.0.push(Column::new(name.into(), values));
        self
    }

    /// Adds a column of small whole numbers, such as labels.
    #[must_use]
    pub fn labels(mut self, name: &str, values: &[i8]) -> Self {
        let values: Vec<i32> = values.iter().map(|&value| i32::from(value)).collect();
        self.0.push(Column::new(name.into(), values));
        self
    }

    /// Adds a column of single-precision numbers; an absent value is null.
    #[must_use]
    pub fn singles(mut self, name: &str, values: &[Option<f32>]) -> Self {
        self.0.push(Column::new(name.into(), values));
        self
    }

    /// Adds a column of double-precision numbers; an absent value is null.
    #[must_use]
    pub fn doubles(mut self, name: &str, values: &[Option<f64>]) -> Self {
        self.0.push(Column::new(name.into(), values));
        self
    }

    /// The table as a Parquet file.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn to_parquet(self) -> PolarsResult<Vec<u8>> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut DataFrame::new_infer_height(self.0)?)?;
        Ok(bytes)
    }

    /// The table as a CSV file with a header; an absent value is empty.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn to_csv(self) -> PolarsResult<Vec<u8>> {
        let mut bytes = Vec::new();
        CsvWriter::new(&mut bytes).finish(&mut DataFrame::new_infer_height(self.0)?)?;
        Ok(bytes)
    }
}

/// A table read from disk, with typed access to its columns.
#[derive(Debug)]
pub struct ReadTable {
    frame: DataFrame,
    path: std::path::PathBuf,
}

impl ReadTable {
    /// Reads a Parquet file.
    ///
    /// # Errors
    /// When it cannot be opened, is not Parquet, or is damaged.
    pub fn parquet(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "opening"))?;
        check_parquet(path).map_err(|found| Error::artefact(path, format!("no whole Parquet file: {found}")))?;
        let frame = without_panic(|| ParquetReader::new(file).finish());
        let frame = frame.ok_or_else(|| Error::artefact(path, "damaged, or Parquet of a kind that cannot be read"))?;
        Self::from(path, frame)
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
        column.map_err(|source| Error::Table {
            path: self.path.clone(),
            source,
        })
    }

    /// A column of texts.
    ///
    /// # Errors
    /// When it is absent or has nulls.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        let column = self.cast(name, &DataType::String)?;
        let values = column.str().map_err(|source| self.fault(source))?;
        self.complete(name, values.iter().map(|value| value.map(str::to_owned)))
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
        Error::Table {
            path: self.path.clone(),
            source,
        }
    }

    fn complete<T>(&self, name: &str, values: impl Iterator<Item = Option<T>>) -> Result<Vec<T>> {
        let values: Option<Vec<T>> = values.collect();
        values.ok_or_else(|| Error::artefact(&self.path, format!("column `{name}` has empty cells")))
    }
}

/// The attribute-by-attribute values of some images, as `predictions.parquet` and `energy.parquet` hold them.
#[derive(Debug, Clone, PartialEq)]
pub struct PerAttribute {
    /// The images' names, N of them.
    pub images: Vec<String>,
    /// The attributes' names, A of them.
    pub attributes: Vec<String>,
}

impl PerAttribute {
    /// The two key columns of a long table.
    pub fn keys(&self) -> Table {
        let pairs = || {
            self.images
                .iter()
                .flat_map(|image| self.attributes.iter().map(move |name| (image, name)))
        };
        let images: Vec<&str> = pairs().map(|(image, _)| image.as_str()).collect();
        let names: Vec<&str> = pairs().map(|(_, name)| name.as_str()).collect();
        Table::default().texts("image", &images).texts("attribute", &names)
    }

    /// Recovers images and attributes from a long table's key columns.
    ///
    /// # Errors
    /// When the rows are not images times attributes in that order.
    pub fn of(table: &ReadTable) -> Result<Self> {
        let images = table.texts("image")?;
        let names = table.texts("attribute")?;
        let width = images.iter().take_while(|&image| *image == images[0]).count();
        let attributes = names.get(..width).unwrap_or_default().to_vec();
        let regular = width > 0
            && names.len() == images.len()
            && images
                .chunks(width)
                .all(|row| row.len() == width && row.iter().all(|image| *image == row[0]))
            && names.chunks(width).all(|row| row == attributes);
        if !regular {
            return Err(Error::artefact(&table.path, "its rows are not images times attributes"));
        }
        Ok(Self {
            images: images.into_iter().step_by(width).collect(),
            attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_comes_back_as_it_was() {
        let keys = PerAttribute {
            images: vec!["1.jpg".to_owned(), "2.jpg".to_owned()],
            attributes: vec!["Bald".to_owned(), "Bangs".to_owned(), "Young".to_owned()],
        };
        let scores = [Some(0.25), None, Some(-1.5), Some(0.0), Some(3.0), None];
        let bytes = keys
            .keys()
            .labels("label", &[1, -1, 0, 1, 1, -1])
            .doubles("score", &scores)
            .to_parquet();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        std::fs::write(&path, bytes.expect("a table")).expect("written");
        let table = ReadTable::parquet(&path).expect("readable");
        assert_eq!(PerAttribute::of(&table).expect("regular"), keys);
        assert_eq!(table.doubles("score").expect("numbers"), scores);
        assert_eq!(table.integers("label").expect("numbers"), [1, -1, 0, 1, 1, -1]);
        let message = table.texts("image_name").expect_err("absent").to_string();
        assert!(message.contains("table.parquet"), "{message}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        std::fs::write(&path, b"PAR1 and then nothing").expect("written");
        ReadTable::parquet(&path).expect_err("not Parquet");
    }

    #[test]
    fn columns_of_unequal_length_are_refused() {
        Table::default()
            .integers("a", &[1, 2])
            .integers("b", &[1])
            .to_csv()
            .expect_err("unequal");
    }
}
