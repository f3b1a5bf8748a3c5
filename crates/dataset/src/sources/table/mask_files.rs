//! Masks of single attributes, one PNG an image and attribute.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use image::GrayImage;

use super::cell::is_path_inside;
use crate::decode::decode_bounded;
use crate::{AttributeMasks, Attributes, Error, Result};

/// A folder with `ATTRIBUTE/IMAGE.png`.
#[derive(Debug)]
pub(super) struct MaskFiles {
    /// The folder of each attribute, if there is one.
    attributes: Vec<Option<PathBuf>>,
}

impl MaskFiles {
    /// The masks below `folder`.
    ///
    /// # Errors
    /// When it is no folder, or has none for any of the attributes.
    pub(super) fn open(folder: &Path, attributes: &Attributes) -> Result<Self> {
        let of = |name: &String| {
            let path = folder.join(name);
            (is_path_inside(name) && !name.contains('/') && path.is_dir()).then_some(path)
        };
        let found: Vec<Option<PathBuf>> = attributes.names().iter().map(of).collect();
        if found.iter().all(Option::is_none) {
            return Err(Error::Missing {
                what: "a folder of masks for any attribute".to_owned(),
                looked_for: attributes.names().iter().map(|name| folder.join(name)).collect(),
            });
        }
        Ok(Self { attributes: found })
    }

    /// The files that [`read`](Self::read) reads, one entry an attribute.
    pub(super) fn files(&self, name: &str) -> Vec<Option<PathBuf>> {
        let first = |folder: &PathBuf| places(folder, name).into_iter().find(|path| path.exists());
        self.attributes.iter().map(|folder| first(folder.as_ref()?)).collect()
    }

    /// The masks of an image of `size` (width, height); an attribute without a file has none of its pixels. `None` without any
    /// file.
    ///
    /// # Errors
    /// When a file is no PNG, or not of the image's size.
    pub(super) fn read(&self, name: &str, size: (u32, u32)) -> Result<Option<AttributeMasks>> {
        let mut masks = None;
        for (attribute, folder) in self.attributes.iter().enumerate() {
            let Some(folder) = folder else { continue };
            let Some((mask, path)) = first(folder, name)? else {
                continue;
            };
            if mask.dimensions() != size {
                return Err(Error::File {
                    file: path.display().to_string(),
                    found: format!("a mask of {} x {} pixels", mask.width(), mask.height()),
                    expected: format!("{} x {}, as the image", size.0, size.1),
                });
            }
            let masks = masks.get_or_insert_with(|| AttributeMasks::new(size.0, size.1, self.attributes.len()));
            let largest = mask.iter().copied().max().unwrap_or(0);
            for (x, y, pixel) in mask.enumerate_pixels() {
                if largest > 0 && 2 * u16::from(pixel[0]) >= u16::from(largest) {
                    masks.insert(attribute, x, y);
                }
            }
        }
        Ok(masks)
    }
}

/// Where the mask under an image's name may be: with `.png` for its extension, or after it.
fn places(folder: &Path, name: &str) -> [PathBuf; 2] {
    [
        folder.join(name).with_extension("png"),
        folder.join(format!("{name}.png")),
    ]
}

/// The mask under the image's name.
fn first(folder: &Path, name: &str) -> Result<Option<(GrayImage, PathBuf)>> {
    for path in places(folder, name) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Read { path, source }),
        };
        let decoded = decode_bounded(&bytes, Some(image::ImageFormat::Png));
        let image = decoded.map_err(|source| Error::Decode {
            path: path.clone(),
            source,
        })?;
        return Ok(Some((image.into_luma8(), path)));
    }
    Ok(None)
}
