//! Columns as CSV.

use polars_arrow::array::{Array, PrimitiveArray, StaticArray, Utf8ViewArray};

use super::columns::Columns;
use super::error::TableError;

impl Columns {
    /// The table as a CSV file with a header. A text that is empty is written as one that is absent.
    ///
    /// # Errors
    /// When columns differ in length, or two have one name.
    pub fn to_csv(&self) -> Result<Vec<u8>, TableError> {
        let format = |error: &dyn std::error::Error| TableError::Format(error.to_string());
        let (rows, columns) = (self.rows()?, self.named());
        let cells: Vec<Cells<'_>> = columns
            .iter()
            .map(|(_, values)| Cells::of(values.as_ref()))
            .collect::<Result<_, _>>()?;
        let mut file = csv::Writer::from_writer(Vec::new());
        let names = columns.iter().map(|(name, _)| name.as_str());
        file.write_record(names).map_err(|error| format(&error))?;
        let mut numbers = Numbers::default();
        for row in 0..rows {
            for column in &cells {
                let cell = column.at(row, &mut numbers).unwrap_or_default();
                file.write_field(cell).map_err(|error| format(&error))?;
            }
            file.write_record(None::<&[u8]>).map_err(|error| format(&error))?;
        }
        file.into_inner().map_err(|error| format(&error))
    }
}

/// A column's values, by their type.
enum Cells<'a> {
    Texts(&'a Utf8ViewArray),
    Labels(&'a PrimitiveArray<i32>),
    Integers(&'a PrimitiveArray<i64>),
    Singles(&'a PrimitiveArray<f32>),
    Doubles(&'a PrimitiveArray<f64>),
}

/// Where numbers become text: the shortest that reads back as the same number, as in our JSON.
#[derive(Default)]
struct Numbers {
    integers: itoa::Buffer,
    floats: zmij::Buffer,
}

impl<'a> Cells<'a> {
    fn of(values: &'a dyn Array) -> Result<Self, TableError> {
        let values = values.as_any();
        None.or_else(|| values.downcast_ref().map(Self::Texts))
            .or_else(|| values.downcast_ref().map(Self::Labels))
            .or_else(|| values.downcast_ref().map(Self::Integers))
            .or_else(|| values.downcast_ref().map(Self::Singles))
            .or_else(|| values.downcast_ref().map(Self::Doubles))
            .ok_or_else(|| TableError::Format("values of an unknown type".to_owned()))
    }

    fn at<'b>(&'b self, row: usize, numbers: &'b mut Numbers) -> Option<&'b str> {
        match self {
            Self::Texts(values) => values.get(row),
            Self::Labels(values) => Some(numbers.integers.format(values.get(row)?)),
            Self::Integers(values) => Some(numbers.integers.format(values.get(row)?)),
            Self::Singles(values) => Some(numbers.floats.format(values.get(row)?)),
            Self::Doubles(values) => Some(numbers.floats.format(values.get(row)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Columns;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_empty_where_nothing_is() {
        let table = Columns::default()
            .texts("name", &["Bald, or so", "a \"nose\"", "two\nlines", ""])
            .labels("label", &[1, -1, 0, 1])
            .optional_integers("n", &[Some(3), None, Some(-1), Some(i64::MAX)])
            .singles("single", &[Some(0.1), Some(1e-8), None, Some(f32::NAN)])
            .doubles("double", &[Some(0.1), Some(1e22), Some(2.0), None]);
        let csv = String::from_utf8(table.to_csv().expect("a table")).expect("text");
        let expected = "name,label,n,single,double\n\
            \"Bald, or so\",1,3,0.1,0.1\n\
            \"a \"\"nose\"\"\",-1,,1e-8,1e+22\n\
            \"two\nlines\",0,-1,,2.0\n\
            ,1,9223372036854775807,NaN,\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn a_table_without_rows_has_its_header() {
        let table = Columns::default().integers("a", &[]).texts("b", &[""; 0]);
        assert_eq!(table.to_csv().expect("a table"), b"a,b\n");
    }
}
