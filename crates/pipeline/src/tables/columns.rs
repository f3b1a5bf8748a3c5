//! A table in memory, to be written.

use std::io::Write;

use polars::prelude::*;

/// A table in memory, column by column.
#[derive(Debug, Clone, Default)]
pub struct Columns(Vec<Column>);

impl Columns {
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
        parquet(&mut bytes).finish(&mut self.frame()?)?;
        Ok(bytes)
    }

    /// The table as a CSV file with a header; an absent value is empty.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn to_csv(self) -> PolarsResult<Vec<u8>> {
        let mut bytes = Vec::new();
        CsvWriter::new(&mut bytes).finish(&mut self.frame()?)?;
        Ok(bytes)
    }

    /// The table as polars has it.
    pub(super) fn frame(self) -> PolarsResult<DataFrame> {
        DataFrame::new_infer_height(self.0)
    }
}

/// A Parquet file of ours, which goes to `writer`.
pub(super) fn parquet<W: Write>(writer: W) -> ParquetWriter<W> {
    ParquetWriter::new(writer).with_compression(ParquetCompression::Zstd(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_unequal_length_are_refused() {
        Columns::default()
            .integers("a", &[1, 2])
            .integers("b", &[1])
            .to_csv()
            .expect_err("unequal");
    }
}
