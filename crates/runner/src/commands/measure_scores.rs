//! `biascam measure-scores`: error rates per class of scores made elsewhere.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use metrics::{ErrorRates, error_rates, table_order};

use crate::error::{Error, Result};
use crate::output::print;
use pipeline::{Progress, ReadTable};
use render::sheet::{Cell, Column, Sheet, Unit};

/// Which scores, and what is right.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scores as CSV or Parquet: `image` and one column an attribute; a CSV without header has the attributes in the label
    /// file's order; Parquet may also be a run's predictions.parquet
    #[arg(long, value_name = "FILE")]
    pub scores: PathBuf,
    /// A label file in CelebA's format
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// Only these images, one name a line (extensions do not matter); of those without a score the number is said
    #[arg(long, value_name = "LIST")]
    pub images: Option<PathBuf>,
}

/// Scores [N, A] with the names of images and attributes.
struct Scores {
    images: Vec<String>,
    /// Absent when the file has no header.
    attributes: Option<Vec<String>>,
    values: Vec<f32>,
}

/// Prints the error rates.
///
/// # Errors
/// When a file cannot be read, or the scores do not belong to the labels.
pub fn run(arguments: &Arguments) -> Result<()> {
    let bytes = std::fs::read(&arguments.labels).map_err(Error::io(&arguments.labels, "reading the labels"))?;
    let labels = dataset::parse_labels(&arguments.labels.display().to_string(), &bytes)?;
    let scores = read_scores(&arguments.scores)?;
    let names = labels.attributes.names();
    let columns: Vec<usize> = match &scores.attributes {
        None => (0..names.len()).collect(),
        Some(attributes) => attributes
            .iter()
            .map(|name| {
                labels.attributes.index(name).ok_or_else(|| {
                    Error::artefact(
                        &arguments.scores,
                        format!("column `{name}` is no attribute of the label file"),
                    )
                })
            })
            .collect::<Result<_>>()?,
    };
    let width = scores.values.len() / scores.images.len().max(1);
    if width != columns.len() {
        return Err(Error::Request(format!(
            "{}: {width} scores a row, expected {}, one for each attribute of {}",
            arguments.scores.display(),
            columns.len(),
            arguments.labels.display()
        )));
    }
    let wanted = arguments.images.as_deref().map(read_list).transpose()?;
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
                arguments.scores.display()
            )));
        }
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(name)) {
            continue;
        }
        let Some(&row) = row_of.get(name) else {
            return Err(Error::Request(format!(
                "{}: image `{image}` is not in {}",
                arguments.scores.display(),
                arguments.labels.display()
            )));
        };
        let of_image = &scores.values[position * width..][..width];
        if let Some(column) = of_image.iter().position(|score| score.is_nan()) {
            return Err(Error::Request(format!(
                "{}: the score of `{image}` (image {} of the file) for {} is not a number",
                arguments.scores.display(),
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
    let rates: Vec<ErrorRates> = (0..width)
        .map(|column| {
            let of = |&(position, _): &(usize, usize)| scores.values[position * width + column];
            let label = |&(_, row): &(usize, usize)| labels.labels[row * names.len() + columns[column]];
            let (scores, labels): (Vec<f32>, Vec<i8>) = rows.iter().map(|row| (of(row), label(row))).unzip();
            Ok(error_rates(&scores, &labels)?)
        })
        .collect::<Result<_>>()?;
    let shown: Vec<&String> = columns.iter().map(|&column| &names[column]).collect();
    print(format_args!(
        "{}\n{} images; a score of 0 or more counts as positive",
        render(&shown, &rates),
        rows.len()
    ))?;
    Ok(())
}

fn render(names: &[&String], rates: &[ErrorRates]) -> String {
    let counts: Vec<(usize, usize)> = rates.iter().map(|rates| (rates.positives, rates.negatives)).collect();
    let row = |index: usize| {
        let one = &rates[index];
        vec![
            Cell::name(names[index]),
            Cell::count(one.positives),
            Cell::count(one.negatives),
            Cell::number(one.false_negative_rate()),
            Cell::number(one.false_positive_rate()),
            Cell::number(one.error()),
            Cell::number(one.balanced_error()),
        ]
    };
    let words = Column::new("attribute", Unit::Text);
    let counts_of = ["positives", "negatives"].map(|title| Column::new(title, Unit::Count));
    let shares = ["FNR", "FPR", "error", "balanced error"].map(|title| Column::new(title, Unit::Number(4)));
    let sheet = Sheet {
        columns: std::iter::once(words).chain(counts_of).chain(shares).collect(),
        rows: table_order(names, &counts).into_iter().map(row).collect(),
        ..Sheet::default()
    };
    sheet.terminal()
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
            let arguments = Arguments {
                scores,
                labels: labels.clone(),
                images: None,
            };
            let message = crate::error::describe(&run(&arguments).expect_err(text));
            assert!(message.contains(expected), "{message}");
        }
    }
}
