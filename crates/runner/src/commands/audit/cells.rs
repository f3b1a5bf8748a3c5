//! A CSV table as it was written: cells by the names of their columns, each with its line.

use std::path::Path;

use csv::{ReaderBuilder, Trim};

use crate::error::{Error, Result};

/// Columns of the widest table. Their names are compared with each other, and a rate has few.
const MOST_COLUMNS: usize = 10_000;

/// A table in memory. Its cells are texts, as a rate's number of digits says what it can tell.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// The file, for faults.
    place: String,
    columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    cells: Vec<String>,
}

/// A number between 0 and 1, and how many decimals it was written with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    pub value: f64,
    pub decimals: u32,
}

impl Cells {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8, has no header or no row, two columns of one name, or a row of another length.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading the table"))?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// The same of what was read from `place`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(place: &str, bytes: &[u8]) -> Result<Self> {
        let at = |line: u64, message: String| Error::Request(format!("{place}:{line}: {message}"));
        let table = disk::Delimited::of(bytes);
        let bytes = &*table.text;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            at(line, "not UTF-8, expected a table of text".to_owned())
        })?;
        let mut reader = ReaderBuilder::new()
            .delimiter(table.delimiter)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let fault = |error: csv::Error| match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = line_of(text, pos.as_ref());
                at(
                    line,
                    format!("{len} cells, expected {expected_len}, one for each column"),
                )
            }
            _ => Error::Request(format!("{place}: {error}")),
        };
        let head = reader.headers().map_err(fault)?.clone();
        let line = line_of(text, head.position());
        let columns: Vec<String> = head.iter().map(str::to_owned).collect();
        if columns.iter().all(String::is_empty) {
            return Err(Error::Request(format!(
                "{place}: empty, expected a table whose first line names its columns"
            )));
        }
        if columns.len() > MOST_COLUMNS {
            let found = format!("{} columns, expected at most {MOST_COLUMNS}", columns.len());
            return Err(at(line, found));
        }
        for (index, name) in columns.iter().enumerate() {
            if columns[..index].contains(name) {
                return Err(at(line, format!("column `{name}` is there twice, expected once")));
            }
        }
        let rows = reader
            .records()
            .map(|record| {
                let record = record.map_err(fault)?;
                Ok(Row {
                    line: line_of(text, record.position()),
                    cells: record.iter().map(str::to_owned).collect(),
                })
            })
            .collect::<Result<Vec<Row>>>()?;
        if rows.is_empty() {
            return Err(at(line, "no row below the names of the columns".to_owned()));
        }
        Ok(Self {
            place: place.to_owned(),
            columns,
            rows,
        })
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether there is a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// A fault of the columns; `message` says of which.
    pub fn fault(&self, message: impl std::fmt::Display) -> Error {
        Error::Request(format!("{}: {message}", self.place))
    }

    /// A fault of a row.
    pub fn fault_in(&self, row: &Row, message: impl std::fmt::Display) -> Error {
        Error::Request(format!("{}:{}: {message}", self.place, row.line))
    }

    /// Refuses a table that lacks one of some columns; `whose` says why it is needed.
    ///
    /// # Errors
    /// When one is missing.
    pub fn require(&self, columns: &[&str], whose: &str) -> Result<()> {
        match columns.iter().find(|column| !self.has(column)) {
            None => Ok(()),
            Some(missing) => Err(self.fault(format_args!(
                "no column `{missing}`{whose}; found are {}",
                self.columns.join(", ")
            ))),
        }
    }

    /// A cell; empty where there is no such column.
    pub fn text<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }

    /// A cell that names its row.
    ///
    /// # Errors
    /// When it is empty, or an earlier row has it.
    pub fn key<'a>(&self, index: usize, row: &'a Row, column: &str) -> Result<&'a str> {
        let key = self.text(row, column);
        if key.is_empty() {
            return Err(self.fault_in(row, format_args!("column `{column}`: empty, expected a name")));
        }
        match self.rows[..index]
            .iter()
            .find(|earlier| self.text(earlier, column) == key)
        {
            None => Ok(key),
            Some(earlier) => Err(self.fault_in(
                row,
                format_args!("{column} `{key}` is also in line {}, expected once", earlier.line),
            )),
        }
    }

    /// A cell as a share; `None` where it is empty or there is no such column.
    ///
    /// # Errors
    /// When it is no number in [0, 1].
    pub fn share(&self, row: &Row, column: &str) -> Result<Option<Share>> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        let value = text.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value));
        let value = value.ok_or_else(|| {
            self.fault_in(
                row,
                format_args!("column `{column}`: `{text}`, expected a number in [0, 1], or nothing"),
            )
        })?;
        Ok(Some(Share {
            value,
            decimals: decimals(text),
        }))
    }

    /// A cell as a whole number; `None` where it is empty or there is no such column.
    ///
    /// # Errors
    /// When it is no whole number.
    pub fn count(&self, row: &Row, column: &str) -> Result<Option<usize>> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse::<u32>().map(|count| Some(count as usize)).map_err(|_| {
            self.fault_in(
                row,
                format_args!("column `{column}`: `{text}`, expected a whole number, or nothing"),
            )
        })
    }
}

/// The line on which a record begins, from 1. The position that `csv` gives may lie before the end of the line above, and before lines that
/// are empty.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let start = position.map_or(0, |position| position.byte() as usize);
    let (before, after) = text.as_bytes().split_at(start.min(text.len()));
    let ends = after.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    1 + before.iter().chain(ends).filter(|&&byte| byte == b'\n').count() as u64
}

/// Decimals of a number's text: 3 of `0.175`, 5 of `1.2e-4`.
fn decimals(text: &str) -> u32 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let written = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let shifted = written as i64 - exponent.parse::<i64>().unwrap_or(0);
    u32::try_from(shifted.clamp(0, 300)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_the_text() {
        let cases = [
            ("0.175", 3),
            ("1", 0),
            ("1.", 0),
            (".50", 2),
            ("1.2e-4", 5),
            ("1e-05", 5),
            ("12.5E1", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(decimals(text), expected, "{text}");
        }
    }

    #[test]
    fn cells_are_found_by_name_and_line() {
        let table = Cells::parse("a.csv", "\u{feff}b, a\n0.25,\"x,y\"\n\n,z\n".as_bytes()).expect("a table");
        assert_eq!((table.text(&table.rows[0], "a"), table.rows[1].line), ("x,y", 4));
        let share = table.share(&table.rows[0], "b").expect("a share");
        assert_eq!(
            share,
            Some(Share {
                value: 0.25,
                decimals: 2
            })
        );
        assert_eq!(table.share(&table.rows[1], "b").expect("empty"), None);
        assert_eq!(table.share(&table.rows[1], "c").expect("absent"), None);
    }

    #[test]
    fn faults_have_file_and_line() {
        for (text, expected) in [
            (&b""[..], "a.csv: empty"),
            (b"\n\n", "a.csv: empty"),
            (b"a,b\n", "a.csv:1: no row"),
            (b"a,b,a\n1,2,3\n", "a.csv:1: column `a` is there twice"),
            (b"a,b\n1,2\n1\n", "a.csv:3: 1 cells, expected 2"),
            (b"a,b\r\n1,2\r\n\r\n1\r\n", "a.csv:4: 1 cells, expected 2"),
            (b"\n\na,a\n", "a.csv:3: column `a` is there twice"),
            (b"a,b\n\"1\n1\",2\n1\n", "a.csv:4: 1 cells, expected 2"),
            (b"a,b\n1,2\n\xff,2\n", "a.csv:3: not UTF-8"),
        ] {
            let message = Cells::parse("a.csv", text).expect_err(expected).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        let table = Cells::parse("a.csv", b"a,b\nx,1.5\nx,-1\ny,nan\n,1\n").expect("a table");
        for (row, found) in [(0, "1.5"), (1, "-1"), (2, "nan")] {
            let message = table.share(&table.rows[row], "b").expect_err(found).to_string();
            let expected = format!("a.csv:{}: column `b`: `{found}`, expected a number in [0, 1]", row + 2);
            assert!(message.starts_with(&expected), "{message}");
        }
        let message = table.count(&table.rows[0], "b").expect_err("no count").to_string();
        assert!(message.contains("expected a whole number"), "{message}");
        table.key(0, &table.rows[0], "a").expect("a name");
        let message = table.key(1, &table.rows[1], "a").expect_err("twice").to_string();
        assert_eq!(message, "a.csv:3: a `x` is also in line 2, expected once");
        table.key(3, &table.rows[3], "a").expect_err("empty");
    }
}
