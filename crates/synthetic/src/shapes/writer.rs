use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;

use super::draw::{Picture, draw};
use super::labels::{ATTRIBUTES, Row};
use crate::folder::{Progress, WriteOutcome, cannot_write, put, write_once};
use crate::seed::generator;
use crate::{Error, Result};

/// Changes whenever the same seed gives other pictures, labels or masks.
pub const GENERATOR_VERSION: u32 = 1;
/// The table's file.
pub const TABLE: &str = "labels.csv";
/// The folder of the images.
pub const IMAGES: &str = "images";
/// The folder of the masks.
pub const MASKS: &str = "masks";

/// The file that marks a finished data set.
const MARKER: &str = "shapes.json";
const QUALITY: u8 = 92;

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

/// Writes pictures, table and masks into `out`, unless they are there. The bytes depend on the configuration only.
///
/// # Errors
/// [`Error::File`] when `out` holds anything else, [`Error::Stopped`] when `progress` says so, [`Error::Write`] when a file
/// cannot be written.
pub fn write(out: &Path, config: Config, progress: &Progress<'_>) -> Result<WriteOutcome> {
    if !(1..1_000_000).contains(&config.images) {
        return Err(Error::Invalid {
            what: "shapes".to_owned(),
            found: format!("{} images", config.images),
            expected: "1 to 999999".to_owned(),
        });
    }
    let marker = format!(
        "{{\n  \"generator\": \"biascam shapes\",\n  \"version\": {GENERATOR_VERSION},\n  \"seed\": {},\n  \"images\": {}\n}}\n",
        config.seed, config.images
    );
    write_once(out, MARKER, &marker, |folder| fill(folder, config, progress))
}

fn fill(folder: &Path, config: Config, progress: &Progress<'_>) -> Result<()> {
    let images = folder.join(IMAGES);
    let masks = ATTRIBUTES.map(|attribute| folder.join(MASKS).join(attribute));
    for path in masks.iter().chain([&images]) {
        fs::create_dir_all(path).map_err(cannot_write(path))?;
    }
    let done = AtomicUsize::new(0);
    let rows: Vec<(String, Row)> = (0..config.images)
        .into_par_iter()
        .map(|index| {
            let (row, picture) = drawn(config.seed, index, None, None);
            let name = file_name(index);
            put(&images.join(&name), &encoded(&picture, &images.join(&name))?)?;
            for (folder, mask) in masks.iter().zip(&picture.masks) {
                let path = folder.join(format!("{:05}.png", index + 1));
                let mut bytes = Vec::new();
                let size = mask.dimensions();
                PngEncoder::new(&mut bytes)
                    .write_image(mask.as_raw(), size.0, size.1, ExtendedColorType::L8)
                    .map_err(cannot_encode(&path))?;
                put(&path, &bytes)?;
            }
            if progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_break() {
                return Err(Error::Stopped);
            }
            Ok((name, row))
        })
        .collect::<Result<_>>()?;
    let mut table = format!("file,{}\n", ATTRIBUTES.join(","));
    for (name, row) in rows {
        table.push_str(&name);
        for label in row.told {
            table.push_str(match label {
                1 => ",1",
                -1 => ",0",
                _ => ",",
            });
        }
        table.push('\n');
    }
    put(&folder.join(TABLE), table.as_bytes())
}

/// The picture `index` of the data set with this seed, or the same with one attribute toggled or with other noise, and what it shows.
pub(super) fn drawn(seed: u64, index: usize, toggled: Option<usize>, other_noise: Option<u64>) -> (Row, Picture) {
    let mut random = generator(seed, index as u64);
    let mut row = Row::sample(&mut random);
    if let Some(attribute) = toggled {
        row = row.toggled(attribute);
    }
    // A stream that no picture has.
    let noise = other_noise.map(|number| generator(seed ^ (number + 1).rotate_left(32), index as u64));
    let picture = draw(&row, &mut random, noise);
    (row, picture)
}

/// The name of picture `index`; every fourth is a PNG.
pub(super) fn file_name(index: usize) -> String {
    let extension = if index % 4 == 3 { "png" } else { "jpg" };
    format!("{:05}.{extension}", index + 1)
}

/// The picture as the bytes of a file with this name.
pub(super) fn encoded(picture: &Picture, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1 << 14);
    let written = if path.extension().is_some_and(|extension| extension == "png") {
        let (width, height) = picture.image.dimensions();
        PngEncoder::new(&mut bytes).write_image(picture.image.as_raw(), width, height, ExtendedColorType::Rgb8)
    } else {
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture.image)
    };
    written.map_err(cannot_encode(path))?;
    Ok(bytes)
}

fn cannot_encode(path: &Path) -> impl FnOnce(image::ImageError) -> Error {
    let path = path.to_owned();
    move |source| Error::Encode { path, source }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use dataset::{Fit, Shares, Source, Split, TableConfig, TableFolder, TableSplit};

    use super::*;

    fn written(folder: &Path, images: usize) -> TableFolder {
        let out = folder.join("shapes");
        let config = Config { images, seed: 4 };
        assert_eq!(
            write(&out, config, &|_| ControlFlow::Continue(())).unwrap(),
            WriteOutcome::Written
        );
        assert_eq!(
            write(&out, config, &|_| ControlFlow::Break(())).unwrap(),
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
            pool.install(|| write(&out, Config { images: 6, seed }, &|_| ControlFlow::Continue(())))
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
        let stop = write(&out, Config { images: 3, seed: 1 }, &|_| ControlFlow::Break(()));
        assert!(matches!(stop, Err(Error::Stopped)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir(&out).unwrap();
        fs::write(out.join("mine.txt"), "mine").unwrap();
        let refused = write(&out, Config { images: 3, seed: 1 }, &|_| ControlFlow::Continue(()));
        assert!(refused.unwrap_err().to_string().contains("other files"));
        assert!(write(&out, Config { images: 0, seed: 1 }, &|_| ControlFlow::Continue(())).is_err());
    }
}
