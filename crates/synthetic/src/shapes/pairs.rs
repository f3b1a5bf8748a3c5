//! The counterfactuals of a data set's pictures, written beside them.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::labels::{ATTRIBUTES, Row};
use super::store::{Folder, TABLE, drawn, line, put_mask};
use crate::counterfactual::difference;
use crate::folder::{Progress, cannot_write, put};
use crate::{Error, Result};

/// The table of pairs.
pub const PAIRS: &str = "pairs.csv";
/// The folder of the masks of pixels that differ.
pub const DIFFERENCES: &str = "differences";
/// The table's column that says which picture a row is made of, so that a split can keep a picture and its counterfactuals together.
pub const PICTURE: &str = "picture";

/// A picture with an attribute toggled.
struct Pair {
    name: String,
    attribute: usize,
    /// What the counterfactual shows.
    row: Row,
    differing: usize,
}

/// Adds each picture of `rows` with each attribute toggled: `NAME-ATTRIBUTE` beside `NAME`, with masks and a row behind all others; and
/// the table of pairs. Every attribute is a property of another shape, so each can be toggled alone.
pub(super) fn add(folder: &Folder, seed: u64, rows: &[(String, Row)], progress: &Progress<'_>) -> Result<()> {
    let differences = folder.root.join(DIFFERENCES);
    fs::create_dir_all(&differences).map_err(cannot_write(&differences))?;
    let done = AtomicUsize::new(rows.len());
    let pairs: Vec<Vec<Pair>> = rows
        .par_iter()
        .enumerate()
        .map(|(index, (name, _))| {
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "jpg"));
            let first = drawn(seed, index, None, None).1;
            let mut pairs = Vec::new();
            for (attribute, toggled) in ATTRIBUTES.iter().enumerate() {
                let (row, picture) = drawn(seed, index, Some(attribute), None);
                let differs = difference(&first.image, &picture.image);
                let stem = format!("{stem}-{toggled}");
                // The same kind of file: what else differed would not be the attribute.
                let name = format!("{stem}.{extension}");
                folder.put(&name, &picture)?;
                put_mask(&differences.join(format!("{stem}.png")), &differs)?;
                pairs.push(Pair {
                    name,
                    attribute,
                    row,
                    differing: differs.iter().filter(|&&value| value > 0).count(),
                });
                if progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_break() {
                    return Err(Error::Stopped);
                }
            }
            Ok(pairs)
        })
        .collect::<Result<_>>()?;
    let mut table = format!("file,{},{PICTURE}\n", ATTRIBUTES.join(","));
    let mut of_pairs = "image,counterfactual,attribute,label,counterfactual_label,differing_pixels\n".to_owned();
    // Writing to a string cannot fail.
    for (name, row) in rows {
        let _ = writeln!(table, "{},{name}", line(name, row));
    }
    for ((image, row), pairs) in rows.iter().zip(&pairs) {
        for pair in pairs {
            let label = row.labels[pair.attribute];
            let _ = writeln!(table, "{},{image}", line(&pair.name, &pair.row));
            let _ = writeln!(
                of_pairs,
                "{image},{},{},{label},{},{}",
                pair.name, ATTRIBUTES[pair.attribute], -label, pair.differing
            );
        }
    }
    put(&folder.root.join(TABLE), table.as_bytes())?;
    put(&folder.root.join(PAIRS), of_pairs.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::writer::{Config, write};
    use super::*;

    #[test]
    fn every_picture_is_there_with_each_attribute_toggled() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("shapes");
        let config = Config { images: 4, seed: 2 };
        write(&out, config, true, &|_| ControlFlow::Continue(())).unwrap();
        let table = fs::read_to_string(out.join(TABLE)).unwrap();
        assert_eq!(table.lines().count(), 1 + 4 * 6);
        assert!(table.lines().nth(5).unwrap().starts_with("00001-dotted_disc.jpg,"));
        assert!(table.lines().last().unwrap().ends_with(",00004.png"), "{table}");
        let pairs = fs::read_to_string(out.join(PAIRS)).unwrap();
        assert_eq!(pairs.lines().count(), 1 + 4 * 5);
        for pair in pairs.lines().skip(1) {
            let cells: Vec<&str> = pair.split(',').collect();
            let labels = |name: &str| -> Vec<String> {
                let row = table.lines().find(|line| line.split(',').next() == Some(name)).unwrap();
                row.split(',').map(str::to_owned).collect()
            };
            let (one, other) = (labels(cells[0]), labels(cells[1]));
            let place = 1 + ATTRIBUTES.iter().position(|known| *known == cells[2]).unwrap();
            for column in 1..=ATTRIBUTES.len() {
                // A label that is not told is told of neither.
                let differs = one[column] != other[column];
                assert_eq!(differs, column == place && !one[column].is_empty(), "{pair}");
            }
            let mask = out.join(DIFFERENCES).join(cells[1].replace(".jpg", ".png"));
            let differing = image::open(mask).unwrap().to_luma8();
            let count = differing.iter().filter(|&&value| value > 0).count();
            assert_eq!(cells[5], count.to_string());
            assert_eq!(
                fs::read(out.join("images").join(cells[1])).unwrap(),
                super::super::counterfactual(2, cells[0][..5].parse::<usize>().unwrap() - 1, place - 1)
                    .unwrap()
                    .bytes
            );
        }
        let again = write(&out, config, false, &|_| ControlFlow::Continue(()));
        assert!(again.is_err(), "another data set");
    }
}
