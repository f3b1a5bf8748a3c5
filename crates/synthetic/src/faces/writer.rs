use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::config::Config;
use super::encoded::encoded;
use super::face::render;
use super::form::Form;
use super::pairs;
use super::store::{Annotated, Drawn, Store, name};
use crate::folder::{Progress, WriteOutcome, cannot_write, write_once};
use crate::{Error, Result};

/// The file that marks a finished data set.
pub const MARKER: &str = "procedural.json";

/// Writes a data set of procedural faces in CelebA's official layout.
///
/// `out/` gets `Img/img_align_celeba/NNNNNN.jpg`, `Anno/list_attr_celeba.txt`, `Anno/list_landmarks_align_celeba.txt`,
/// `Anno/identity_CelebA.txt`, `Eval/list_eval_partition.txt`, `masks/NNNNNN.png` (see
/// [`AttributeMasks`](dataset::AttributeMasks)) and `procedural.json`. Everything is written to a folder beside it, which
/// gets its name when it is complete: a folder of this name is never half written. The bytes depend on the configuration
/// only.
///
/// # Errors
/// [`Error::Invalid`] for a configuration without training images, [`Error::File`] when `out` is a folder or file that
/// holds anything else, [`Error::Stopped`] when `progress` says so, [`Error::Write`] when a file cannot be written (permissions, disk full).
pub fn write(out: &Path, config: &Config, progress: &Progress<'_>) -> Result<WriteOutcome> {
    write_in(out, config, Form::default(), progress)
}

/// The same in another form.
///
/// # Errors
/// As [`write()`].
pub fn write_in(out: &Path, config: &Config, form: Form, progress: &Progress<'_>) -> Result<WriteOutcome> {
    config.check()?;
    form.check(config)?;
    write_once(out, MARKER, &form.marker(config), |folder| {
        fill(folder, config, form, progress)
    })
}

/// Faces that are drawn before they are stored.
const TOGETHER: usize = 1_000;

fn fill(folder: &Path, config: &Config, form: Form, progress: &Progress<'_>) -> Result<()> {
    fs::create_dir_all(folder).map_err(cannot_write(folder))?;
    let mut store = Store::new(folder, config, form.layout)?;
    let distinct = form.distinct.unwrap_or(config.images);
    let done = AtomicUsize::new(0);
    let mut kept: Vec<Drawn> = Vec::new();
    let mut rows: Vec<Annotated> = Vec::with_capacity(config.images);
    for start in (0..config.images).step_by(TOGETHER) {
        let part = start..(start + TOGETHER).min(config.images);
        let drawn: Vec<Drawn> = (part.start..part.end.min(distinct).max(part.start))
            .into_par_iter()
            .map(|index| {
                let drawn = draw(config.seed, index)?;
                store.put_new(index, &drawn)?;
                if progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_break() {
                    return Err(Error::Stopped);
                }
                Ok(drawn)
            })
            .collect::<Result<_>>()?;
        for index in part.clone() {
            let original = index % distinct;
            if original != index && progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_break() {
                return Err(Error::Stopped);
            }
            // Kept from an earlier part, or drawn in this one.
            let face = kept.get(original).unwrap_or_else(|| &drawn[original - part.start]);
            store.put(index, original, face)?;
            rows.push(Annotated {
                labels: face.labels,
                landmarks: face.landmarks,
                face: index,
            });
        }
        if distinct < config.images {
            kept.extend(drawn);
        }
    }
    if let Some(attributes) = form.counterfactuals {
        pairs::add(folder, config, attributes, &mut store, &mut rows, progress)?;
    }
    store.finish(&rows)
}

fn draw(seed: u64, index: usize) -> Result<Drawn> {
    let face = render(seed, index as u64);
    Ok(Drawn {
        jpeg: encoded(&face.image, index)?,
        masks: face.masks.to_png(name(index, "jpg").as_ref())?,
        labels: face.labels,
        landmarks: face.landmarks,
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    use dataset::{Attributes, CelebaFolder, Source, Split};

    use super::*;

    const SMALL: Config = Config {
        images: 9,
        seed: 5,
        validation: 2,
        test: 3,
    };

    fn write_with(threads: usize, out: &Path) -> WriteOutcome {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(out, &SMALL, &|_| ControlFlow::Continue(())))
            .unwrap()
    }

    fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        assert_eq!(
            (write_with(1, &one), write_with(2, &two)),
            (WriteOutcome::Written, WriteOutcome::Written)
        );
        let files_of_one = files(&one);
        assert_eq!(files_of_one.len(), 2 * SMALL.images + 5);
        assert!(files_of_one == files(&two));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing is left beside the data sets"
        );
    }

    #[test]
    fn the_reader_of_celeba_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("faces");
        let finished = AtomicUsize::new(0);
        let progress = |done| {
            finished.fetch_max(done, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        write(&out, &SMALL, &progress).unwrap();
        assert_eq!(finished.into_inner(), SMALL.images);
        let read = CelebaFolder::open(&out).unwrap();
        let annotations = read.annotations();
        assert_eq!(annotations.attributes, Attributes::celeba());
        assert_eq!(annotations.indices(Split::Validation), [4, 5]);
        assert_eq!(annotations.indices(Split::Test), [6, 7, 8]);
        for index in 0..SMALL.images {
            let face = render(SMALL.seed, index as u64);
            assert_eq!(annotations.labels_of(index), face.labels);
            assert_eq!(read.masks(index).unwrap().unwrap(), face.masks);
            let image = read.image(index).unwrap();
            let error: u64 = image
                .iter()
                .zip(face.image.iter())
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum();
            assert!(error < 6 * image.len() as u64, "the JPEG differs by {error} in all");
            let landmarks = annotations.landmarks.as_ref().unwrap()[index];
            assert!((landmarks.nose[0] - face.landmarks.nose[0]).abs() <= 0.5);
        }
    }

    #[test]
    fn a_finished_folder_is_left_alone_and_a_foreign_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("faces");
        fs::create_dir(&out).unwrap();
        assert_eq!(
            write(&out, &SMALL, &|_| ControlFlow::Continue(())).unwrap(),
            WriteOutcome::Written
        );
        assert_eq!(
            write(&out, &SMALL, &|_| ControlFlow::Continue(())).unwrap(),
            WriteOutcome::AlreadyThere
        );
        let other = write(&out, &Config { seed: 6, ..SMALL }, &|_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string();
        assert!(
            other.contains("another configuration") && other.contains("\"seed\":5"),
            "{other}"
        );
        fs::remove_file(out.join(MARKER)).unwrap();
        let other = write(&out, &SMALL, &|_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string();
        assert!(other.contains("other files"), "{other}");
        assert!(write(Path::new(".."), &SMALL, &|_| ControlFlow::Continue(())).is_err());
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(
            write(&file, &SMALL, &|_| ControlFlow::Continue(())),
            Err(Error::File { .. })
        ));
    }

    #[test]
    fn stopped_work_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = write(&folder.path().join("faces"), &SMALL, &|_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(Error::Stopped)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
