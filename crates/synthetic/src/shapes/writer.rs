use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::labels::{ATTRIBUTES, Row};
use super::pairs;
use super::store::{Folder, TABLE, drawn, file_name, line};
use crate::folder::{Progress, WriteOutcome, put, write_once};
use crate::{Error, Result};

/// Changes whenever the same seed gives other pictures, labels or masks.
pub const GENERATOR_VERSION: u32 = 1;
/// The file that marks a finished data set.
const MARKER: &str = "shapes.json";

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Number of pictures.
    pub images: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// Writes pictures, table and masks into `out`, unless they are there; with `counterfactuals` also each picture with each attribute
/// toggled, `differences/` and [`PAIRS`](super::PAIRS). The bytes depend on the configuration only.
///
/// # Errors
/// [`Error::File`] when `out` holds anything else, [`Error::Stopped`] when `progress` says so, [`Error::Write`] when a file
/// cannot be written.
pub fn write(out: &Path, config: Config, counterfactuals: bool, progress: &Progress<'_>) -> Result<WriteOutcome> {
    if !(1..1_000_000).contains(&config.images) {
        return Err(Error::Invalid {
            what: "shapes".to_owned(),
            found: format!("{} images", config.images),
            expected: "1 to 999999".to_owned(),
        });
    }
    let pairs = if counterfactuals {
        ",\n  \"counterfactuals\": true"
    } else {
        ""
    };
    let marker = format!(
        "{{\n  \"generator\": \"biascam shapes\",\n  \"version\": {GENERATOR_VERSION},\n  \"seed\": {},\n  \"images\": {}{pairs}\n}}\n",
        config.seed, config.images
    );
    write_once(out, MARKER, &marker, |folder| {
        let folder = Folder::make(folder)?;
        let rows = fill(&folder, config, progress)?;
        match counterfactuals {
            true => pairs::add(&folder, config.seed, &rows, progress),
            false => put(&folder.root.join(TABLE), table(&rows).as_bytes()),
        }
    })
}

fn fill(folder: &Folder, config: Config, progress: &Progress<'_>) -> Result<Vec<(String, Row)>> {
    let done = AtomicUsize::new(0);
    (0..config.images)
        .into_par_iter()
        .map(|index| {
            let (row, picture) = drawn(config.seed, index, None, None);
            let name = file_name(index);
            folder.put(&name, &picture)?;
            if progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_break() {
                return Err(Error::Stopped);
            }
            Ok((name, row))
        })
        .collect()
}

/// The table of these pictures.
fn table(rows: &[(String, Row)]) -> String {
    let mut table = format!("file,{}\n", ATTRIBUTES.join(","));
    for (name, row) in rows {
        table.push_str(&line(name, row));
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;

    use dataset::{Fit, Shares, Source, Split, TableConfig, TableFolder, TableSplit};

    use super::super::store::{IMAGES, MASKS};
    use super::*;

    fn written(folder: &Path, images: usize) -> TableFolder {
        let out = folder.join("shapes");
        let config = Config { images, seed: 4 };
        assert_eq!(
            write(&out, config, false, &|_| ControlFlow::Continue(())).unwrap(),
            WriteOutcome::Written
        );
        assert_eq!(
            write(&out, config, false, &|_| ControlFlow::Break(())).unwrap(),
            WriteOutcome::AlreadyThere
        );
        TableFolder::open(&TableConfig {
            file: out.join(TABLE),
            images: out.join(IMAGES),
            image_column: "file".to_owned(),
            attributes: None,
            group_column: None,
            split: TableSplit::Stratified(Shares {
                validation: 0.1,
                test: 0.3,
                seed: 1,
            }),
            resize: Fit::Pad,
            landmarks: None,
            masks: Some(out.join(MASKS)),
            boxes: None,
        })
        .unwrap()
    }

    #[test]
    fn the_reader_of_tables_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let shapes = written(folder.path(), 40);
        let annotations = shapes.annotations();
        assert_eq!(annotations.attributes.names(), ATTRIBUTES);
        assert_eq!(annotations.len(), 40);
        assert!((11..=13).contains(&annotations.indices(Split::Test).len()));
        for index in 0..40 {
            let size = shapes.image(index).unwrap().dimensions();
            assert_eq!(shapes.image_size(index).unwrap(), size);
            let masks = shapes.masks(index).unwrap().expect("every picture has masks");
            for attribute in 0..5 {
                // A shape is there whatever its label: 1 to 15 % of the picture.
                let share = masks.area(attribute) as f64 / f64::from(size.0 * size.1);
                assert!((0.01..0.15).contains(&share), "{attribute}: {share}");
            }
        }
    }

    #[test]
    fn bytes_depend_on_the_seed_alone() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, threads: usize, seed: u64| {
            let out = folder.path().join(name);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| write(&out, Config { images: 6, seed }, false, &|_| ControlFlow::Continue(())))
                .unwrap();
            [
                "labels.csv",
                "images/00003.jpg",
                "images/00004.png",
                "masks/bent_bar/00001.png",
            ]
            .map(|file| fs::read(out.join(file)).unwrap())
        };
        let first = read("one", 1, 1);
        assert_eq!(first, read("two", 2, 1));
        assert_ne!(first, read("other", 1, 2));
    }

    #[test]
    fn a_foreign_folder_is_left_alone_and_a_stopped_one_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("shapes");
        let stop = write(&out, Config { images: 3, seed: 1 }, false, &|_| ControlFlow::Break(()));
        assert!(matches!(stop, Err(Error::Stopped)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir(&out).unwrap();
        fs::write(out.join("mine.txt"), "mine").unwrap();
        let refused = write(&out, Config { images: 3, seed: 1 }, false, &|_| {
            ControlFlow::Continue(())
        });
        assert!(refused.unwrap_err().to_string().contains("other files"));
        assert!(
            write(&out, Config { images: 0, seed: 1 }, false, &|_| ControlFlow::Continue(
                ()
            ))
            .is_err()
        );
    }
}
