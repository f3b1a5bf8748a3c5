//! The images that annotations name, each with its file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::found::{Listing, Match};
use super::image_files::ImageFiles;
use super::zipped::Found;
use crate::{Error, Origin, Result};

/// How many images that are not there have a look for what is like them.
const COMPARED: usize = 20;

/// The images that annotations name, and their files.
#[derive(Debug)]
pub(crate) struct NamedImages {
    files: ImageFiles,
    /// An image each: its file's name, if there is one.
    found: Vec<Option<String>>,
    /// What is like those that are not there.
    similar: HashMap<usize, String>,
    /// The first of the images that were found under another name than theirs, with that, and their number.
    spelt: Option<(String, String, usize)>,
}

impl NamedImages {
    /// Looks for the files of the images `names`, which `annotations` names. The folder is listed once; files are not
    /// looked at.
    ///
    /// # Errors
    /// When a name may mean two files, or two names mean one; when a folder cannot be read.
    pub(crate) fn find(files: ImageFiles, names: &[String], annotations: &str) -> Result<Self> {
        let listing = match &files {
            ImageFiles::Folder(folder) => Listing::of_folder(folder)?,
            ImageFiles::Archive(archive) => Listing::of(archive.names()),
        };
        let refused = |name: &str, found: String, expected: &str| Error::File {
            file: annotations.to_owned(),
            found: format!("image {name}, {found}"),
            expected: expected.to_owned(),
        };
        let mut all = Self {
            files,
            found: Vec::with_capacity(names.len()),
            similar: HashMap::new(),
            spelt: None,
        };
        let mut owners: HashMap<String, usize> = HashMap::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let matched = look(&all.files, &listing, name, all.similar.len() < COMPARED);
            let file = match matched {
                Match::Same(file) => Some(file),
                Match::Spelt(file) => {
                    let (_, _, count) = all.spelt.get_or_insert_with(|| (name.clone(), file.clone(), 0));
                    *count += 1;
                    Some(file)
                }
                Match::Several([one, other]) => {
                    let found = format!("which may be {one} or {other}");
                    return Err(refused(name, found, "the exact name of one of them"));
                }
                Match::Absent(similar) => {
                    all.similar.extend(similar.map(|similar| (index, similar)));
                    None
                }
            };
            if let Some(file) = &file
                && let Some(other) = owners.insert(file.clone(), index)
            {
                let found = format!("whose file is {file}, as that of {}", names[other]);
                return Err(refused(name, found, "a file of its own for each image"));
            }
            all.found.push(file);
        }
        Ok(all)
    }

    /// A line that says how many images were found under another name.
    pub(crate) fn note(&self) -> Option<String> {
        let (name, file, count) = self.spelt.as_ref()?;
        Some(match count {
            1 => format!("1 image was found under another name: {name} is {file}"),
            count => format!("{count} images were found under other names: {name} is {file}"),
        })
    }

    /// The files by the images' positions; `None` for those that are not there.
    pub(crate) fn file(&self, index: usize) -> Option<&str> {
        self.found.get(index)?.as_deref()
    }

    /// Bytes and place of an image's file.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(crate) fn read(&self, index: usize, name: &str) -> Result<(Vec<u8>, PathBuf)> {
        if let Some(file) = self.file(index) {
            return self.files.read_first(name, std::iter::once(file.to_owned()));
        }
        // It may have come since.
        let read = self.files.read_first(name, candidates(name));
        match (read, self.similar.get(&index)) {
            (Err(Error::Missing { what, looked_for }), Some(similar)) => Err(Error::Missing {
                what: format!("{what} (of a similar name is there {similar})"),
                looked_for,
            }),
            (read, _) => read,
        }
    }

    /// The size of an image's file in bytes.
    pub(crate) fn size(&self, index: usize, name: &str) -> Option<u64> {
        self.files.first_size(self.candidates(index, name))
    }

    /// Where an image's file is.
    pub(crate) fn origin(&self, index: usize, name: &str) -> Option<Origin> {
        self.files.first_origin(self.candidates(index, name))
    }

    /// Tells `add` what changes with an image's file.
    pub(crate) fn identify(&self, index: usize, name: &str, add: &mut dyn FnMut(&[u8])) {
        self.files.identify_first(self.candidates(index, name), add);
    }

    fn candidates(&self, index: usize, name: &str) -> impl Iterator<Item = String> {
        let found = self.file(index).map(str::to_owned);
        let others = found.is_none().then(|| candidates(name));
        found.into_iter().chain(others.into_iter().flatten())
    }
}

/// The file that `name` means in a listing of `files`.
fn look(files: &ImageFiles, listing: &Listing, name: &str, similar: bool) -> Match {
    // The folders in an archive need not be named.
    if let ImageFiles::Archive(archive) = files {
        match archive.find(name) {
            Found::One(_) => return Match::Same(name.to_owned()),
            Found::Several(found) => {
                let mut found = found.into_iter();
                let mut next = || found.next().unwrap_or_default();
                return Match::Several([next(), next()]);
            }
            Found::None => {}
        }
    }
    listing.find_in_any_folder(name, similar)
}

/// The files that a name stands for by itself; of one that leads elsewhere its last part.
fn candidates(name: &str) -> impl Iterator<Item = String> + Clone {
    let own = name_inside(name);
    let path = Path::new(&own);
    let has_extension = path.extension().is_some();
    let with = ["jpg", "png", "jpeg"].map(|extension| match has_extension {
        true => path.with_extension(extension).to_string_lossy().into_owned(),
        false => format!("{own}.{extension}"),
    });
    let others: Vec<String> = with.into_iter().filter(|other| *other != own).collect();
    std::iter::once(own).chain(others)
}

/// A name that cannot lead out of a folder: this one, or its last part.
pub(crate) fn name_inside(name: &str) -> String {
    if is_path_inside(name) {
        return name.to_owned();
    }
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.replace([':', '\0'], "_")
}

/// Whether `name` is a relative path with forward slashes that cannot lead out of its folder on any system.
pub(crate) fn is_path_inside(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    !drive && !name.contains(['\\', '\0']) && name.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_folder_pass() {
        for name in ["1.jpg", "a/b/1.png", "a..b.png", ".hidden", "é 1"] {
            assert!(is_path_inside(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../1.jpg",
            "a/../../b",
            "a/..",
            "/etc/passwd",
            "a//b",
            "a\\b",
            "C:\\a",
            "C:a",
            "a\0",
        ] {
            assert!(!is_path_inside(name), "{name}");
        }
    }

    #[test]
    fn what_is_looked_for_is_inside() {
        for (name, inside) in [
            ("a/1.jpg", "a/1.jpg"),
            ("/etc/passwd", "passwd"),
            ("C:\\a\\1.jpg", "1.jpg"),
            ("C:1.jpg", "C_1.jpg"),
            ("../1.jpg", "1.jpg"),
        ] {
            assert_eq!(name_inside(name), inside);
        }
    }
}
