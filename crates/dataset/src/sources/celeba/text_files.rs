//! Parsers of the four text files of CelebA's official layout.
//!
//! Each takes the name of its file (for messages) and its bytes, and refuses what the format does not allow with the
//! line, what was found and what was expected. Nothing here touches the file system.

use std::collections::HashMap;

use crate::sources::lines::{Lines, line_error, quote};
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
    /// Labels `[N, A]`, row after row, 1 or -1.
    pub labels: Vec<i8>,
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
/// image with its name and one value per attribute, each 1 or -1, separated by spaces.
///
/// # Errors
/// When a line breaks this format, a name occurs twice or is no plain file name, or the count is not that of the rows.
pub fn parse_labels(file: &str, bytes: &[u8]) -> Result<LabelTable> {
    let mut lines = Lines::new(file, bytes)?;
    let count = lines.count()?;
    let header = lines.next().ok_or_else(|| {
        line_error(
            file,
            2,
            "end of file".to_owned(),
            "the names of the attributes".to_owned(),
        )
    })?;
    let attributes = Attributes::new(header.fields.map(str::to_owned).collect()).map_err(|error| match error {
        Error::Invalid { what, found, expected } => {
            line_error(file, header.number, format!("{what}: {found}"), expected)
        }
        other => other,
    })?;

    // The count only bounds the reservation: a wrong one must not allocate more than the text could hold.
    let rows = count.min(bytes.len() / (2 * attributes.len() + 1));
    let mut names = Vec::with_capacity(rows);
    let mut labels = Vec::with_capacity(rows * attributes.len());
    let mut seen = HashMap::with_capacity(rows);
    while let Some(mut line) = lines.next() {
        names.push(line.name(&mut seen)?.to_owned());
        let start = labels.len();
        for value in line.fields.by_ref() {
            let label = match value {
                "1" => 1,
                "-1" => -1,
                _ => {
                    let found = match attributes.names().get(labels.len() - start) {
                        Some(attribute) => format!("{attribute} is {}", quote(value)),
                        None => format!("{} in column {}", quote(value), labels.len() - start + 2),
                    };
                    return Err(line.error(found, "1 or -1".to_owned()));
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

/// Parses `list_eval_partition.txt`: rows of an image name and 0 (train), 1 (validation) or 2 (test).
///
/// # Errors
/// When a line breaks this format, or a name occurs twice or is no plain file name.
pub fn parse_partition(file: &str, bytes: &[u8]) -> Result<Rows<Split>> {
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
/// columns, then a row per image with its name and the five points' x and y, in pixels of the 178 x 218 image.
///
/// # Errors
/// When a line breaks this format, a name occurs twice or is no plain file name, or the count is not that of the rows.
pub fn parse_landmarks(file: &str, bytes: &[u8]) -> Result<Rows<Landmarks>> {
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
    let rows = rows(lines, 3, |fields: [&str; 10]| {
        let mut values = [0.0; 10];
        for ((value, field), column) in values.iter_mut().zip(fields).zip(LANDMARK_COLUMNS) {
            *value = field
                .parse()
                .ok()
                .filter(|value: &f32| value.is_finite())
                .ok_or_else(|| (format!("{column} is {}", quote(field)), "a number of pixels".to_owned()))?;
        }
        Ok(Landmarks::from_row(values))
    })?;
    check_count(file, count, rows.rows.len())?;
    Ok(rows)
}

/// Parses `identity_CelebA.txt`: rows of an image name and the number of the person in it.
///
/// # Errors
/// When a line breaks this format, or a name occurs twice or is no plain file name.
pub fn parse_identities(file: &str, bytes: &[u8]) -> Result<Rows<u32>> {
    rows(Lines::new(file, bytes)?, 1, |fields| {
        let [identity] = fields;
        identity.parse().map_err(|_| {
            (
                format!("identity {}", quote(identity)),
                "a whole number from 0".to_owned(),
            )
        })
    })
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
