/// A table that cannot be a file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Columns of different lengths.
    #[error("the column `{column}` has {found} values, expected {expected} as in the first")]
    Lengths {
        /// The column.
        column: String,
        /// Its values.
        found: usize,
        /// Those of the first column.
        expected: usize,
    },
    /// Two columns of one name.
    #[error("two columns `{0}`")]
    Twice(String),
    /// Columns that are not those the file was begun with.
    #[error("other columns than the file was begun with")]
    Columns,
    /// Rows that do not belong together.
    #[error("{0}")]
    Rows(String),
    /// The file's format does not take it.
    #[error("{0}")]
    Format(String),
}
