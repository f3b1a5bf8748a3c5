//! Tables as files for programs.

use disk::Columns;

use super::data::{Cell, Sheet, Unit};
use crate::error::Result;

impl Sheet {
    /// The table as a CSV file with a header; an absent value is empty.
    ///
    /// # Errors
    /// When two columns have one title.
    pub fn csv(&self) -> Result<Vec<u8>> {
        Ok(self.plain().to_csv()?)
    }

    /// The table as a Parquet file.
    ///
    /// # Errors
    /// When two columns have one title.
    pub fn parquet(&self) -> Result<Vec<u8>> {
        Ok(self.plain().to_parquet()?)
    }

    fn plain(&self) -> Columns {
        let mut plain = Columns::default();
        for (index, column) in self.columns.iter().enumerate() {
            let title = &column.title;
            let cells = self.rows.iter().map(|row| row.get(index).unwrap_or(&Cell::Absent));
            plain = match column.unit {
                Unit::Text | Unit::LongText => plain.optional_texts(title, cells.map(text)),
                Unit::Count => plain.optional_integers(title, &cells.map(count).collect::<Vec<_>>()),
                Unit::Share | Unit::Number(_) | Unit::Signed(_) => {
                    plain.doubles(title, &cells.map(number).collect::<Vec<_>>())
                }
            };
        }
        plain
    }
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) | Cell::Name { name: text, .. } | Cell::Link { text, .. } => Some(text),
        Cell::Count(_) | Cell::Number { .. } | Cell::Absent | Cell::Spanned => None,
    }
}

fn count(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Count(count) => Some(*count),
        _ => None,
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number { value, .. } => Some(*value),
        Cell::Count(count) => Some(*count as f64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_empty() {
        let sheet = Sheet::default()
            .texts("name", &["Big_Nose", "Bald, or so"])
            .counts("n", &[3, -1])
            .numbers("mean", &[Some(0.25), None]);
        let csv = String::from_utf8(sheet.csv().unwrap()).unwrap();
        assert_eq!(csv, "name,n,mean\nBig_Nose,3,0.25\n\"Bald, or so\",-1,\n");
    }

    #[test]
    fn a_table_without_rows_has_its_columns() {
        let sheet = Sheet::default()
            .texts("name", &[""; 0])
            .counts("n", &[])
            .numbers("mean", &[]);
        assert_eq!(sheet.csv().unwrap(), b"name,n,mean\n");
        assert!(sheet.parquet().unwrap().starts_with(b"PAR1"));
    }

    #[test]
    fn columns_of_one_title_are_refused() {
        let sheet = Sheet::default().counts("n", &[1]).counts("n", &[2]);
        assert!(sheet.csv().is_err());
    }
}
