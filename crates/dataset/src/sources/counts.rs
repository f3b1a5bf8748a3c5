use std::path::Path;

use crate::files::read;
use crate::labels::class_counts;
use crate::sources::celeba::{attribute_names, begins_with_a_count};
use crate::sources::cells::{IMAGE_COLUMN, ImageColumn, Table, whole_names};
use crate::sources::table::{Embedded, image_column_of, names_of};
use crate::{Attributes, ClassCounts, LabelTable, Result, Split, parse_labels, parse_partition};

/// Positives and negatives per attribute of a label file.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelCounts {
    /// The attributes, in the order of all counts.
    pub attributes: Attributes,
    /// Over all images.
    pub all: Vec<ClassCounts>,
    /// By split, where a partition was given.
    pub splits: Option<Vec<(Split, Vec<ClassCounts>)>>,
}

/// Reads the labels of images: a file in the format of `list_attr_celeba.txt`, or any table with yes and no in its columns, CSV or Parquet.
/// Of a table, `image_column` has the images' names; `None` takes the one called `image` or the like, else the first. `attributes` chooses
/// columns; `None` takes all others but that of splits.
///
/// # Errors
/// When the file cannot be read, a cell is no label, or a column is missing.
pub fn read_labels(path: &Path, image_column: Option<&str>, attributes: Option<&[String]>) -> Result<LabelTable> {
    let file = path.display().to_string();
    if Table::is_parquet(path) {
        return of_table(path, image_column, attributes);
    }
    let bytes = read(path)?;
    // The official format begins with the number of images.
    if !begins_with_a_count(&bytes) || image_column.is_some() {
        return of_table(path, image_column, attributes);
    }
    let all = parse_labels(&file, &bytes)?;
    match attributes {
        Some(named) => all.only(&file, &whole_names(named, all.attributes.names())),
        None => Ok(all),
    }
}

/// The names of the columns that may be attributes of labels that [`read_labels`] reads: all but those of the images and splits.
///
/// # Errors
/// When the file cannot be read or has no header.
pub fn label_columns(path: &Path, image_column: Option<&str>) -> Result<Vec<String>> {
    if !Table::is_parquet(path) && image_column.is_none() {
        let bytes = read(path)?;
        if begins_with_a_count(&bytes) {
            return attribute_names(&path.display().to_string(), &bytes);
        }
    }
    let table = Table::open(path)?;
    let image = image_of(&table, image_column)?;
    Ok(LabelTable::columns(&table, &image)
        .map(|column| table.header[column].clone())
        .collect())
}

/// The labels of a table; where it holds the pictures themselves, these have the names that their source gives them.
fn of_table(path: &Path, image_column: Option<&str>, attributes: Option<&[String]>) -> Result<LabelTable> {
    let table = Table::open(path)?;
    let attributes = attributes.map(|named| whole_names(named, &table.header));
    let image = image_of(&table, image_column)?;
    let listed = match &image {
        ImageColumn::Pictures(column) => Some(Embedded::open(path, &table, column)?.1),
        ImageColumn::Paths(column) => Some(names_of(&table, column)?),
        ImageColumn::Names(_) => None,
    };
    LabelTable::of_table(table, &image, attributes.as_deref(), listed)
}

/// The column of the images: the one that is called so; without a name the one that is called like one, else the first.
fn image_of(table: &Table, image_column: Option<&str>) -> Result<ImageColumn> {
    match image_column {
        Some(column) => image_column_of(table, column, &[]),
        None => Ok(image_column_of(table, IMAGE_COLUMN, &[]).unwrap_or(ImageColumn::Names(0))),
    }
}

/// Counts the labels of a file or table, read by [`read_labels`]; with a `partition`, also by split.
///
/// # Errors
/// When a file cannot be read or breaks its format, or the two disagree about the images there are.
pub fn label_counts(
    labels: &Path,
    partition: Option<&Path>,
    image_column: Option<&str>,
    attributes: Option<&[String]>,
) -> Result<LabelCounts> {
    let file = labels.display().to_string();
    let table = read_labels(labels, image_column, attributes)?;
    let attributes = table.attributes.len();
    let rows = || table.labels.chunks_exact(attributes);
    let splits = match partition {
        None => None,
        Some(path) => {
            let rows_of = parse_partition(&path.display().to_string(), &read(path)?)?;
            let splits = rows_of.ordered_by(&table.names, &file)?;
            let counts = Split::ALL.map(|split| {
                let members = rows().zip(&splits).filter(|(_, of)| **of == split).map(|(row, _)| row);
                (split, class_counts(attributes, members))
            });
            Some(counts.to_vec())
        }
    };
    let all = class_counts(attributes, rows());
    Ok(LabelCounts {
        attributes: table.attributes,
        all,
        splits,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn splits_add_up_to_all() {
        let folder = tempfile::tempdir().unwrap();
        let (labels, partition) = (folder.path().join("labels.txt"), folder.path().join("partition.txt"));
        fs::write(&labels, "3\na b\n1.jpg 1 -1\n2.jpg -1 -1\n3.jpg 1 1\n").unwrap();
        fs::write(&partition, "3.jpg 2\n1.jpg 0\n2.jpg 0\n").unwrap();
        let counts = label_counts(&labels, Some(&partition), None, None).unwrap();
        let count = |positives, negatives| ClassCounts { positives, negatives };
        assert_eq!(counts.all, [count(2, 1), count(1, 2)]);
        let splits = counts.splits.unwrap();
        assert_eq!(splits[0], (Split::Train, vec![count(1, 1), count(0, 2)]));
        assert_eq!(splits[1], (Split::Validation, vec![count(0, 0); 2]));
        assert_eq!(splits[2], (Split::Test, vec![count(1, 0), count(1, 0)]));
    }

    #[test]
    fn labels_of_any_table_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        let count = |positives, negatives| ClassCounts { positives, negatives };
        let some = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let official = "2\nLung_Opacity wet\na.png 1 -1\nc.png -1 -1\n";
        let csv = "age;Image;Lung Opacity;wet;split\n40;a.png;Yes;0;train\n41;b/c.png;no;;test\n";
        for (text, attributes, column, counts) in [
            (official, None, None, vec![count(1, 1), count(0, 2)]),
            (official, Some(some(&["wet"])), None, vec![count(0, 2)]),
            (
                csv,
                Some(some(&["wet", "Lung Opacity"])),
                None,
                vec![count(0, 1), count(1, 1)],
            ),
            (csv, Some(some(&["wet"])), Some("age"), vec![count(0, 1)]),
        ] {
            fs::write(&path, text).unwrap();
            let counted = label_counts(&path, None, column, attributes.as_deref()).unwrap();
            assert_eq!(counted.all, counts, "{text}");
        }
        let message = label_counts(&path, None, None, None).unwrap_err().to_string();
        assert!(
            message.contains("labels.csv:2: age is \"40\", expected 1, yes or true"),
            "{message}"
        );
        let labels = read_labels(&path, None, Some(&some(&["wet"]))).unwrap();
        assert_eq!(labels.names, ["a.png", "b/c.png"]);
    }

    #[test]
    fn labels_beside_pictures_are_counted() {
        let shard = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shards/plain/train-00000-of-00001.parquet");
        let named = ["Smiling".to_owned()];
        let labels = read_labels(&shard, None, Some(&named)).unwrap();
        assert!(labels.names.len() > 1 && labels.labels.len() == labels.names.len());
        let counts = label_counts(&shard, None, Some("image"), Some(&named)).unwrap();
        assert_eq!(counts.all[0].positives + counts.all[0].negatives, labels.names.len());
    }

    #[test]
    fn names_with_commas_are_put_together_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs::write(&path, "image,\"yes, no\",b\na.png,1,0\nb.png,1,1\n").unwrap();
        let pieces: Vec<String> = "b,yes, no".split(',').map(str::to_owned).collect();
        let labels = read_labels(&path, None, Some(&pieces)).unwrap();
        assert_eq!(labels.attributes.names(), ["b", "yes, no"]);
        assert_eq!(labels.labels, [-1, 1, 1, 1]);
        let unknown: Vec<String> = "b,yes, maybe".split(',').map(str::to_owned).collect();
        assert!(
            read_labels(&path, None, Some(&unknown))
                .unwrap_err()
                .to_string()
                .contains("no column `yes`")
        );
    }

    #[test]
    fn counts_of_real_labels_are_the_published_ones() {
        let Some(folder) = testing::shared("celeba") else {
            return;
        };
        let cooccurrence = fs::read_to_string(folder.join("label_cooccurrence_first20000.csv")).unwrap();
        let counts = label_counts(&folder.join("list_attr_celeba_first20000.txt"), None, None, None).unwrap();
        assert_eq!(counts.attributes, Attributes::celeba());
        // The diagonal of the co-occurrence table holds the positives.
        for (index, row) in cooccurrence.lines().skip(1).enumerate() {
            let positives: usize = row.split(',').nth(index + 1).unwrap().parse().unwrap();
            assert_eq!(
                counts.all[index],
                ClassCounts {
                    positives,
                    negatives: 20_000 - positives
                },
                "{row}"
            );
        }
    }

    #[test]
    fn an_absent_file_is_named() {
        let message = label_counts(Path::new("nowhere/labels.txt"), None, None, None)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "labels.txt not found; looked for nowhere/labels.txt");
    }
}
