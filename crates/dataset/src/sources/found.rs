//! Which file on disk an annotation means, where the two spell it differently.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use crate::files::is_clutter;
use crate::{Error, Result};

/// Extensions of images, in lower case.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp"];

/// Extensions of pictures that are not read, in lower case: that they are there is said by who reads them.
const OTHER_EXTENSIONS: [&str; 8] = ["tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "dcm"];

/// Folders within folders that are looked through: deeper ones are a circle of links.
const DEEPEST: usize = 32;

/// The files below a folder or in an archive, by what their names say however they are spelt.
#[derive(Debug)]
pub struct Listing {
    /// Names with forward slashes, in ascending order.
    names: Vec<String>,
    /// Made when a name is not there as it is spelt.
    spellings: OnceLock<Spellings>,
}

/// Positions of names.
#[derive(Debug, Default)]
struct Spellings {
    /// By [`key`].
    keys: HashMap<String, Vec<usize>>,
    /// Of images, by the key without extension.
    stems: HashMap<String, Vec<usize>>,
    /// The same of pictures of other formats and of files without extension.
    other_stems: HashMap<String, Vec<usize>>,
    /// By the name without folders, as it is spelt.
    last_names: HashMap<String, Vec<usize>>,
    /// Of images, by the key without folders and extension.
    last_stems: HashMap<String, Vec<usize>>,
    /// The same of pictures of other formats and of files without extension.
    last_other_stems: HashMap<String, Vec<usize>>,
}

/// What is found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The file of this very name, or with an extension after a name that has none.
    Same(String),
    /// The one file whose name differs only in case, extension, Unicode form, slashes, or the folders before it.
    Spelt(String),
    /// Two files that it may mean, and how many more.
    Several([String; 2]),
    /// None; the file that is most like it.
    Absent(Option<String>),
}

impl Listing {
    /// The files below a folder, whatever their number: the folders are listed, the files not looked at. A folder that is not there
    /// has none.
    ///
    /// # Errors
    /// When a folder cannot be read: it may have what is looked for.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self> {
        let mut names = Vec::new();
        list(folder, "", DEEPEST, &mut names)?;
        Ok(Self::of(names))
    }

    /// Some names.
    pub fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        let spellings = OnceLock::new();
        Self { names, spellings }
    }

    /// All names, in ascending order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether there is a file of this very name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    fn spellings(&self) -> &Spellings {
        self.spellings.get_or_init(|| {
            let mut spellings = Spellings::default();
            for (index, name) in self.names.iter().enumerate() {
                let key = key(name);
                let (image, other) = match stem(&key) {
                    Some(stem) => (Some(stem), None),
                    None => (None, other_stem(&key)),
                };
                for (stem, of_all, of_last) in [
                    (image, &mut spellings.stems, &mut spellings.last_stems),
                    (other, &mut spellings.other_stems, &mut spellings.last_other_stems),
                ] {
                    if let Some(stem) = stem {
                        of_all.entry(stem.to_owned()).or_default().push(index);
                        of_last.entry(last(stem).to_owned()).or_default().push(index);
                    }
                }
                let named = spellings.last_names.entry(last(name).to_owned());
                named.or_default().push(index);
                spellings.keys.entry(key).or_default().push(index);
            }
            spellings
        })
    }

    /// The file that `name` means; if there is none, `similar` looks for one that is like it.
    pub fn find(&self, name: &str, similar: bool) -> Match {
        if self.has(name) {
            return Match::Same(name.to_owned());
        }
        let wanted = key(name);
        let mut rest = wanted.as_str();
        loop {
            match self.find_key(name, rest) {
                Match::Absent(_) => {}
                found => return found,
            }
            // A table may name the folders that lead to the images' one.
            match rest.split_once('/') {
                Some((_, shorter)) => rest = shorter,
                None => return Match::Absent(similar.then(|| self.similar(&wanted)).flatten()),
            }
        }
    }

    /// As [`find`](Self::find), but the folders before a name may be left out if one file alone has the rest: the file of this very name
    /// comes before those whose names differ, wherever it is.
    pub fn find_in_any_folder(&self, name: &str, similar: bool) -> Match {
        if self.has(name) {
            return Match::Same(name.to_owned());
        }
        let spellings = self.spellings();
        let ends_so = |file: &str| file.strip_suffix(name).is_some_and(|before| before.ends_with('/'));
        let named = spellings.last_names.get(last(name)).into_iter().flatten();
        let exact: Vec<usize> = named.copied().filter(|&index| ends_so(&self.names[index])).collect();
        if let Some(found) = self.one_of(&exact) {
            return found;
        }
        let found = self.find(name, similar);
        if !matches!(found, Match::Absent(_)) || name.contains(['/', '\\']) {
            return found;
        }
        let key = key(name);
        let stem = stem(&key).unwrap_or(&key);
        let of_last = [&spellings.last_stems, &spellings.last_other_stems];
        let positions = of_last.into_iter().find_map(|known| known.get(stem));
        positions.and_then(|found| self.one_of(found)).unwrap_or(found)
    }

    /// What some positions mean.
    fn one_of(&self, positions: &[usize]) -> Option<Match> {
        match positions {
            [] => None,
            [one] => Some(Match::Spelt(self.names[*one].clone())),
            [first, second, ..] => Some(Match::Several([*first, *second].map(|index| self.names[index].clone()))),
        }
    }

    fn find_key(&self, name: &str, key: &str) -> Match {
        let spelt = |found: &[usize]| {
            // Of several that differ in case one may be of the same.
            let wanted = plain(name);
            let mut same = found.iter().filter(|index| plain(&self.names[**index]) == wanted);
            match (same.next(), same.next()) {
                (Some(one), None) if found.len() > 1 => Some(Match::Spelt(self.names[*one].clone())),
                _ => self.one_of(found),
            }
        };
        if let Some(found) = self.spellings().keys.get(key).and_then(|found| spelt(found)) {
            return found;
        }
        let spellings = self.spellings();
        // `scan.2` has no extension; `scan.jpg` has one that may be another.
        let stems = [Some(key), stem(key)];
        let found = [&spellings.stems, &spellings.other_stems]
            .into_iter()
            .find_map(|known| stems.iter().flatten().find_map(|stem| known.get(*stem)))
            .map_or(&[][..], Vec::as_slice);
        let same_case = |index: &&usize| {
            let other = &self.names[**index];
            other.rsplit_once('.').is_some_and(|(stem, _)| stem == name)
        };
        match found.iter().filter(same_case).collect::<Vec<_>>()[..] {
            [one] => Match::Same(self.names[*one].clone()),
            _ => spelt(found).unwrap_or(Match::Absent(None)),
        }
    }

    /// A file of the same name in another folder, or one of a name that looks like it.
    fn similar(&self, key: &str) -> Option<String> {
        const ALIKE: f64 = 0.9;
        // So many names are compared with within a moment.
        const COMPARED: usize = 20_000;
        let own = |name: &str| stem(last(name)).unwrap_or(last(name)).to_owned();
        let wanted = own(key);
        let keys = self
            .names
            .iter()
            .take(COMPARED)
            .map(|name| (own(&self::key(name)), name));
        // Images that are numbered are not alike for that.
        let keys = keys.filter(|(other, _)| numbers(other) == numbers(&wanted));
        let likeness = keys.map(|(other, name)| (strsim::jaro_winkler(&other, &wanted), name));
        let best = likeness
            .filter(|(alike, _)| *alike > ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, name)| name.clone())
    }
}

/// What is in a folder; nothing in one that is not there.
pub(super) fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let found = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        found => found.and_then(Iterator::collect),
    };
    found.map_err(|source| Error::Read {
        path: folder.to_owned(),
        source,
    })
}

/// Adds the names of the files below a folder, which `before` leads to; what file managers leave is no one's file.
fn list(folder: &Path, before: &str, depth: usize, names: &mut Vec<String>) -> Result<()> {
    for entry in entries(folder)? {
        let (name, path) = (entry.file_name(), entry.path());
        // A name that is no text cannot be in a table.
        let Some(name) = name.to_str().filter(|name| !is_clutter(name)) else {
            continue;
        };
        let name = format!("{before}{name}");
        let kind = match entry.file_type() {
            // A link that leads nowhere is named where the file is read.
            Ok(kind) if kind.is_symlink() => fs::metadata(&path).map_or(kind, |file| file.file_type()),
            Ok(kind) => kind,
            Err(_) => continue,
        };
        if kind.is_file() || kind.is_symlink() {
            names.push(name);
        } else if kind.is_dir() && depth > 0 {
            list(&path, &format!("{name}/"), depth - 1, names)?;
        }
    }
    Ok(())
}

/// A name with forward slashes, without `./` and in composed Unicode.
fn plain(name: &str) -> String {
    let slashes = name.replace('\\', "/");
    let parts = slashes.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/").nfc().collect()
}

/// The same in lower case: what all spellings of a name share.
pub(crate) fn key(name: &str) -> String {
    plain(&plain(name).to_lowercase())
}

/// The numbers in a name, without zeros before them.
fn numbers(name: &str) -> Vec<&str> {
    let digits = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    digits.map(|digits| digits.trim_start_matches('0')).collect()
}

/// The name of an image without its extension.
fn stem(key: &str) -> Option<&str> {
    let (stem, extension) = key.rsplit_once('.')?;
    let is_image = EXTENSIONS.contains(&extension) && !stem.is_empty() && !stem.ends_with('/');
    is_image.then_some(stem)
}

/// The same of a picture that is not read, or of a file without extension.
fn other_stem(key: &str) -> Option<&str> {
    match last(key).rsplit_once('.') {
        None => Some(key),
        Some((before, extension)) if !before.is_empty() && OTHER_EXTENSIONS.contains(&extension) => {
            key.strip_suffix(extension)?.strip_suffix('.')
        }
        Some(_) => None,
    }
}

/// A name without the folders before it.
fn last(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        Listing::of(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_file_is_found_under_other_spellings_of_its_name() {
        let files = listing(&[
            "a/00.PNG",
            "b/00.jpeg",
            "caf\u{e9}.png",
            "scan.2.png",
            "x.txt",
            "c/img_1.jpg",
        ]);
        let spelt = |name: &str| Match::Spelt(name.to_owned());
        for (name, expected) in [
            ("a/00.PNG", Match::Same("a/00.PNG".to_owned())),
            ("a/00", Match::Same("a/00.PNG".to_owned())),
            ("a/00.png", spelt("a/00.PNG")),
            ("A\\00.png", spelt("a/00.PNG")),
            ("./a/00.PNG", spelt("a/00.PNG")),
            ("/home/me/data/a/00.PNG", spelt("a/00.PNG")),
            ("C:\\data\\a\\00.PNG", spelt("a/00.PNG")),
            ("images/a/00.PNG", spelt("a/00.PNG")),
            ("a/00.jpg", spelt("a/00.PNG")),
            ("b/00.png", spelt("b/00.jpeg")),
            ("cafe\u{301}.png", spelt("caf\u{e9}.png")),
            ("CAFE\u{301}.JPG", spelt("caf\u{e9}.png")),
            ("scan.2", Match::Same("scan.2.png".to_owned())),
            ("scan.2.jpg", spelt("scan.2.png")),
            ("x", Match::Absent(None)),
            ("00.png", Match::Absent(Some("b/00.jpeg".to_owned()))),
            ("c/00.png", Match::Absent(Some("b/00.jpeg".to_owned()))),
            ("b/img_01.png", Match::Absent(Some("c/img_1.jpg".to_owned()))),
            ("img_2.jpg", Match::Absent(None)),
        ] {
            assert_eq!(files.find(name, true), expected, "{name}");
        }
    }

    #[test]
    fn files_without_extension_and_of_other_formats_come_last() {
        let files = listing(&["00", "01.tif", "02.TIFF", "02.png", "03.txt", "a.b/04"]);
        let spelt = |name: &str| Match::Spelt(name.to_owned());
        for (name, expected) in [
            ("00.png", spelt("00")),
            ("01.jpg", spelt("01.tif")),
            ("02.jpg", spelt("02.png")),
            ("03.png", Match::Absent(None)),
            ("a.b/04.png", spelt("a.b/04")),
        ] {
            assert_eq!(files.find(name, false), expected, "{name}");
        }
    }

    #[test]
    fn a_name_without_folders_is_looked_for_in_all() {
        let files = listing(&[
            "a/1.png",
            "b/2.PNG",
            "c/3.jpg",
            "d/3.png",
            "d/4.txt",
            "5.png",
            "e/5.png",
            "6.PNG",
            "6.png.png",
            "f/6.png",
            "f/g/9.png",
            "f/7",
            "f/8.tif",
        ]);
        let spelt = |name: &str| Match::Spelt(name.to_owned());
        for (name, expected) in [
            ("1.png", spelt("a/1.png")),
            ("1.jpg", spelt("a/1.png")),
            // The very name before one that is like it.
            ("6.png", spelt("f/6.png")),
            ("g/9.png", spelt("f/g/9.png")),
            ("7.png", spelt("f/7")),
            ("8", spelt("f/8.tif")),
            ("2", spelt("b/2.PNG")),
            ("3.png", spelt("d/3.png")),
            ("3", Match::Several(["c/3.jpg", "d/3.png"].map(str::to_owned))),
            ("4.png", Match::Absent(None)),
            ("5.png", Match::Same("5.png".to_owned())),
            ("x/1.png", Match::Absent(None)),
        ] {
            assert_eq!(files.find_in_any_folder(name, false), expected, "{name}");
        }
        assert_eq!(files.find("1.png", false), Match::Absent(None));
    }

    #[test]
    fn what_is_no_file_is_not_listed() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::create_dir(at(".hidden")).unwrap();
        for name in ["a.png", "sub/b.png", "sub/._b.png", ".hidden/c.png"] {
            fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink(at("a.png"), at("link.png")).unwrap();
        // Reading a pipe or a socket would wait for ever.
        let _socket = std::os::unix::net::UnixListener::bind(at("socket.png")).unwrap();
        std::os::unix::fs::symlink(at("socket.png"), at("linked.png")).unwrap();
        let files = Listing::of_folder(place.path()).unwrap();
        assert_eq!(files.names().collect::<Vec<_>>(), ["a.png", "link.png", "sub/b.png"]);
    }

    #[test]
    fn what_may_mean_two_files_means_neither() {
        let files = listing(&["A.png", "a.PNG", "b.jpg", "b.png", "c.jpg", "C.jpg"]);
        for (name, two) in [
            ("a.png", ["A.png", "a.PNG"]),
            ("b.jpeg", ["b.jpg", "b.png"]),
            ("b", ["b.jpg", "b.png"]),
        ] {
            assert_eq!(files.find(name, true), Match::Several(two.map(str::to_owned)), "{name}");
        }
        assert_eq!(files.find("b.png", false), Match::Same("b.png".to_owned()));
        // Of two that differ in case the one of the same case.
        assert_eq!(files.find("./C.jpg", false), Match::Spelt("C.jpg".to_owned()));
        assert_eq!(files.find("C", false), Match::Same("C.jpg".to_owned()));
    }
}
