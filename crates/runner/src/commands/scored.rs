//! Scores made elsewhere, beside their labels.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use crate::error::{Error, Result};
use pipeline::{Progress, ReadTable};

/// Scores of some images with their labels, by attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The images' names as the scores have them, without extension: N of them.
    pub images: Vec<String>,
    /// The attributes in the scores' order.
    pub attributes: Vec<ScoredAttribute>,
}

/// One attribute's.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredAttribute {
    /// Its name.
    pub name: String,
    /// A score an image, no NaN.
    pub scores: Vec<f32>,
    /// A label an image: 1, -1, or 0 for "not annotated".
    pub labels: Vec<i8>,
}

impl Scored {
    /// Reads scores and labels: `scores` as CSV or Parquet, `labels` in CelebA's format, and of the images only those that the list
    /// names, if there is one; of those without a score the number is said.
    ///
    /// # Errors
    /// When a file cannot be read, the scores do not belong to the labels, or no image is left.
    pub fn read(path: &Path, labels_file: &Path, list: Option<&Path>) -> Result<Self> {
        let bytes = std::fs::read(labels_file).map_err(Error::io(labels_file, "reading the labels"))?;
        let labels = dataset::parse_labels(&labels_file.display().to_string(), &bytes)?;
        let scores = read_scores(path)?;
        let names = labels.attributes.names();
        let columns: Vec<usize> = match &scores.attributes {
            None => (0..names.len()).collect(),
            Some(attributes) => attributes
                .iter()
                .map(|name| {
                    labels.attributes.index(name).ok_or_else(|| {
                        Error::artefact(path, format!("column `{name}` is no attribute of the label file"))
                    })
                })
                .collect::<Result<_>>()?,
        };
        let width = scores.values.len() / scores.images.len().max(1);
        if width != columns.len() {
            return Err(Error::Request(format!(
                "{}: {width} scores a row, expected {}, one for each attribute of {}",
                path.display(),
                columns.len(),
                labels_file.display()
            )));
        }
        let wanted = list.map(read_list).transpose()?;
        let row_of: HashMap<&str, usize> = labels
            .names
            .iter()
            .enumerate()
            .map(|(row, name)| (stem(name), row))
            .collect();
        let mut rows: Vec<(usize, usize)> = Vec::new();
        let mut scored: HashSet<&str> = HashSet::new();
        for (position, image) in scores.images.iter().enumerate() {
            let name = stem(image);
            if !scored.insert(name) {
                return Err(Error::Request(format!(
                    "{}: image `{image}` has several rows, expected one (extensions do not matter)",
                    path.display()
                )));
            }
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(name)) {
                continue;
            }
            let Some(&row) = row_of.get(name) else {
                return Err(Error::Request(format!(
                    "{}: image `{image}` is not in {}",
                    path.display(),
                    labels_file.display()
                )));
            };
            let of_image = &scores.values[position * width..][..width];
            if let Some(column) = of_image.iter().position(|score| score.is_nan()) {
                return Err(Error::Request(format!(
                    "{}: the score of `{image}` (image {} of the file) for {} is not a number",
                    path.display(),
                    position + 1,
                    names[columns[column]]
                )));
            }
            rows.push((position, row));
        }
        if rows.is_empty() {
            return Err(Error::Request(
                "no image has both a score and a place on the list".to_owned(),
            ));
        }
        let without: Vec<&String> = wanted
            .iter()
            .flatten()
            .filter(|name| !scored.contains(name.as_str()))
            .collect();
        if let Some(first) = without.first() {
            Progress::new().say(&format!(
                "{} images of the list have no score and are left out, such as `{first}`",
                without.len()
            ));
        }
        let attributes = (0..width)
            .map(|column| ScoredAttribute {
                name: names[columns[column]].clone(),
                scores: rows
                    .iter()
                    .map(|&(position, _)| scores.values[position * width + column])
                    .collect(),
                labels: rows
                    .iter()
                    .map(|&(_, row)| labels.labels[row * names.len() + columns[column]])
                    .collect(),
            })
            .collect();
        Ok(Self {
            images: rows
                .iter()
                .map(|&(position, _)| stem(&scores.images[position]).to_owned())
                .collect(),
            attributes,
        })
    }
}

/// Scores [N, A] with the names of images and attributes.
struct Scores {
    images: Vec<String>,
    /// Absent when the file has no header.
    attributes: Option<Vec<String>>,
    values: Vec<f32>,
}

/// The name without its extension: the authors' aligned images are PNG, CelebA's are JPEG.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn read_list(path: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "reading the list of images"))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| stem(line).to_owned())
        .collect())
}

fn read_scores(path: &Path) -> Result<Scores> {
    let is_parquet = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    if is_parquet {
        let table = ReadTable::parquet(path)?;
        return if table.columns().iter().any(|name| name == "score") {
            long(&table)
        } else {
            wide(path, &table, true)
        };
    }
    let has_header = csv_has_header(path)?;
    wide(path, &ReadTable::csv_with_names(path, has_header)?, has_header)
}

/// The authors' files have none: the second field of the first line is then a number.
fn csv_has_header(path: &Path) -> Result<bool> {
    let text = std::fs::read(path).map_err(Error::io(path, "reading the scores"))?;
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let second = line.split(',').nth(1).map(str::trim).unwrap_or_default();
    Ok(second.parse::<f64>().is_err())
}

fn long(table: &ReadTable) -> Result<Scores> {
    let keys = pipeline::RowKeys::of(table)?;
    Ok(Scores {
        values: numbers(table, "score")?,
        images: keys.images,
        attributes: Some(keys.attributes),
    })
}

fn wide(path: &Path, table: &ReadTable, has_header: bool) -> Result<Scores> {
    let columns = table.columns();
    let [image, attributes @ ..] = columns.as_slice() else {
        return Err(Error::artefact(path, "no columns, expected an image and its scores"));
    };
    let images = table.texts(image)?;
    let by_attribute: Vec<Vec<f32>> = attributes
        .iter()
        .map(|attribute| numbers(table, attribute))
        .collect::<Result<_>>()?;
    let values = (0..images.len())
        .flat_map(|row| by_attribute.iter().map(move |column| column[row]))
        .collect();
    Ok(Scores {
        images,
        attributes: has_header.then(|| attributes.to_vec()),
        values,
    })
}

fn numbers(table: &ReadTable, column: &str) -> Result<Vec<f32>> {
    table
        .doubles(column)?
        .into_iter()
        .map(|value| value.map(|value| value as f32))
        .collect::<Option<_>>()
        .ok_or_else(|| Error::Request(format!("column `{column}` of the scores has empty cells")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const LABELS: &str = "3\nBald Young\n1.jpg 1 -1\n2.jpg -1 1\n3.jpg -1 1\n";

    fn write(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn both_forms_of_csv_are_read() {
        for (text, header) in [
            ("1.png,0.5,-0.5\n2.png,-1,2\n", false),
            ("image,Young,Bald\n1.png,0.5,-0.5\n2.png,-1,2\n", true),
        ] {
            let (_folder, path) = write("scores.csv", text);
            let scores = read_scores(&path).expect("readable");
            assert_eq!(scores.images, ["1.png", "2.png"]);
            assert_eq!(scores.attributes.is_some(), header);
            assert_eq!(scores.values, [0.5, -0.5, -1.0, 2.0]);
        }
        let (_folder, path) = write("scores.csv", "000001,0.5\n000002,1\n");
        assert_eq!(read_scores(&path).expect("readable").images, ["000001", "000002"]);
    }

    #[test]
    fn faults_name_the_file() {
        let (_labels_folder, labels) = write("labels.txt", LABELS);
        for (text, expected) in [
            ("image,Bald,Old\n1.jpg,1,1\n", "Old"),
            ("image,Bald,Young\n9.jpg,1,1\n", "9.jpg"),
            ("1.jpg,1,1,1\n", "3 scores"),
            ("image,Bald,Young\n1.jpg,,1\n", "Bald"),
            ("image,Bald,Young\n1.jpg,1,1\n1.png,1,1\n", "`1.png` has several rows"),
            (
                "image,Bald,Young\n1.jpg,1,1\n2.jpg,1,nan\n",
                "`2.jpg` (image 2 of the file) for Young is not a number",
            ),
        ] {
            let (_folder, scores) = write("scores.csv", text);
            let message = crate::error::describe(&Scored::read(&scores, &labels, None).expect_err(text));
            assert!(message.contains(expected), "{message}");
        }
    }
}
