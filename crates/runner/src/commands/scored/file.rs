//! Files of scores.

use std::path::Path;

use disk::Delimited;

use crate::error::{Error, Result};
use dataset::TextColumns;
use pipeline::ParquetFile;

/// What a file of scores says.
#[derive(Debug, PartialEq)]
pub struct ScoreTable {
    /// The images' names, N of them.
    pub images: Vec<String>,
    /// Whether the columns have names.
    pub has_names: bool,
    /// All columns but that of the images and those without a name.
    pub columns: Vec<ScoreColumn>,
}

/// A column, which may be of scores.
#[derive(Debug, Default, PartialEq)]
pub struct ScoreColumn {
    /// Its name, or which column it is.
    pub name: String,
    /// A score an image.
    pub scores: Vec<f32>,
    /// The first cell that is no number, in words; a NaN stands for each.
    pub fault: Option<String>,
}

impl ScoreTable {
    /// Reads scores: CSV, or Parquet as it is written for a table or by `predict`.
    ///
    /// # Errors
    /// When the file cannot be read, or is no table.
    pub fn read(path: &Path) -> Result<Self> {
        let is_parquet = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        if !is_parquet {
            return delimited(path);
        }
        let columns = TextColumns::open(path)?;
        if ["image", "attribute", "score"]
            .iter()
            .all(|name| columns.names().iter().any(|known| known == name))
        {
            return long(path);
        }
        wide(path, &columns)
    }
}

/// Scores as CSV with comma, semicolon or tab, and then perhaps decimal commas. The authors' files have no header: the second field of the
/// first line is then a number.
fn delimited(path: &Path) -> Result<ScoreTable> {
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the scores"))?;
    let table = Delimited::of(&bytes);
    let fault = |line: u64, message: &str| Error::Request(format!("{}:{line}: {message}", path.display()));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(table.delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(&*table.text);
    let number = |text: &str| -> Option<f32> {
        let with_point = match table.allows_decimal_commas() && !text.contains('.') {
            true => text.replacen(',', ".", 1),
            false => text.to_owned(),
        };
        with_point.parse().ok()
    };
    let mut header: Option<Header> = None;
    let mut images = Vec::new();
    let mut columns: Vec<ScoreColumn> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            match error.kind() {
                csv::ErrorKind::Utf8 { .. } => fault(
                    line,
                    "bytes that are no text, expected a text file in UTF-8 (Excel: \"CSV UTF-8\")",
                ),
                _ => fault(line, &error.to_string()),
            }
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        let is_first = header.is_none();
        let header = header.get_or_insert_with(|| {
            // Attributes may be called by numbers.
            let second = &record[record.len().min(2) - 1];
            Header::of(
                &record,
                number(second).is_none() || dataset::is_image_column(&record[0]),
            )
        });
        if is_first {
            if record.len() < 2 {
                return Err(fault(
                    line,
                    &format!(
                        "one column, `{}`, expected an image and its scores, separated by commas, semicolons or tabs",
                        &record[0]
                    ),
                ));
            }
            let named = header.scored().map(|(_, name)| ScoreColumn {
                name: name.clone(),
                ..ScoreColumn::default()
            });
            columns = named.collect();
            if header.has_names {
                continue;
            }
        }
        if record.len() != header.names.len() {
            let found = format!(
                "{} cells, expected {} as in the first line",
                record.len(),
                header.names.len()
            );
            return Err(fault(line, &found));
        }
        images.push(record[header.image].to_owned());
        for ((cell, name), column) in header.scored().zip(&mut columns) {
            let text = &record[cell];
            column.scores.push(number(text).unwrap_or_else(|| {
                column.fault.get_or_insert_with(|| fault_of(path, "", line, name, text));
                f32::NAN
            }));
        }
    }
    Ok(ScoreTable {
        images,
        has_names: header.is_some_and(|header| header.has_names),
        columns,
    })
}

/// Which cell of a row is what.
struct Header {
    names: Vec<String>,
    has_names: bool,
    image: usize,
}

impl Header {
    /// Of the first row that is not empty.
    fn of(record: &csv::StringRecord, has_names: bool) -> Self {
        let names: Vec<String> = match has_names {
            true => record.iter().map(str::to_owned).collect(),
            false => (1..=record.len()).map(|column| format!("column {column}")).collect(),
        };
        let image = image_column(&names.iter().map(String::as_str).collect::<Vec<_>>());
        Self {
            image: image.unwrap_or(0),
            names,
            has_names,
        }
    }

    /// Positions and names of the scores. An index that pandas and R write has no name, and is none.
    fn scored(&self) -> impl Iterator<Item = (usize, &String)> {
        let all = self.names.iter().enumerate();
        all.filter(|(column, name)| *column != self.image && !name.is_empty())
    }
}

/// One row for an image and an attribute, as `predict` writes them.
fn long(path: &Path) -> Result<ScoreTable> {
    let table = ParquetFile::open(path)?.columns(&["image", "attribute", "score"])?;
    let keys = pipeline::RowKeys::of(&table)?;
    let scores = table.doubles("score")?;
    let width = keys.attributes.len();
    let columns = keys.attributes.into_iter().enumerate().map(|(column, name)| {
        let of_column = scores.iter().skip(column).step_by(width);
        let empty = || format!("{}: a score of {name} is empty, expected a number", path.display());
        ScoreColumn {
            fault: of_column.clone().any(Option::is_none).then(empty),
            scores: of_column
                .map(|score| score.map_or(f32::NAN, |score| score as f32))
                .collect(),
            name,
        }
    });
    Ok(ScoreTable {
        columns: columns.collect(),
        has_names: true,
        images: keys.images,
    })
}

/// One row for an image, and a column for an attribute.
fn wide(path: &Path, columns: &TextColumns) -> Result<ScoreTable> {
    let names = columns.names();
    let of_names: Vec<&str> = names.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<f32>().ok();
    // Without a column that is called like one, the first that holds no numbers has the images' names; file names may be numbers, too.
    let is_text = |&column: &usize| {
        columns
            .column(column)
            .is_ok_and(|cells| cells.iter().any(|cell| number(cell).is_none()))
    };
    let image = image_column(&of_names)
        .or_else(|| (0..names.len()).find(is_text))
        .unwrap_or(0);
    let images = columns.column(image)?;
    let mut scores = Vec::new();
    for (column, name) in names.iter().enumerate() {
        // An index that pandas writes is no score.
        if column == image || name.is_empty() || name == "__index_level_0__" {
            continue;
        }
        let (cells, unread) = match columns.column(column) {
            Ok(cells) => (cells, None),
            Err(error) => (vec![String::new(); images.len()], Some(error.to_string())),
        };
        let wrong = cells.iter().zip(1..).find(|(cell, _)| number(cell).is_none());
        let wrong = wrong.map(|(cell, row): (_, usize)| fault_of(path, "row ", row as u64, name, cell));
        scores.push(ScoreColumn {
            name: name.clone(),
            scores: cells.iter().map(|cell| number(cell).unwrap_or(f32::NAN)).collect(),
            fault: unread.or(wrong),
        });
    }
    Ok(ScoreTable {
        columns: scores,
        has_names: true,
        images,
    })
}

/// The first column that is called as those of the images' names are; `image` itself before others.
fn image_column(names: &[&str]) -> Option<usize> {
    let image = names.iter().position(|name| name.trim().eq_ignore_ascii_case("image"));
    image.or_else(|| names.iter().position(|name| dataset::is_image_column(name)))
}

/// What is wrong with a cell that is no number.
fn fault_of(path: &Path, place: &str, line: u64, column: &str, cell: &str) -> String {
    let path = path.display();
    match cell {
        "" => format!("{path}:{place}{line}: {column} is empty, expected a score"),
        _ => format!("{path}:{place}{line}: {column} is `{cell}`, expected a score, which is a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ScoreTable> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.csv");
        std::fs::write(&path, text).expect("written");
        ScoreTable::read(&path)
    }

    /// Names and scores of the columns.
    fn columns(table: &ScoreTable) -> Vec<(&str, &[f32])> {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.as_str(), column.scores.as_slice()))
            .collect()
    }

    #[test]
    fn both_forms_of_csv_are_read() {
        for (text, names) in [
            ("1.png,0.5,-0.5\n2.png,-1,2\n", ["column 2", "column 3"]),
            ("image,Young,Bald\n1.png,0.5,-0.5\n2.png,-1,2\n", ["Young", "Bald"]),
        ] {
            let table = read(text).expect("readable");
            assert_eq!(table.images, ["1.png", "2.png"]);
            assert_eq!(table.has_names, names[0] == "Young");
            assert_eq!(
                columns(&table),
                [(names[0], &[0.5, -1.0][..]), (names[1], &[-0.5, 2.0])]
            );
        }
        assert_eq!(
            read("000001,0.5\n000002,1\n").expect("readable").images,
            ["000001", "000002"]
        );
    }

    #[test]
    fn scores_of_spreadsheets_are_those_of_plain_csv() {
        let expected = read("image,Bald,Young\n1.jpg,2.5,-1\n2.jpg,0.25,3\n").expect("readable");
        for text in [
            "\u{feff}image;Bald;Young\r\n1.jpg;2.5;-1\r\n2.jpg;0.25;3\r\n",
            "sep=;\r\nimage;Bald;Young\r\n1.jpg;2,5;-1,0\r\n2.jpg;0,25;3\r\n;;\r\n",
            "image\tBald\tYoung\n1.jpg\t2,5\t-1\n2.jpg\t0,25\t3\n\n",
            "\"\",\"image\",\"Bald\",\"Young\"\n\"1\",\"1.jpg\",2.5,-1\n\"2\",\"2.jpg\",0.25,3\n",
        ] {
            assert_eq!(read(text).expect(text), expected, "{text}");
        }
        let table = read("1.jpg;2,5;-1\n2.jpg;0,25;3\n").expect("readable");
        assert_eq!(
            columns(&table),
            [("column 2", &[2.5, 0.25][..]), ("column 3", &[-1.0, 3.0])]
        );
    }

    #[test]
    fn csv_has_the_images_in_any_column_and_attributes_called_by_numbers() {
        let table = read("1,File Name,0\n0.5,a.png,2\n").expect("readable");
        assert_eq!(table.images, ["a.png"]);
        assert_eq!(columns(&table), [("1", &[0.5][..]), ("0", &[2.0])]);
        let table = read("image,1,0\na.png,0.5,2\n").expect("readable");
        assert_eq!(columns(&table), [("1", &[0.5][..]), ("0", &[2.0])]);
    }

    /// The table that pandas wrote for the tests of `dataset`: integers of eight bits, gaps and lists among its columns.
    #[test]
    fn parquet_is_read_whatever_its_columns_types_are() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../dataset/tests/data/table/labels.parquet"
        );
        let table = ScoreTable::read(Path::new(file)).expect("readable");
        assert_eq!(table.images, ["a.png", "sub/b.jpg", "c"]);
        let column = |name: &str| table.columns.iter().find(|column| column.name == name).expect(name);
        assert_eq!(column("tiny").scores, [-1.0, 1.0, 1.0]);
        for (name, expected) in [
            ("wet", "labels.parquet:row 2: wet is empty, expected a score"),
            ("kind", "kind is `false`, expected a score, which is a number"),
            ("list.list.element", "lists or parts in the column `list.list.element`"),
        ] {
            let fault = column(name).fault.as_deref().expect(name);
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn parquet_has_the_images_in_any_column() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.parquet");
        for name in ["image", "Image", "filename"] {
            let scores = disk::Columns::default()
                .doubles("A", &[Some(1.5), Some(-2.0)])
                .texts(name, &["x.png", "y.png"])
                .integers("__index_level_0__", &[0, 1]);
            std::fs::write(&path, scores.to_parquet().expect("a table")).expect("written");
            let table = ScoreTable::read(&path).expect("readable");
            assert_eq!(table.images, ["x.png", "y.png"], "{name}");
            assert_eq!(columns(&table), [("A", &[1.5, -2.0][..])]);
        }
    }
}
