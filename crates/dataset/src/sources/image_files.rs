use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::zipped::ZippedFiles;
use crate::{Error, Origin, Result};

/// The image files of a data set: a folder, or a zip archive that is read in place.
#[derive(Debug)]
pub(crate) enum ImageFiles {
    Folder(PathBuf),
    Archive(ZippedFiles),
}

impl ImageFiles {
    /// A folder of images; an archive when `path` ends in `.zip`. A folder that holds nothing but a folder of its own
    /// name, as Kaggle's copy of CelebA does, stands for that one.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
        {
            return ZippedFiles::open(path).map(Self::Archive);
        }
        let nested = path
            .file_name()
            .map(|name| path.join(name))
            .filter(|nested| nested.is_dir());
        Ok(Self::Folder(nested.unwrap_or_else(|| path.to_owned())))
    }

    /// The bytes and the place of the first file there is among the `candidates` for image `name`.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(crate) fn read_first(
        &self,
        name: &str,
        candidates: impl Iterator<Item = String> + Clone,
    ) -> Result<(Vec<u8>, PathBuf)> {
        for name in candidates.clone() {
            let place = self.place(&name);
            let bytes = match self {
                Self::Archive(files) => files.read(&name)?,
                Self::Folder(_) => match fs::metadata(&place) {
                    // A pipe keeps its reader waiting for ever, and a device may have no end.
                    Ok(found) if !found.is_file() => None,
                    _ => match fs::read(&place) {
                        Ok(bytes) => Some(bytes),
                        Err(error) if error.kind() == ErrorKind::NotFound => None,
                        Err(source) => return Err(Error::Read { path: place, source }),
                    },
                },
            };
            if let Some(bytes) = bytes {
                return Ok((bytes, place));
            }
        }
        Err(Error::Missing {
            what: format!("image {name}"),
            looked_for: candidates.map(|name| self.place(&name)).collect(),
        })
    }

    /// The size in bytes of the first file there is among the `candidates`.
    pub(crate) fn first_size(&self, mut candidates: impl Iterator<Item = String>) -> Option<u64> {
        candidates.find_map(|name| match self {
            Self::Archive(files) => files.size(&name),
            Self::Folder(_) => fs::metadata(self.place(&name)).ok().map(|file| file.len()),
        })
    }

    /// Where the first file there is among the `candidates` is.
    pub(crate) fn first_origin(&self, mut candidates: impl Iterator<Item = String>) -> Option<Origin> {
        candidates.find_map(|name| match self {
            Self::Archive(files) => {
                files.size(&name)?;
                Some(Origin::part(files.path().to_owned(), name))
            }
            Self::Folder(_) => Some(self.place(&name))
                .filter(|place| place.is_file())
                .map(Origin::file),
        })
    }

    /// Tells `add` what changes with the first file there is among the `candidates`: size and time of change, or size and checksum in an
    /// archive.
    pub(crate) fn identify_first(&self, candidates: impl Iterator<Item = String>, add: &mut dyn FnMut(&[u8])) {
        for name in candidates {
            let known = match self {
                Self::Archive(files) => files.checksum(&name),
                Self::Folder(_) => fs::metadata(self.place(&name)).ok().map(|file| {
                    // Of the last change of any kind, which no program can set: a file that was given its old date back is noticed.
                    let changed = file.ctime().wrapping_mul(1_000_000_000).wrapping_add(file.ctime_nsec());
                    (file.len(), changed as u64)
                }),
            };
            if let Some((size, change)) = known {
                add(&size.to_le_bytes());
                add(&change.to_le_bytes());
                return;
            }
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Archive(files) => files.place(name),
        }
    }
}
