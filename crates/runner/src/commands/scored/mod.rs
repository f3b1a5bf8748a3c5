//! Scores made elsewhere, beside their labels.

mod file;
mod names;

use std::collections::HashSet;
use std::path::Path;

use crate::error::{Error, Result};
use file::{ScoreColumn, ScoreTable};
use names::{Meant, Named, Wanted, short};
use pipeline::Progress;
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
    /// The images' names as the labels have them, without extension where they differ without it: N of them.
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
        let table = ScoreTable::read(path)?;
        let (columns, names) = of_labels(&table, path, judging)?;
        let labels = dataset::read_labels(judging.labels, judging.image_column, Some(&names))?;
        let rows = rows(&table.images, &labels.names, path, judging)?;
        for (position, _) in &rows {
            if let Some(column) = columns.iter().find(|column| column.scores[*position].is_nan()) {
                return Err(Error::Request(column.fault.clone().unwrap_or_else(|| {
                    format!(
                        "{}: the score of `{}` (image {} of the file) for {} is not a number",
                        path.display(),
                        table.images[*position],
                        position + 1,
                        column.name
                    )
                })));
            }
        }
        if judging.threshold.is_none() {
            note_probabilities(path, columns.iter().flat_map(|column| column.scores.iter().copied()));
        }
        let attributes = columns
            .iter()
            .zip(&names)
            .enumerate()
            .map(|(index, (column, name))| ScoredAttribute {
                name: name.clone(),
                scores: rows.iter().map(|&(position, _)| column.scores[position]).collect(),
                labels: rows
                    .iter()
                    .map(|&(_, row)| labels.labels[row * names.len() + index])
                    .collect(),
            });
        let shown = short(&labels.names);
        Ok(Self {
            threshold: judging.threshold.unwrap_or(0.0),
            images: rows.iter().map(|&(_, row)| shown[row].clone()).collect(),
            attributes: attributes.collect(),
        })
    }
}

/// The columns that are attributes of the labels, and their names there. Those that are none are said.
fn of_labels<'a>(
    table: &'a ScoreTable,
    path: &Path,
    judging: Judging<'_>,
) -> Result<(Vec<&'a ScoreColumn>, Vec<String>)> {
    let labels = judging.labels.display();
    let known = dataset::label_columns(judging.labels, judging.image_column)?;
    if !table.has_names {
        let columns: Vec<&ScoreColumn> = table.columns.iter().collect();
        if columns.len() != known.len() {
            return Err(Error::Request(format!(
                "{}: {} scores a row, expected {}, one for each attribute of {labels}",
                path.display(),
                columns.len(),
                known.len()
            )));
        }
        return Ok((columns, known));
    }
    let (columns, others): (Vec<_>, Vec<_>) = table.columns.iter().partition(|column| known.contains(&column.name));
    let name = |column: &&ScoreColumn| column.name.clone();
    let others: Vec<String> = others.iter().map(name).collect();
    let twice = columns
        .iter()
        .enumerate()
        .find(|(index, column)| columns[..*index].iter().any(|other| other.name == column.name));
    if let Some((_, column)) = twice {
        let found = format!("column `{}` twice, expected each name once", column.name);
        return Err(Error::artefact(path, found));
    }
    if columns.is_empty() {
        return Err(Error::artefact(
            path,
            format!(
                "the columns {}, expected one or more of the attributes of {labels}, {}",
                others.join(", "),
                known.join(", ")
            ),
        ));
    }
    if !others.is_empty() {
        Progress::new().say(&format!(
            "left out, of {}: {}, which {labels} does not have",
            path.display(),
            others.join(", ")
        ));
    }
    let names = columns.iter().map(name).collect();
    Ok((columns, names))
}

/// The positions of the images that are measured, among the scores and among the labels. Of those of the list that have no score, the
/// number is said.
fn rows(images: &[String], labelled: &[String], path: &Path, judging: Judging<'_>) -> Result<Vec<(usize, usize)>> {
    let labels_file = judging.labels.display();
    let several = |image: &str| {
        Error::Request(format!(
            "{}: image `{image}` has several rows, expected one (extensions do not matter where one image has the name)",
            path.display()
        ))
    };
    let wanted = match judging.images {
        Some(list) => Some(Wanted::read(list, images)?),
        None => None,
    };
    let row_of = Named::of(labelled);
    let mut rows: Vec<(usize, usize)> = Vec::new();
    let (mut scored, mut taken): (HashSet<&str>, HashSet<usize>) = (HashSet::new(), HashSet::new());
    for (position, image) in images.iter().enumerate() {
        if !scored.insert(image) {
            return Err(several(image));
        }
        if wanted
            .as_ref()
            .is_some_and(|wanted| !wanted.positions.contains(&position))
        {
            continue;
        }
        let row = match row_of.matching(image) {
            Meant::One(row) => row,
            Meant::Nothing => {
                return Err(Error::Request(format!(
                    "{}: image `{image}` is not in {labels_file}",
                    path.display()
                )));
            }
            Meant::Several([one, other]) => {
                return Err(Error::Request(format!(
                    "{}: image `{image}` may be `{one}` or `{other}` of {labels_file}, expected the exact name of one of them",
                    path.display(),
                )));
            }
        };
        if !taken.insert(row) {
            return Err(several(image));
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
    Ok(rows)
}

/// Says that a threshold of 0 makes everything positive.
fn note_probabilities(path: &Path, scores: impl Iterator<Item = f32>) {
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    scores.for_each(|score| (least, most) = (least.min(score), most.max(score)));
    if least > most || least < 0.0 {
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
        assert!(message.contains("`x.gif` may be `x.jpg` or `x.png`"), "{message}");
    }

    #[test]
    fn columns_that_are_no_attribute_are_left_out() {
        let (_labels_folder, labels) = write("labels.txt", LABELS);
        let (_folder, scores) = write(
            "scores.csv",
            "image,split,Young,logit\n1.jpg,test,0.5,x\n2.jpg,test,-1,\n",
        );
        let scored = Scored::read(&scores, judging(&labels)).expect("readable");
        let [young] = scored.attributes.as_slice() else {
            panic!("{scored:?}")
        };
        assert_eq!(
            (young.name.as_str(), young.scores.as_slice()),
            ("Young", &[0.5, -1.0][..])
        );
        assert_eq!(young.labels, [-1, 1]);
    }

    #[test]
    fn images_are_found_however_their_names_are_spelt() {
        let (_labels_folder, labels) = write("labels.csv", "image,A\nsub/caf\u{e9}.png,1\nb.PNG,0\n");
        for text in [
            "image,A\n/data/sub/cafe\u{301}.jpg,3\nB.png,4\n",
            "image,A\ncafe\u{301}.jpg,3\nx/b.jpg,4\n",
        ] {
            let (_folder, scores) = write("scores.csv", text);
            let scored = Scored::read(&scores, judging(&labels)).expect("readable");
            assert_eq!(scored.attributes[0].labels, [1, -1]);
            // Halves and lists go by the labels' names: numbers do not hang on how the scores spell them.
            assert_eq!(scored.images, ["sub/caf\u{e9}", "b"]);
        }
    }

    #[test]
    fn faults_name_the_file() {
        let (_labels_folder, labels) = write("labels.txt", LABELS);
        for (text, expected) in [
            (
                "image,Old,Grey\n1.jpg,1,1\n",
                "the columns Old, Grey, expected one or more",
            ),
            ("image,Bald,Young\n9.jpg,1,1\n", "9.jpg"),
            ("1.jpg,1,1,1\n", "3 scores"),
            ("image,Bald,Young\n1.jpg,,1\n", "scores.csv:2: Bald is empty"),
            (
                "image,Bald,Young\n1.jpg,88%,1\n",
                "scores.csv:2: Bald is `88%`, expected a score",
            ),
            ("image,Bald,Young\n1.jpg,1\n", "scores.csv:2: 2 cells, expected 3"),
            ("image,Bald,Bald\n1.jpg,1,1\n", "scores.csv"),
            ("image,Bald,Bald\n1.jpg,1,1\n", "column `Bald` twice"),
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
