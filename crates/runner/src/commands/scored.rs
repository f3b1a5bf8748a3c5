//! Scores made elsewhere, beside their labels.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use disk::Delimited;

use crate::error::{Error, Result};
use pipeline::{Progress, ReadTable};
use render::text::counted;

/// What is right, and what a score says.
#[derive(Debug, Clone, Copy)]
pub struct Judging<'a> {
    /// A label file in CelebA's format, or any table of labels.
    pub labels: &'a Path,
    /// The table's column of the images' names, if it is not called so.
    pub image_column: Option<&'a str>,
    /// Only the images on this list.
    pub images: Option<&'a Path>,
    /// The least score that counts as positive; `None` is 0, which logits are made for.
    pub threshold: Option<f32>,
}

/// Scores of some images with their labels, by attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The least score that counts as positive.
    pub threshold: f32,
    /// The images' names as the scores have them, without extension where they differ without it: N of them.
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
    /// Whether each image's score of an attribute counts as positive: 1 or -1.
    pub fn decisions(&self, attribute: &ScoredAttribute) -> Vec<f32> {
        let decision = |&score: &f32| if score >= self.threshold { 1.0 } else { -1.0 };
        attribute.scores.iter().map(decision).collect()
    }

    /// Reads scores, as CSV or Parquet, and labels; and of the images only those that the list names, if there is one. Of those without
    /// a score the number is said, and that all scores look like probabilities, where no threshold was chosen.
    ///
    /// # Errors
    /// When a file cannot be read, the scores do not belong to the labels, or no image is left.
    pub fn read(path: &Path, judging: Judging<'_>) -> Result<Self> {
        if let Some(threshold) = judging.threshold.filter(|threshold| !threshold.is_finite()) {
            return Err(Error::Request(format!("--threshold {threshold}: expected a number")));
        }
        let (labels_file, list) = (judging.labels, judging.images);
        let scores = read_scores(path)?;
        let labels = dataset::read_labels(labels_file, judging.image_column, scores.attributes.as_deref())?;
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
        let wanted = match list {
            Some(list) => Some(Wanted::of(&read_list(list)?, &scores.images, list)?),
            None => None,
        };
        let row_of = Named::of(&labels.names);
        let mut rows: Vec<(usize, usize)> = Vec::new();
        let (mut scored, mut taken): (HashSet<&str>, HashSet<usize>) = (HashSet::new(), HashSet::new());
        let several = |image: &str| {
            Error::Request(format!(
                "{}: image `{image}` has several rows, expected one (extensions do not matter where one image has the name)",
                path.display()
            ))
        };
        for (position, image) in scores.images.iter().enumerate() {
            if !scored.insert(image) {
                return Err(several(image));
            }
            if wanted
                .as_ref()
                .is_some_and(|wanted| !wanted.positions.contains(&position))
            {
                continue;
            }
            let row = match row_of.matching(image).as_slice() {
                [row] => *row,
                [] => {
                    return Err(Error::Request(format!(
                        "{}: image `{image}` is not in {}",
                        path.display(),
                        labels_file.display()
                    )));
                }
                [one, other, ..] => {
                    return Err(Error::Request(format!(
                        "{}: image `{image}` may be `{}` or `{}` of {}, expected the exact name of one of them",
                        path.display(),
                        labels.names[*one],
                        labels.names[*other],
                        labels_file.display()
                    )));
                }
            };
            if !taken.insert(row) {
                return Err(several(image));
            }
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
        let without = wanted.map(|wanted| wanted.without).unwrap_or_default();
        if let Some(first) = without.first() {
            Progress::new().say(&format!(
                "left out, without a score: {} of the list, such as `{first}`",
                counted(without.len(), "image")
            ));
        }
        if judging.threshold.is_none() {
            note_probabilities(path, &scores.values);
        }
        let alike = Named::of(&scores.images);
        let shown = |image: &String| match alike.by_stem.get(stem(image)).map_or(0, Vec::len) {
            0 | 1 => stem(image).to_owned(),
            _ => image.clone(),
        };
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
            threshold: judging.threshold.unwrap_or(0.0),
            images: rows
                .iter()
                .map(|&(position, _)| shown(&scores.images[position]))
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
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // A dot in a folder's name begins no extension.
    if name[stem.len()..].contains('/') { name } else { stem }
}

/// Says that a threshold of 0 makes everything positive.
fn note_probabilities(path: &Path, scores: &[f32]) {
    let least = scores.iter().copied().fold(f32::INFINITY, f32::min);
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if scores.is_empty() || least < 0.0 {
        return;
    }
    let path = path.display();
    let positive = "no score is negative, so each counts as positive at the threshold of 0, which is right for logits";
    Progress::new().say(&if most <= 1.0 {
        format!("{path}: {positive}; all are between 0 and 1: if they are probabilities, `--threshold 0.5` is meant")
    } else {
        format!("{path}: {positive}; `--threshold` chooses another (scores are between {least} and {most})")
    });
}

/// Where names are in a list of them.
struct Named<'a> {
    by_name: HashMap<&'a str, usize>,
    by_stem: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Named<'a> {
    fn of(names: &'a [String]) -> Self {
        let mut by_stem: HashMap<&str, Vec<usize>> = HashMap::with_capacity(names.len());
        for (position, name) in names.iter().enumerate() {
            by_stem.entry(stem(name)).or_default().push(position);
        }
        let by_name = names
            .iter()
            .enumerate()
            .map(|(position, name)| (name.as_str(), position));
        Self {
            by_name: by_name.collect(),
            by_stem,
        }
    }

    /// The position of the very name; if it is not there, of all that differ from it in the extension alone.
    fn matching(&self, name: &str) -> Vec<usize> {
        match self.by_name.get(name) {
            Some(&position) => vec![position],
            None => self.by_stem.get(stem(name)).cloned().unwrap_or_default(),
        }
    }
}

/// The images that a list names.
struct Wanted {
    /// Where they are among the scores.
    positions: HashSet<usize>,
    /// Those that have no score.
    without: Vec<String>,
}

impl Wanted {
    fn of(listed: &BTreeSet<String>, images: &[String], list: &Path) -> Result<Self> {
        let named = Named::of(images);
        let (mut positions, mut without) = (HashSet::new(), Vec::new());
        for name in listed {
            match named.matching(name).as_slice() {
                [] => without.push(stem(name).to_owned()),
                [position] => {
                    positions.insert(*position);
                }
                // A row that is there twice is refused as such.
                [one, other, ..] if images[*one] != images[*other] => {
                    return Err(Error::Request(format!(
                        "{}: `{name}` may be `{}` or `{}` of the scores, expected the exact name of one of them",
                        list.display(),
                        images[*one],
                        images[*other]
                    )));
                }
                several => positions.extend(several),
            }
        }
        Ok(Self { positions, without })
    }
}

fn read_list(path: &Path) -> Result<BTreeSet<String>> {
    let text = disk::read_text(path).map_err(Error::io(path, "reading the list of images"))?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
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
            wide(path, &table)
        };
    }
    delimited(path)
}

/// Scores as CSV with comma, semicolon or tab, and then perhaps decimal commas. The authors' files have no header: the second field of the
/// first line is then a number.
fn delimited(path: &Path) -> Result<Scores> {
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the scores"))?;
    let table = Delimited::of(&bytes);
    let fault = |line: u64, message: String| Error::Request(format!("{}:{line}: {message}", path.display()));
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
    let mut scores = Scores {
        images: Vec::new(),
        attributes: None,
        values: Vec::new(),
    };
    let mut names: Option<Vec<String>> = None;
    // An index that pandas and R write has no name, and is no score.
    let mut image = 0;
    for record in reader.records() {
        let record =
            record.map_err(|error| fault(error.position().map_or(1, csv::Position::line), error.to_string()))?;
        let line = record.position().map_or(1, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        let Some(names) = &names else {
            let header: Vec<String> = record.iter().map(str::to_owned).collect();
            if header.len() < 2 {
                return Err(fault(
                    line,
                    format!(
                        "one column, `{}`, expected an image and its scores, separated by commas, semicolons or tabs",
                        header.join("")
                    ),
                ));
            }
            if number(&header[1]).is_none() {
                image = header
                    .iter()
                    .position(|name| name.eq_ignore_ascii_case("image"))
                    .unwrap_or(0);
                let scored = header
                    .iter()
                    .enumerate()
                    .filter(|(column, name)| *column != image && !name.is_empty());
                scores.attributes = Some(scored.map(|(_, name)| name.clone()).collect());
                names = Some(header);
                continue;
            }
            let unnamed = (0..header.len())
                .map(|column| format!("column {}", column + 1))
                .collect();
            add(&record, names.insert(unnamed), image, &mut scores, &number).map_err(|message| fault(line, message))?;
            continue;
        };
        add(&record, names, image, &mut scores, &number).map_err(|message| fault(line, message))?;
    }
    Ok(scores)
}

/// Adds a row of scores, or says what is wrong with it.
fn add(
    record: &csv::StringRecord,
    names: &[String],
    image: usize,
    scores: &mut Scores,
    number: &dyn Fn(&str) -> Option<f32>,
) -> Result<(), String> {
    if record.len() != names.len() {
        return Err(format!(
            "{} cells, expected {} as in the first line",
            record.len(),
            names.len()
        ));
    }
    for (column, (text, name)) in record.iter().zip(names).enumerate() {
        if column == image {
            scores.images.push(text.to_owned());
        } else if !name.is_empty() {
            let expected = || match text {
                "" => format!("{name} is empty, expected a score"),
                _ => format!("{name} is `{text}`, expected a score, which is a number"),
            };
            scores.values.push(number(text).ok_or_else(expected)?);
        }
    }
    Ok(())
}

fn long(table: &ReadTable) -> Result<Scores> {
    let keys = pipeline::RowKeys::of(table)?;
    Ok(Scores {
        values: numbers(table, "score")?,
        images: keys.images,
        attributes: Some(keys.attributes),
    })
}

fn wide(path: &Path, table: &ReadTable) -> Result<Scores> {
    let columns = table.columns();
    let known = columns.iter().find(|name| name.eq_ignore_ascii_case("image"));
    // Without a column of that name, the first that holds no numbers has the images' names; file names may be numbers, too.
    let image = known
        .or_else(|| columns.iter().find(|name| table.doubles(name).is_err()))
        .or(columns.first())
        .ok_or_else(|| Error::artefact(path, "no columns, expected an image and its scores"))?;
    let images = table.texts(image)?;
    // An index that pandas writes is no score.
    let is_score = |name: &&String| *name != image && !name.is_empty() && *name != "__index_level_0__";
    let attributes: Vec<String> = columns.iter().filter(is_score).cloned().collect();
    let by_attribute: Vec<Vec<f32>> = attributes
        .iter()
        .map(|attribute| numbers(table, attribute))
        .collect::<Result<_>>()?;
    let values = (0..images.len())
        .flat_map(|row| by_attribute.iter().map(move |column| column[row]))
        .collect();
    Ok(Scores {
        images,
        attributes: Some(attributes),
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

    fn judging(labels: &Path) -> Judging<'_> {
        Judging {
            labels,
            image_column: None,
            images: None,
            threshold: None,
        }
    }

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
    fn scores_of_spreadsheets_are_those_of_plain_csv() {
        let (_plain_folder, plain) = write("plain.csv", "image,Bald,Young\n1.jpg,2.5,-1\n2.jpg,0.25,3\n");
        let expected = read_scores(&plain).expect("readable");
        for text in [
            "\u{feff}image;Bald;Young\r\n1.jpg;2.5;-1\r\n2.jpg;0.25;3\r\n",
            "sep=;\r\nimage;Bald;Young\r\n1.jpg;2,5;-1,0\r\n2.jpg;0,25;3\r\n;;\r\n",
            "image\tBald\tYoung\n1.jpg\t2,5\t-1\n2.jpg\t0,25\t3\n\n",
            "\"\",\"image\",\"Bald\",\"Young\"\n\"1\",\"1.jpg\",2.5,-1\n\"2\",\"2.jpg\",0.25,3\n",
        ] {
            let (_folder, path) = write("scores.csv", text);
            let scores = read_scores(&path).expect(text);
            assert_eq!(scores.images, expected.images, "{text}");
            assert_eq!(
                (scores.attributes, scores.values),
                (expected.attributes.clone(), expected.values.clone())
            );
        }
        let (_folder, path) = write("scores.csv", "1.jpg;2,5;-1\n2.jpg;0,25;3\n");
        let scores = read_scores(&path).expect("readable");
        assert_eq!((scores.attributes, scores.values), (None, expected.values));
    }

    #[test]
    fn labels_of_one_s_own_and_a_threshold_decide() {
        let (_labels_folder, labels) = write(
            "labels.csv",
            "age,image,Lung Opacity\n40,a/1.png,yes\n41,a/2.png,no\n42,a/3.png,\n",
        );
        let (_folder, scores) = write(
            "scores.csv",
            "image,Lung Opacity\na/1.jpg,0.9\na/2.jpg,0.4\na/3.jpg,0.5\n",
        );
        for (threshold, expected) in [(None, [1.0, 1.0, 1.0]), (Some(0.5), [1.0, -1.0, 1.0])] {
            let judging = Judging {
                threshold,
                ..judging(&labels)
            };
            let scored = Scored::read(&scores, judging).expect("readable");
            assert_eq!(scored.attributes[0].labels, [1, -1, 0]);
            assert_eq!(scored.decisions(&scored.attributes[0]), expected);
        }
        let judging = Judging {
            threshold: Some(f32::NAN),
            ..judging(&labels)
        };
        let message = Scored::read(&scores, judging).expect_err("no number").to_string();
        assert_eq!(message, "--threshold NaN: expected a number");
        assert_eq!(["a.b/c", "a.b/c.d", "c"].map(stem), ["a.b/c", "a.b/c", "c"]);
    }

    #[test]
    fn exact_names_go_before_names_without_extension() {
        let (_labels_folder, labels) = write("labels.csv", "image,A\nx.png,1\nx.jpg,0\ny.png,0\n");
        let (_folder, scores) = write("scores.csv", "image,A\nx.jpg,-1\nx.png,2\ny.jpg,-3\n");
        let scored = Scored::read(&scores, judging(&labels)).expect("readable");
        assert_eq!(scored.images, ["x.jpg", "x.png", "y"]);
        assert_eq!(scored.attributes[0].labels, [-1, 1, -1]);
        for (listed, expected) in [
            ("x.png\n", Ok(vec!["x.png"])),
            ("y.gif\n", Ok(vec!["y"])),
            ("x\n", Err("`x` may be")),
        ] {
            let (_list_folder, list) = write("list.txt", listed);
            let judging = Judging {
                images: Some(&list),
                ..judging(&labels)
            };
            match (Scored::read(&scores, judging), expected) {
                (Ok(scored), Ok(expected)) => assert_eq!(scored.images, expected),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (found, _) => panic!("{listed}: {found:?}"),
            }
        }
        let (_folder, scores) = write("scores.csv", "image,A\nx.gif,-1\n");
        let message = Scored::read(&scores, judging(&labels))
            .expect_err("ambiguous")
            .to_string();
        assert!(message.contains("`x.gif` may be `x.png` or `x.jpg`"), "{message}");
    }

    #[test]
    fn parquet_has_the_images_in_any_column() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.parquet");
        for name in ["image", "Image", "filename"] {
            let mut frame =
                polars::df!("A" => [1.5, -2.0], name => ["x.png", "y.png"], "__index_level_0__" => [0_i64, 1])
                    .expect("a table");
            let file = std::fs::File::create(&path).expect("a file");
            polars::prelude::ParquetWriter::new(file)
                .finish(&mut frame)
                .expect("written");
            let scores = read_scores(&path).expect("readable");
            assert_eq!(scores.images, ["x.png", "y.png"], "{name}");
            assert_eq!(
                (scores.attributes, scores.values),
                (Some(vec!["A".to_owned()]), vec![1.5, -2.0])
            );
        }
    }

    #[test]
    fn faults_name_the_file() {
        let (_labels_folder, labels) = write("labels.txt", LABELS);
        for (text, expected) in [
            ("image,Bald,Old\n1.jpg,1,1\n", "Old"),
            ("image,Bald,Young\n9.jpg,1,1\n", "9.jpg"),
            ("1.jpg,1,1,1\n", "3 scores"),
            ("image,Bald,Young\n1.jpg,,1\n", "scores.csv:2: Bald is empty"),
            (
                "image,Bald,Young\n1.jpg,88%,1\n",
                "scores.csv:2: Bald is `88%`, expected a score",
            ),
            ("image,Bald,Young\n1.jpg,1\n", "scores.csv:2: 2 cells, expected 3"),
            ("image Bald Young\n1.jpg 1 1\n", "scores.csv:1: one column"),
            ("image,Bald,Young\n1.jpg,1,1\n1.png,1,1\n", "`1.png` has several rows"),
            (
                "image,Bald,Young\n1.jpg,1,1\n2.jpg,1,nan\n",
                "`2.jpg` (image 2 of the file) for Young is not a number",
            ),
        ] {
            let (_folder, scores) = write("scores.csv", text);
            let message = crate::error::describe(&Scored::read(&scores, judging(&labels)).expect_err(text));
            assert!(message.contains(expected), "{message}");
        }
    }
}
