//! Rows of a CSV or Parquet file as text, so that everything after them is the same for both.

use std::io::Cursor;
use std::path::Path;

use super::parquet::ParquetTable;
use crate::files::read;
use crate::sources::lines::line_error;
use crate::{Error, Result};

/// A table whose header has been read.
pub(super) struct Table {
    /// The file as the caller named it.
    pub(super) file: String,
    /// Names of the columns.
    pub(super) header: Vec<String>,
    content: Content,
}

enum Content {
    Text(csv::Reader<Cursor<Vec<u8>>>),
    Parquet(ParquetTable),
}

impl Table {
    /// Opens a table: Parquet by its extension, text otherwise.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let parquet = path.extension().is_some_and(|extension| {
            ["parquet", "pq"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
        if parquet { Self::parquet(path) } else { Self::text(path) }
    }

    fn text(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let bytes = read(path)?;
        if bytes.starts_with(b"PAR1") {
            return Err(whole_file(&file, "a Parquet file".to_owned(), "the extension .parquet"));
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(&bytes))
            .trim(csv::Trim::All)
            .from_reader(Cursor::new(bytes));
        let header = reader.headers().map_err(|error| broken_text(&file, &error))?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        if header.is_empty() {
            return Err(whole_file(
                &file,
                "an empty file".to_owned(),
                "a header and a row for each image",
            ));
        }
        Ok(Self {
            file,
            header,
            content: Content::Text(reader),
        })
    }

    fn parquet(path: &Path) -> Result<Self> {
        let parquet = ParquetTable::open(path)?;
        Ok(Self {
            file: path.display().to_string(),
            header: parquet.names(),
            content: Content::Parquet(parquet),
        })
    }

    /// The position of the one column of this name; `setting` is what names it.
    pub(super) fn column(&self, setting: &str, name: &str) -> Result<usize> {
        let mut found = self.header.iter().enumerate().filter(|(_, known)| *known == name);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (None, _) => Err(line_error(
                &self.file,
                1,
                format!("no column `{name}`"),
                format!("one of {} as {setting}", self.header.join(", ")),
            )),
            (Some(_), Some(_)) => Err(line_error(
                &self.file,
                1,
                format!("column `{name}` twice"),
                "each name once".to_owned(),
            )),
        }
    }

    /// Hands each row to `each`: its line (of Parquet the row, from 1), and its cells in the order of `columns`, empty where
    /// nothing is known.
    pub(super) fn rows(self, columns: &[usize], mut each: impl FnMut(usize, &[&str]) -> Result<()>) -> Result<()> {
        match self.content {
            Content::Text(mut reader) => {
                let mut record = csv::StringRecord::new();
                loop {
                    let more = reader.read_record(&mut record);
                    if !more.map_err(|error| broken_text(&self.file, &error))? {
                        return Ok(());
                    }
                    let line = record.position().map_or(0, |position| line_of(&reader, position));
                    let cells: Vec<&str> = columns.iter().map(|&column| &record[column]).collect();
                    each(line, &cells)?;
                }
            }
            Content::Parquet(parquet) => parquet.rows(columns, each),
        }
    }
}

/// The line of a record: its position may be that of blank lines before it.
fn line_of(reader: &csv::Reader<Cursor<Vec<u8>>>, position: &csv::Position) -> usize {
    let rest = reader.get_ref().get_ref().get(position.byte() as usize..);
    let blank = rest
        .unwrap_or_default()
        .iter()
        .take_while(|byte| b"\r\n".contains(byte));
    position.line() as usize + blank.filter(|byte| **byte == b'\n').count()
}

/// The most frequent of comma, semicolon and tab in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
    // Of equal counts the last wins.
    let candidates = [b'\t', b';', b','];
    candidates
        .into_iter()
        .max_by_key(|&delimiter| count(delimiter))
        .unwrap_or(b',')
}

fn broken_text(file: &str, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, |position| position.line() as usize);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => line_error(
            file,
            line,
            format!("{len} cells"),
            format!("{expected_len}, one for each name of the header"),
        ),
        csv::ErrorKind::Utf8 { .. } => line_error(
            file,
            line,
            "bytes that are no text".to_owned(),
            "a text file in UTF-8".to_owned(),
        ),
        _ => line_error(file, line, error.to_string(), "a table as text".to_owned()),
    }
}

fn whole_file(file: &str, found: String, expected: &str) -> Error {
    Error::File {
        file: file.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_header_s() {
        for (text, expected) in [
            ("a,b;c,d\n1;;;;", b','),
            ("a;b", b';'),
            ("a\tb,c\td", b'\t'),
            ("a", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(text.as_bytes()), expected, "{text}");
        }
    }
}
