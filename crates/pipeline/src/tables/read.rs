//! A table read from disk.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};

use disk::ParquetReader;
use polars_arrow::array::{Array, MutableBinaryViewArray};

use super::cell::Cell;
use crate::error::{Error, Result};

/// A whole Parquet file, of which some columns at a time are read.
pub struct ParquetFile {
    path: PathBuf,
    reader: ParquetReader,
    names: Vec<String>,
}

impl ParquetFile {
    /// Opens a file and reads what columns it has.
    ///
    /// # Errors
    /// When it cannot be opened, or is no whole Parquet file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "opening"))?;
        let reader = ParquetReader::of(file).map_err(|found| Error::artefact(path, found))?;
        Ok(Self {
            path: path.to_owned(),
            names: reader.names(),
            reader,
        })
    }

    /// Reads some columns.
    ///
    /// # Errors
    /// When one is absent or damaged.
    pub fn columns(&self, names: &[&str]) -> Result<ReadTable> {
        let columns = names.iter().map(|&name| {
            let place = self.names.iter().position(|known| known == name);
            let place = place.ok_or_else(|| Error::artefact(&self.path, format!("there is no column `{name}`")))?;
            Ok((name.to_owned(), self.values(place)?))
        });
        Ok(ReadTable {
            path: self.path.clone(),
            columns: columns.collect::<Result<_>>()?,
            height: (0..self.reader.groups()).map(|group| self.reader.rows(group)).sum(),
        })
    }

    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn values(&self, place: usize) -> Result<Vec<Box<dyn Array>>> {
        let mut arrays = Vec::new();
        for group in 0..self.reader.groups() {
            let read = self.reader.values(group, place).map_err(|found| {
                let name = &self.names[place];
                Error::artefact(&self.path, format!("{found}, in column `{name}` of row group {group}"))
            });
            arrays.extend(read?);
        }
        Ok(arrays)
    }
}

/// A table read from disk, with typed access to its columns.
#[derive(Debug)]
pub struct ReadTable {
    path: PathBuf,
    /// Names and values, the values piece by piece.
    columns: Vec<(String, Vec<Box<dyn Array>>)>,
    height: usize,
}

impl ReadTable {
    /// Reads a Parquet file.
    ///
    /// # Errors
    /// When it cannot be opened, is not Parquet, or is damaged.
    pub fn parquet(path: &Path) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let names: Vec<&str> = file.names.iter().map(String::as_str).collect();
        file.columns(&names)
    }

    /// Reads a CSV file with a header; an empty cell is null.
    ///
    /// # Errors
    /// When it cannot be read or is not CSV.
    pub fn csv(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading"))?;
        let fault = |error: csv::Error| Error::artefact(path, format!("no CSV table ({error})"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names = reader.headers().map_err(fault)?.clone();
        let mut columns = vec![MutableBinaryViewArray::<str>::new(); names.len()];
        let mut height = 0;
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(fault)? {
            for (column, cell) in columns.iter_mut().zip(&record) {
                column.push(Some(cell).filter(|cell| !cell.is_empty()));
            }
            height += 1;
        }
        let columns = names.iter().zip(columns);
        Ok(Self {
            path: path.to_owned(),
            columns: columns
                .map(|(name, values)| (name.to_owned(), vec![values.freeze().boxed()]))
                .collect(),
            height,
        })
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A column of texts.
    ///
    /// # Errors
    /// When the column is absent or has nulls.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        Ok(self.strings(name)?.into_iter().map(Cow::into_owned).collect())
    }

    /// A column of texts, without a copy of each.
    pub(super) fn strings(&self, name: &str) -> Result<Vec<Cow<'_, str>>> {
        let values = self.values(name, "a text", |cell| Some(cell.text()))?;
        self.complete(name, values)
    }

    /// A column of labels or other whole numbers.
    ///
    /// # Errors
    /// When the column is absent, has nulls, or values that are no whole numbers.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let values = self.values(name, "a whole number", Cell::integer)?;
        self.complete(name, values)
    }

    /// A column of numbers in single precision; null is `None`.
    ///
    /// # Errors
    /// When the column is absent or has other values than numbers.
    pub fn singles(&self, name: &str) -> Result<Vec<Option<f32>>> {
        self.values(name, "a number", |cell| cell.number().map(|value| value as f32))
    }

    /// A column of numbers; null is `None`.
    ///
    /// # Errors
    /// When the column is absent or has other values than numbers.
    pub fn doubles(&self, name: &str) -> Result<Vec<Option<f64>>> {
        self.values(name, "a number", Cell::number)
    }

    /// A column's values by `of`, which gives none for a value that is not `expected`.
    fn values<'a, T>(
        &'a self,
        name: &str,
        expected: &str,
        of: impl Fn(Cell<'a>) -> Option<T>,
    ) -> Result<Vec<Option<T>>> {
        let column = self.columns.iter().find(|(known, _)| known == name);
        let fault = |found: String| Error::artefact(&self.path, found);
        let (_, arrays) = column.ok_or_else(|| fault(format!("there is no column `{name}`")))?;
        let mut values = Vec::with_capacity(self.height);
        for array in arrays {
            let read = Cell::each(array.as_ref(), |cell| {
                let value = cell.map(|cell| of(cell).ok_or_else(|| format!("`{}`, expected {expected}", cell.text())));
                values.push(value.transpose()?);
                Ok::<_, String>(())
            });
            read.map_err(|found| fault(format!("column `{name}` has {found}")))?;
        }
        Ok(values)
    }

    fn complete<T>(&self, name: &str, values: Vec<Option<T>>) -> Result<Vec<T>> {
        let complete: Option<Vec<T>> = values.into_iter().collect();
        complete.ok_or_else(|| Error::artefact(&self.path, format!("column `{name}` has empty cells")))
    }
}

#[cfg(test)]
mod tests {
    use disk::Columns;

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
        assert_eq!(["a", "b", "c"].map(|name| file.has(name)), [true, true, false]);
        let read = file.columns(&["b"]).expect("there");
        assert_eq!(read.columns(), ["b"]);
        assert_eq!(read.singles("b").expect("numbers"), [None, Some(0.5)]);
        let message = crate::error::describe(&file.columns(&["c"]).expect_err("absent"));
        assert!(message.contains("table.parquet") && message.contains('c'), "{message}");
    }

    #[test]
    fn csv_is_read_by_what_is_asked_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.csv");
        std::fs::write(&path, "name,n,value\n\"Bald, or so\",3,0.25\nYoung,-1,\n").expect("written");
        let read = ReadTable::csv(&path).expect("readable");
        assert_eq!((read.columns(), read.height()), (vec!["name", "n", "value"], 2));
        assert_eq!(read.texts("name").expect("texts"), ["Bald, or so", "Young"]);
        assert_eq!(read.integers("n").expect("whole"), [3, -1]);
        assert_eq!(read.texts("n").expect("texts"), ["3", "-1"]);
        assert_eq!(read.doubles("value").expect("numbers"), [Some(0.25), None]);
        for (fault, expected) in [
            (
                read.integers("name").map(drop),
                "`Bald, or so`, expected a whole number",
            ),
            (read.integers("value").map(drop), "`0.25`, expected a whole number"),
            (read.texts("value").map(drop), "column `value` has empty cells"),
            (read.doubles("values").map(drop), "no column `values`"),
        ] {
            let message = fault.expect_err(expected).to_string();
            assert!(message.contains(expected) && message.contains("table.csv"), "{message}");
        }
        std::fs::write(&path, "a,b\n1\n").expect("written");
        ReadTable::csv(&path).expect_err("a short line");
    }
}
