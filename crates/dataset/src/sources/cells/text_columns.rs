//! The columns of any Parquet file as text.

use std::path::Path;

use super::parquet::ParquetTable;
use crate::Result;

/// A Parquet file whose columns are read one by one, as the text that a table's cells would have.
pub struct TextColumns(ParquetTable);

impl TextColumns {
    /// Opens a file; its columns are read when asked for.
    ///
    /// # Errors
    /// When it cannot be read, or is no whole Parquet file.
    pub fn open(path: &Path) -> Result<Self> {
        ParquetTable::open(path).map(Self)
    }

    /// Names of the columns; parts of a nested one are `column.part`.
    pub fn names(&self) -> Vec<String> {
        self.0.names()
    }

    /// The cells of the column at `position`, one a row; a null is empty.
    ///
    /// # Errors
    /// When it is damaged, or holds something else than one text, number or truth value in each row.
    pub fn column(&self, position: usize) -> Result<Vec<String>> {
        let mut cells = Vec::new();
        self.0.rows(&[position], |_, row| {
            cells.extend(row.iter().map(ToString::to_string));
            Ok(())
        })?;
        Ok(cells)
    }
}
