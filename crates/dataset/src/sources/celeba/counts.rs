use std::path::Path;

use super::text_files::{parse_labels, parse_partition};
use crate::files::read;
use crate::labels::class_counts;
use crate::{Attributes, ClassCounts, Result, Split};

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

/// Counts the labels of a file in the format of `list_attr_celeba.txt`; with a `partition`, also by split.
///
/// # Errors
/// When a file cannot be read or breaks its format, or the two disagree about the images there are.
pub fn label_counts(labels: &Path, partition: Option<&Path>) -> Result<LabelCounts> {
    let file = labels.display().to_string();
    let table = parse_labels(&file, &read(labels)?)?;
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
        let counts = label_counts(&labels, Some(&partition)).unwrap();
        let count = |positives, negatives| ClassCounts { positives, negatives };
        assert_eq!(counts.all, [count(2, 1), count(1, 2)]);
        let splits = counts.splits.unwrap();
        assert_eq!(splits[0], (Split::Train, vec![count(1, 1), count(0, 2)]));
        assert_eq!(splits[1], (Split::Validation, vec![count(0, 0); 2]));
        assert_eq!(splits[2], (Split::Test, vec![count(1, 0), count(1, 0)]));
    }

    #[test]
    fn counts_of_real_labels_are_the_published_ones() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/celeba"));
        let Ok(cooccurrence) = fs::read_to_string(folder.join("label_cooccurrence_first20000.csv")) else {
            eprintln!("skipped: {} is absent", folder.display());
            return;
        };
        let counts = label_counts(&folder.join("list_attr_celeba_first20000.txt"), None).unwrap();
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
        let message = label_counts(Path::new("nowhere/labels.txt"), None)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "labels.txt not found; looked for nowhere/labels.txt");
    }
}
