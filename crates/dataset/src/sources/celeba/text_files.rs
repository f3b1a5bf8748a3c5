//! Parsers of the four text files of CelebA's official layout, and of the same as CSV, as Kaggle's copy has them.
//!
//! Each takes the name of its file (for messages) and its bytes, and refuses what the format does not allow with the
//! line, what was found and what was expected. Nothing here touches the file system.

use std::collections::HashMap;

use crate::sources::cells::{IMAGE_COLUMN, ImageColumn, LabelColumn, Table, split};
use crate::sources::lines::{Lines, is_plain_file_name, line_error, quote};
use crate::{Attributes, Error, Landmarks, Result, Split};

const LANDMARK_COLUMNS: [&str; 10] = [
    "lefteye_x",
    "lefteye_y",
    "righteye_x",
    "righteye_y",
    "nose_x",
    "nose_y",
    "leftmouth_x",
    "leftmouth_y",
    "rightmouth_x",
    "rightmouth_y",
];

/// The content of `list_attr_celeba.txt`: the attributes' names and a row of labels per image.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelTable {
    /// The attributes, from the header.
    pub attributes: Attributes,
    /// File names of the images, N of them, each once.
    pub names: Vec<String>,
    /// Labels `[N, A]`, row after row, 1, -1, or 0 where a table's cell says that it is not known.
    pub labels: Vec<i8>,
}

/// Columns of a table that are no attributes, in lower case.
const NO_ATTRIBUTES: [&str; 4] = ["split", "partition", "__index_level_0__", ""];

impl LabelTable {
    /// The labels of some of the attributes, in their order.
    ///
    /// # Errors
    /// When one is not there; `file` is named.
    pub(in crate::sources) fn only(&self, file: &str, named: &[String]) -> Result<Self> {
        let known = &self.attributes;
        let column = |name: &String| {
            known.index(name).ok_or_else(|| {
                let expected = format!("one of {}", known.names().join(", "));
                line_error(file, 2, format!("no attribute `{name}`"), expected)
            })
        };
        let columns: Vec<usize> = named.iter().map(column).collect::<Result<_>>()?;
        let rows = self.labels.chunks_exact(known.len());
        let labels = rows.flat_map(|row| columns.iter().filter_map(|&column| row.get(column).copied()));
        Ok(Self {
            attributes: Attributes::new(named.to_vec()).map_err(|error| in_line(file, 2, error))?,
            names: self.names.clone(),
            labels: labels.collect(),
        })
    }

    /// The columns of a table that may be attributes: all but those of the images and splits.
    pub(in crate::sources) fn columns<'a>(
        table: &'a Table,
        image: &'a ImageColumn,
    ) -> impl Iterator<Item = usize> + 'a {
        let others = table.header.iter().enumerate();
        let others = others.filter(|(_, name)| !NO_ATTRIBUTES.contains(&name.to_lowercase().as_str()));
        others
            .map(|(column, _)| column)
            .filter(|&column| !image.has(table, column))
    }

    /// The labels of a table: the images of the column `image`, called `listed` where no column has their names alone, and the columns
    /// `attributes`, or all others but those of splits.
    ///
    /// # Errors
    /// When a column is missing, a cell is no label, or an image has several rows.
    pub(in crate::sources) fn of_table(
        table: Table,
        image: &ImageColumn,
        attributes: Option<&[String]>,
        listed: Option<Vec<String>>,
    ) -> Result<Self> {
        let file = table.file.clone();
        let columns: Vec<usize> = match attributes {
            Some(named) => {
                let columns = named.iter().map(|name| table.column("an attribute", name));
                columns.collect::<Result<_>>()?
            }
            None => Self::columns(&table, image).collect(),
        };
        let names = columns.iter().map(|&column| table.header[column].clone()).collect();
        let attributes = Attributes::new(names).map_err(|error| in_line(&file, 1, error))?;
        let mut cells_of: Vec<LabelColumn> = attributes.names().iter().map(|name| LabelColumn::new(name)).collect();
        let (mut names, mut labels, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
        let column = image.names().and_then(|column| table.header.get(column)).cloned();
        let wanted: Vec<usize> = image.names().into_iter().chain(columns).collect();
        table.rows(&wanted, |line, cells| {
            let (name, cells) = match &listed {
                // Rows of Parquet count from 1.
                Some(names) => {
                    let name = line.checked_sub(1).and_then(|row| names.get(row));
                    (name.map_or("", String::as_str), cells)
                }
                None => cells.split_first().map_or(("", cells), |(name, cells)| (*name, cells)),
            };
            if let Some(first) = seen.insert(name.to_owned(), line) {
                let found = format!("{} again, after line {first}", quote(name));
                let expected = match &column {
                    Some(column) => format!("each image once (their names are taken from the column `{column}`)"),
                    None => "each image once".to_owned(),
                };
                return Err(line_error(&file, line, found, expected));
            }
            names.push(name.to_owned());
            for (column, cell) in cells_of.iter_mut().zip(cells) {
                labels.push(column.label(&file, line, cell)?);
            }
            Ok(())
        })?;
        Ok(Self {
            attributes,
            names,
            labels,
        })
    }
}

/// Names of columns that break their rules, with their line.
fn in_line(file: &str, line: usize, error: Error) -> Error {
    match error {
        Error::Invalid { what, found, expected } => line_error(file, line, format!("{what}: {found}"), expected),
        other => other,
    }
}

/// The names in the header of a file in the format of `list_attr_celeba.txt`.
pub(in crate::sources) fn attribute_names(file: &str, bytes: &[u8]) -> Result<Vec<String>> {
    let bytes = disk::unmarked(bytes);
    let mut lines = Lines::new(file, &bytes)?;
    lines.count()?;
    Ok(header_of_labels(&mut lines)?.1)
}

/// The next line, and the attributes that it names.
fn header_of_labels(lines: &mut Lines<'_>) -> Result<(usize, Vec<String>)> {
    let header = lines.next().ok_or_else(|| {
        line_error(
            lines.file,
            2,
            "end of file".to_owned(),
            "the names of the attributes".to_owned(),
        )
    })?;
    Ok((header.number, header.fields.map(str::to_owned).collect()))
}

/// Whether a file is CSV and not in the official format, which separates by spaces.
fn is_csv(bytes: &[u8]) -> bool {
    first_line(bytes).iter().any(|byte| b",;".contains(byte))
}

/// Whether a file's first line is a number, as that of the official labels is.
pub(in crate::sources) fn begins_with_a_count(bytes: &[u8]) -> bool {
    let line = first_line(bytes);
    line.is_empty() || line.iter().all(u8::is_ascii_digit)
}

/// The first line that is not blank.
fn first_line(bytes: &[u8]) -> Vec<u8> {
    let text = disk::unmarked(bytes);
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .into_iter()
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_vec()
}

/// The rows of a CSV file with the images' names in the first column and values in these others, or in the second if there is no more.
fn csv_rows<T, const K: usize>(
    file: &str,
    bytes: &[u8],
    columns: [&str; K],
    value: impl Fn([&str; K]) -> Result<T, (String, String)>,
) -> Result<Rows<T>> {
    let table = Table::of_text(file, bytes)?;
    let mut wanted = vec![0];
    for name in columns {
        wanted.push(match table.header.len() {
            2 if K == 1 => 1,
            _ => table.column("a column of this file", name)?,
        });
    }
    let (mut rows, mut seen) = (Vec::new(), HashMap::new());
    table.rows(&wanted, |line, cells| {
        let (name, cells) = cells.split_first().map_or(("", cells), |(name, cells)| (*name, cells));
        check_name(file, line, name)?;
        if let Some(first) = seen.insert(name.to_owned(), line) {
            let found = format!("{name} again, after line {first}");
            return Err(line_error(file, line, found, "each image once".to_owned()));
        }
        let mut fields = [""; K];
        fields.iter_mut().zip(cells).for_each(|(field, cell)| *field = cell);
        let value = value(fields).map_err(|(found, expected)| line_error(file, line, found, expected))?;
        rows.push((name.to_owned(), value));
        Ok(())
    })?;
    Ok(Rows {
        file: file.to_owned(),
        first_line: 2,
        rows,
    })
}

fn check_name(file: &str, line: usize, name: &str) -> Result<()> {
    if is_plain_file_name(name) {
        return Ok(());
    }
    let expected = "a plain file name such as 000001.jpg, without folders";
    Err(line_error(
        file,
        line,
        format!("image name {}", quote(name)),
        expected.to_owned(),
    ))
}

/// Values by image name, as one of the other files lists them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<T> {
    file: String,
    first_line: usize,
    rows: Vec<(String, T)>,
}

impl<T: Copy> Rows<T> {
    /// Image names and values in the order of the file. Each name occurs once.
    pub fn rows(&self) -> &[(String, T)] {
        &self.rows
    }

    /// The values in the order of `names`, the images of the file `labels`.
    ///
    /// # Errors
    /// When an image of the rows is not among `names`, or one of `names` has no row.
    pub fn ordered_by(&self, names: &[String], labels: &str) -> Result<Vec<T>> {
        let index: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        let mut ordered = vec![None; names.len()];
        for (row, (name, value)) in self.rows.iter().enumerate() {
            let Some(&index) = index.get(name.as_str()) else {
                return Err(line_error(
                    &self.file,
                    self.first_line + row,
                    format!("image {}", quote(name)),
                    format!("one of the {} images of {labels}", names.len()),
                ));
            };
            ordered[index] = Some(*value);
        }
        let mut missing = names.iter().zip(&ordered).filter(|(_, value)| value.is_none());
        if let Some((name, _)) = missing.next() {
            return Err(Error::File {
                file: self.file.clone(),
                found: match missing.count() {
                    0 => format!("no row for {name}"),
                    more => format!("no row for {name} and {more} more"),
                },
                expected: format!("one for each of the {} images of {labels}", names.len()),
            });
        }
        Ok(ordered.into_iter().flatten().collect())
    }
}

/// Parses `list_attr_celeba.txt`: a line with the number of images, a line with the attributes' names, then a row per
/// image with its name and one value per attribute, each 1 or -1 (or everywhere 0 for -1), separated by spaces. Or the same as CSV: a header, and rows with the
/// image's name in the first column.
///
/// # Errors
/// When a line breaks this format, a name occurs twice or is no plain file name, or the count is not that of the rows.
pub fn parse_labels(file: &str, bytes: &[u8]) -> Result<LabelTable> {
    let bytes = &*disk::unmarked(bytes);
    if is_csv(bytes) {
        let table = Table::of_text(file, bytes)?;
        let image = ImageColumn::Names(table.image_column(IMAGE_COLUMN, &[]).unwrap_or(0));
        let table = LabelTable::of_table(table, &image, None, None)?;
        for (row, name) in table.names.iter().enumerate() {
            check_name(file, row + 2, name)?;
        }
        return Ok(table);
    }
    let mut lines = Lines::new(file, bytes)?;
    let count = lines.count()?;
    let (number, names) = header_of_labels(&mut lines)?;
    let attributes = Attributes::new(names).map_err(|error| in_line(file, number, error))?;

    // The count only bounds the reservation: a wrong one must not allocate more than the text could hold.
    let rows = count.min(bytes.len() / (2 * attributes.len() + 1));
    let mut names = Vec::with_capacity(rows);
    let mut labels = Vec::with_capacity(rows * attributes.len());
    let mut seen = HashMap::with_capacity(rows);
    // The word for no, and its line: beside -1 a 0 might mean "not known".
    let mut no: Option<(&str, usize)> = None;
    while let Some(mut line) = lines.next() {
        names.push(line.name(&mut seen)?.to_owned());
        let start = labels.len();
        for value in line.fields.by_ref() {
            let label = match value {
                "1" => 1,
                "-1" | "0" if no.is_none_or(|(word, _)| word == value) => {
                    no = no.or(Some((value, line.number)));
                    -1
                }
                "-1" | "0" => {
                    let (word, first) = no.unwrap_or((value, line.number));
                    let found = format!("{value}, after {word} in line {first}");
                    return Err(line.error(found, "either -1 or 0 for no in the whole file".to_owned()));
                }
                _ => {
                    let found = match attributes.names().get(labels.len() - start) {
                        Some(attribute) => format!("{attribute} is {}", quote(value)),
                        None => format!("{} in column {}", quote(value), labels.len() - start + 2),
                    };
                    return Err(line.error(found, "1 or -1 (or 1 and 0)".to_owned()));
                }
            };
            labels.push(label);
        }
        if labels.len() - start != attributes.len() {
            return Err(line.error(
                format!("{} values", labels.len() - start),
                format!("{}, one per attribute of line 2", attributes.len()),
            ));
        }
    }
    check_count(file, count, names.len())?;
    Ok(LabelTable {
        attributes,
        names,
        labels,
    })
}

/// Parses `list_eval_partition.txt`: rows of an image name and 0 (train), 1 (validation) or 2 (test); or the same as CSV with a
/// header.
///
/// # Errors
/// When a line breaks this format, or a name occurs twice or is no plain file name.
pub fn parse_partition(file: &str, bytes: &[u8]) -> Result<Rows<Split>> {
    let bytes = &*disk::unmarked(bytes);
    if is_csv(bytes) {
        return csv_rows(file, bytes, ["partition"], |[word]| {
            split(file, 1, word).map_err(|_| {
                let expected = "0 or train, 1 or validation, 2 or test";
                (format!("split {}", quote(word)), expected.to_owned())
            })
        });
    }
    rows(Lines::new(file, bytes)?, 1, |fields| {
        let [code] = fields;
        Split::from_code(code).ok_or_else(|| {
            (
                format!("split {}", quote(code)),
                "0 (train), 1 (validation) or 2 (test)".to_owned(),
            )
        })
    })
}

/// Parses `list_landmarks_align_celeba.txt`: a line with the number of images, a line with the names of the ten
/// columns, then a row per image with its name and the five points' x and y, in pixels of the 178 x 218 image; or the same as CSV with a header.
///
/// # Errors
/// When a line breaks this format, a name occurs twice or is no plain file name, or the count is not that of the rows.
pub fn parse_landmarks(file: &str, bytes: &[u8]) -> Result<Rows<Landmarks>> {
    let bytes = &*disk::unmarked(bytes);
    if is_csv(bytes) {
        return csv_rows(file, bytes, LANDMARK_COLUMNS, points);
    }
    let mut lines = Lines::new(file, bytes)?;
    let count = lines.count()?;
    let header: Vec<&str> = lines.next().map(|line| line.fields.collect()).unwrap_or_default();
    if header != LANDMARK_COLUMNS {
        let found = if header.is_empty() {
            "no column names".to_owned()
        } else {
            quote(&header.join(" "))
        };
        return Err(line_error(file, 2, found, LANDMARK_COLUMNS.join(" ")));
    }
    let rows = rows(lines, 3, points)?;
    check_count(file, count, rows.rows.len())?;
    Ok(rows)
}

/// The five points of a row of ten numbers; otherwise what was found and what was expected.
fn points(fields: [&str; 10]) -> Result<Landmarks, (String, String)> {
    let mut values = [0.0; 10];
    for ((value, field), column) in values.iter_mut().zip(fields).zip(LANDMARK_COLUMNS) {
        *value = field
            .parse()
            .ok()
            .filter(|value: &f32| value.is_finite())
            .ok_or_else(|| (format!("{column} is {}", quote(field)), "a number of pixels".to_owned()))?;
    }
    Ok(Landmarks::from_row(values))
}

/// Parses `identity_CelebA.txt`: rows of an image name and the number of the person in it; or the same as CSV with a header.
///
/// # Errors
/// When a line breaks this format, or a name occurs twice or is no plain file name.
pub fn parse_identities(file: &str, bytes: &[u8]) -> Result<Rows<u32>> {
    let bytes = &*disk::unmarked(bytes);
    let number = |[identity]: [&str; 1]| {
        identity.parse().map_err(|_| {
            let found = format!("identity {}", quote(identity));
            (found, "a whole number from 0".to_owned())
        })
    };
    if is_csv(bytes) {
        return csv_rows(file, bytes, ["identity"], number);
    }
    rows(Lines::new(file, bytes)?, 1, number)
}

/// The remaining lines as rows of a name and `K` fields. `value` explains a refusal as (found, expected).
fn rows<T, const K: usize>(
    mut lines: Lines<'_>,
    first_line: usize,
    value: impl Fn([&str; K]) -> Result<T, (String, String)>,
) -> Result<Rows<T>> {
    let mut rows = Vec::new();
    let mut seen = HashMap::new();
    while let Some(mut line) = lines.next() {
        let name = line.name(&mut seen)?;
        let mut fields = [""; K];
        let mut found = 0;
        for field in line.fields.by_ref() {
            if let Some(slot) = fields.get_mut(found) {
                *slot = field;
            }
            found += 1;
        }
        if found != K {
            return Err(line.error(format!("{found} values after the name"), K.to_string()));
        }
        let value = value(fields).map_err(|(found, expected)| line.error(found, expected))?;
        rows.push((name.to_owned(), value));
    }
    Ok(Rows {
        file: lines.file.to_owned(),
        first_line,
        rows,
    })
}

fn check_count(file: &str, count: usize, rows: usize) -> Result<()> {
    if count == rows {
        return Ok(());
    }
    let expected = format!("{rows}, the number of rows below (is the file complete?)");
    Err(line_error(file, 1, format!("count {count}"), expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_out_as_written() {
        let text = b"\xef\xbb\xbf2\r\nSmiling  Young \r\n000001.jpg -1  1\r\n000002.png  1 -1\r\n\r\n";
        let table = parse_labels("labels", text).unwrap();
        assert_eq!(table.attributes.names(), ["Smiling", "Young"]);
        assert_eq!(table.names, ["000001.jpg", "000002.png"]);
        assert_eq!(table.labels, [-1, 1, 1, -1]);
    }

    #[test]
    fn zeros_and_utf_16_say_the_same() {
        let text = "2\nSmiling Young\n1.jpg -1 1\n2.jpg 1 -1\n";
        let expected = parse_labels("labels", text.as_bytes()).unwrap();
        let wide = |text: &str| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        };
        for bytes in [
            text.replace("-1", "0").into_bytes(),
            wide(text),
            wide(&text.replace("-1", "0")),
        ] {
            assert_eq!(parse_labels("labels", &bytes).unwrap(), expected);
        }
        let message = parse_labels("labels", text.replace("1 -1", "1 0").as_bytes())
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "labels:4: 0, after -1 in line 3, expected either -1 or 0 for no in the whole file"
        );
        let rows = parse_partition("partition", &wide("1.jpg 2\n")).unwrap();
        assert_eq!(rows.rows()[0].1, Split::Test);
        let rows = parse_identities("identities", &wide("1.jpg 7\n")).unwrap();
        assert_eq!(rows.rows()[0].1, 7);
    }

    #[test]
    fn csv_says_the_same() {
        let table = parse_labels("labels", b"image_id,Smiling,Young\r\n1.jpg,-1,1\r\n2.png,1,-1\r\n").unwrap();
        assert_eq!(table.attributes.names(), ["Smiling", "Young"]);
        assert_eq!(table.names, ["1.jpg", "2.png"]);
        assert_eq!(table.labels, [-1, 1, 1, -1]);
        let rows = parse_partition("partition", b"image_id,partition\n1.jpg,2\n2.png,train\n").unwrap();
        assert_eq!(
            rows.ordered_by(&table.names, "labels").unwrap(),
            [Split::Test, Split::Train]
        );
        let rows = parse_identities("identities", b"\xef\xbb\xbfimage_id;who\n2.png;7\n1.jpg;8\n").unwrap();
        assert_eq!(rows.ordered_by(&table.names, "labels").unwrap(), [8, 7]);
        let text = format!(
            "image_id,{}\n1.jpg,69,109,106,113,77,142,73,152,108.5,154\n",
            LANDMARK_COLUMNS.join(",")
        );
        let rows = parse_landmarks("landmarks", text.as_bytes()).unwrap();
        assert_eq!(rows.rows()[0].1.right_mouth, [108.5, 154.0]);
        for (message, expected) in [
            (
                parse_labels("l", b"image_id,a\n../1.jpg,1\n").unwrap_err(),
                "l:2: image name \"../1.jpg\", expected a plain",
            ),
            (
                parse_labels("l", b"image_id,a\n1.jpg,3\n").unwrap_err(),
                "l:2: a is \"3\", expected 1",
            ),
            (
                parse_partition("p", b"image_id,partition\n1.jpg,5\n").unwrap_err(),
                "p:2: split \"5\", expected 0 or train",
            ),
            (
                parse_landmarks("m", b"image_id,nose_x\n1.jpg,5\n").unwrap_err(),
                "m:1: no column `lefteye_x`",
            ),
        ] {
            assert!(message.to_string().starts_with(expected), "{message}");
        }
    }

    #[test]
    fn rows_are_ordered_by_the_label_file() {
        let names = ["a.jpg", "b.jpg", "c.jpg"].map(str::to_owned);
        let rows = parse_partition("partition", b"c.jpg 2\na.jpg 0\nb.jpg 1").unwrap();
        assert_eq!(rows.rows()[0], ("c.jpg".to_owned(), Split::Test));
        assert_eq!(rows.ordered_by(&names, "labels").unwrap(), Split::ALL);
        let rows = parse_identities("identities", b"b.jpg 7\nc.jpg 0\na.jpg 4294967295\n").unwrap();
        assert_eq!(rows.ordered_by(&names, "labels").unwrap(), [u32::MAX, 7, 0]);
    }

    #[test]
    fn landmarks_come_out_as_written() {
        let text = format!(
            "1\n{}\na.jpg 69 109 106 113 77 142 73 152 108.5 154\n",
            LANDMARK_COLUMNS.join(" ")
        );
        let rows = parse_landmarks("landmarks", text.as_bytes()).unwrap();
        let (name, face) = &rows.rows()[0];
        assert_eq!(name, "a.jpg");
        assert_eq!(face.left_eye, [69.0, 109.0]);
        assert_eq!(face.nose, [77.0, 142.0]);
        assert_eq!(face.right_mouth, [108.5, 154.0]);
    }
}
