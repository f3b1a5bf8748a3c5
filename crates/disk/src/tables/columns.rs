//! A table in memory, to be written.

use polars_arrow::array::{Array, MutableBinaryViewArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowSchema, Field};

use super::error::TableError;

/// A table in memory, column by column. A value that is absent is null in Parquet and empty in CSV.
#[derive(Debug, Clone, Default)]
pub struct Columns(Vec<(String, Box<dyn Array>)>);

impl Columns {
    /// Adds a column of texts.
    #[must_use]
    pub fn texts<S: AsRef<str>>(self, name: &str, values: &[S]) -> Self {
        self.optional_texts(name, values.iter().map(|value| Some(value.as_ref())))
    }

    /// Adds a column of texts, of which some may be absent.
    #[must_use]
    pub fn optional_texts<'a>(self, name: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let texts: MutableBinaryViewArray<str> = values.into_iter().collect();
        self.with(name, texts.freeze().boxed())
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn integers(self, name: &str, values: &[i64]) -> Self {
        self.with(name, PrimitiveArray::from_slice(values).boxed())
    }

    /// Adds a column of whole numbers, of which some may be absent.
    #[must_use]
    pub fn optional_integers(self, name: &str, values: &[Option<i64>]) -> Self {
        self.with(name, optional(values))
    }

    /// Adds a column of small whole numbers, such as labels.
    #[must_use]
    pub fn labels(self, name: &str, values: &[i8]) -> Self {
        let values: Vec<i32> = values.iter().map(|&value| i32::from(value)).collect();
        self.with(name, PrimitiveArray::from_vec(values).boxed())
    }

    /// Adds a column of single-precision numbers, of which some may be absent.
    #[must_use]
    pub fn singles(self, name: &str, values: &[Option<f32>]) -> Self {
        self.with(name, optional(values))
    }

    /// Adds a column of double-precision numbers, of which some may be absent.
    #[must_use]
    pub fn doubles(self, name: &str, values: &[Option<f64>]) -> Self {
        self.with(name, optional(values))
    }

    fn with(mut self, name: &str, values: Box<dyn Array>) -> Self {
        self.0.push((name.to_owned(), values));
        self
    }

    /// Number of rows, where it is the same in all columns, whose names are their own.
    pub(super) fn rows(&self) -> Result<usize, TableError> {
        let expected = self.0.first().map_or(0, |(_, values)| values.len());
        for (place, (name, values)) in self.0.iter().enumerate() {
            if values.len() != expected {
                return Err(TableError::Lengths {
                    column: name.clone(),
                    found: values.len(),
                    expected,
                });
            }
            if self.0[..place].iter().any(|(other, _)| other == name) {
                return Err(TableError::Twice(name.clone()));
            }
        }
        Ok(expected)
    }

    /// Names and types of the columns, as Arrow has them.
    pub(super) fn schema(&self) -> ArrowSchema {
        let fields = self.0.iter().map(|(name, values)| {
            let field = Field::new(name.as_str().into(), values.dtype().clone(), true);
            (field.name.clone(), field)
        });
        fields.collect()
    }

    /// Names and values.
    pub(super) fn named(&self) -> &[(String, Box<dyn Array>)] {
        &self.0
    }

    /// The columns' values.
    pub(super) fn into_arrays(self) -> Vec<Box<dyn Array>> {
        self.0.into_iter().map(|(_, values)| values).collect()
    }
}

/// Numbers of which some may be absent. Where none is, there is no mask of what is.
fn optional<T: polars_arrow::types::NativeType>(values: &[Option<T>]) -> Box<dyn Array> {
    match values.iter().copied().collect::<Option<Vec<T>>>() {
        Some(values) => PrimitiveArray::from_vec(values).boxed(),
        None => PrimitiveArray::from(values).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_unequal_length_and_of_one_name_are_refused() {
        let table = || Columns::default().integers("a", &[1, 2]);
        let unequal = table().integers("b", &[1]);
        assert!(matches!(unequal.clone().to_csv(), Err(TableError::Lengths { .. })));
        assert!(matches!(unequal.to_parquet(), Err(TableError::Lengths { .. })));
        let twice = table().integers("a", &[1, 2]);
        assert!(matches!(twice.clone().to_csv(), Err(TableError::Twice(_))));
        assert!(matches!(twice.to_parquet(), Err(TableError::Twice(_))));
    }
}
