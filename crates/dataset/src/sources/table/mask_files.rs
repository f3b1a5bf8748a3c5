//! Masks of single attributes, one picture an image and attribute.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use crate::sources::found::{Listing, Match};
use crate::{AttributeMasks, Attributes, Error, MaskPicture, Result};

/// A folder with `ATTRIBUTE/IMAGE.png`, or another format that [`MaskPicture`] reads.
#[derive(Debug)]
pub(super) struct MaskFiles {
    /// The folder of each attribute, if there is one.
    attributes: Vec<Option<MaskFolder>>,
}

/// The masks of one attribute.
#[derive(Debug)]
struct MaskFolder {
    path: PathBuf,
    files: Listing,
}

impl MaskFolder {
    /// Where the mask of an image is, if there is one: under its name, or however that is spelt.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let exact = places(&self.path, name).find(|path| path.exists());
        exact.or_else(|| {
            let wanted = Path::new(name).with_extension("png");
            match self.files.find(&wanted.to_string_lossy(), false) {
                Match::Same(file) | Match::Spelt(file) => Some(self.path.join(file)),
                Match::Several(_) | Match::Absent(_) => None,
            }
        })
    }
}

impl MaskFiles {
    /// The masks below `folder`.
    ///
    /// # Errors
    /// When it is no folder, or has none for any of the attributes.
    pub(super) fn open(folder: &Path, attributes: &Attributes) -> Result<Self> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders: Vec<String> = entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let of = |name: &String| {
            let alike = || {
                let mut alike = folders.iter().filter(|other| plain(other) == plain(name));
                alike.next().filter(|_| alike.next().is_none())
            };
            let path = folder.join(folders.iter().find(|other| *other == name).or_else(alike)?);
            let files = Listing::of_folder(&path);
            Some(MaskFolder { path, files })
        };
        let found: Vec<Option<MaskFolder>> = attributes.names().iter().map(of).collect();
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
        let of = |folder: &Option<MaskFolder>| folder.as_ref()?.find(name);
        self.attributes.iter().map(of).collect()
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

/// An attribute's name as that of a folder may be: in lower case, with `_` for what some systems do not allow, and for blanks.
fn plain(name: &str) -> String {
    let character = |c: char| {
        if c.is_alphanumeric() || "-.".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.nfc().map(character).collect::<String>().to_lowercase()
}

/// The mask under the image's name.
fn first(folder: &MaskFolder, name: &str) -> Result<Option<(MaskPicture, PathBuf)>> {
    if let Some(path) = folder.find(name) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path, source }),
        };
        return Ok(Some((MaskPicture::read(&bytes, &path)?, path)));
    }
    Ok(None)
}
