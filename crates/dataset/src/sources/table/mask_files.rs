//! Masks of single attributes, one picture an image and attribute.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::cell::is_path_inside;
use crate::{AttributeMasks, Attributes, Error, MaskPicture, Result};

/// A folder with `ATTRIBUTE/IMAGE.png`, or another format that [`MaskPicture`] reads.
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
        let first = |folder: &PathBuf| places(folder, name).find(|path| path.exists());
        self.attributes.iter().map(|folder| first(folder.as_ref()?)).collect()
    }

    /// The masks of an image of `size` (width, height); an attribute without a file has none of its pixels. `None` without any
    /// file.
    ///
    /// # Errors
    /// When a file is no mask (see [`MaskPicture::read`]), or not of the image's size.
    pub(super) fn read(&self, name: &str, size: (u32, u32)) -> Result<Option<AttributeMasks>> {
        let mut masks = None;
        for (attribute, folder) in self.attributes.iter().enumerate() {
            let Some(folder) = folder else { continue };
            let Some((mask, path)) = first(folder, name)? else {
                continue;
            };
            if mask.size() != size {
                let turned = if mask.size() == (size.1, size.0) {
                    " as it is seen, turned as its EXIF orientation says; the mask may be that of the picture as it is stored"
                } else {
                    ""
                };
                return Err(Error::File {
                    file: path.display().to_string(),
                    found: format!("a mask of {} x {} pixels", mask.size().0, mask.size().1),
                    expected: format!("{} x {}, as the image{turned}", size.0, size.1),
                });
            }
            let masks = masks.get_or_insert_with(|| AttributeMasks::new(size.0, size.1, self.attributes.len()));
            for (x, y) in mask.inside() {
                masks.insert(attribute, x, y);
            }
        }
        Ok(masks)
    }
}

/// Extensions of masks; PNG keeps every value, and comes first.
const EXTENSIONS: [&str; 8] = ["png", "PNG", "bmp", "gif", "webp", "jpg", "jpeg", "JPG"];

/// Where the mask under an image's name may be: with another extension, or with one more.
fn places(folder: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    let path = folder.join(name);
    let longer = folder.join(format!("{name}."));
    EXTENSIONS.iter().flat_map(move |extension| {
        let mut longer = longer.clone().into_os_string();
        longer.push(extension);
        [path.with_extension(extension), longer.into()]
    })
}

/// The mask under the image's name.
fn first(folder: &Path, name: &str) -> Result<Option<(MaskPicture, PathBuf)>> {
    for path in places(folder, name) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Read { path, source }),
        };
        return Ok(Some((MaskPicture::read(&bytes, &path)?, path)));
    }
    Ok(None)
}
