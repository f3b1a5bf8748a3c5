//! Which file on disk an annotation means, where the two spell it differently.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

/// Extensions of images, in lower case.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp"];

/// Folders within folders that are looked through: deeper ones are a circle of links.
const DEEPEST: usize = 32;

/// The files below a folder or in an archive, by what their names say however they are spelt.
#[derive(Debug)]
pub(crate) struct Listing {
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
}

/// What is found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
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
    /// The files below a folder, whatever their number: the folders are listed, the files not looked at.
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let mut names = Vec::new();
        list(folder, "", DEEPEST, &mut names);
        Self::of(names)
    }

    /// Some names.
    pub(crate) fn of(mut names: Vec<String>) -> Self {
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
                if let Some(stem) = stem(&key) {
                    spellings.stems.entry(stem.to_owned()).or_default().push(index);
                }
                spellings.keys.entry(key).or_default().push(index);
            }
            spellings
        })
    }

    /// The file that `name` means; if there is none, `similar` looks for one that is like it.
    pub(crate) fn find(&self, name: &str, similar: bool) -> Match {
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

    fn find_key(&self, name: &str, key: &str) -> Match {
        let spelt = |found: &[usize]| match found {
            [] => None,
            [one] => Some(Match::Spelt(self.names[*one].clone())),
            // Of several that differ in case one may be of the same.
            [first, second, ..] => {
                let wanted = plain(name);
                let mut same = found.iter().filter(|index| plain(&self.names[**index]) == wanted);
                Some(match (same.next(), same.next()) {
                    (Some(one), None) => Match::Spelt(self.names[*one].clone()),
                    _ => Match::Several([*first, *second].map(|index| self.names[index].clone())),
                })
            }
        };
        if let Some(found) = self.spellings().keys.get(key).and_then(|found| spelt(found)) {
            return found;
        }
        let of_stem = |stem: &str| self.spellings().stems.get(stem).map_or(&[][..], Vec::as_slice);
        // `scan.2` has no extension; `scan.jpg` has one that may be another.
        let found = match of_stem(key) {
            [] => stem(key).map(of_stem).unwrap_or_default(),
            found => found,
        };
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
        let last = |name: &str| {
            let file = name.rsplit('/').next().unwrap_or(name);
            stem(file).unwrap_or(file).to_owned()
        };
        let wanted = last(key);
        let keys = self
            .names
            .iter()
            .take(COMPARED)
            .map(|name| (last(&self::key(name)), name));
        // Images that are numbered are not alike for that.
        let keys = keys.filter(|(other, _)| numbers(other) == numbers(&wanted));
        let likeness = keys.map(|(other, name)| (strsim::jaro_winkler(&other, &wanted), name));
        let best = likeness
            .filter(|(alike, _)| *alike > ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, name)| name.clone())
    }
}

/// Adds the names of the files below a folder, which `before` leads to.
fn list(folder: &Path, before: &str, depth: usize, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        // A name that is no text cannot be in a table.
        let Some(name) = name.to_str() else { continue };
        let name = format!("{before}{name}");
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => path.is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => continue,
        };
        match is_folder {
            false => names.push(name),
            true if depth > 0 => list(&path, &format!("{name}/"), depth - 1, names),
            true => {}
        }
    }
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
