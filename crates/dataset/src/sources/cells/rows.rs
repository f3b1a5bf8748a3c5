//! Rows of a CSV or Parquet file as text, so that everything after them is the same for both.

use std::io::Cursor;
use std::path::Path;

use disk::Delimited;

use super::names::{IMAGE_COLUMN, is_image_column};
use super::parquet::ParquetTable;
use crate::files::read;
use crate::sources::found::key;
use crate::sources::lines::line_error;
use crate::{Error, Result};

/// A table whose header has been read.
pub(crate) struct Table {
    /// The file as the caller named it.
    pub(crate) file: String,
    /// Names of the columns.
    pub(crate) header: Vec<String>,
    /// Names that had blanks at their end, in quotation marks.
    pub(crate) blanks: Vec<String>,
    content: Content,
}

enum Content {
    Text(csv::Reader<Cursor<Vec<u8>>>),
    Parquet(ParquetTable),
}

impl Table {
    /// Opens a table: Parquet by its extension, text otherwise.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if Self::is_parquet(path) {
            Self::parquet(path)
        } else {
            Self::text(path)
        }
    }

    /// Whether a file is Parquet by its extension.
    pub(crate) fn is_parquet(path: &Path) -> bool {
        let extension = path.extension();
        let known = ["parquet", "pq"];
        extension.is_some_and(|extension| known.iter().any(|known| extension.eq_ignore_ascii_case(known)))
    }

    fn text(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        if bytes.starts_with(b"PAR1") {
            let file = path.display().to_string();
            return Err(whole_file(&file, "a Parquet file".to_owned(), "the extension .parquet"));
        }
        Self::of_text(&path.display().to_string(), &bytes)
    }

    /// The table in the bytes of a text file; `file` is its name, for messages.
    ///
    /// # Errors
    /// When it has no header, or that is no text.
    pub(crate) fn of_text(file: &str, bytes: &[u8]) -> Result<Self> {
        let file = file.to_owned();
        let table = Delimited::of(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(table.delimiter)
            .from_reader(Cursor::new(table.text.into_owned()));
        let header = reader.headers().map_err(|error| broken_text(&file, &error))?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        if header.is_empty() {
            return Err(whole_file(
                &file,
                "an empty file".to_owned(),
                "a header and a row for each image",
            ));
        }
        Ok(Self::new(file, header, Content::Text(reader)))
    }

    fn parquet(path: &Path) -> Result<Self> {
        let parquet = ParquetTable::open(path)?;
        let header = parquet.names();
        Ok(Self::new(path.display().to_string(), header, Content::Parquet(parquet)))
    }

    /// A table whose columns are called by their names without blanks around them.
    fn new(file: String, header: Vec<String>, content: Content) -> Self {
        let trimmed: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        // Blanks after a delimiter are how some write; within quotation marks or before one they were meant, or overlooked.
        let blanks = header
            .iter()
            .zip(&trimmed)
            .filter(|(name, trimmed)| name.trim_start() != trimmed.as_str());
        let blanks = blanks.map(|(name, _)| format!("{name:?}")).collect();
        Self {
            file,
            header: trimmed,
            blanks,
            content,
        }
    }

    /// The Parquet file, if it is one.
    pub(crate) fn as_parquet(&self) -> Option<&ParquetTable> {
        match &self.content {
            Content::Parquet(parquet) => Some(parquet),
            Content::Text(_) => None,
        }
    }

    /// What is to be said of how it was read.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self.blanks.as_slice() {
            [] => Vec::new(),
            [one] => vec![format!(
                "{}: the blanks at the end of the column name {one} are left out",
                self.file
            )],
            several => vec![format!(
                "{}: the blanks at the end of the column names {} are left out",
                self.file,
                several.join(", ")
            )],
        }
    }

    /// The position of the column of this name: spelt so, or in another case or Unicode form; `None` where there is none or where there
    /// are two.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let wanted = key(name);
        let has = |is_it: &dyn Fn(&String) -> bool| -> Vec<usize> {
            let all = (0..).zip(&self.header);
            all.filter(|(_, known)| is_it(known)).map(|(index, _)| index).collect()
        };
        let exact = has(&|known| known == name);
        let found = match exact.is_empty() {
            true => has(&|known| key(known) == wanted),
            false => exact,
        };
        match found[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The column of the images' names: the one that is called so, in any case; where that is the usual `image`, else the first
    /// that is called like one and is not among the `taken`, which have another meaning.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn image_column(&self, name: &str, taken: &[&str]) -> Result<usize> {
        let taken: Vec<String> = taken.iter().map(|name| key(name)).collect();
        let usual = || {
            let known = |column: &String| is_image_column(column) && !taken.contains(&key(column));
            (name == IMAGE_COLUMN).then(|| self.header.iter().position(known))?
        };
        let is_there = self.header.iter().any(|known| known == name);
        self.position(name)
            .or_else(|| if is_there { None } else { usual() })
            .map_or_else(|| self.column("image_column", name), Ok)
    }

    /// The position of the one column of this name; `setting` is what names it.
    pub(crate) fn column(&self, setting: &str, name: &str) -> Result<usize> {
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
    pub(crate) fn rows(self, columns: &[usize], mut each: impl FnMut(usize, &[&str]) -> Result<()>) -> Result<()> {
        match self.content {
            Content::Text(mut reader) => {
                let mut record = csv::StringRecord::new();
                loop {
                    let more = reader.read_record(&mut record);
                    if !more.map_err(|error| broken_text(&self.file, &error))? {
                        return Ok(());
                    }
                    // Spreadsheets leave rows of empty cells where something was deleted.
                    if record.iter().all(|cell| cell.trim().is_empty()) {
                        continue;
                    }
                    let line = record.position().map_or(0, |position| line_of(&reader, position));
                    let cells = columns
                        .iter()
                        .map(|&column| record.get(column).unwrap_or_default().trim());
                    let cells: Vec<&str> = cells.collect();
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
            "a text file in UTF-8 (Excel: \"CSV UTF-8\")".to_owned(),
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
