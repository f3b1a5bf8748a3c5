//! Where the files of a data set of shapes lie, and how they are named and encoded.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder};

use super::draw::{Picture, draw};
use super::labels::{ATTRIBUTES, Row};
use crate::folder::{cannot_write, put};
use crate::seed::generator;
use crate::{Error, Result};

/// The table's file.
pub const TABLE: &str = "labels.csv";
/// The folder of the images.
pub const IMAGES: &str = "images";
/// The folder of the masks.
pub const MASKS: &str = "masks";

const QUALITY: u8 = 92;

/// The folders of a data set.
pub(super) struct Folder {
    pub(super) root: PathBuf,
    images: PathBuf,
    masks: [PathBuf; 5],
}

impl Folder {
    /// Makes them.
    pub(super) fn make(root: &Path) -> Result<Self> {
        let folder = Self {
            root: root.to_owned(),
            images: root.join(IMAGES),
            masks: ATTRIBUTES.map(|attribute| root.join(MASKS).join(attribute)),
        };
        for path in folder.masks.iter().chain([&folder.images]) {
            fs::create_dir_all(path).map_err(cannot_write(path))?;
        }
        Ok(folder)
    }

    /// Writes a picture of this name with its masks.
    pub(super) fn put(&self, name: &str, picture: &Picture) -> Result<()> {
        let path = self.images.join(name);
        put(&path, &encoded(picture, &path)?)?;
        for (folder, mask) in self.masks.iter().zip(&picture.masks) {
            put_mask(&folder.join(name).with_extension("png"), mask)?;
        }
        Ok(())
    }
}

/// Writes a grey picture.
pub(super) fn put_mask(path: &Path, mask: &GrayImage) -> Result<()> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(mask.as_raw(), mask.width(), mask.height(), ExtendedColorType::L8)
        .map_err(cannot_encode(path))?;
    put(path, &bytes)
}

/// A picture's line of the table.
pub(super) fn line(name: &str, row: &Row) -> String {
    let cells = row.told.map(|label| match label {
        1 => ",1",
        -1 => ",0",
        _ => ",",
    });
    format!("{name}{}", cells.concat())
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
